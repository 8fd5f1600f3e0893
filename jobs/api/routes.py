"""The rows of this app for the API's root."""

from __future__ import annotations

from rest_framework.viewsets import ViewSetMixin

from jobs.api.jobs import JobViewSet

VIEWSETS: list[tuple[str, type[ViewSetMixin], str]] = [("jobs", JobViewSet, "job")]
