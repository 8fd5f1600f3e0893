"""``/api/v1/saving-services``: where posts are saved for later. What somebody signs in with is never told again."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import reads, runs
from common.api.parsing import json_object
from common.api.problems import Problem
from feeds import saving
from feeds.api import schemas
from feeds.api.ground import ReaderViewSet, find_own, said, user_of
from feeds.api.inputs import TrimmedInput, Truth
from feeds.api.shapes import moment_or_none
from feeds.errors import InvalidService, NotSaved
from feeds.models import SavingService


class ServiceChange(TrimmedInput):
    name = serializers.CharField(max_length=100, required=False)
    url = serializers.CharField(max_length=1000, required=False, help_text="Not for Instapaper.")
    credentials = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=saving.MAX_SECRET_CHARS),
        required=False,
        help_text="`username`, `password` (Instapaper; wallabag with `client_id`, `client_secret`), `token` "
        "(Linkding, Readeck), `secret` (webhook). Empty ones stay as they are.",
    )
    is_default = Truth(required=False)


class ServiceWish(ServiceChange):
    kind = serializers.ChoiceField(choices=SavingService.Kind.values)


def render(service: SavingService) -> dict[str, Any]:
    return {
        "id": service.pk,
        "kind": service.kind,
        "name": service.name,
        "url": service.url,
        "is_default": service.is_default,
        "has_credentials": saving.has_credentials(service),
        "last_error": service.last_error,
        "created_at": moment_or_none(service.created_at),
        "used_at": moment_or_none(service.used_at),
    }


class SavingServiceViewSet(ReaderViewSet):
    """Your services."""

    queryset = SavingService.objects.none()
    access = {
        "list": reads(),
        "retrieve": reads(),
        "create": runs(),
        "update": runs(),
        "destroy": runs(),
        "test": runs(),
    }
    rate_scope = dict.fromkeys(("create", "update", "destroy", "test"), "sources")

    @extend_schema(tags=["reader"], summary="List services to save to", responses={200: schemas.SERVICE})
    def list(self, request: Request) -> Response:
        """The default first, then by name."""
        rows = SavingService.objects.filter(user=user_of(request)).order_by("-is_default", "name", "pk")
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response([render(service) for service in page])

    @extend_schema(tags=["reader"], summary="One service", responses={200: schemas.data(schemas.SERVICE)})
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response({"data": render(self._find(pk))})

    @extend_schema(
        tags=["reader"],
        summary="Add a service",
        request=ServiceWish,
        responses={201: schemas.told(schemas.SERVICE)},
    )
    def create(self, request: Request) -> Response:
        """The first one becomes the default."""
        wish = _validated(ServiceWish, request)
        try:
            service = saving.create_service(request.user, **wish)
        except InvalidService as error:
            raise _invalid(error) from error
        return said("Service created successfully", render(service), status=201)

    @extend_schema(
        tags=["reader"],
        summary="Change a service",
        request=ServiceChange,
        responses={200: schemas.told(schemas.SERVICE)},
    )
    def update(self, request: Request, pk: str) -> Response:
        """A new address asks for password or token again."""
        service = self._find(pk)
        try:
            saving.change_service(service, _validated(ServiceChange, request))
        except InvalidService as error:
            raise _invalid(error) from error
        return said("Service updated successfully", render(self._find(pk)))

    @extend_schema(tags=["reader"], summary="Remove a service", responses={200: schemas.DELETED})
    def destroy(self, request: Request, pk: str) -> Response:
        service = self._find(pk)
        saving.delete_service(service)
        return said(f"Service '{service.name}' deleted successfully")

    @extend_schema(
        tags=["reader"],
        summary="Try a service",
        request=None,
        responses={200: schemas.told(schemas.SERVICE), 502: schemas.FAILURE},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Whether it is there and takes the credentials; a webhook is sent `{"event": "test"}`."""
        try:
            saving.try_service(self._find(pk))
        except NotSaved as error:
            raise Problem(502, error.user_message, extra={"error": error.user_message}) from error
        return said("The service works", render(self._find(pk)))

    def _find(self, pk: str) -> SavingService:
        return find_own(SavingService.objects.all(), self.request.user, pk)


def _validated(shape: type[TrimmedInput], request: Request) -> dict[str, Any]:
    wish = shape(data=json_object(request))
    wish.is_valid(raise_exception=True)
    return dict(wish.validated_data)


def _invalid(error: InvalidService) -> Problem:
    return Problem(422, "The given data was invalid.", errors={"service": [error.user_message]})
