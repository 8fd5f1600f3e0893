"""Accounts connected by token: asked for at the server, kept encrypted, never repeated."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from common.errors import ConfigurationError
from events.accounts import add_account, check_account, keep_token, parse_credentials
from events.errors import BadCredentials, TokenRefused
from events.models import MastodonAccount
from events.tests.conftest import TokenServer

pytestmark = pytest.mark.django_db


def test_accepted_token_is_stored_with_what_the_server_says(token_server: TokenServer) -> None:
    outcome = add_account(f"http://{token_server.name}", "right-token")
    account = MastodonAccount.objects.get()
    assert (outcome.created, outcome.is_verified, outcome.warnings) == (True, True, [])
    assert (account.server, account.username, account.token) == (token_server.name, "host", "right-token")
    assert account.verified_at is not None
    assert token_server.seen == [("/api/v1/accounts/verify_credentials", "Bearer right-token")]


def test_token_is_encrypted_in_the_database(token_server: TokenServer) -> None:
    add_account(f"http://{token_server.name}", "right-token")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM events_mastodonaccount")
        assert "right-token" not in str(cursor.fetchall())


def test_adding_an_account_again_updates_it(token_server: TokenServer) -> None:
    first = add_account(token_server.name, "right-token").account
    token_server.token = "new-token"
    second = add_account(token_server.name, "new-token")
    assert (second.created, second.account.pk) == (False, first.pk)
    assert MastodonAccount.objects.get().token == "new-token"


def test_account_made_by_an_import_takes_the_name_the_server_tells(token_server: TokenServer) -> None:
    MastodonAccount.objects.create(server=token_server.name)
    assert not add_account(token_server.name, "right-token").created
    assert MastodonAccount.objects.get().username == "host"


def test_two_accounts_of_one_server_live_side_by_side(token_server: TokenServer) -> None:
    add_account(token_server.name, "right-token")
    token_server.token, token_server.username = "other-token", "other"
    assert add_account(token_server.name, "other-token").created
    assert MastodonAccount.objects.count() == 2


@pytest.mark.parametrize("status", [0, 400, 401, 403, 422])
def test_refused_token_is_not_stored_and_not_repeated(token_server: TokenServer, status: int) -> None:
    token_server.status = status
    with pytest.raises(TokenRefused) as caught:
        add_account(token_server.name, "wrong-token")
    assert "does not accept this token" in caught.value.user_message
    assert "wrong-token" not in f"{caught.value!r} {caught.value.user_message}"
    assert not MastodonAccount.objects.exists()


@pytest.mark.parametrize("status", [404, 500, 503])
def test_token_that_cannot_be_checked_is_stored_with_a_warning(token_server: TokenServer, status: int) -> None:
    token_server.status = status
    outcome = add_account(token_server.name, "right-token")
    assert (outcome.created, outcome.is_verified) == (True, False)
    assert "could not be checked" in outcome.warnings[0]
    account = MastodonAccount.objects.get()
    assert (account.token, account.username, account.verified_at) == ("right-token", "", None)


def test_token_for_an_unreachable_server_is_stored_with_a_warning(settings: Any) -> None:
    settings.MASTOSCORE_PRIVATE_HOSTS = ["127.0.0.1:1"]
    outcome = add_account("http://127.0.0.1:1", "some-token")
    assert "could not be checked" in outcome.warnings[0]
    assert "some-token" not in outcome.warnings[0]
    assert MastodonAccount.objects.get().token == "some-token"


def test_account_without_a_token_needs_no_server() -> None:
    assert add_account("https://home.example").created
    assert not add_account("home.example").created
    assert MastodonAccount.objects.get().server == "home.example"


@pytest.mark.parametrize("url", ["", "localhost", "https://", "ftp://home.example", "a b"])
def test_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a server"):
        add_account(url, "token")


@pytest.mark.parametrize("token", ["a b", "a\nb", "ü", "x" * 2001])
def test_text_that_is_no_token_is_refused_before_anybody_is_asked(token: str) -> None:
    with pytest.raises(BadCredentials):
        add_account("home.example", token)


def test_stored_token_is_checked_on_demand(token_server: TokenServer) -> None:
    account = MastodonAccount.objects.create(server=token_server.name, token="right-token")
    assert check_account(account).is_verified
    account.refresh_from_db()
    assert (account.username, account.verified_at is None) == ("host", False)


def test_token_of_an_account_that_is_connected_already_is_told(token_server: TokenServer) -> None:
    add_account(token_server.name, "right-token")
    twin = MastodonAccount.objects.create(server=token_server.name, token="right-token")
    with pytest.raises(BadCredentials, match="connected already"):
        check_account(twin)


def test_new_token_has_to_be_checked_again(token_server: TokenServer) -> None:
    account = add_account(token_server.name, "right-token").account
    keep_token(account, "right-token")
    assert account.verified_at is not None
    keep_token(account, "new-token")
    assert MastodonAccount.objects.get().verified_at is None


def test_token_that_no_longer_opens_can_be_replaced(token_server: TokenServer, settings: Any) -> None:
    add_account(token_server.name, "right-token")
    settings.SECRET_KEY = "another key"
    outcome = add_account(token_server.name, "right-token")
    assert (outcome.created, outcome.is_verified) == (False, True)
    assert MastodonAccount.objects.get().token == "right-token"


@pytest.mark.parametrize(
    "text",
    ["t0k", "t0k\n", "\ufeff\nt0k\r\nhttps://home.example/\r\n", "t0k\nhome.example\nid\nsecret", " t0k \n\n"],
)
def test_first_line_of_a_token_file_is_the_token(text: str) -> None:
    assert parse_credentials(text, "home.example") == "t0k"
