"""Leave to act for an account, asked for in the browser: our app registered per server, OAuth 2 with PKCE.

https://docs.joinmastodon.org/methods/apps/, /methods/oauth/, /api/oauth-scopes/; RFC 7636 (PKCE), RFC 8414 (what a
server offers). Codes, secrets and tokens stay out of every error.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from common.http import Answer, Gate, InvalidAnswer
from common.json_reading import NotJson, read_json
from common.mastodon_errors import NotFound, RateLimited, RemoteRefused, ServerFault, raise_for_status

# What crawl and thread need: who we are, what we wrote, copies of toots; toots and pictures out.
LEAST_SCOPES = ("read:accounts", "read:statuses", "read:search", "write:statuses", "write:media")
COARSE_SCOPES = ("read", "write")
_MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class App:
    """Our app on one server. ``scopes`` are those it was registered with, space separated."""

    client_id: str
    client_secret: str = field(repr=False)
    scopes: str


@dataclass(frozen=True, slots=True)
class Grant:
    """``scopes``: as the server says, or those asked for if it does not say."""

    token: str = field(repr=False)
    scopes: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server says of its OAuth. ``scopes``: empty if it does not say."""

    has_pkce: bool = False
    scopes: frozenset[str] = frozenset()


def read_offer(gate: Gate, server: str) -> Offer:
    """What the server offers (Mastodon since 4.3); one that does not say offers nothing special."""
    answer = gate.get(
        f"{gate.base_url(server)}/.well-known/oauth-authorization-server", headers={"Accept": "application/json"}
    )
    value = _object(answer) if answer.status_code == 200 else {}
    methods, scopes = value.get("code_challenge_methods_supported"), value.get("scopes_supported")
    return Offer(
        has_pkce=isinstance(methods, list) and "S256" in methods,
        scopes=frozenset(scope for scope in scopes if isinstance(scope, str))
        if isinstance(scopes, list)
        else frozenset(),
    )


def register_app(gate: Gate, server: str, *, name: str, website: str, redirect_uri: str, offer: Offer) -> App:
    """Make our app known, with the least scopes the server knows; RemoteError if it does not want us."""
    wanted = choose_scopes(offer)
    try:
        return _register(gate, server, name, website, redirect_uri, wanted)
    except (RemoteRefused, InvalidAnswer):
        if wanted == COARSE_SCOPES:
            raise
        return _register(gate, server, name, website, redirect_uri, COARSE_SCOPES)  # knows no finer ones


def choose_scopes(offer: Offer) -> Sequence[str]:
    return LEAST_SCOPES if not offer.scopes or offer.scopes.issuperset(LEAST_SCOPES) else COARSE_SCOPES


def make_verifier() -> str:
    return secrets.token_urlsafe(48)


def authorize_url(base_url: str, app: App, *, redirect_uri: str, state: str, verifier: str = "") -> str:
    """Where the host is sent. With ``verifier`` the code will be worth nothing without it."""
    values = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": app.scopes,
        "state": state,
    }
    if verifier:
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        values |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{base_url}/oauth/authorize?{urlencode(values)}"


def exchange_code(gate: Gate, server: str, app: App, *, code: str, redirect_uri: str, verifier: str = "") -> Grant:
    """The token for a code. RemoteRefused when the server does not take the code."""
    values = {
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": redirect_uri,
        "code": code,
        "scope": app.scopes,
    }
    if verifier:
        values["code_verifier"] = verifier
    value = _post(gate, server, "/oauth/token", values, f"{server} did not accept the code; connect again.")
    token, scopes = _text(value, "access_token"), _text(value, "scope")
    if not token:
        raise _no_sense(server)
    return Grant(token, scopes or app.scopes)


def revoke_token(gate: Gate, server: str, app: App, token: str) -> None:
    """Give the token back; RemoteError when the server does not take it."""
    values = {"client_id": app.client_id, "client_secret": app.client_secret, "token": token}
    _post(gate, server, "/oauth/revoke", values, f"{server} did not take the token back.", is_bare=True)


def _register(gate: Gate, server: str, name: str, website: str, redirect_uri: str, scopes: Sequence[str]) -> App:
    wanted = " ".join(scopes)
    values = {"client_name": name, "redirect_uris": redirect_uri, "scopes": wanted}
    if website:
        values["website"] = website
    value = _post(gate, server, "/api/v1/apps", values, f"{server} does not let programs register.")
    client_id, client_secret = _text(value, "client_id"), _text(value, "client_secret")
    if not client_id or not client_secret:
        raise _no_sense(server)
    return App(client_id, client_secret, wanted)


def _post(
    gate: Gate, server: str, path: str, values: dict[str, str], refused: str, *, is_bare: bool = False
) -> dict[str, Any]:
    """The answer as an object; a refusal in any of its spellings with our sentence, not with the server's words."""
    # A form, as RFC 6749 has it: every server takes it here, unlike for toots.
    answer = gate.post(f"{gate.base_url(server)}{path}", data=values, headers={"Accept": "application/json"})
    try:
        raise_for_status(answer, server)
    except (RateLimited, ServerFault):
        raise
    except (RemoteRefused, NotFound, InvalidAnswer) as error:
        status = error.status_code
    else:
        value = _object(answer)
        if not value and not is_bare:
            raise _no_sense(server)
        return value
    # Outside of the except block: what the server says may quote the code or the secret.
    raise RemoteRefused(
        f"{server} answered {status} to {path}",
        server=server,
        permanent=True,
        status_code=status,
        user_message=refused,
    )


def _object(answer: Answer) -> dict[str, Any]:
    try:
        value = read_json(answer.body)
    except NotJson:
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) and len(found) <= _MAX_TEXT else ""


def _no_sense(server: str) -> InvalidAnswer:
    return InvalidAnswer(
        f"{server} sent no OAuth answer", server=server, user_message=f"{server} sent something that makes no sense."
    )
