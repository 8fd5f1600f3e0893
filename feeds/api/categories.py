"""``/api/v1/categories``"""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import reads, runs
from common.api.parsing import json_object
from common.api.problems import Problem, invalid
from feeds import categories
from feeds.api import schemas
from feeds.api.ground import ReaderViewSet, find_own, said, user_of
from feeds.api.inputs import TrimmedInput, words
from feeds.api.shapes import CountedCategory, DetailedCategory
from feeds.errors import CategoryInUse, DuplicateCategory
from feeds.models import Category, Source


class CategoryWish(TrimmedInput):
    description = serializers.CharField(
        min_length=3,
        max_length=categories.MAX_CHARS,
        error_messages=words(
            required="Category description is required.",
            invalid="Category description must be a text.",
            min_length="Category description must be at least 3 characters.",
            max_length="Category description cannot exceed 255 characters.",
        ),
    )


class CategoryViewSet(ReaderViewSet):
    """Your categories."""

    queryset = Category.objects.none()
    serializer_class = CountedCategory
    forms = {"create": CategoryWish, "update": CategoryWish}
    access = {"list": reads(), "retrieve": reads(), "create": runs(), "update": runs(), "destroy": runs()}
    rate_scope = {"create": "sources", "update": "sources", "destroy": "sources"}

    @extend_schema(tags=["reader"], summary="List categories", responses={200: schemas.COUNTED_CATEGORY})
    def list(self, request: Request) -> Response:
        """By name, with the number of sources in each."""
        page: Any = self.paginate_queryset(
            self._counted().filter(user=user_of(request)).order_by("description", "pk")
        )
        return self.get_paginated_response(CountedCategory(page, many=True).data)

    @extend_schema(
        tags=["reader"],
        summary="One category with its sources",
        responses={200: schemas.data(schemas.DETAILED_CATEGORY)},
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        listed = Prefetch("sources", Source.objects.select_related("feed"))
        category = find_own(self._counted().prefetch_related(listed), request.user, pk)
        return Response({"data": DetailedCategory(category).data})

    @extend_schema(
        tags=["reader"],
        summary="Create a category",
        request=CategoryWish,
        responses={201: schemas.told(schemas.COUNTED_CATEGORY)},
    )
    def create(self, request: Request) -> Response:
        description = self._description(request)
        try:
            category = categories.create_category(request.user, description)
        except DuplicateCategory as error:
            raise invalid("description", error.user_message) from error
        return said("Category created successfully", self._render(category.pk), status=201)

    @extend_schema(
        tags=["reader"],
        summary="Rename a category",
        request=CategoryWish,
        responses={200: schemas.told(schemas.COUNTED_CATEGORY)},
    )
    def update(self, request: Request, pk: str) -> Response:
        category = find_own(Category.objects.all(), request.user, pk)
        try:
            categories.rename_category(category, self._description(request))
        except DuplicateCategory as error:
            raise invalid("description", error.user_message) from error
        return said("Category updated successfully", self._render(category.pk))

    @extend_schema(tags=["reader"], summary="Delete a category", responses={200: schemas.CATEGORY_DELETED})
    def destroy(self, request: Request, pk: str) -> Response:
        """Its sources go to “Uncategorized”."""
        category = find_own(Category.objects.all(), request.user, pk)
        try:
            moved = categories.delete_category(category)
        except CategoryInUse as error:
            raise Problem(422, error.user_message, errors={"category": [error.user_message]}) from error
        home = None if moved.category is None else moved.category.description
        data = {"sources_moved": moved.sources, "moved_to_category": home}
        return said("Category deleted successfully", data)

    def _counted(self) -> QuerySet[Category]:
        return Category.objects.annotate(sources_count=Count("sources"))

    def _render(self, pk: int) -> Any:
        return CountedCategory(self._counted().get(pk=pk)).data

    def _description(self, request: Request) -> str:
        wish = CategoryWish(data=json_object(request))
        wish.is_valid(raise_exception=True)
        return str(wish.validated_data["description"])
