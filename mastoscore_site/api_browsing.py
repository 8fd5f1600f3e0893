"""The API in a browser: in the look of the site, with forms for what the user may do, and nothing beyond."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.shortcuts import resolve_url
from rest_framework.metadata import BaseMetadata
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.serializers import ListSerializer


class BrowsableRenderer(BrowsableAPIRenderer):
    accepted_media_type: str  # set by render()
    template = "api/browse.html"
    filter_template = "api/_filters.html"

    def get_context(self, data: Any, accepted_media_type: str | None, renderer_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(data, accepted_media_type, renderer_context)
        raw = {method: context[f"raw_data_{method.lower()}_form"] for method in ("POST", "PUT", "PATCH")}
        context["raw_forms"] = [(method, form) for method, form in raw.items() if form]
        # Asked for with GET, as browsers do, though it takes POST alone.
        context["is_form_alone"] = context["response"].status_code == 405 and bool(context["raw_forms"])
        context["login_url"] = resolve_url(settings.LOGIN_URL)
        return context

    def show_form_for_method(self, view: Any, method: str, request: Request, obj: Any) -> bool:
        """None for what is not there."""
        is_missing = getattr(view, "is_missing", False)
        return not is_missing and bool(super().show_form_for_method(view, method, request, obj))

    def render_form_for_serializer(self, serializer: Any) -> Any:
        """As DRF does, with fields of our own."""
        if isinstance(serializer, ListSerializer):
            return None
        if hasattr(serializer, "initial_data"):
            serializer.is_valid()
        style = {"template_pack": "api/fields"}
        return self.form_renderer_class().render(serializer.data, self.accepted_media_type, {"style": style})

    def get_extra_actions(self, view: Any, status_code: int) -> dict[str, str]:
        """Links are followed with GET, so only actions that are read so, and only those the user may read."""
        found: dict[str, str] = super().get_extra_actions(view, status_code) or {}
        if not found:
            return {}
        readable = {_label(view, action) for action in type(view).get_extra_actions() if _is_readable(view, action)}
        return {name: address for name, address in found.items() if name in readable}


def _label(view: Any, action: Any) -> str:
    """As DRF names the links."""
    return str(type(view)(**getattr(action, "kwargs", {})).get_view_name())


def _is_readable(view: Any, action: Any) -> bool:
    return "get" in action.mapping and _may(view, action.mapping["get"])


def _may(view: Any, action: str) -> bool:
    before, view.action = view.action, action
    try:
        return all(permission.has_permission(view.request, view) for permission in view.get_permissions())
    finally:
        view.action = before


class Outline(BaseMetadata):
    """OPTIONS: what the view is, without the fields of its forms (the OpenAPI document has them)."""

    def determine_metadata(self, request: Request, view: Any) -> dict[str, Any]:
        return {
            "name": view.get_view_name(),
            "description": view.get_view_description(),
            "renders": [renderer.media_type for renderer in view.renderer_classes],
            "parses": [parser.media_type for parser in view.parser_classes],
        }
