"""Views of the API that belong to no app: its start page, who am I, its document, and no such route."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from common.api.access import ANYBODY, Scope, reads
from common.api.views import ApiView, FirstRenderer
from mastoscore_site.models import ApiToken

HOUSE_APPS = frozenset({"events", "feeds", "jobs", "pipeline"})


class IndexSerializer(serializers.Serializer[Any]):
    """Name: address."""

    me = serializers.URLField()
    schema = serializers.URLField()
    docs = serializers.URLField()


class Index(ApiView):
    """Where everything is. Lists only what you may read."""

    access = {"get": reads()}
    error_shape = "message"
    title = "API"
    lists: tuple[tuple[str, str, Any], ...] = ()

    @extend_schema(operation_id="index", tags=["about"], responses=IndexSerializer, summary="Where everything is")
    def get(self, request: Request) -> Response:
        links = {"me": "api-me", **{name: route for name, route, view in self.lists if _may_list(request, view)}}
        links |= {"schema": "api-schema", "docs": "api-docs"}
        return Response({name: reverse(route, request=request) for name, route in links.items()})

    def get_view_name(self) -> str:
        return self.title


def _may_list(request: Request, view: Any) -> bool:
    needs = view.access.get("list")
    return needs is not None and request.user.has_perms(needs.permissions)


class TokenFactsSerializer(serializers.ModelSerializer[ApiToken]):
    scopes = serializers.SerializerMethodField()

    class Meta:
        model = ApiToken
        fields = ["name", "scopes", "expires_at"]

    def get_scopes(self, token: ApiToken) -> list[Scope]:
        return [scope for scope in Scope if scope in token.granted]


class MeSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField(), help_text="As `app.codename`, sorted.")
    token = TokenFactsSerializer(allow_null=True, help_text="The token of this call; null when signed in by session.")


class Me(ApiView):
    """Who you are to this site, what you may do, and what your token allows of it."""

    access = {"get": reads()}

    @extend_schema(operation_id="me", tags=["about"], responses=MeSerializer, summary="Who am I")
    def get(self, request: Request) -> Response:
        token = request.auth if isinstance(request.auth, ApiToken) else None
        facts = {
            "username": request.user.get_username(),
            "permissions": sorted(
                name for name in request.user.get_all_permissions() if name.partition(".")[0] in HOUSE_APPS
            ),
            "token": token,
        }
        return Response(MeSerializer(facts).data)

    def get_view_name(self) -> str:
        return "Me"


class Schema(ApiView):
    """The OpenAPI 3.1 document of this API."""

    access = {"get": ANYBODY}
    renderer_classes = [OpenApiJsonRenderer2]
    content_negotiation_class = FirstRenderer
    schema = None

    def get(self, request: Request) -> Response:
        return Response(_document(settings.ROOT_URLCONF))


@cache
def _document(urlconf: str) -> Any:
    """The same for everybody, and dear to make."""
    return SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


class Docs(ApiView):
    """Swagger UI from our own files."""

    access = {"get": ANYBODY}
    renderer_classes = [TemplateHTMLRenderer]
    content_negotiation_class = FirstRenderer
    schema = None

    def get(self, request: Request) -> Response:
        return Response(
            {"schema_url": reverse("api-schema"), "csrf_header": _csrf_header()}, template_name="api/docs.html"
        )

    def handle_exception(self, exc: Exception) -> Response:
        self.request.accepted_renderer, self.request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return super().handle_exception(exc)


def _csrf_header() -> str:
    return settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-")


class NoSuchRoute(ApiView):
    """Everything below ``/api`` that nothing else answers, with whatever method."""

    renderer_classes = [JSONRenderer]
    content_negotiation_class = FirstRenderer
    schema = None

    def check_permissions(self, request: Request) -> None:
        raise Http404  # a wrong token was a 401 before this
