"""An account connected in the browser: our app registered on its server, leave asked for, a token given and kept.

The state of one attempt lives in the host's session, is used once, and dies after a quarter of an hour.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from common.encryption import UnreadableSecret
from common.errors import RemoteError
from common.http import Gate, policy_from_settings
from common.mastodon_errors import RemoteRefused
from common.mastodon_oauth import (
    LEAST_SCOPES,
    App,
    Grant,
    authorize_url,
    exchange_code,
    make_verifier,
    read_offer,
    register_app,
    revoke_token,
)
from common.servers import parse_server
from events.accounts import AccountOutcome, ask_server, confirm_account
from events.errors import EventsError
from events.models import MastodonAccount, ServerApp

SESSION_KEY = "connecting_account"
APP_NAME = "Mastoscore"
_VALID_SECONDS = 15 * 60
_UNUSED = timedelta(hours=1)

Session = MutableMapping[str, Any]


class ConnectingFailed(EventsError):
    """The account could not be connected; the message says why."""


def begin(session: Session, url: str, redirect_uri: str) -> str:
    """The address the host has to visit; registers our app on the server first, if it is not there yet.

    Raises ConfigurationError (no server), RemoteError. Not to be called inside a transaction.
    """
    server = parse_server(url)
    with Gate(policy_from_settings()) as gate:
        app, has_pkce = _find_app(gate, server, redirect_uri)
        base_url = gate.base_url(server)
    state, verifier = secrets.token_urlsafe(32), make_verifier() if has_pkce else ""
    session[SESSION_KEY] = {
        "state": state,
        "verifier": verifier,
        "server": server,
        "redirect_uri": redirect_uri,
        "until": time.time() + _VALID_SECONDS,
    }
    return authorize_url(base_url, app, redirect_uri=redirect_uri, state=state, verifier=verifier)


def complete(session: Session, *, state: str, code: str, error: str = "") -> AccountOutcome:
    """The account whose owner came back with a code. Raises ConnectingFailed, TokenRefused, RemoteError."""
    attempt = session.get(SESSION_KEY)
    if not isinstance(attempt, dict) or not secrets.compare_digest(str(attempt["state"]).encode(), state.encode()):
        raise ConnectingFailed("This answer does not belong to an attempt of yours; press Connect again.")
    del session[SESSION_KEY]  # only now: a forged answer must not spoil the attempt that is under way
    server = attempt["server"]
    if time.time() > attempt["until"]:
        raise ConnectingFailed("That took longer than a quarter of an hour; press Connect again.")
    if error or not code:
        raise ConnectingFailed(f"{server} did not give leave; nothing was changed.")
    stored = ServerApp.objects.filter(server=server, redirect_uri=attempt["redirect_uri"]).first()
    if stored is None:
        raise ConnectingFailed(f"Our registration on {server} is gone; press Connect again.")
    grant = _exchange(stored, code, attempt)
    return _keep(stored, grant)


def revoke(account: MastodonAccount) -> str:
    """Give the token back to the server and forget it; a warning when the server could not be told.

    ConnectingFailed when there is none. Not to be called inside a transaction.
    """
    warning = ""
    try:
        token, app = account.token, account.app
        if not token:
            raise ConnectingFailed(f"No token is stored for {account}.")
        if app is None:
            warning = f"The token was not given through us; take it back on {account.server} as well."
        else:
            _give_back(app, token)
    except (RemoteError, UnreadableSecret) as error:
        warning = f"{error.user_message} The token is forgotten here; take it back on {account.server} yourself."
    account.token, account.scopes, account.app, account.verified_at = "", "", None, None
    account.save(update_fields=["token", "scopes", "app", "verified_at"])
    return warning


def missing_scopes(granted: str) -> list[str]:
    """Those of ours that were not granted; a coarse scope stands for its fine ones."""
    scopes = granted.split()
    return [scope for scope in LEAST_SCOPES if scope not in scopes and scope.partition(":")[0] not in scopes]


def _find_app(gate: Gate, server: str, redirect_uri: str) -> tuple[App, bool]:
    stored = ServerApp.objects.filter(server=server, redirect_uri=redirect_uri).first()
    if stored is not None and not _may_be_forgotten(stored):
        return _as_app(stored), stored.has_pkce
    offer = read_offer(gate, server)
    app = register_app(
        gate, server, name=APP_NAME, website=settings.PROJECT_URL, redirect_uri=redirect_uri, offer=offer
    )
    ServerApp.objects.update_or_create(
        server=server,
        redirect_uri=redirect_uri,
        defaults={
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "scopes": app.scopes,
            "has_pkce": offer.has_pkce,
            "created_at": timezone.now(),
        },
    )
    return app, offer.has_pkce


def _may_be_forgotten(stored: ServerApp) -> bool:
    """Mastodon throws away programs that nobody let in for a day; asked as one of those, the host would be stuck."""
    return not stored.accounts.exists() and stored.created_at < timezone.now() - _UNUSED


def _exchange(stored: ServerApp, code: str, attempt: dict[str, Any]) -> Grant:
    try:
        with Gate(policy_from_settings()) as gate:
            return exchange_code(
                gate,
                stored.server,
                _as_app(stored),
                code=code,
                redirect_uri=attempt["redirect_uri"],
                verifier=attempt["verifier"],
            )
    except RemoteRefused as error:
        if error.status_code == 401:  # the server does not know our app any more; the next attempt registers it anew
            stored.delete()
        raise


def _keep(stored: ServerApp, grant: Grant) -> AccountOutcome:
    try:
        facts, warning = ask_server(stored.server, grant.token)
        if facts is None:
            raise ConnectingFailed(f"{warning} Nothing was kept; press Connect again.")
    except EventsError:
        with suppress(RemoteError, UnreadableSecret):  # nobody will use it, so it should not live on
            _give_back(stored, grant.token)
        raise
    with transaction.atomic():
        account, created = confirm_account(stored.server, grant.token, facts)
        account.scopes, account.app = grant.scopes, stored
        account.save(update_fields=["scopes", "app"])
    missing = missing_scopes(grant.scopes)
    warnings = [f"The server left out {', '.join(missing)}; some things will not work."] if missing else []
    return AccountOutcome(account, created, is_verified=True, warnings=warnings)


def _give_back(app: ServerApp, token: str) -> None:
    with Gate(policy_from_settings()) as gate:
        revoke_token(gate, app.server, _as_app(app), token)


def _as_app(stored: ServerApp) -> App:
    return App(stored.client_id, stored.client_secret, stored.scopes)
