"""``graph``, ``wordcloud``, ``blog`` and ``poster`` of an event: made by POST, read by GET."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import Needs, reads, runs
from common.api.documents import MOMENT, TEXT, WHOLE, like, list_of, or_null, record
from common.api.problems import Problem, invalid
from events.models import Event
from pipeline import public_files
from pipeline.api.ground import EventPart, JpegRenderer, PngRenderer, SvgRenderer, file_address
from pipeline.api.phases import BlogWish, NoWish, PhaseActions, queues, require_analysis
from pipeline.artifacts import find_artifact
from pipeline.core.poster import UnusableImage
from pipeline.models import Artifact
from pipeline.phases.poster import NoTitle, search_posters, select_poster
from pipeline.tmdb import NoKey, NotAPosterAddress

TAG = "results"
_ADDRESS = {"type": "string", "format": "uri"}
_PICTURE = record(
    description=like(TEXT, "Toots per minute: a jump at the start.", "Alternative text."),
    file=_ADDRESS,
    size=WHOLE,
    updated_at=MOMENT,
)
_PNG_OR_SVG = {200: _PICTURE, (200, "image/png"): OpenApiTypes.BINARY, (200, "image/svg+xml"): OpenApiTypes.BINARY}
_POSTER = record(
    id=TEXT, title=TEXT, poster_path=TEXT, poster_url=TEXT, year=or_null(TEXT), overview=TEXT, keywords=list_of(TEXT)
)
_QUERY = OpenApiParameter(
    "query",
    {"type": "string", "maxLength": 200},
    description="`Title` or `Title (YYYY)`; unless given, the event's episode title.",
)
_SUFFIXES = "(?P<suffix>png|svg)"


class PosterWish(serializers.Serializer[Any]):
    poster_url = serializers.CharField(max_length=500, help_text="One of those that the search gave.")


def suffix_parameter(*suffixes: str) -> OpenApiParameter:
    return OpenApiParameter("suffix", str, OpenApiParameter.PATH, enum=suffixes)


class PictureActions(PhaseActions):
    PICTURE_ACCESS: ClassVar[dict[str, Needs]] = {
        **dict.fromkeys(
            ("graph", "graph_file", "wordcloud", "wordcloud_file", "blog", "poster", "poster_file"),
            reads("events.view_event"),
        ),
        **dict.fromkeys(
            ("draw_graph", "draw_wordcloud", "write_blog", "find_poster", "search_poster", "choose_poster"),
            runs("events.change_event"),
        ),
    }
    PICTURE_RATES: ClassVar[dict[str, str]] = dict.fromkeys(
        ("draw_graph", "draw_wordcloud", "write_blog", "find_poster", "search_poster", "choose_poster"), "jobs"
    )

    # --- graph ---
    @extend_schema(tags=[TAG], summary="The graph", responses=_PNG_OR_SVG)
    @action(detail=True, renderer_classes=[*EventPart.renderer_classes, PngRenderer, SvgRenderer])
    def graph(self, request: Request, slug: str) -> Any:
        """As a picture if you accept PNG or SVG (with ETag, so that a second look costs a 304), else what it is."""
        return self._picture("graph")

    @queues("Draw the graph", NoWish)
    @graph.mapping.post
    def draw_graph(self, request: Request, slug: str) -> Response:
        """409 before the first fetch."""
        return self.start("graph", after_fetch=True)

    @extend_schema(
        tags=[TAG],
        operation_id="events_graph_file",
        summary="The graph as a file",
        parameters=[suffix_parameter("png", "svg")],
        responses=dict.fromkeys(((200, "image/png"), (200, "image/svg+xml")), OpenApiTypes.BINARY),
    )
    @action(detail=True, url_path=rf"graph\.{_SUFFIXES}")
    def graph_file(self, request: Request, slug: str, suffix: str) -> HttpResponseBase:
        """The same, by suffix."""
        return self._file("graph", suffix)

    # --- word cloud ---
    @extend_schema(
        tags=[TAG], summary="The word cloud", responses={200: _PICTURE, (200, "image/png"): OpenApiTypes.BINARY}
    )
    @action(detail=True, renderer_classes=[*EventPart.renderer_classes, PngRenderer])
    def wordcloud(self, request: Request, slug: str) -> Any:
        """As a picture if you accept PNG (with ETag), else what it is."""
        return self._picture("wordcloud")

    @queues("Draw the word cloud", NoWish)
    @wordcloud.mapping.post
    def draw_wordcloud(self, request: Request, slug: str) -> Response:
        """409 before the first fetch."""
        return self.start("wordcloud", after_fetch=True)

    @extend_schema(
        tags=[TAG],
        operation_id="events_wordcloud_file",
        summary="The word cloud as a file",
        parameters=[suffix_parameter("png")],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    @action(detail=True, url_path=r"wordcloud\.(?P<suffix>png)")
    def wordcloud_file(self, request: Request, slug: str, suffix: str) -> HttpResponseBase:
        """The same, by suffix."""
        return self._file("wordcloud", suffix)

    # --- blog page ---
    @extend_schema(
        tags=[TAG], summary="The blog page", responses={200: record(content=TEXT, file=_ADDRESS, updated_at=MOMENT)}
    )
    @action(detail=True)
    def blog(self, request: Request, slug: str) -> Response:
        """Front matter and Markdown."""
        page = find_artifact(self.find_event(), "page")
        path = public_files.stored_path(page) if page is not None else None
        if page is None or path is None:
            raise Problem(404, "There is no blog page yet.")
        content = path.read_text(encoding="utf-8")
        return Response(
            {"content": content, "file": file_address(request, page, slug), "updated_at": page.updated_at}
        )

    @queues("Write the blog page", BlogWish)
    @blog.mapping.post
    def write_blog(self, request: Request, slug: str) -> Response:
        """409 before the first analysis."""
        require_analysis(self.find_event())
        return self.start("blog", BlogWish)

    # --- poster ---
    @extend_schema(
        tags=[TAG], summary="The poster", responses={200: _PICTURE, (200, "image/jpeg"): OpenApiTypes.BINARY}
    )
    @action(detail=True, renderer_classes=[*EventPart.renderer_classes, JpegRenderer])
    def poster(self, request: Request, slug: str) -> Any:
        """As a picture if you accept JPEG (with ETag), else what it is."""
        return self._picture("poster")

    @queues("Find the poster", NoWish)
    @poster.mapping.post
    def find_poster(self, request: Request, slug: str) -> Response:
        """Takes the one that fits the episode title best, from The Movie Database."""
        return self.start("poster")

    @extend_schema(
        tags=[TAG],
        operation_id="events_poster_file",
        summary="The poster as a file",
        parameters=[suffix_parameter("jpg")],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY},
    )
    @action(detail=True, url_path=r"poster\.(?P<suffix>jpg)")
    def poster_file(self, request: Request, slug: str, suffix: str) -> HttpResponseBase:
        """The same, by suffix."""
        return self._file("poster", suffix)

    @extend_schema(
        tags=[TAG],
        summary="Search posters",
        parameters=[_QUERY],
        responses={
            200: record(posters=list_of(_POSTER), search_title=TEXT, search_year=or_null(TEXT)),
            409: {"$ref": "#/components/schemas/Problem"},
            502: {"$ref": "#/components/schemas/Problem"},
        },
    )
    @action(detail=True, url_path="poster/search")
    def search_poster(self, request: Request, slug: str) -> Response:
        """Up to five films on The Movie Database that have a poster. 503 when the site has no key for it."""
        query = request.query_params.get("query") or None
        if query is not None and len(query) > 200:
            raise invalid("query", "At most 200 characters.")
        try:
            found = search_posters(self.find_event(), query)
        except NoTitle as error:
            raise invalid("query", error.user_message) from error
        except NoKey as error:
            raise Problem(503, error.user_message) from error
        return Response({"posters": found.as_dicts(), "search_title": found.title, "search_year": found.year})

    @extend_schema(tags=[TAG], summary="Choose a poster", request=PosterWish, responses={200: _PICTURE})
    @action(detail=True, methods=["post"], url_path="poster/choose", serializer_class=PosterWish)
    def choose_poster(self, request: Request, slug: str) -> Response:
        """It is fetched, made small enough and kept as the event's."""
        event = self.find_event()
        wish = PosterWish(data=request.data)
        wish.is_valid(raise_exception=True)
        try:
            artifact = select_poster(event, wish.validated_data["poster_url"])
        except (NotAPosterAddress, UnusableImage) as error:
            raise invalid("poster_url", error.user_message) from error
        return Response(self._as_picture(event, artifact))

    # --- shared ---
    def _picture(self, kind: str) -> Any:
        wanted = self.request.accepted_renderer.format
        if wanted in ("png", "svg", "jpg"):
            return self._file(kind, wanted)
        event = self.find_event()
        artifact = find_artifact(event, kind)
        if artifact is None:
            raise Problem(404, f"There is no {kind} yet.")
        return Response(self._as_picture(event, artifact))

    def _file(self, kind: str, suffix: str) -> HttpResponseBase:
        stored_kind = f"{kind}-svg" if suffix == "svg" else kind
        return self.serve(find_artifact(self.find_event(), stored_kind), f"There is no {kind} yet.")

    def _as_picture(self, event: Event, artifact: Artifact) -> dict[str, Any]:
        return {
            "description": artifact.description,
            "file": file_address(self.request, artifact, event.slug),
            "size": artifact.size,
            "updated_at": artifact.updated_at,
        }
