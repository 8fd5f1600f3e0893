"""``/api/v1/events``: made, changed, copied, imported and exported. Their phases and results join in pipeline.api."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from common.api.access import Needs, may, reads, runs
from common.api.filters import MomentFilter, SearchFilter, TruthFilter
from common.api.problems import invalid
from common.api.views import ApiViewSet
from common.times import now_utc
from events.api.shapes import MAY_POST, CopyWish, EventRowSerializer, EventSerializer
from events.ini_text import IniError, decode
from events.models import Event
from events.services import (
    ImportOutcome,
    change_event,
    copy_event_to_next_week,
    create_event,
    export_event_text,
    import_event_text,
)

SLUG_PATTERN = "[-a-zA-Z0-9_]{1,100}"
TAG = "events"


class EventFilter(django_filters.FilterSet):
    search = SearchFilter(method="find", label="words in titles, hashtag or slug")
    hashtag = SearchFilter(field_name="hashtag_key", method="has_hashtag", label="hashtag, without “#”")
    series = SearchFilter(field_name="series__slug", label="slug of a series")
    is_published = TruthFilter()
    is_over = TruthFilter(method="has_ended", label="whether it has begun to be in the past")
    since = MomentFilter(field_name="start", lookup_expr="gte", label="starts then or later")
    until = MomentFilter(field_name="start", lookup_expr="lt", label="starts before")
    ordering = django_filters.OrderingFilter(fields=["start", "slug", "updated_at", "hashtag"])

    class Meta:
        model = Event
        fields: ClassVar[list[str]] = []

    def find(self, events: QuerySet[Event], name: str, text: str) -> QuerySet[Event]:
        for word in text.split()[:10]:
            fields = ("event_title", "episode_title", "hashtag", "slug")
            found = Q()
            for field in fields:
                found |= Q(**{f"{field}__icontains": word})
            events = events.filter(found)
        return events

    def has_hashtag(self, events: QuerySet[Event], name: str, text: str) -> QuerySet[Event]:
        return events.filter(hashtag_key=text.lstrip("#").casefold())

    def has_ended(self, events: QuerySet[Event], name: str, is_over: bool) -> QuerySet[Event]:
        # Compared by start: which of them is still going on is told by ``is_over`` in the rows.
        return events.filter(start__lte=now_utc()) if is_over else events.filter(start__gt=now_utc())


class IniParser(BaseParser):
    """An INI file as the body."""

    media_type = "text/plain"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return {"ini": decode(stream.read())}
        except IniError as error:
            raise invalid("ini", *error.problems) from error


class IniWish(serializers.Serializer[Any]):
    ini = serializers.CharField(
        trim_whitespace=False, max_length=262_144, style={"base_template": "textarea.html", "rows": 20}
    )


class EventViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    ApiViewSet,
):
    """Events: what to watch, when, and how to score it."""

    queryset = Event.objects.select_related("series").order_by("-start", "-pk")
    serializer_class: type[serializers.BaseSerializer[Any]] = EventSerializer
    filterset_class: Any = EventFilter
    lookup_field = "slug"
    lookup_value_regex = SLUG_PATTERN
    access: ClassVar[dict[str, Needs]] = {
        "list": reads("events.view_event"),
        "retrieve": reads("events.view_event"),
        "create": runs("events.add_event"),
        "update": runs("events.change_event"),
        "partial_update": runs("events.change_event"),
        "destroy": runs("events.delete_event"),
        "copy": runs("events.add_event"),
        "ini": reads("events.view_event"),
        "replace_ini": runs("events.change_event"),
        "import_ini": runs("events.add_event", "events.change_event"),
    }

    def get_serializer_class(self) -> Any:
        return EventRowSerializer if self.action == "list" else super().get_serializer_class()

    def get_queryset(self) -> QuerySet[Event]:
        events: QuerySet[Event] = super().get_queryset()
        if self.action == "list":
            names = [*_ROW_FIELDS, "duration", "series__slug"]
            return events.only(*names)
        return events

    @extend_schema(tags=[TAG], summary="List events", responses=EventRowSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The newest first, unless `ordering` says otherwise."""
        return super().list(request, *args, **kwargs)

    @extend_schema(tags=[TAG], summary="One event")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With all of its settings."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(tags=[TAG], summary="Make an event")
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """409 when the slug is taken, or the hashtag has an event on that date already."""
        return super().create(request, *args, **kwargs)

    @extend_schema(tags=[TAG], summary="Replace an event's settings")
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What is not mentioned stays, but for what has to be there."""
        return super().update(request, *args, **kwargs)

    @extend_schema(tags=[TAG], summary="Change some of an event's settings")
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What is not mentioned stays."""
        return super().partial_update(request, *args, **kwargs)

    @extend_schema(tags=[TAG], summary="Delete an event")
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With its toots, numbers and thread; its files stay. 409 while a job of it is at work."""
        return super().destroy(request, *args, **kwargs)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_event(may_post=may(self.request, MAY_POST), **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        serializer.context["warnings"] = change_event(
            serializer.instance,
            serializer.validated_data,
            may_post=may(self.request, MAY_POST),
            by=self.request.user,
        )

    @extend_schema(
        tags=[TAG], summary="Copy an event to a later week", request=CopyWish, responses={201: EventSerializer}
    )
    @action(detail=True, methods=["post"], serializer_class=CopyWish)
    def copy(self, request: Request, slug: str) -> Response:
        """The same settings some weeks on, at the same time by the clocks of its zone; no results are copied."""
        wish = CopyWish(data=request.data)
        wish.is_valid(raise_exception=True)
        values = wish.validated_data
        event = copy_event_to_next_week(
            self.get_object(),
            values["weeks"],
            episode_title=values["episode_title"],
            may_post=may(request, MAY_POST),
        )
        return self._made(event)

    @extend_schema(
        tags=[TAG],
        summary="An event as an INI file",
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    @action(detail=True)
    def ini(self, request: Request, slug: str) -> HttpResponse:
        """All settings as Mastoscore's own files have them."""
        text = export_event_text(self.get_object())
        headers = {"Content-Disposition": f'attachment; filename="{slug}.ini"'}
        return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)

    @extend_schema(
        tags=[TAG],
        summary="Replace an event by an INI file",
        request={"text/plain": OpenApiTypes.STR, "application/json": IniWish},
        responses={200: OpenApiResponse(EventSerializer)},
    )
    @ini.mapping.put
    def replace_ini(self, request: Request, slug: str) -> Response:
        """The file as the body, or as `ini` in a JSON object."""
        self.get_object()
        outcome = self._import(request, slug)
        return Response(self._show(outcome.event, outcome.warnings))

    @extend_schema(
        tags=[TAG],
        summary="Make an event from an INI file",
        request={"text/plain": OpenApiTypes.STR, "application/json": IniWish},
        responses={201: OpenApiResponse(EventSerializer)},
        parameters=[
            OpenApiParameter(
                "slug", {"type": "string", "pattern": f"^{SLUG_PATTERN}$"}, description="Of the new event."
            )
        ],
    )
    @action(detail=False, methods=["post"], url_path="import", serializer_class=IniWish)
    def import_ini(self, request: Request) -> Response:
        """The file as the body, or as `ini` in a JSON object. Without `slug` it is the file's, or hashtag and date.
        409 when there is such an event already."""
        slug = request.query_params.get("slug") or None
        outcome = self._import(request, slug, is_new=True)
        return self._made(outcome.event, outcome.warnings)

    def get_parsers(self) -> Any:
        parsers = super().get_parsers()
        return [*parsers, IniParser()] if self.action_map_has("replace_ini", "import_ini") else parsers

    def action_map_has(self, *names: str) -> bool:
        return bool(set(names) & set((getattr(self, "action_map", None) or {}).values()))

    def _import(self, request: Request, slug: str | None, *, is_new: bool = False) -> ImportOutcome:
        wish = IniWish(data=request.data)
        wish.is_valid(raise_exception=True)
        try:
            return import_event_text(
                wish.validated_data["ini"],
                name="-",
                slug=slug,
                is_new=is_new,
                may_post=may(request, MAY_POST),
                by=request.user,
            )
        except IniError as error:
            raise invalid("ini", *error.problems) from error

    def _show(self, event: Event, warnings: Sequence[str] = ()) -> Any:
        context = {**self.get_serializer_context(), "warnings": warnings}
        return EventSerializer(event, context=context).data

    def _made(self, event: Event, warnings: Sequence[str] = ()) -> Response:
        data = self._show(event, warnings)
        headers = {"Location": reverse("event-detail", args=[event.slug], request=self.request)}
        return Response(data, status=201, headers=headers)

    def get_success_headers(self, data: Any) -> dict[str, str]:
        return {"Location": reverse("event-detail", args=[data["slug"]], request=self.request)}


_ROW_FIELDS = (
    "slug",
    "event_title",
    "episode_title",
    "hashtag",
    "start",
    "timezone",
    "local_date",
    "is_published",
    "updated_at",
)
