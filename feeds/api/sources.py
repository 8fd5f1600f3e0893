"""``/api/v1/sources``"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import reads, runs
from common.api.parsing import json_object
from common.api.problems import Problem
from common.times import now_utc
from feeds import refresh, sources, subscribing
from feeds.api import schemas
from feeds.api.ground import ReaderViewSet, find_own, own_or_none, said
from feeds.api.inputs import Address, TrimmedInput, Truth, read_includes, words
from feeds.api.shapes import SourceFields
from feeds.errors import AlreadySubscribed, FeedsError, InvalidAddress, NoFeedFound, PageUnreachable, TooManyAtOnce
from feeds.models import Category, Source

_NAME = words(invalid="Source name must be a text.", max_length="Source name cannot exceed 255 characters.")
_DESCRIPTION = words(invalid="Description must be a text.", max_length="Description cannot exceed 500 characters.")
_BAD_URL = "Please provide a valid URL (must start with http:// or https://)."
_PLAIN = ("name", "description", "active", "interval_minutes", "wants_full_text")
_NO_CATEGORY = "The selected category does not exist."


class OwnCategory(serializers.IntegerField):
    """The number of one of the user's categories, as the row."""

    def to_internal_value(self, data: Any) -> Any:
        user = self.context["request"].user
        category = own_or_none(Category.objects.all(), user, super().to_internal_value(data))
        if category is None:
            raise serializers.ValidationError(_NO_CATEGORY)
        return category


def _category(**options: Any) -> OwnCategory:
    messages = words(
        required="A category is required for the source.",
        invalid=_NO_CATEGORY,
        min_value=_NO_CATEGORY,
        max_value=_NO_CATEGORY,
        max_string_length=_NO_CATEGORY,
    )
    return OwnCategory(error_messages=messages, **options)


class SourceWish(TrimmedInput):
    url = Address(
        max_length=1000,
        error_messages=words(required="A URL is required to create a source.", invalid=_BAD_URL, max_length=_BAD_URL),
        help_text="Of the feed, or of a page that names it.",
    )
    category_id = _category()
    name = serializers.CharField(max_length=sources.MAX_NAME_CHARS, required=False, error_messages=_NAME)
    description = serializers.CharField(
        max_length=sources.MAX_DESCRIPTION_CHARS, required=False, error_messages=_DESCRIPTION
    )


class SourceChange(TrimmedInput):
    name = serializers.CharField(max_length=sources.MAX_NAME_CHARS, required=False, error_messages=_NAME)
    description = serializers.CharField(
        max_length=sources.MAX_DESCRIPTION_CHARS, required=False, error_messages=_DESCRIPTION
    )
    url = Address(max_length=1000, required=False, allow_null=True, error_messages=words(invalid=_BAD_URL))
    fetcher_source = Address(max_length=1000, required=False, error_messages=words(invalid=_BAD_URL))
    rss_url = Address(max_length=1000, required=False, error_messages=words(invalid=_BAD_URL))
    category_id = _category(required=False)
    active = Truth(required=False)
    wants_full_text = Truth(required=False, help_text="Whether the page of each new post is fetched.")
    why_deactivated = serializers.CharField(max_length=500, required=False)
    interval_minutes = serializers.IntegerField(
        min_value=15, max_value=1440, required=False, allow_null=True, help_text="null: by the habits of the feed."
    )


_INCLUDE = OpenApiParameter("include", str, description="`category`.")


class SourceViewSet(ReaderViewSet):
    """Your sources."""

    queryset = Source.objects.none()
    serializer_class = SourceFields
    forms = {"create": SourceWish, "update": SourceChange}
    access = {
        "list": reads(),
        "retrieve": reads(),
        "create": runs(),
        "update": runs(),
        "destroy": runs(),
        "refresh": runs(),
    }
    rate_scope = dict.fromkeys(("create", "update", "destroy", "refresh"), "sources")

    @extend_schema(
        tags=["reader"],
        summary="List sources",
        parameters=[_INCLUDE],
        responses={200: schemas.SOURCE},
    )
    def list(self, request: Request) -> Response:
        """By name."""
        rows = self._rows().filter(user=request.user).order_by("name", "pk")
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(self._render(page, many=True))

    @extend_schema(
        tags=["reader"], summary="One source", parameters=[_INCLUDE], responses={200: schemas.data(schemas.SOURCE)}
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response({"data": self._render(self._find(pk))})

    @extend_schema(
        tags=["reader"], summary="Subscribe", request=SourceWish, responses={201: schemas.told(schemas.NEW_SOURCE)}
    )
    def create(self, request: Request) -> Response:
        """The feed is looked for, proved to be readable, and its posts are there at once."""
        wish = self._validated(SourceWish, request)
        new = subscribing.Wish(wish["url"], wish["category_id"], wish.get("name", ""), wish.get("description", ""))
        try:
            subscribed = subscribing.subscribe(request.user, new, now_utc())
        except TooManyAtOnce:
            raise  # for the answer that says so
        except FeedsError as error:
            raise _problem(error, "url") from error
        data = {
            **self._render(subscribed.source, include=("category",)),
            "metadata": {
                "discovered_feeds": list(subscribed.feed_urls),
                "site_title": subscribed.site_title,
                "site_description": subscribed.site_description,
            },
        }
        return said("Source created successfully", data, status=201)

    @extend_schema(
        tags=["reader"],
        summary="Change a source",
        request=SourceChange,
        responses={200: schemas.told(schemas.SOURCE)},
    )
    def update(self, request: Request, pk: str) -> Response:
        source = self._find(pk)
        wish = self._validated(SourceChange, request)
        values: dict[str, Any] = {name: wish[name] for name in _PLAIN if name in wish}
        if "url" in wish:
            values["url"] = wish["url"] or ""
        if "category_id" in wish:
            values["category"] = wish["category_id"]
        if "why_deactivated" in wish:
            values["deactivation_reason"] = wish["why_deactivated"]
        if feed_url := wish.get("fetcher_source") or wish.get("rss_url"):
            values["feed_url"] = feed_url
        try:
            sources.change_source(source, values)
        except (AlreadySubscribed, InvalidAddress) as error:
            raise _problem(error, "fetcher_source") from error
        return said("Source updated successfully", self._render(self._find(pk), include=("category",)))

    @extend_schema(tags=["reader"], summary="Delete a source", responses={200: schemas.DELETED})
    def destroy(self, request: Request, pk: str) -> Response:
        """With its posts."""
        source = self._find(pk)
        sources.delete_source(source)
        return said(f"Source '{source.name}' deleted successfully")

    @extend_schema(tags=["reader"], summary="Refresh a source", request=None, responses={202: schemas.REFRESH})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: str) -> Response:
        """In the background; `data.job_id` is the job."""
        source = self._find(pk)
        job = refresh.queue_source(source, asked_by=request.user)
        data = {"source_id": source.pk, "status": "queued", "job_id": job.pk}
        return said("Source refresh initiated", data, status=202)

    def _rows(self) -> Any:
        return Source.objects.select_related("feed", "category").defer("feed__etag", "feed__last_modified")

    def _find(self, pk: str) -> Source:
        found: Source = find_own(self._rows(), self.request.user, pk)
        return found

    def _validated(self, shape: type[TrimmedInput], request: Request) -> dict[str, Any]:
        wish = shape(data=json_object(request), context={"request": request})
        wish.is_valid(raise_exception=True)
        return dict(wish.validated_data)

    def _render(self, rows: Any, *, many: bool = False, include: tuple[str, ...] = ()) -> Any:
        asked = read_includes(self.request.query_params.get("include", ""), ("category",))
        return SourceFields(rows, many=many, context={"include": {*asked, *include}}).data


def _problem(error: FeedsError, field: str) -> Problem:
    """422 under the three headings that clients know."""
    if isinstance(error, PageUnreachable):
        message = "Failed to analyze URL"
    elif isinstance(error, NoFeedFound):
        message = "No RSS feed discovered for this URL"
    elif isinstance(error, AlreadySubscribed):
        message = "Source already exists"
    else:
        message = "The given data was invalid."
    return Problem(422, message, errors={field: [error.user_message]})
