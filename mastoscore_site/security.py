"""Headers that tell browsers what our pages may do, and how much a browser may send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse

from feeds.pages.ground import KEPT_FOR, reader_key
from mastoscore_site.api_errors import is_api_path

_COMMON = "img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
PUBLIC_POLICY = f"default-src 'self'; {_COMMON}"
# Unfold runs on Alpine.js, which evaluates its attributes, and sets its colours by a style element in the page.
ADMIN_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    f"{_COMMON}"
)
MAX_BODY_BYTES = 8_000_000  # hubs send feeds of 5 MB; every form of ours is smaller
HEADER = "Content-Security-Policy"
_FORGETS = "mastoscore_browser_forgets"


class ContentSecurityPolicy:
    """Sets the policy by address, unless the view has set a stricter one of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if HEADER not in response:
            is_admin = request.path_info.startswith(reverse("admin:index"))
            response[HEADER] = ADMIN_POLICY if is_admin else PUBLIC_POLICY
        return response


class BoundedBodies:
    """Refuses what no form of ours sends, before anything reads it: the check against forgery alone would store it.

    The API has a bound of its own, with an answer in JSON.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if (
            length.isascii()
            and length.isdigit()
            and int(length) > MAX_BODY_BYTES
            and not is_api_path(request.path_info)
        ):
            return HttpResponse(render_to_string("413.html", {"megabytes": MAX_BODY_BYTES // 1_000_000}), status=413)
        return self.get_response(request)


@receiver(user_logged_out)
def _note_sign_out(request: HttpRequest | None, **signal: Any) -> None:
    if request is not None:
        setattr(request, _FORGETS, True)


@receiver(user_logged_in)
def _note_newcomer(request: HttpRequest | None, user: Any, **signal: Any) -> None:
    kept_for = request.COOKIES.get(KEPT_FOR) if request is not None else None
    if kept_for is not None and kept_for != reader_key(user):
        setattr(request, _FORGETS, True)


class ForgetAtSignOut:
    """Browsers drop what pages kept in them, such as posts to read offline: at every sign-out, by whatever door, and
    when somebody else signs in after a session that just ended.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if getattr(request, _FORGETS, False):
            response["Clear-Site-Data"] = '"storage"'
        return response
