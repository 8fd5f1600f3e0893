"""``Authorization: Bearer ms_…``: who calls, by personal token."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from mastoscore_site.models import ApiToken
from mastoscore_site.tokens import find_token, note_use


class TokenAuthentication(BaseAuthentication):
    """Comes first, so that a 401 names the way in; a wrong token is a 401 even in a browser that is signed in."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        token = find_token(words[1].decode("latin-1")) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed("Unauthenticated.")
        note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Mastoscore"'
