"""The rows of this app for the API's root."""

from __future__ import annotations

from rest_framework.viewsets import ViewSetMixin

from pipeline.api.events import EventViewSet

VIEWSETS: list[tuple[str, type[ViewSetMixin], str]] = [("events", EventViewSet, "event")]
