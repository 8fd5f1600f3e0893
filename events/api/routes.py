"""The rows of this app for the API's root. ``events`` itself joins in ``pipeline.api``, with phases and results."""

from __future__ import annotations

from rest_framework.viewsets import ViewSetMixin

from events.api.series import AccountViewSet, OptOutViewSet, SeriesViewSet

VIEWSETS: list[tuple[str, type[ViewSetMixin], str]] = [
    ("series", SeriesViewSet, "series"),
    ("accounts", AccountViewSet, "account"),
    ("optouts", OptOutViewSet, "optout"),
]
