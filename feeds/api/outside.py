"""InfraRead's routes below ``/api`` without a version."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import ANYBODY, reads, runs
from common.api.documents import MOMENT, TEXT, WHOLE, like, list_of, one_of, or_null, record, says
from common.api.views import ApiView, FirstRenderer
from common.errors import MastoscoreError
from common.times import format_z, now_utc
from feeds import subscribing
from feeds.addresses import normalise_address
from feeds.api.ground import user_of
from feeds.data import FeedData
from feeds.retrieval import open_gate
from feeds.saving import default_service
from feeds.turns import turn_of

_TAG = "infraread"  # apart, so that the order of the document stays
_RESULT = record(
    title=or_null(TEXT),
    description=or_null(TEXT),
    author=or_null(TEXT),
    rss=or_null(TEXT),
    canonical_url=or_null(TEXT),
)


class OutsideView(ApiView):
    error_shape = "message"
    renderer_classes = [JSONRenderer]
    content_negotiation_class = FirstRenderer


class User(OutsideView):
    access = {"get": reads()}

    @says(
        "reader_user",
        "The user of the token",
        tag=_TAG,
        gives={
            200: record(
                id=WHOLE,
                name=like(TEXT, "Ada"),
                email=TEXT,
                email_verified_at=or_null(MOMENT),
                created_at=MOMENT,
                updated_at=MOMENT,
            )
        },
        description="As InfraRead tells it; nothing here is ever verified by mail.",
    )
    def get(self, request: Request) -> Response:
        user = user_of(request)
        joined = format_z(user.date_joined)
        facts = {"id": user.pk, "name": user.get_full_name() or user.get_username(), "email": user.email}
        return Response({**facts, "email_verified_at": None, "created_at": joined, "updated_at": joined})


class Test(OutsideView):
    """Whether anybody is there. Not worth a place in the OpenAPI document."""

    access = {"get": ANYBODY}
    authentication_classes = []
    schema = None

    def get(self, request: Request) -> HttpResponse:
        return _text("test successful")


class AnalyseUrl(OutsideView):
    access = {"get": runs()}  # it makes this site ask another one, as subscribing does
    rate_scope = "sources"

    @says(
        "reader_urlanalyze",
        "Which feed is behind an address",
        tag=_TAG,
        query=[OpenApiParameter("url", str, description="Of a feed or of any page.")],
        gives={
            200: record(status=one_of("ok", "error"), error_messages=list_of(TEXT), result=_RESULT),
        },
        description="What cannot be reached or names no feed is told with status “error”, in sentences.",
    )
    def get(self, request: Request) -> Response:
        try:
            url = normalise_address(request.query_params.get("url", ""))
            with turn_of(user_of(request).pk), open_gate() as gate:
                found = subscribing.find_feeds(gate, url, now_utc())
        except MastoscoreError as error:
            nothing = dict.fromkeys(_RESULT["properties"])
            return Response({"status": "error", "error_messages": [error.user_message], "result": nothing})
        return Response({"status": "ok", "error_messages": [], "result": _analysis(found, url)})


def _analysis(found: subscribing.Found, url: str) -> dict[str, Any]:
    document: FeedData | None = found.decision.document
    return {
        "title": found.site_title or None,
        "description": found.site_description or None,
        "author": (document.author if document else "") or None,
        "rss": found.url,
        "canonical_url": (document.site_url if document else "") or url,
    }


class ReadLaterService(OutsideView):
    access = {"get": reads()}

    @says(
        "reader_readlaterservice",
        "Where you save posts for later",
        tag=_TAG,
        gives={(200, "text/plain"): TEXT},
        description="The kind of your default service, such as `instapaper`, or `none`.",
    )
    def get(self, request: Request) -> HttpResponse:
        service = default_service(user_of(request))
        return _text("none" if service is None else service.kind)


def _text(words: str) -> HttpResponse:
    return HttpResponse(words, content_type="text/plain; charset=utf-8")
