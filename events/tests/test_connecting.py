"""An account connected in the browser: asked for once, by the right person, with the least rights, and given back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from events import connecting
from events.accounts import add_account
from events.models import MastodonAccount, ServerApp
from tests.remote.posting import TOKEN, Fault, PostingServer, Reply

pytestmark = pytest.mark.django_db
CONNECT = "/admin/events/mastodonaccount/connect/"
FINE = "read:accounts read:statuses read:search write:statuses write:media"


@pytest.fixture
def server(settings: Any) -> Iterator[PostingServer]:
    with PostingServer() as running:
        settings.MASTOSCORE_PRIVATE_HOSTS = [running.name]
        yield running


def press_connect(client: Any, server: PostingServer) -> str:
    """The address that the host is shown."""
    response = client.post(CONNECT, {"server": f"http://{server.name}/"}, follow=True)
    assert response.status_code == 200
    return str(response.context["address"])


def say_yes(address: str) -> str:
    """Where the server sends the host back to."""
    answer = requests.get(address, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    location = urlsplit(answer.headers["Location"])
    return f"{location.path}?{location.query}"


def test_host_connects_an_account(admin_client: Any, server: PostingServer) -> None:
    address = press_connect(admin_client, server)
    asked = parse_qs(urlsplit(address).query)
    assert asked["scope"] == [FINE]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) > 30
    response = admin_client.get(say_yes(address), follow=True)
    account = MastodonAccount.objects.get()
    assert f"@host@{server.name} is connected." in response.content.decode()
    assert (account.username, account.scopes, account.has_token) == ("host", FINE, True)
    assert account.token in server.tokens
    assert account.token not in response.content.decode()
    app = ServerApp.objects.get()
    assert app.client_secret == "app-secret"
    assert [app["client_name"] for app in server.apps.values()] == ["Mastoscore"]


def test_app_is_registered_once_per_server_and_kept_encrypted(admin_client: Any, server: PostingServer) -> None:
    press_connect(admin_client, server)
    press_connect(admin_client, server)
    assert len(server.apps) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM events_serverapp")
        assert "app-secret" not in cursor.fetchone()[0]


def test_app_that_nobody_let_in_for_long_is_registered_anew(admin_client: Any, server: PostingServer) -> None:
    press_connect(admin_client, server)
    ServerApp.objects.update(created_at=timezone.now() - timedelta(hours=2))
    admin_client.get(say_yes(press_connect(admin_client, server)))
    assert (len(server.apps), ServerApp.objects.count()) == (2, 1)
    ServerApp.objects.update(created_at=timezone.now() - timedelta(days=300))
    press_connect(admin_client, server)
    assert len(server.apps) == 2, "somebody is let in through it"


def test_handle_is_taken_for_its_server(admin_client: Any, server: PostingServer) -> None:
    page = admin_client.post(CONNECT, {"server": f"@host@{server.name}"}, follow=True).content.decode()
    assert f"http://{server.name}/oauth/authorize" in page


def test_token_that_cannot_be_checked_is_given_back(admin_client: Any, server: PostingServer) -> None:
    back = say_yes(press_connect(admin_client, server))
    server.fail("verify", *[Fault(Reply(500))] * 9)
    page = admin_client.get(back, follow=True).content.decode()
    assert "Nothing was kept; press Connect again." in page
    assert server.tokens == {TOKEN}
    assert not MastodonAccount.objects.exists()


def test_server_without_pkce_and_fine_scopes_is_asked_as_it_can(admin_client: Any, server: PostingServer) -> None:
    server.has_pkce, server.fine_scopes = False, False
    address = press_connect(admin_client, server)
    asked = parse_qs(urlsplit(address).query)
    assert asked["scope"] == ["read write"]
    assert "code_challenge" not in asked
    admin_client.get(say_yes(address))
    assert MastodonAccount.objects.get().scopes == "read write"


@pytest.mark.parametrize("state", ["", "forged", "ü"])
def test_forged_answer_is_refused(admin_client: Any, server: PostingServer, state: str) -> None:
    back = say_yes(press_connect(admin_client, server))
    path, _, query = back.partition("?")
    code = parse_qs(query)["code"][0]
    response = admin_client.get(path, {"code": code, "state": state}, follow=True)
    assert "does not belong to an attempt of yours" in response.content.decode()
    assert not MastodonAccount.objects.exists()
    assert server.count("token") == 0
    assert "is connected" in admin_client.get(back, follow=True).content.decode(), "the real attempt goes on"
    assert "does not belong" in admin_client.get(back, follow=True).content.decode(), "an attempt is used up"


def test_answer_in_another_session_is_refused(admin_client: Any, client: Any, server: PostingServer) -> None:
    back = say_yes(press_connect(admin_client, server))
    assert client.get(back).status_code == 302
    assert server.count("token") == 0


def test_host_who_says_no_is_told_that_nothing_changed(admin_client: Any, server: PostingServer) -> None:
    address = press_connect(admin_client, server)
    state = parse_qs(urlsplit(address).query)["state"][0]
    response = admin_client.get(
        "/admin/events/mastodonaccount/connected/", {"error": "access_denied", "state": state}, follow=True
    )
    assert "did not give leave; nothing was changed" in response.content.decode()


def test_attempt_that_took_too_long_is_refused(
    admin_client: Any, server: PostingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "_VALID_SECONDS", -1)
    back = say_yes(press_connect(admin_client, server))
    assert "quarter of an hour" in admin_client.get(back, follow=True).content.decode()


def test_refused_code_is_one_sentence(admin_client: Any, server: PostingServer) -> None:
    back = say_yes(press_connect(admin_client, server))
    server.fail("token", Fault(Reply(400, {"error": "invalid_grant"})))
    assert "did not accept the code" in admin_client.get(back, follow=True).content.decode()
    assert ServerApp.objects.exists()


def test_app_that_the_server_forgot_is_registered_anew(admin_client: Any, server: PostingServer) -> None:
    back = say_yes(press_connect(admin_client, server))
    server.fail("token", Fault(Reply(401, {"error": "invalid_client"})))
    admin_client.get(back)
    assert not ServerApp.objects.exists()
    admin_client.get(say_yes(press_connect(admin_client, server)))
    assert MastodonAccount.objects.get().has_token


def test_scopes_that_were_left_out_are_told(admin_client: Any, server: PostingServer) -> None:
    server.granted_scopes = "read:accounts write:statuses"
    response = admin_client.get(say_yes(press_connect(admin_client, server)), follow=True)
    assert "left out read:statuses, read:search, write:media" in response.content.decode()


@pytest.mark.parametrize("address", ["not a server", "http://", "mastodon"])
def test_what_is_no_server_is_refused_in_the_form(admin_client: Any, address: str) -> None:
    response = admin_client.post(CONNECT, {"server": address}, follow=True)
    assert "is not the name or address of a server" in response.content.decode()


def test_server_that_lets_no_program_register_says_so(admin_client: Any, server: PostingServer) -> None:
    server.fail("register", *[Fault(Reply(403, {"error": "no"}))] * 2)
    response = admin_client.post(CONNECT, {"server": server.name}, follow=True)
    assert "does not let programs register" in response.content.decode()


def test_revoking_gives_the_token_back_and_forgets_it(admin_client: Any, server: PostingServer) -> None:
    admin_client.get(say_yes(press_connect(admin_client, server)))
    account = MastodonAccount.objects.get()
    token = account.token
    response = admin_client.post(f"/admin/events/mastodonaccount/{account.pk}/revoke/", follow=True)
    assert "is gone" in response.content.decode()
    assert token not in server.tokens
    account.refresh_from_db()
    assert (account.token, account.scopes, account.app) == ("", "", None)


def test_revoking_when_the_server_is_silent_forgets_it_here_and_says_so(
    admin_client: Any, server: PostingServer
) -> None:
    admin_client.get(say_yes(press_connect(admin_client, server)))
    server.fail("revoke", Fault(Reply(500)))
    account = MastodonAccount.objects.get()
    response = admin_client.post(f"/admin/events/mastodonaccount/{account.pk}/revoke/", follow=True)
    assert "take it back on" in response.content.decode()
    assert not MastodonAccount.objects.get().has_token


def test_revoking_twice_says_that_there_is_none(admin_client: Any, server: PostingServer) -> None:
    admin_client.get(say_yes(press_connect(admin_client, server)))
    address = f"/admin/events/mastodonaccount/{MastodonAccount.objects.get().pk}/revoke/"
    admin_client.post(address)
    assert "No token is stored for" in admin_client.post(address, follow=True).content.decode()


def test_pasted_token_takes_the_place_and_forgets_the_scopes(admin_client: Any, server: PostingServer) -> None:
    admin_client.get(say_yes(press_connect(admin_client, server)))
    add_account(f"http://{server.name}", "right-token")
    account = MastodonAccount.objects.get()
    assert (account.token, account.scopes, account.app) == ("right-token", "", None)


def test_who_may_not_change_accounts_connects_none(client: Any, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("helper", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_mastodonaccount"))
    client.force_login(user)
    assert client.get(CONNECT).status_code in (302, 403)
    assert client.get("/admin/events/mastodonaccount/connected/", {"state": "x", "code": "y"}).status_code == 403
