"""What else can be done with a post's text: saved for later, taken as Markdown, read in full from its own page."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.parsing import json_object
from common.api.problems import Problem
from feeds import articles, saving
from feeds.api import schemas
from feeds.api.ground import ReaderViewSet, find_own, said
from feeds.api.inputs import TrimmedInput, read_truth, whole_number
from feeds.api.shapes import moment_or_none
from feeds.errors import NotSaved
from feeds.markdown import post_as_markdown
from feeds.models import Post, SavingService
from feeds.posts import full_posts
from feeds.turns import turn_of

_SKIPPED = "The service you save to by default takes no Markdown."


class SaveWish(TrimmedInput):
    service_id = whole_number(required=False, help_text="Without it: your default service.")


class PostTexts(ReaderViewSet):
    """Actions of ``PostViewSet``, which says who may call them."""

    @extend_schema(
        tags=["reader"],
        summary="Save a post for later",
        request=SaveWish,
        responses={202: schemas.SAVED},
    )
    @action(detail=True, methods=["post"])
    def save(self, request: Request, pk: str) -> Response:
        """In the background. A post that is saved already is not sent again."""
        post = self._find_post(pk)
        wish = SaveWish(data=json_object(request))
        wish.is_valid(raise_exception=True)
        number = wish.validated_data.get("service_id")
        service = None if number is None else find_own(SavingService.objects.all(), request.user, number)
        try:
            saved = saving.save_for_later(request.user, post, service)
        except NotSaved as error:
            raise Problem(422, error.user_message, errors={"service_id": [error.user_message]}) from error
        data = {
            "post_id": post.pk,
            "service_id": saved.service_id,
            "status": "queued" if saved.saved_at is None else "saved",
            "saved_at": moment_or_none(saved.saved_at),
        }
        return said("Post saved" if saved.saved_at else "Post will be saved", data, status=202)

    @extend_schema(
        tags=["reader"],
        summary="A post as Markdown",
        parameters=[OpenApiParameter("images", bool, description="true: images stay in it.")],
        responses={(200, "text/markdown"): OpenApiTypes.STR},
    )
    @action(detail=True, methods=["get"])
    def markdown(self, request: Request, pk: str) -> HttpResponse:
        """Title, source, address and text."""
        texts = {name: str(text).strip() for name, text in request.query_params.items()}
        has_images = read_truth(texts, "images") is True
        made = post_as_markdown(self._find_post(pk), has_images=has_images)
        return HttpResponse(f"{made}\n", content_type="text/markdown; charset=utf-8")

    @extend_schema(
        tags=["reader"],
        summary="Make the Markdown that saving sends",
        request=None,
        responses={200: schemas.MARKDOWN_CACHED},
    )
    @action(detail=True, methods=["post"], url_path="cache-markdown")
    def cache_markdown(self, request: Request, pk: str) -> Response:
        """Ahead of time, for a default service that takes Markdown (a webhook); skipped for others."""
        made = saving.warm_markdown(request.user, self._find_post(pk))
        if made is None:
            return Response({"status": "skipped", "reason": _SKIPPED})
        return Response({"status": "ok", "cached": True, "length": len(made)})

    @extend_schema(
        tags=["reader"],
        summary="Fetch the full text of a post now",
        request=None,
        responses={200: schemas.FULL_TEXT, 502: schemas.FAILURE},
    )
    @action(detail=True, methods=["post"], url_path="full-text")
    def full_text(self, request: Request, pk: str) -> Response:
        """From the post's own page, however often that was tried; `content` is sanitised HTML."""
        post = self._find_post(pk)
        with turn_of(post.user_id):
            article = articles.fetch_article(post)
        if not article.content:
            raise Problem(502, article.last_error, extra={"error": article.last_error})
        data: dict[str, Any] = {"post_id": post.pk, "url": article.url, "content": article.content}
        return said("Full text fetched successfully", data)

    def _find_post(self, pk: str) -> Post:
        return find_own(full_posts(Post.objects.all()), self.request.user, pk)
