"""The routes of the API: ``/api/v1`` gathered from the apps, and ``/api`` of the Mastoscore contract.

A viewset joins by a row in ``V1`` (list route, class, basename), a plain view of ``/api/v1`` by one in ``V1_VIEWS``,
a route of the Mastoscore contract by one in ``MASTOSCORE`` (both: path as ``path()`` takes it, without slashes around
it; view; name). A slash at the end of the address is optional in all of them.
"""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import ViewSetMixin

from events.api.routes import VIEWSETS as EVENTS_VIEWSETS
from feeds.api.routes import OUTSIDE as READER_OUTSIDE
from feeds.api.routes import VIEWS as READER_VIEWS
from feeds.api.routes import VIEWSETS as READER_VIEWSETS
from jobs.api.routes import VIEWSETS as JOBS_VIEWSETS
from mastoscore_site.api_views import Docs, Index, Me, NoSuchRoute, Schema
from pipeline.api.routes import VIEWSETS as PIPELINE_VIEWSETS
from pipeline.mastoscore.routes import ROUTES as MASTOSCORE_ROUTES

V1: list[tuple[str, type[ViewSetMixin], str]] = [
    *PIPELINE_VIEWSETS,
    *EVENTS_VIEWSETS,
    *JOBS_VIEWSETS,
    *READER_VIEWSETS,
]
V1_VIEWS: list[tuple[str, Any, str]] = [("me", Me.as_view(), "api-me"), *READER_VIEWS]
MASTOSCORE: list[tuple[str, Any, str]] = [
    ("schema", Schema.as_view(), "api-schema"),
    ("docs", Docs.as_view(), "api-docs"),
    *MASTOSCORE_ROUTES,
    *READER_OUTSIDE,  # of InfraRead
]


class Router(SimpleRouter):
    """Addresses without a slash at the end; one with it is understood."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"


def routes(text: str, view: Any, name: str) -> list[URLPattern]:
    """The one with the slash comes first: ``<path:…>`` would take it for a part of the name."""
    return [path(f"{text}/", view), path(text, view, name=name)]


def _router() -> Router:
    router = Router()
    for prefix, viewset, basename in V1:
        router.register(prefix, viewset, basename=basename)
    return router


def _lists() -> tuple[tuple[str, str, Any], ...]:
    """What the start page names: name, route, view."""
    return tuple(
        (prefix, f"{basename}-list", viewset) for prefix, viewset, basename in V1 if hasattr(viewset, "list")
    )


_lists_shown = _lists()
_v1: list[URLPattern | URLResolver] = [
    *(pattern for row in V1_VIEWS for pattern in routes(*row)),
    path("", include(_router().urls)),
]
urlpatterns: list[URLPattern | URLResolver] = [
    *routes("api", Index.as_view(lists=_lists_shown, schema=None), "api-index"),
    *routes("api/v1", Index.as_view(lists=_lists_shown, title="Version 1"), "api-v1"),
    path("api/v1/", include(_v1)),
    path("api/", include([pattern for row in MASTOSCORE for pattern in routes(*row)])),
    re_path(r"^api/", NoSuchRoute.as_view()),
]
