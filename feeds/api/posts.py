"""``/api/v1/posts``"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import reads, runs
from common.api.parsing import json_object
from common.api.problems import Problem, invalid
from common.errors import MastoscoreError
from common.times import format_z, now_utc
from feeds import digests, posts
from feeds.api import schemas
from feeds.api.ground import PostPages, find_own, own_or_none, said
from feeds.api.inputs import (
    TrimmedInput,
    Truth,
    read_day,
    read_id,
    read_includes,
    read_moment,
    read_truth,
    whole_number,
    words,
)
from feeds.api.post_texts import PostTexts
from feeds.api.shapes import PostFields
from feeds.errors import SummaryUnavailable
from feeds.models import Category, Post, Source
from feeds.turns import turn_of

_INCLUDES = ("source", "category")
_MARKED = {True: "read", False: "unread"}


class ReadStatus(TrimmedInput):
    read = Truth(
        error_messages=words(
            required="The read status is required.", invalid="The read status must be true or false."
        )
    )


class BulkReadStatus(TrimmedInput):
    post_ids = serializers.ListField(
        child=whole_number(
            error_messages=words(
                required="Each post ID must be a valid integer.",
                invalid="Each post ID must be a valid integer.",
                min_value="Post IDs must be positive numbers.",
                max_value="Each post ID must be a valid integer.",
                max_string_length="Each post ID must be a valid integer.",
            )
        ),
        min_length=1,
        max_length=posts.MAX_MARKED_AT_ONCE,
        error_messages=words(
            required="Post IDs are required.",
            not_a_list="Post IDs must be an array.",
            min_length="At least one post ID is required.",
            max_length="Cannot update more than 1000 posts at once.",
        )
        | {"empty": "At least one post ID is required."},
    )
    read = Truth(
        error_messages=words(required="Read status is required.", invalid="Read status must be true or false.")
    )


class MarkAllRead(TrimmedInput):
    read = Truth(
        error_messages=words(
            required="The read status is required.", invalid="The read status must be true or false."
        )
    )
    source_id = whole_number(required=False)
    category_id = whole_number(required=False)
    before_date = serializers.CharField(required=False, help_text="2025-08-14: posted before that day (UTC).")
    posted_before = serializers.CharField(required=False, help_text="2025-08-14 10:00:00: posted then or earlier.")


class SummaryWish(TrimmedInput):
    sentences = serializers.JSONField(required=False, help_text="1 to 10; anything else counts as 2.")


class Quote(TrimmedInput):
    quote = serializers.CharField(
        max_length=digests.MAX_QUOTE_CHARS,
        error_messages=words(required="A quote is required.", max_length="The quote is too long."),
    )


_LIST_PARAMETERS = [
    OpenApiParameter(name, kind, description=text)
    for name, kind, text in (
        ("source_id", int, "Only posts of this source; also `filter[source]`."),
        ("category_id", int, "Only posts of this category; also `filter[category]`."),
        ("filter[read]", bool, "Only read, or only unread posts."),
        ("search", str, 'Words, and "phrases" in quotes, all of which must occur.'),
        ("sort", str, "`posted_at` (oldest first, as without it) or `-posted_at`."),
        ("include", str, "`source`, `category` or both."),
        ("content", bool, "false: rows without `content`."),
    )
]
_INCLUDE = OpenApiParameter("include", str, description="`source`, `category` or both.")


class PostViewSet(PostTexts):
    """Posts of your sources."""

    queryset = Post.objects.none()
    serializer_class = PostFields
    pagination_class = PostPages
    access = {
        "list": reads(),
        "retrieve": reads(),
        "read_status": runs(),
        "bulk_read_status": runs(),
        "mark_all_read": runs(),
        "summary": reads(),
        "quote_explanation": reads(),
        "save": runs(),
        "markdown": reads(),
        "cache_markdown": reads(),
        "full_text": runs(),
    }
    rate_scope = {"summary": "summaries", "quote_explanation": "summaries", "full_text": "sources"}

    @extend_schema(
        tags=["reader"],
        summary="List posts",
        parameters=_LIST_PARAMETERS,
        responses={200: schemas.POST},
    )
    def list(self, request: Request) -> Response:
        """Oldest first, 15 to a page."""
        texts = {name: str(text).strip() for name, text in request.query_params.items()}
        chosen = posts.PostFilter(
            source_id=read_id(texts, "source_id", "filter[source]"),
            category_id=read_id(texts, "category_id", "filter[category]"),
            is_read=read_truth(texts, "filter[read]"),
            search=texts.get("search") or texts.get("filter[search]") or "",
        )
        with_content = read_truth(texts, "content") is not False
        rows = posts.PostList(
            posts.select_posts(request.user, chosen),
            newest_first=_is_newest_first(texts.get("sort", "")),
            with_content=with_content,
        )
        page: Any = self.paginate_queryset(rows)  # type: ignore[arg-type]
        return self.get_paginated_response(self._render(page, many=True, with_content=with_content))

    @extend_schema(
        tags=["reader"], summary="One post", parameters=[_INCLUDE], responses={200: schemas.data(schemas.POST)}
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response({"data": self._render(self._find(pk))})

    @extend_schema(
        tags=["reader"],
        summary="Mark a post as read or unread",
        request=ReadStatus,
        responses={200: schemas.told(schemas.POST)},
    )
    @action(detail=True, methods=["patch"], url_path="read-status")
    def read_status(self, request: Request, pk: str) -> Response:
        post = self._find(pk)
        is_read = _validated(ReadStatus, request)["read"]
        posts.mark_post(post, is_read, now_utc())
        return said(f"Post marked as {_MARKED[is_read]}", self._render(post))

    @extend_schema(tags=["reader"], summary="Mark many posts", request=BulkReadStatus, responses={200: schemas.BULK})
    @action(detail=False, methods=["patch"], url_path="bulk-read-status")
    def bulk_read_status(self, request: Request) -> Response:
        """All of them or, when one is unknown, none."""
        wish = _validated(BulkReadStatus, request)
        is_read = wish["read"]
        try:
            count = posts.mark_posts(request.user, wish["post_ids"], is_read, now_utc())
        except posts.PostsNotFound as error:
            raise Problem(422, "Some posts were not found", errors={"post_ids": [str(error)]}) from error
        data = {"updated_count": count, "requested_count": len(wish["post_ids"]), "read_status": is_read}
        return said(f"{count} posts marked as {_MARKED[is_read]}", data)

    @extend_schema(
        tags=["reader"],
        summary="Mark all posts, or all that fit",
        request=MarkAllRead,
        responses={200: schemas.MARKED},
    )
    @action(detail=False, methods=["patch"], url_path="mark-all-read")
    def mark_all_read(self, request: Request) -> Response:
        """Conditions combine; only posts in the other state are touched and counted."""
        wish = _validated(MarkAllRead, request)
        is_read = wish.pop("read")
        chosen = _read_filter(request.user, wish)
        count = posts.mark_all(request.user, chosen, is_read, now_utc())
        data = {"updated_count": count, "read_status": is_read, "filters_applied": wish}
        return said(f"{count} posts marked as {_MARKED[is_read]}", data)

    @extend_schema(
        tags=["reader"],
        summary="Summarise a post",
        request=SummaryWish,
        responses={200: schemas.SUMMARY, 502: schemas.FAILURE},
    )
    @action(detail=True, methods=["post"])
    def summary(self, request: Request, pk: str) -> Response:
        """Plain text: by the summary service of this site, else made of the post's own sentences."""
        post = self._find(pk)
        sentences = digests.clamp_sentences(_validated(SummaryWish, request).get("sentences"))
        try:
            with turn_of(post.user_id):
                digest = digests.summarise(post, sentences, now_utc())
        except (digests.NothingToSummarise, SummaryUnavailable) as error:
            raise _failed(error) from error
        return Response({"data": {"post_id": post.pk, "sentences": sentences, "summary": digest.text}})

    @extend_schema(
        tags=["reader"],
        summary="Say in short what a quote says",
        request=Quote,
        responses={200: schemas.QUOTE, 502: schemas.FAILURE},
    )
    @action(detail=True, methods=["post"], url_path="quote-explanation")
    def quote_explanation(self, request: Request, pk: str) -> Response:
        """For quotes of 75 words and more; plain text."""
        post = self._find(pk)
        quote = digests.normalise_quote(_validated(Quote, request)["quote"])
        if len(quote.split()) < digests.MIN_QUOTE_WORDS:
            raise invalid("quote", f"Quote must contain at least {digests.MIN_QUOTE_WORDS} words.")
        try:
            with turn_of(post.user_id):
                digest, is_cached = digests.explain_quote(post, quote, now_utc())
        except (digests.NothingToSummarise, SummaryUnavailable) as error:
            raise _failed(error) from error
        data = {"post_id": post.pk, "hash": digest.content_hash, "cached": is_cached, "explanation": digest.text}
        return Response({"data": data})

    def _find(self, pk: str) -> Post:
        return find_own(posts.full_posts(Post.objects.all()), self.request.user, pk)

    def _render(self, rows: Any, *, many: bool = False, with_content: bool = True) -> Any:
        context = {
            "include": read_includes(self.request.query_params.get("include", ""), _INCLUDES),
            "with_content": with_content,
            "now": now_utc(),
        }
        return PostFields(rows, many=many, context=context).data


def _is_newest_first(sort: str) -> bool:
    if sort not in ("", "posted_at", "-posted_at"):
        raise invalid("sort", "Posts are sorted by posted_at or -posted_at.")
    return sort == "-posted_at"


def _validated(shape: type[TrimmedInput], request: Request) -> dict[str, Any]:
    wish = shape(data=json_object(request))
    wish.is_valid(raise_exception=True)
    return dict(wish.validated_data)


def _read_filter(user: Any, wish: dict[str, Any]) -> posts.PostFilter:
    """The conditions of “mark all”; ``wish`` keeps those that were given, as they are applied."""
    source_id, category_id = wish.get("source_id"), wish.get("category_id")
    if source_id is not None and own_or_none(Source.objects.all(), user, source_id) is None:
        raise invalid("source_id", "The selected source does not exist.")
    if category_id is not None and own_or_none(Category.objects.all(), user, category_id) is None:
        raise invalid("category_id", "The selected category does not exist.")
    before = until = None
    if "before_date" in wish:
        before = read_day(wish["before_date"])
        if before is None:
            raise invalid("before_date", "This must be a date like 2025-08-14.")
    if "posted_before" in wish:
        until = read_moment(wish["posted_before"])
        if until is None:
            raise invalid("posted_before", "This must be a time like 2025-08-14 10:00:00.")
        wish["posted_before"] = format_z(until)
    return posts.PostFilter(source_id, category_id, before=before, until=until)


def _failed(error: MastoscoreError) -> Problem:
    return Problem(502, error.user_message, extra={"error": error.user_message})
