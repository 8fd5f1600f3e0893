"""Where feed apps on phones find the reader: the Google Reader API and that of Fever, with the ways in.

An app is given a user's name and, as the password, one of the user's personal tokens. Sessions do not count here.
"""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import ANYBODY
from common.api.problems import Problem
from feeds.sync.fever import Fever
from feeds.sync.forms import Asked
from feeds.sync.greader import SyncView, text
from feeds.sync.routes import CALLS
from mastoscore_site.models import ApiToken
from mastoscore_site.sign_in_limits import Attempt
from mastoscore_site.tokens import app_key, find_app_token, find_fever_token, find_token, note_use

# Apart, lest a phone with an old Fever key keeps its owner from setting up another app.
DOOR, FEVER_DOOR = "phone", "fever"
_HEADER = re.compile(r"GoogleLogin\s+auth=\"?([^\s\"]{1,200})\"?", re.IGNORECASE)


class GoogleLogin(BaseAuthentication):
    """``Authorization: GoogleLogin auth=…`` with what ``ClientLogin`` gave out."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        header = get_authorization_header(request).decode("latin-1").strip()
        if not header:
            return None
        found = _HEADER.fullmatch(header)
        token = find_app_token(found[1]) if found else None
        if token is None:
            raise AuthenticationFailed("Unauthenticated.")
        note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'GoogleLogin realm="Mastoscore"'


class FeverKey(BaseAuthentication):
    """``api_key`` in the form: a wrong one is nobody, and too many of them from an address are a 429.

    In the address it is not looked at: what stands there ends up in logs.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        form: Any = request.data
        key = str(form.get("api_key", ""))
        if not key:
            return None
        token = find_fever_token(key)
        if token is None:
            attempt = Attempt(request._request, "", door=FEVER_DOOR)
            if not attempt.begin_without_name():
                raise Throttled(attempt.wait_seconds)
            return None
        note_use(token)
        return token.user, token


class ClientLogin(SyncView):
    """A user's name and token for the key of the calls. In the form only, as addresses end up in logs."""

    access = {"get": ANYBODY, "post": ANYBODY}
    authentication_classes = []

    def get(self, request: Request) -> Response:
        raise Problem(
            405, "Send user name and token as a form (POST), not in the address.", headers={"Allow": "POST"}
        )

    def post(self, request: Request) -> HttpResponse | Response:
        form: Any = request.data
        name, password = (str(form.get(field, "")).strip() for field in ("Email", "Passwd"))
        if not name or not password:
            raise Problem(400, "Send the form fields Email (your user name) and Passwd (one of your API tokens).")
        attempt = Attempt(request._request, name, door=DOOR)
        if not attempt.begin():
            raise Throttled(attempt.wait_seconds)
        token = find_token(password)
        if token is None or name not in (token.user.get_username(), token.user.email):
            raise Problem(401, "The user name and the token do not go together, or the token is not valid any more.")
        attempt.succeed()
        note_use(token)
        keys = dict.fromkeys(("SID", "LSID", "Auth"), app_key(token))
        if Asked(request).one("output") == "json":
            return Response(keys)
        return text("".join(f"{name}={key}\n" for name, key in keys.items()))


class NoSuchCall(SyncView):
    """Everything else below these addresses, with whatever method."""

    authentication_classes = []

    def check_permissions(self, request: Request) -> None:
        raise Problem(404, "This call of the Google Reader API is not known here.")


def _both(address: str, view: Any) -> list[URLPattern]:
    """A slash at the end is optional."""
    return [path(address, view), path(f"{address}/", view)]


def _google_reader() -> list[URLPattern]:
    found = _both("accounts/ClientLogin", ClientLogin.as_view())
    for address, view in CALLS:
        found += _both(f"reader/api/0/{address}", view.as_view(authentication_classes=[GoogleLogin]))
    return [*found, re_path(r"^(?:reader/api|accounts)/", NoSuchCall.as_view())]


_calls = _google_reader()
_fever = Fever.as_view(authentication_classes=[FeverKey])
urlpatterns: list[URLPattern | URLResolver] = [
    # As FreshRSS has it, for apps that know no other; a short one; and at the root, as the original.
    path("api/greader.php/", include(_calls)),
    path("api/greader/", include(_calls)),
    *_calls,
    *_both("api/fever.php", _fever),
    *_both("fever", _fever),
]
