"""Accounts on Mastodon servers: found, made, connected. A token is never shown, logged or put in an error."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.utils import timezone

from common.encryption import UnreadableSecret
from common.errors import ConfigurationError, RemoteError
from common.http import Gate, policy_from_settings
from common.mastodon import AccountFacts, MastodonServer
from common.servers import parse_server
from events.errors import BadCredentials, TokenRefused
from events.models import MastodonAccount

# What servers of different kinds answer to a token they do not know.
_REFUSALS = frozenset({400, 401, 403, 422})
_TOKEN = re.compile(r"[\x21-\x7e]{1,2000}")


@dataclass(frozen=True, slots=True)
class AccountOutcome:
    """``is_verified``: the server confirmed the token and said whose it is."""

    account: MastodonAccount
    created: bool
    is_verified: bool
    warnings: list[str] = field(default_factory=list)


def choose_account(server: str, username: str = "", *, current: MastodonAccount | None = None) -> MastodonAccount:
    """The account to use on a server: the one of that name, else the ``current`` one if it is there, else the one
    most likely meant (with a token, checked last); made without a name if none is known."""
    known = list(MastodonAccount.objects.filter(server=server).order_by("-verified_at", "pk").defer("token"))
    named = next((account for account in known if username and account.username == username), None)
    if named is not None:
        return named
    if current is not None and current in known:
        return current
    with_token = set(MastodonAccount.objects.filter(server=server).exclude(token="").values_list("pk", flat=True))
    known.sort(key=lambda account: (account.pk not in with_token, account.verified_at is None))
    return known[0] if known else MastodonAccount.objects.create(server=server)


def parse_credentials(text: str, server: str = "") -> str:
    """The token in a token file: its first line; a second line, if any, is the server's address.

    That is the layout Mastodon.py writes for a user's token. Raises BadCredentials, which never quotes the file
    but for a server's name.
    """
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines()]
    while lines and not lines[0]:
        lines.pop(0)
    if not lines:
        raise BadCredentials("The token file is empty.")
    addresses = [_server_or_none(line) for line in lines]
    if len(lines) > 2 and addresses[1] is None and addresses[2] is not None:
        raise BadCredentials("This is the file of a client id and secret, not of a user's token.")
    if not is_token(lines[0]):
        raise BadCredentials("The first line of the token file is not a token.")
    if len(lines) > 1 and lines[1]:
        _compare_servers(addresses[1], server)
    elif not server:
        raise BadCredentials("There is a token, but no server it belongs to: api_base_url is missing.")
    return lines[0]


def decode_token_file(content: bytes) -> str:
    """The text of a token file; BadCredentials if it is none."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadCredentials("The token file is not a text file.") from None  # the cause quotes the file


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None and "://" not in text


def keep_token(account: MastodonAccount, token: str) -> None:
    """Store the token; one that differs from the stored one has not been checked yet."""
    try:
        is_same = account.token == token
    except UnreadableSecret:
        is_same = False
    if not is_same:
        account.token, account.verified_at = token, None
        account.scopes, account.app = "", None  # of the token before
        account.save(update_fields=["token", "verified_at", "scopes", "app"])


def add_account(url: str, token: str = "") -> AccountOutcome:
    """Make or update the account on a server; a token is checked with the server first.

    Raises TokenRefused, and stores nothing, if the server does not take it. If the server cannot be asked, the
    token is stored with a warning. Not to be called inside a transaction: it waits for the network.
    """
    server = parse_server(url)
    if not token:
        known = MastodonAccount.objects.filter(server=server).defer("token").exists()
        return AccountOutcome(choose_account(server), created=not known, is_verified=False)
    if not is_token(token):
        raise BadCredentials("The token has blanks or other characters that no token has.")
    facts, warning = ask_server(server, token)
    if facts is None:
        account, created = _unconfirmed_account(server)
        keep_token(account, token)
        return AccountOutcome(account, created, is_verified=False, warnings=[warning])
    account, created = confirm_account(server, token, facts)
    return AccountOutcome(account, created, is_verified=True)


def check_account(account: MastodonAccount) -> AccountOutcome:
    """Ask the server whose the stored token is; raises TokenRefused. Not to be called inside a transaction."""
    if not account.token:
        raise BadCredentials(f"No token is stored for {account}.")
    facts, warning = ask_server(account.server, account.token)
    if facts is None:
        return AccountOutcome(account, created=False, is_verified=False, warnings=[warning])
    taken = MastodonAccount.objects.filter(server=account.server, username=facts.username).exclude(pk=account.pk)
    if taken.exists():
        raise BadCredentials(f"The token belongs to @{facts.username}@{account.server}, which is connected already.")
    _note_facts(account, account.token, facts)
    return AccountOutcome(account, created=False, is_verified=True)


def ask_server(server: str, token: str) -> tuple[AccountFacts | None, str]:
    """What the server says of the token, or None and why it could not be asked; TokenRefused if it says no."""
    try:
        with Gate(policy_from_settings()) as gate:
            facts = MastodonServer(gate, server, token=token).verify_credentials()
        return replace(facts, username=facts.username[:200]), ""  # as much as the column holds
    except RemoteError as error:
        if error.status_code in _REFUSALS:
            raise TokenRefused(
                f"{server} refused the token with status {error.status_code}",
                user_message=f"{server} does not accept this token (it answered {error.status_code}).",
            ) from error
        return None, f"The token could not be checked with {server}: {error.user_message}"


@transaction.atomic
def confirm_account(server: str, token: str, facts: AccountFacts) -> tuple[MastodonAccount, bool]:
    """The account the server named; one that had no name yet takes it."""
    account = (
        MastodonAccount.objects.filter(server=server, username=facts.username).defer("token").first()
        or MastodonAccount.objects.filter(server=server, username="").defer("token").first()
    )
    created = account is None
    account = account or MastodonAccount(server=server)
    account.scopes, account.app = "", None  # whoever knows better sets them afterwards
    _note_facts(account, token, facts)
    return account, created


def _note_facts(account: MastodonAccount, token: str, facts: AccountFacts) -> None:
    account.token = token
    account.username = facts.username
    account.details = facts.raw
    account.verified_at = timezone.now()
    account.save()


def _unconfirmed_account(server: str) -> tuple[MastodonAccount, bool]:
    """The nameless account of the server: nobody knows whose the token is."""
    found = MastodonAccount.objects.filter(server=server, username="").defer("token").first()
    return (found, False) if found else (MastodonAccount.objects.create(server=server), True)


def _compare_servers(found: str | None, expected: str) -> None:
    if found is None:
        raise BadCredentials("The second line of the token file is not the address of a server.")
    if expected and found != expected:
        raise BadCredentials(f"The token file is for {found}, but the account is on {expected}.")
    if not expected:
        raise BadCredentials(f"The token file is for {found}, but the file of the event names no api_base_url.")


def _server_or_none(text: str) -> str | None:
    try:
        return parse_server(text) if "." in text else None
    except ConfigurationError:
        return None
