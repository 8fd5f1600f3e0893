"""What came of an event: numbers, toots, servers, coverage, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import Needs, may, reads
from common.api.documents import ANYTHING, MOMENT, NUMBER, TEXT, TRUTH, WHOLE, list_of, or_null, record
from common.api.filters import MomentFilter, SearchFilter, TruthFilter, WholeFilter
from common.api.paging import CursorPages, NumberedPages
from common.api.problems import Problem, invalid
from events.models import Event
from pipeline import public_files
from pipeline.api.ground import EventPart, file_address
from pipeline.crawl.results import coverage
from pipeline.export import export_lines
from pipeline.models import Artifact, Crawl, Toot, Visit
from pipeline.servers_report import find_reported_crawl, list_server_lines, summarise_servers
from pipeline.toots import leave_out_uncounted, leave_out_unwilling, load_opt_outs

TAG = "results"
_EVERYONE = OpenApiParameter(
    "everyone",
    str,
    enum=["true", "false"],
    description="Authors who ask not to be quoted as well; needs the permission `pipeline.view_toot`.",
)
_FRONT = 1000
_COUNTS = ("boosts", "favourites", "replies")
_EXPORTS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


class TootSerializer(serializers.ModelSerializer[Toot]):
    class Meta:
        model = Toot
        fields = [
            "id",
            "uri",
            "url",
            "origin",
            "author_handle",
            "author_name",
            "author_url",
            "created_at",
            "edited_at",
            "text",
            "spoiler_text",
            "language",
            "boosts",
            "favourites",
            "replies",
            "media_count",
            "is_reply",
            "is_authoritative",
        ]
        read_only_fields = fields


class TootFilter(django_filters.FilterSet):
    search = SearchFilter(field_name="text", lookup_expr="icontains", label="words of the text")
    author = SearchFilter(field_name="author_handle", label="user@server")
    origin = SearchFilter(label="name of the server it was written on")
    language = SearchFilter(label="code such as en")
    is_reply = TruthFilter()
    is_authoritative = TruthFilter(label="counts are those of its own server")
    min_boosts = WholeFilter(field_name="boosts", lookup_expr="gte")
    min_favourites = WholeFilter(field_name="favourites", lookup_expr="gte")
    min_replies = WholeFilter(field_name="replies", lookup_expr="gte")
    since = MomentFilter(field_name="created_at", lookup_expr="gte")
    until = MomentFilter(field_name="created_at", lookup_expr="lt")
    ordering = django_filters.OrderingFilter(fields=["created_at", *_COUNTS])


class TootPages(CursorPages):
    """By cursor. Ordered by a count, it looks among the rows in front before it looks among all.

    Only the index of that count has them in order, only the one of time reads an event's rows as they lie: the first
    is the quick way to a page that many rows fit on, the second to one that few do, and it cannot be told beforehand.
    """

    fitting: Callable[[QuerySet[Toot]], QuerySet[Toot]]  # those of the given toots that the list is to hold
    event: Event

    def find_rows(self, queryset: QuerySet[Toot], *, is_descending: bool) -> list[Toot]:
        if self.field.name not in _COUNTS:
            return super().find_rows(queryset, is_descending=is_descending)
        most = max(_FRONT, 3 * self.size)
        ordered = self.beyond_cursor(self.event.toots.all(), is_descending=is_descending)
        front = list(ordered.values_list("pk", flat=True)[:most])
        # Without a word of the event, or SQLite takes the index of time after all.
        rows = super().find_rows(self.fitting(Toot.objects.filter(pk__in=front)), is_descending=is_descending)
        is_enough = len(rows) > self.size or len(front) < most
        return rows if is_enough else super().find_rows(queryset, is_descending=is_descending)


class ServerSerializer(serializers.Serializer[Any]):
    """``server`` is empty where it asked not to be named."""

    server = serializers.CharField()
    is_home = serializers.BooleanField()
    group = serializers.ChoiceField(choices=["good", "closed", "trouble", "waiting"])
    words = serializers.CharField()
    detail = serializers.CharField()
    toots = serializers.IntegerField()
    requests = serializers.IntegerField()
    received_bytes = serializers.IntegerField()
    seconds = serializers.FloatField()


class ServerFilter(django_filters.FilterSet):
    outcome = django_filters.ChoiceFilter(choices=Visit.Outcome.choices)
    ordering = django_filters.OrderingFilter(fields=["toots", "server", "requests", "seconds"])


class ArtifactSerializer(serializers.ModelSerializer[Artifact]):
    name = serializers.SerializerMethodField()
    address = serializers.SerializerMethodField()

    class Meta:
        model = Artifact
        fields = ["name", "kind", "size", "sha256", "description", "code_version", "updated_at", "address"]
        read_only_fields = fields

    def get_name(self, artifact: Artifact) -> str:
        return public_files.file_name(artifact)

    def get_address(self, artifact: Artifact) -> str:
        return file_address(self.context["request"], artifact, self.context["slug"])


class ArtifactFilter(django_filters.FilterSet):
    kind = SearchFilter(label="such as graph, page or journal")


class ResultReads(EventPart):
    RESULT_ACCESS: ClassVar[dict[str, Needs]] = dict.fromkeys(
        ("analysis", "toots", "toots_file", "servers", "coverage", "artifacts", "artifact_file"),
        reads("events.view_event"),
    )

    @extend_schema(
        tags=[TAG],
        summary="The numbers",
        responses={200: record(results=ANYTHING, parameters=ANYTHING, code_version=TEXT, updated_at=MOMENT)},
    )
    @action(detail=True)
    def analysis(self, request: Request, slug: str) -> Response:
        """As stored, with the parameters they were worked out with."""
        analysis = getattr(self.find_event(), "analysis", None)
        if analysis is None:
            raise Problem(404, "Nothing is analysed yet.")
        keys = ("results", "parameters", "code_version", "updated_at")
        return Response({key: getattr(analysis, key) for key in keys})

    # --- toots ---
    @extend_schema(
        tags=[TAG], summary="The counted toots", parameters=[_EVERYONE], responses=TootSerializer(many=True)
    )
    @action(detail=True, pagination_class=TootPages, filterset_class=TootFilter, serializer_class=TootSerializer)
    def toots(self, request: Request, slug: str) -> Response:
        """Oldest first unless `ordering` says otherwise; in pages that go on by cursor. Authors who ask not to be
        quoted are left out."""
        event = self.find_event()
        is_everyone = self._is_everyone(request)

        def fitting(toots: QuerySet[Toot]) -> QuerySet[Toot]:
            rows = leave_out_uncounted(self.filter_queryset(toots.order_by("created_at")), event)
            rows = rows if is_everyone else leave_out_unwilling(rows, event)
            return rows.only("event", *TootSerializer.Meta.fields)

        pages: Any = self.paginator
        pages.event, pages.fitting = event, fitting
        page: Any = self.paginate_queryset(fitting(toots_by(request.query_params.get("author"), event)))
        return self.get_paginated_response(TootSerializer(page, many=True).data)

    @extend_schema(
        tags=[TAG],
        operation_id="events_toots_file",
        summary="All counted toots as a file",
        parameters=[
            _EVERYONE,
            OpenApiParameter("suffix", str, OpenApiParameter.PATH, enum=["csv", "jsonl"]),
        ],
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, "application/x-ndjson"): OpenApiTypes.STR},
    )
    @action(detail=True, url_path=r"toots\.(?P<suffix>csv|jsonl)")
    def toots_file(self, request: Request, slug: str, suffix: str) -> HttpResponseBase:
        """Oldest first, with the servers that showed each: CSV with a header, or an object a line."""
        event = self.find_event()
        lines = export_lines(event, suffix, is_everyone=self._is_everyone(request))
        headers = {"Content-Disposition": f'attachment; filename="{event.slug}.{suffix}"'}
        return StreamingHttpResponse(lines, content_type=_EXPORTS[suffix], headers=headers)

    # --- servers ---
    @extend_schema(tags=[TAG], summary="What each server did", responses=ServerSerializer(many=True))
    @action(detail=True, filterset_class=ServerFilter, serializer_class=ServerSerializer)
    def servers(self, request: Request, slug: str) -> Response:
        """The report of the newest fetch, those that showed the most first."""
        visits = self._crawl().visits.order_by("-toots", "server")
        page: Any = self.paginate_queryset(self.filter_queryset(visits))
        lines = list_server_lines(page, load_opt_outs())
        return self.get_paginated_response(ServerSerializer(lines, many=True).data)

    @extend_schema(
        tags=[TAG],
        summary="How much of it was seen",
        responses={
            200: record(
                state=TEXT,
                mode=TEXT,
                is_mock=TRUTH,
                started_at=MOMENT,
                finished_at=or_null(MOMENT),
                servers=record(total=WHOLE, good=WHOLE, closed=WHOLE, trouble=WHOLE, waiting=WHOLE),
                requests=WHOLE,
                received_bytes=WHOLE,
                outcomes=list_of(record(outcome=TEXT, words=TEXT, servers=WHOLE)),
                coverage={**ANYTHING, "properties": {"refused_share": NUMBER, "estimated_unseen": WHOLE}},
            )
        },
    )
    @action(detail=True)
    def coverage(self, request: Request, slug: str) -> Response:
        """Of the newest fetch: servers that answered and refused, and an estimate of the toots nobody showed."""
        crawl = self._crawl()
        summary = summarise_servers(crawl)
        return Response(
            {
                "state": crawl.state,
                "mode": crawl.mode,
                "is_mock": crawl.is_mock,
                "started_at": crawl.created_at,
                "finished_at": crawl.finished_at,
                "servers": {key: getattr(summary, key) for key in ("total", "good", "closed", "trouble", "waiting")},
                "requests": summary.requests,
                "received_bytes": summary.received_bytes,
                "outcomes": [
                    {"outcome": line.outcome, "words": line.words, "servers": line.servers} for line in summary.lines
                ],
                "coverage": crawl.summary.get("coverage") or coverage(crawl),
            }
        )

    # --- files ---
    @extend_schema(tags=[TAG], summary="The files of an event", responses=ArtifactSerializer(many=True))
    @action(
        detail=True,
        filterset_class=ArtifactFilter,
        serializer_class=ArtifactSerializer,
        pagination_class=NumberedPages,
    )
    def artifacts(self, request: Request, slug: str) -> Response:
        """Pictures, pages, journals and reports, with size and hash."""
        event = self.find_event()
        page: Any = self.paginate_queryset(self.filter_queryset(event.artifacts.order_by("path")))
        context = {**self.get_serializer_context(), "slug": slug}
        return self.get_paginated_response(ArtifactSerializer(page, many=True, context=context).data)

    @extend_schema(
        tags=[TAG],
        summary="One file",
        parameters=[OpenApiParameter("name", str, OpenApiParameter.PATH)],
        responses={
            (200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind in public_files.CONTENT_TYPES.values()
        },
    )
    @action(detail=True, url_path=r"artifacts/(?P<name>[^/]+)", url_name="artifact-file")
    def artifact_file(self, request: Request, slug: str, name: str) -> HttpResponseBase:
        """By its name; with ETag."""
        return self.serve(public_files.find_by_name(self.find_event(), name), "There is no such file.")

    # --- shared ---
    def _crawl(self) -> Crawl:
        crawl = find_reported_crawl(self.find_event())
        if crawl is None:
            raise Problem(404, "Nothing is fetched yet.")
        return crawl

    def _is_everyone(self, request: Request) -> bool:
        text = request.query_params.get("everyone", "false")
        if text not in ("true", "false"):
            raise invalid("everyone", "This must be true or false.")
        if text == "true" and not may(request, reads("pipeline.view_toot")):
            raise Problem(403, "To see authors who ask not to be quoted you need the permission pipeline.view_toot.")
        return text == "true"


def toots_by(author: str | None, event: Event) -> QuerySet[Toot]:
    """The event's toots, or those of one author, found by the index of authors.

    SQLite would rather go through all toots of the event, as that saves it the sorting.
    """
    if not author:
        return event.toots.all()
    return Toot.objects.filter(pk__in=event.toots.filter(author_handle=author).order_by().values("pk"))
