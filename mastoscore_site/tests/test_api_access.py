from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from common.api.access import Scope
from mastoscore_site.models import ApiToken

pytestmark = [pytest.mark.django_db, pytest.mark.urls("mastoscore_site.tests.api_urls")]
MakeUser = Callable[..., User]
MakeCaller = Callable[..., APIClient]
THING = "/api/v1/things/monsterdon-20260222"


@pytest.fixture(autouse=True)
def event(make_event: Any) -> Any:
    return make_event()


CALLS = {
    "list": ("get", "/api/v1/things", Scope.READ, "events.view_event", 200),
    "head": ("head", "/api/v1/things", Scope.READ, "events.view_event", 200),
    "detail": ("get", THING, Scope.READ, "events.view_event", 200),
    "extra": ("get", f"{THING}/coverage", Scope.READ, "events.view_event", 200),
    "change": ("patch", THING, Scope.RUN, "events.change_event", 200),
    "job": ("post", f"{THING}/fetch", Scope.RUN, "events.change_event", 202),
    "send": ("post", f"{THING}/send", Scope.POST, "pipeline.post_thread", 202),
    "delete": ("delete", THING, Scope.RUN, "events.delete_event", 204),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("token_scope", list(Scope))
@pytest.mark.parametrize("is_permitted", [True, False])
def test_call_needs_scope_of_token_and_permission_of_user(
    call: str, token_scope: Scope, is_permitted: bool, make_user: MakeUser, make_caller: MakeCaller
) -> None:
    method, path, scope, permission, success = CALLS[call]
    caller = make_caller(make_user("ines", *([permission] if is_permitted else [])), token_scope)
    has_scope = scope in (Scope.READ, token_scope)
    answer = getattr(caller, method)(path)
    assert answer.status_code == (success if has_scope and is_permitted else 403)
    if not has_scope:
        assert answer.json() == {"message": f"This token lacks the scope “{scope}”."}
    elif not is_permitted and method != "head":
        assert answer.json() == {"message": "You do not have permission to perform this action."}


@pytest.mark.parametrize("call", CALLS)
def test_stranger_is_told_how_to_come_in(call: str, stranger: APIClient) -> None:
    method, path, *_ = CALLS[call]
    answer = getattr(stranger, method)(path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    if method != "head":
        assert answer.json() == {"message": "Unauthenticated."}


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer a b", "Bearer ms_x", "bearer é", "Bearer \0", "BEARER x"]
)
def test_wrong_token_is_401(header: str, stranger: APIClient) -> None:
    answer = stranger.get("/api/v1/things", HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthenticated."}


def test_wrong_token_is_401_on_routes_for_everybody_too(stranger: APIClient) -> None:
    assert stranger.get("/api/schema").status_code == 200
    assert stranger.get("/api/schema", HTTP_AUTHORIZATION="Bearer x").status_code == 401


def test_token_is_told_by_scheme_of_any_case_and_other_schemes_are_left_alone(root: APIClient) -> None:
    header = root._credentials["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    client = APIClient()
    assert client.get("/api/v1/things", HTTP_AUTHORIZATION=f"bEARER {header}").status_code == 200
    assert client.get("/api/v1/things", HTTP_AUTHORIZATION="Basic cm9vdDpwYXNz").status_code == 401


def test_wrong_token_is_not_saved_by_a_session(make_user: MakeUser) -> None:
    client = Client()
    client.force_login(make_user("ines", "events.view_event"))
    assert client.get("/api/v1/things").status_code == 200
    assert client.get("/api/v1/things", headers={"Authorization": "Bearer x"}).status_code == 401


def test_session_has_every_scope_its_permissions_give(make_user: MakeUser) -> None:
    client = Client()
    client.force_login(make_user("ines", "events.view_event", "pipeline.post_thread"))
    assert client.get(THING).status_code == 200
    assert client.post(f"{THING}/send").status_code == 202
    assert client.post(f"{THING}/fetch").status_code == 403


def test_session_needs_the_csrf_token_for_changes(make_user: MakeUser) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("ines", "events.view_event", "events.change_event"))
    assert client.get(THING).status_code == 200
    refused = client.post(f"{THING}/fetch")
    assert refused.status_code == 403
    assert refused.json()["message"].startswith("CSRF Failed")
    client.cookies["csrftoken"] = "a" * 32
    assert client.post(f"{THING}/fetch", headers={"X-CSRFToken": "a" * 32}).status_code == 202


def test_token_needs_no_csrf_token(make_user: MakeUser, make_caller: MakeCaller) -> None:
    text = make_caller(make_user("ines", "events.change_event"))._credentials["HTTP_AUTHORIZATION"]
    client = Client(enforce_csrf_checks=True)
    assert client.post(f"{THING}/fetch", headers={"Authorization": text}).status_code == 202


def test_revoked_token_stops_at_once(root: APIClient) -> None:
    assert root.get("/api/v1/things").status_code == 200
    ApiToken.objects.get().delete()
    assert root.get("/api/v1/things").status_code == 401


def test_call_without_a_declaration_is_answered_to_nobody(root: APIClient) -> None:
    answer = root.get("/api/v1/forgotten")
    assert answer.status_code == 500
    assert answer.json() == {"message": "Server Error", "error": "An unexpected error occurred"}


def test_options_tells_the_outline_to_whoever_is_signed_in(
    stranger: APIClient, make_user: MakeUser, make_caller: MakeCaller
) -> None:
    assert stranger.options("/api/v1/things").status_code == 401
    answer = make_caller(make_user(), Scope.READ).options("/api/v1/things")
    assert answer.status_code == 200
    assert set(answer.json()) == {"name", "description", "renders", "parses"}


def test_me_tells_permissions_and_what_the_token_allows(make_user: MakeUser, make_caller: MakeCaller) -> None:
    user = make_user("ines", "events.view_event", "auth.view_user")
    told = make_caller(user, Scope.RUN).get("/api/v1/me").json()
    assert told["username"] == "ines"
    assert told["permissions"] == ["events.view_event"]
    assert told["token"] == {"name": "for tests 0", "scopes": ["read", "run"], "expires_at": None}
    client = Client()
    client.force_login(user)
    assert client.get("/api/v1/me").json()["token"] is None


# --- in a browser ---------------------------------------------------------------------------------------------------
def browse(client: Client, path: str) -> str:
    answer = client.get(path, headers={"Accept": "text/html,application/xhtml+xml"})
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    return answer.content.decode()


def test_browser_sees_forms_for_what_the_user_may_do_and_no_others(make_user: MakeUser) -> None:
    client = Client()
    client.force_login(make_user("viewer", "events.view_event"))
    page = browse(client, THING)
    assert "The Blob (1958)" in page
    assert "<form" not in page
    client.force_login(make_user("host", "events.view_event", "events.change_event"))
    page = browse(client, THING)
    assert 'data-method="PUT"' in page
    assert 'name="episode_title" type="text" value="The Blob (1958)"' in page
    assert 'data-method="DELETE"' not in page
    client.force_login(make_user("root", is_superuser=True))
    assert 'data-method="DELETE"' in browse(client, THING)
    assert 'enctype="multipart/form-data"' in browse(client, "/api/v1/things")


def test_browser_is_shown_links_to_what_can_be_read(make_user: MakeUser) -> None:
    client = Client()
    client.force_login(make_user("viewer", "events.view_event"))
    page = browse(client, THING)
    assert f"{THING}/coverage" in page
    assert f"{THING}/fetch" not in page


def test_browser_sends_a_form_with_the_csrf_token(make_user: MakeUser) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("root", is_superuser=True))
    page = browse(client, "/api/v1/things")
    csrf = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {
        "csrfmiddlewaretoken": csrf,
        "slug": "blob",
        "event_title": "Monsterdon",
        "hashtag": "blob",
        "start": "2026-03-01T12:00",
        "top_n": "3",
        "consent": "explicit",
    }
    made = client.post("/api/v1/things", form, headers={"Accept": "text/html"})
    assert made.status_code == 201, made.content.decode()
    wrong = client.post("/api/v1/things", form, headers={"Accept": "text/html"})
    assert wrong.status_code == 422
    assert "The given data was invalid." in wrong.content.decode()


def test_browser_of_a_stranger_is_sent_to_the_login(stranger: APIClient) -> None:
    answer = stranger.get("/api/v1/things", HTTP_ACCEPT="text/html")
    assert answer.status_code == 401
    assert 'href="/login/?next=/api/v1/things"' in answer.content.decode()


def test_pages_of_the_api_hold_nothing_inline_that_the_policy_would_stop(make_user: MakeUser) -> None:
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    pages = [browse(client, path) for path in ("/api/v1/things", THING, "/api/docs")]
    pages.append(client.get("/tokens/").content.decode())
    for page in pages:
        assert "<style" not in page
        assert "style=" not in page
        assert "onclick" not in page
        assert page.count("<script") == page.count('<script src="/static/')
