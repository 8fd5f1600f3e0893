"""Headers that tell browsers what our pages may do."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

_COMMON = "img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
PUBLIC_POLICY = f"default-src 'self'; {_COMMON}"
# Unfold runs on Alpine.js, which evaluates its attributes, and sets its colours by a style element in the page.
ADMIN_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    f"{_COMMON}"
)
HEADER = "Content-Security-Policy"


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
