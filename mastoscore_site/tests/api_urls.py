"""Routes for tests of what every view of the API stands on: some that work, and one that fails in every way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db import IntegrityError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path, re_path
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.filters import OrderingFilter
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import ANYBODY, posts, reads, runs
from common.api.paging import CursorPages
from common.api.parsing import json_object
from common.api.problems import Problem, invalid
from common.api.views import ApiView, ApiViewSet, MastoscoreView
from common.errors import ConfigurationError, NotReadyError, RemoteError
from events.errors import EventConflict, InvalidEvent, UnknownEvent
from events.models import Event
from jobs.models import Job
from jobs.services import AlreadyActive
from mastoscore_site import api


class EventSerializer(serializers.ModelSerializer[Event]):
    class Meta:
        model = Event
        fields = ["slug", "event_title", "episode_title", "hashtag", "start", "top_n", "consent", "tag_users"]


class EventViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    ApiViewSet,
):
    """Events."""

    queryset = Event.objects.order_by("-start")
    serializer_class = EventSerializer
    lookup_field = "slug"
    rate_scope = {"fetch": "jobs"}
    access = {
        "list": reads("events.view_event"),
        "retrieve": reads("events.view_event"),
        "create": runs("events.add_event"),
        "update": runs("events.change_event"),
        "partial_update": runs("events.change_event"),
        "destroy": runs("events.delete_event"),
        "coverage": reads("events.view_event"),
        "fetch": runs("events.change_event"),
        "send": posts("pipeline.post_thread"),
    }

    @action(detail=True)
    def coverage(self, request: Request, slug: str) -> Response:
        return Response({"slug": self.get_object().slug})

    @action(detail=True, methods=["post"])
    def fetch(self, request: Request, slug: str) -> Response:
        return Response({"job_id": 1}, status=202)

    @action(detail=True, methods=["post"])
    def send(self, request: Request, slug: str) -> Response:
        return Response({"job_id": 2}, status=202)


class ByCursor(EventViewSet):
    pagination_class = CursorPages
    filter_backends = [OrderingFilter]
    ordering_fields = ["start", "top_n", "slug", "id"]


class Echo(ApiView):
    """Gives the body back."""

    access = {"get": reads(), "post": runs()}
    rate_scope = "summaries"

    def get(self, request: Request) -> Response:
        return Response({"query": dict(request.query_params)})

    def post(self, request: Request) -> Response:
        return Response({"body": json_object(request)})


class MastoscoreEcho(MastoscoreView):
    access = {"post": runs()}

    def post(self, request: Request) -> Response:
        return Response({"body": json_object(request)})


class Forgotten(ApiView):
    """Says nothing about who may call it."""

    schema = None

    def get(self, request: Request) -> Response:
        return Response({})


class PngRenderer(BaseRenderer):
    media_type = "image/png"
    format = "png"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return data if isinstance(data, bytes) else b"{}"


class Picture(ApiView):
    access = {"get": ANYBODY}
    renderer_classes = [PngRenderer]

    def get(self, request: Request) -> Response:
        return Response(b"\x89PNG", headers={"Cache-Control": "private, max-age=60"})


def _server_failure() -> Exception:
    return ZeroDivisionError("secret at /etc/passwd")


def _already_active() -> Exception:
    return AlreadyActive(Job(pk=7, kind="fetch", status=Job.Status.RUNNING), "It is running.")


FAILURES: dict[str, Callable[[], Exception]] = {
    "bug": _server_failure,
    "not-found": NotFound,
    "not-found-with-words": lambda: NotFound("No query results for model [App\\Models\\Post] 999"),
    "http404": lambda: Http404("No Event matches the given query."),
    "validation": lambda: serializers.ValidationError(
        {"name": ["This field is required."], "start": {"date": ["Wrong."]}, "ids": [{}, {"id": ["Not a number."]}]}
    ),
    "validation-sentence": lambda: serializers.ValidationError("That does not work."),
    "model-validation": lambda: ValidationError({"slug": "Taken.", "__all__": ["Both at once."]}),
    "problem": lambda: Problem(409, "Posted already.", extra={"job_id": 3}, headers={"Location": "/api/v1/jobs/3"}),
    "invalid": lambda: invalid("seconds", "At most 60."),
    "not-ready": lambda: NotReadyError("Nothing is fetched yet; run fetch first."),
    "configuration": lambda: ConfigurationError("No such zone."),
    "unknown-event": lambda: UnknownEvent("nothing"),
    "conflict": lambda: EventConflict("There is one."),
    "invalid-event": lambda: InvalidEvent(["One.", "Two."]),
    "already-active": _already_active,
    "remote": lambda: RemoteError(
        "503 of secret.example", user_message="The server did not answer.", retry_after=9.5
    ),
    "protected": lambda: ProtectedError("still used", set()),
    "integrity": lambda: IntegrityError("UNIQUE constraint failed: events_event.slug"),
    "locked": lambda: OperationalError(sqlite3.OperationalError("database is locked")),
    "suspicious": lambda: SuspiciousOperation("path /etc/passwd"),
    "recursion": lambda: RecursionError("maximum recursion depth exceeded"),
}


class Fail(ApiView):
    access = {"get": ANYBODY}

    def get(self, request: Request, how: str) -> Response:
        raise FAILURES[how]()


class MastoscoreFail(MastoscoreView):
    access = {"get": ANYBODY}

    def get(self, request: Request, how: str) -> Response:
        raise FAILURES[how]()


def plain_failure(request: HttpRequest) -> HttpResponse:
    """A bug outside of DRF."""
    raise ZeroDivisionError("secret")


def plain_refusal(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>No</h1>", status=403)


router = api.Router()
router.register("things", EventViewSet, basename="thing")
router.register("rows", ByCursor, basename="row")

urlpatterns = [
    path("api/v1/", include(router.urls)),
    *api.routes("api/v1/echo", Echo.as_view(), "echo"),
    *api.routes("api/echo", MastoscoreEcho.as_view(), "mastoscore-echo"),
    path("api/v1/forgotten", Forgotten.as_view()),
    path("api/v1/picture", Picture.as_view()),
    re_path(r"^api/v1/fail/(?P<how>[\w-]+)$", Fail.as_view()),
    re_path(r"^api/fail/(?P<how>[\w-]+)$", MastoscoreFail.as_view()),
    path("api/v1/plain-failure", plain_failure),
    path("api/v1/plain-refusal", plain_refusal),
    path("", include("mastoscore_site.urls")),
]
