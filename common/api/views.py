"""The ground of every view of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.exceptions import APIException
from rest_framework.generics import get_object_or_404
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet, ViewSetMixin

from common.api.access import Needs
from common.api.parsing import check_query


class Guarded:
    """Puts the tests of a call in the order that clients rely on.

    Token or session (401), allowance (429), permission (401, 403), what can be answered (406), strange parameters
    (422); the lookup (404) and the body (400, 415, 422) are the view's. Who guesses tokens uses up the allowance of
    the address.
    """

    access: ClassVar[Mapping[str, Needs]] = {}
    rate_scope: ClassVar[str | Mapping[str, str]] = "general"
    error_shape: ClassVar[str | None] = None  # "message" or "error"; None: by the path

    def initial(self: Any, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = self.get_format_suffix(**kwargs)
        try:
            self.perform_authentication(request)
        except APIException:
            # Whoever sends a token is a program: no page to sign in on, whatever it says that it accepts.
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
            self.check_throttles(request)
            raise
        self.check_throttles(request)
        self.check_permissions(request)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version, request.versioning_scheme = self.determine_version(request, *args, **kwargs)
        check_query(request.query_params)


class ApiView(Guarded, APIView):
    """``access`` is keyed by method: "get", "post"."""


class ApiViewSet(Guarded, GenericViewSet[Any]):
    """``access`` is keyed by action: "list", "retrieve", the name of an ``@action``.

    ``forms``, keyed alike: what an action asks for in a browser, where that is not the ``serializer_class``.
    """

    forms: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}

    def get_serializer_class(self) -> Any:
        return self.forms.get(self.action) or super().get_serializer_class()

    def get_object(self) -> Any:
        """By the address alone: filters are for lists."""
        name = self.lookup_url_kwarg or self.lookup_field
        found = get_object_or_404(self.get_queryset(), **{self.lookup_field: self.kwargs[name]})
        self.check_object_permissions(self.request, found)
        return found


class PlainApiViewSet(Guarded, ViewSetMixin, APIView):
    """The same without model and serializer."""


class FirstRenderer(BaseContentNegotiation):
    """Whatever the client says that it accepts, it gets the first renderer: never a 406."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        media_type = request.content_type.split(";")[0].strip().lower()
        if not media_type:
            return parsers[0]
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class MastoscoreView(ApiView):
    """A route of the Mastoscore contract: JSON in and out, ``{"error": …}`` when something is wrong."""

    renderer_classes = [JSONRenderer]
    content_negotiation_class = FirstRenderer
    error_shape = "error"
