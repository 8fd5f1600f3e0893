"""``/api/v1/series``, ``/api/v1/accounts`` and ``/api/v1/optouts``."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from common.api.access import may, reads, runs
from common.api.filters import SearchFilter
from common.api.views import ApiViewSet
from events.api.events import SLUG_PATTERN
from events.api.shapes import (
    MAY_POST,
    AccountSerializer,
    EventSerializer,
    NewEpisodeWish,
    OptOutSerializer,
    SeriesSerializer,
)
from events.guarding import save_guarded
from events.models import MastodonAccount, OptOut, Series
from events.services import create_event_from_series


class SeriesFilter(django_filters.FilterSet):
    search = SearchFilter(field_name="title", lookup_expr="icontains", label="words of the title")
    ordering = django_filters.OrderingFilter(fields=["title", "slug"])

    class Meta:
        model = Series
        fields: ClassVar[list[str]] = []


class SeriesViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    ApiViewSet,
):
    """Series: what their events have in common."""

    queryset = Series.objects.order_by("title", "pk")
    serializer_class = SeriesSerializer
    filterset_class = SeriesFilter
    lookup_field = "slug"
    lookup_value_regex = SLUG_PATTERN
    access: ClassVar = {
        "list": reads("events.view_series"),
        "retrieve": reads("events.view_series"),
        "create": runs("events.add_series"),
        "update": runs("events.change_series"),
        "partial_update": runs("events.change_series"),
        "destroy": runs("events.delete_series"),
        "make_event": runs("events.add_event"),
    }

    @extend_schema(tags=["series"], summary="List series")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """By title."""
        return super().list(request, *args, **kwargs)

    @extend_schema(tags=["series"], summary="One series")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With the settings that it hands to its events."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(tags=["series"], summary="Make a series")
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Everything but hashtag, title and slug has a default."""
        return super().create(request, *args, **kwargs)

    @extend_schema(tags=["series"], summary="Replace a series")
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Events made before keep their own settings."""
        return super().update(request, *args, **kwargs)

    @extend_schema(tags=["series"], summary="Change a series")
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Events made before keep their own settings."""
        return super().partial_update(request, *args, **kwargs)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = Series(**serializer.validated_data)
        save_guarded(serializer.instance, may_post=may(self.request, MAY_POST))

    def perform_update(self, serializer: Any) -> None:
        series = serializer.instance
        for name, value in serializer.validated_data.items():
            setattr(series, name, value)
        serializer.context["warnings"] = save_guarded(
            series, may_post=may(self.request, MAY_POST), by=self.request.user
        )

    @extend_schema(tags=["series"], summary="Delete a series")
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Its events stay, in no series."""
        return super().destroy(request, *args, **kwargs)

    @extend_schema(
        tags=["series"],
        summary="Make the series' next event",
        request=NewEpisodeWish,
        responses={201: EventSerializer},
    )
    @action(detail=True, methods=["post"], url_path="events", serializer_class=NewEpisodeWish)
    def make_event(self, request: Request, slug: str) -> Response:
        """An event with the series' settings, at that time."""
        wish = NewEpisodeWish(data=request.data)
        wish.is_valid(raise_exception=True)
        event = create_event_from_series(self.get_object(), **wish.validated_data, may_post=may(request, MAY_POST))
        data = EventSerializer(event, context=self.get_serializer_context()).data
        address = reverse("event-detail", args=[event.slug], request=request)
        return Response(data, status=201, headers={"Location": address})


class AccountFilter(django_filters.FilterSet):
    server = SearchFilter(field_name="server", label="name of the server")

    class Meta:
        model = MastodonAccount
        fields: ClassVar[list[str]] = []


class AccountViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Accounts that events start from and post with. Connected in the admin or by `manage.py add_account`."""

    # Whether there is a token is told without opening it.
    queryset = MastodonAccount.objects.order_by("server", "username", "pk")
    serializer_class = AccountSerializer
    filterset_class = AccountFilter
    lookup_value_regex = "[0-9]{1,18}"
    access: ClassVar = {
        "list": reads("events.view_mastodonaccount"),
        "retrieve": reads("events.view_mastodonaccount"),
    }

    @extend_schema(tags=["accounts"], summary="List accounts")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """By server and name. Tokens are never shown."""
        return super().list(request, *args, **kwargs)

    @extend_schema(tags=["accounts"], summary="One account")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Its token is never shown."""
        return super().retrieve(request, *args, **kwargs)


class OptOutFilter(django_filters.FilterSet):
    search = SearchFilter(field_name="target", lookup_expr="icontains", label="part of a handle or server")

    class Meta:
        model = OptOut
        fields: ClassVar[list[str]] = []


class OptOutViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    ApiViewSet,
):
    """Authors and servers never to be quoted, named or linked."""

    queryset: QuerySet[OptOut] = OptOut.objects.order_by("target")
    serializer_class = OptOutSerializer
    filterset_class = OptOutFilter
    lookup_value_regex = "[0-9]{1,18}"
    access: ClassVar = {
        "list": reads("events.view_optout"),
        "retrieve": reads("events.view_optout"),
        "create": runs("events.add_optout"),
        "destroy": runs("events.delete_optout"),
    }

    @extend_schema(tags=["opt-outs"], summary="List opt-outs")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """By name."""
        return super().list(request, *args, **kwargs)

    @extend_schema(tags=["opt-outs"], summary="One opt-out")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Who it is for, and why."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(tags=["opt-outs"], summary="Add an opt-out")
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """`user@server` for one author, the name of a server for everybody on it."""
        return super().create(request, *args, **kwargs)

    @extend_schema(tags=["opt-outs"], summary="Remove an opt-out")
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """From the next analysis on they may be quoted again."""
        return super().destroy(request, *args, **kwargs)
