from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from common.api.access import Scope
from common.errors import ConfigurationError
from mastoscore_site import tokens
from mastoscore_site.models import ApiToken
from mastoscore_site.tokens import find_token, make_token, note_use, parse_scopes, revoke

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]


# --- made and recognised --------------------------------------------------------------------------------------------
def test_token_is_found_by_its_text(make_user: MakeUser) -> None:
    token, text = make_token(make_user(), "script", [Scope.READ])
    assert re.fullmatch(r"ms_[a-z0-9]{12}_[A-Za-z0-9]{43}", text)
    found = find_token(text)
    assert found == token
    assert found is not None
    assert found.user.username == "ines"


def test_nothing_stored_tells_the_secret(make_user: MakeUser) -> None:
    _, text = make_token(make_user(), "script", [Scope.READ])
    row = ApiToken.objects.values().get()
    secret = text.rsplit("_", 1)[1]
    assert not any(secret in str(value) for value in row.values())
    assert len(row["digest"]) == 64


def test_no_two_tokens_are_alike(make_user: MakeUser) -> None:
    user = make_user()
    assert len({make_token(user, f"script {number}", [Scope.READ])[1] for number in range(20)}) == 20


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1] + ("a" if text[-1] != "a" else "b"),
        lambda text: text[:-1],
        lambda text: text + "a",
        lambda text: text.upper(),
        lambda text: f" {text}",
        lambda text: f"{text}\n",
        lambda text: text.replace("ms_", "mx_"),
        lambda text: "ms_000000000000_" + text.rsplit("_", 1)[1],
        lambda text: "",
        lambda text: "ms_\0",
        lambda text: "é" * 60,
    ],
)
def test_other_text_is_no_token(make_user: MakeUser, change: Callable[[str], str]) -> None:
    _, text = make_token(make_user(), "script", [Scope.READ])
    assert find_token(change(text)) is None


@pytest.mark.parametrize(
    ("wanted", "granted"),
    [
        ([Scope.READ], "read"),
        ([Scope.RUN], "read run"),
        ([Scope.POST], "read post"),
        ([Scope.POST, Scope.RUN], "read run post"),
        ([], "read"),
    ],
)
def test_run_and_post_include_read(make_user: MakeUser, wanted: list[Scope], granted: str) -> None:
    token, _ = make_token(make_user(), "script", wanted)
    assert token.scopes == granted
    assert token.granted == frozenset(Scope(word) for word in granted.split())


def test_database_takes_no_unknown_scope(make_user: MakeUser) -> None:
    token, _ = make_token(make_user(), "script", [Scope.READ])
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.filter(pk=token.pk).update(scopes="read admin")


def test_token_ends_with_its_days(make_user: MakeUser) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False) as clock:
        _, text = make_token(make_user(), "script", [Scope.READ], days=1)
        clock.shift(timedelta(hours=24) - timedelta(seconds=1))
        assert find_token(text) is not None
        clock.shift(1)
        assert find_token(text) is None


def test_token_without_days_stays(make_user: MakeUser) -> None:
    _, text = make_token(make_user(), "script", [Scope.READ])
    with time_machine.travel(timezone.now() + timedelta(days=10_000)):
        assert find_token(text) is not None


def test_revoked_token_does_not_come_back(make_user: MakeUser) -> None:
    user = make_user()
    token, text = make_token(user, "script", [Scope.READ])
    assert revoke(token.pk, user=make_user("other")) is None
    assert find_token(text) is not None
    first = revoke(token.pk, user=user)
    assert first is not None
    assert find_token(text) is None
    again = revoke(token.pk, user=user)
    assert again is not None
    assert again.revoked_at == first.revoked_at


def test_token_of_somebody_who_may_not_log_in_is_none(make_user: MakeUser) -> None:
    user = make_user()
    _, text = make_token(user, "script", [Scope.READ])
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert find_token(text) is None


def test_names_differ_among_the_tokens_of_a_user_that_work(make_user: MakeUser) -> None:
    user = make_user()
    token, _ = make_token(user, "script", [Scope.READ])
    with pytest.raises(ConfigurationError, match="ines has a token called “script” already"):
        make_token(user, " script ", [Scope.READ])
    make_token(make_user("other"), "script", [Scope.READ])
    revoke(token.pk, user=user)
    make_token(user, "script", [Scope.READ])


@pytest.mark.parametrize(
    ("name", "days", "words"),
    [
        ("", None, "needs a name"),
        ("x" * 101, None, "needs a name"),
        ("a\0b", None, "needs a name"),
        ("script", 0, "1 to 3660 days"),
        ("script", 10**9, "1 to 3660 days"),
    ],
)
def test_value_that_makes_no_sense_is_told(make_user: MakeUser, name: str, days: int | None, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make_token(make_user(), name, [Scope.READ], days=days)


def test_user_has_a_bounded_number_of_tokens(make_user: MakeUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS_PER_USER", 2)
    user = make_user()
    made = [make_token(user, f"script {number}", [Scope.READ])[0] for number in range(2)]
    with pytest.raises(ConfigurationError, match="revoke one"):
        make_token(user, "one more", [Scope.READ])
    revoke(made[0].pk, user=user)
    make_token(user, "one more", [Scope.READ])


def test_use_is_noted_once_a_minute(make_user: MakeUser, django_assert_num_queries: Callable[[int], object]) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False) as clock:
        token, text = make_token(make_user(), "script", [Scope.READ])
        note_use(token)
        first = ApiToken.objects.get().last_used_at
        assert first == datetime(2026, 3, 1, 12, tzinfo=UTC)
        clock.shift(59)
        found = find_token(text)
        assert found is not None
        with django_assert_num_queries(0):  # type: ignore[attr-defined]
            note_use(found)
        clock.shift(1)
        note_use(found)
        assert ApiToken.objects.get().last_used_at == first + timedelta(seconds=60)


def test_scopes_are_read_from_words() -> None:
    assert parse_scopes(["read", " RUN "]) == {Scope.READ, Scope.RUN}
    with pytest.raises(ConfigurationError, match="“write” is not a scope; there are read, run, post"):
        parse_scopes(["read", "write"])
    with pytest.raises(ConfigurationError, match="No scope is given"):
        parse_scopes([""])


# --- the command ----------------------------------------------------------------------------------------------------
def test_command_prints_the_token_alone(make_user: MakeUser) -> None:
    make_user()
    out = StringIO()
    call_command("create_token", "ines", "--name", "script", "--scopes", "read,run", "--days", "7", stdout=out)
    token = find_token(out.getvalue().removesuffix("\n"))
    assert token is not None
    assert token.scopes == "read run"
    assert token.expires_at is not None
    assert timedelta(days=6) < token.expires_at - timezone.now() <= timedelta(days=7)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody", "--name", "x", "--scopes", "read"], "There is no user “nobody”."),
        (["ines", "--name", "x", "--scopes", "all"], "“all” is not a scope; there are read, run, post."),
        (
            ["ines", "--name", "", "--scopes", "read"],
            "A token needs a name of 1 to 100 letters that says what it is for.",
        ),
        (["ines", "--name", "x", "--scopes", "read", "--days", "0"], "A token can be good for 1 to 3660 days."),
        (["gone", "--name", "x", "--scopes", "read"], "The user “gone” may not log in, so a token would not work."),
    ],
)
def test_command_says_in_a_sentence_what_is_wrong(make_user: MakeUser, arguments: list[str], sentence: str) -> None:
    make_user()
    make_user("gone", is_active=False)
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("create_token", *arguments, stdout=out, stderr=err)
    assert caught.value.code == 1
    assert err.getvalue().strip() == sentence
    assert out.getvalue() == ""


def test_command_needs_name_and_scopes(make_user: MakeUser) -> None:
    with pytest.raises(CommandError, match="--name, --scopes"):
        call_command("create_token", "ines")


# --- the page -------------------------------------------------------------------------------------------------------
def test_page_asks_strangers_to_sign_in(client: Client) -> None:
    for answer in (client.get("/tokens/"), client.post("/tokens/", {"name": "x"}), client.post("/tokens/1/revoke/")):
        assert answer.status_code == 302
        assert "login" in answer["Location"]
    assert not ApiToken.objects.exists()


def test_page_shows_a_new_token_once(client: Client, make_user: MakeUser) -> None:
    client.force_login(make_user())
    answer = client.post("/tokens/", {"name": "<b>script</b>", "scopes": ["read", "post"], "days": "30"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    shown = re.search(r'value="(ms_[^"]+)"', answer.content.decode())
    assert shown is not None
    token = find_token(shown.group(1))
    assert token is not None
    assert (token.name, token.scopes) == ("<b>script</b>", "read post")
    page = client.get("/tokens/").content.decode()
    assert shown.group(1) not in page
    assert f"ms_{token.prefix}_…" in page
    assert "&lt;b&gt;script&lt;/b&gt;" in page


def test_page_sent_twice_makes_one_token(client: Client, make_user: MakeUser) -> None:
    client.force_login(make_user())
    form = {"name": "script", "scopes": ["read"], "days": ""}
    assert client.post("/tokens/", form).status_code == 200
    again = client.post("/tokens/", form)
    assert again.status_code == 422
    assert "has a token called “script” already" in again.content.decode()
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    "form", [{}, {"name": "x", "scopes": ["all"]}, {"name": "x", "scopes": ["read"], "days": "9"}]
)
def test_page_takes_only_what_it_offers(client: Client, make_user: MakeUser, form: dict[str, object]) -> None:
    client.force_login(make_user())
    assert client.post("/tokens/", form).status_code == 422
    assert not ApiToken.objects.exists()


def test_page_revokes_by_post_and_only_ones_own(client: Client, make_user: MakeUser) -> None:
    user, other = make_user(), make_user("other")
    mine, text = make_token(user, "mine", [Scope.READ])
    theirs, other_text = make_token(other, "theirs", [Scope.READ])
    client.force_login(user)
    assert "theirs" not in client.get("/tokens/").content.decode()
    assert client.get(f"/tokens/{mine.pk}/revoke/").status_code == 405
    assert client.post(f"/tokens/{theirs.pk}/revoke/").status_code == 404
    assert client.post(f"/tokens/{mine.pk}/revoke/").status_code == 302
    assert find_token(text) is None
    assert find_token(other_text) is not None
    assert "“mine” does not work any more." in client.get("/tokens/").content.decode()


def test_page_says_where_a_phone_finds_the_reader(client: Client, make_user: MakeUser) -> None:
    client.force_login(make_user())
    page = client.get("/tokens/", headers={"host": "localhost:8000"}).content.decode()
    assert "http://localhost:8000/api/greader.php" in page
    assert "http://localhost:8000/fever/" in page


def test_page_wants_the_csrf_token(make_user: MakeUser) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user())
    assert strict.post("/tokens/", {"name": "x", "scopes": ["read"]}).status_code == 403
    assert not ApiToken.objects.exists()


# --- the admin ------------------------------------------------------------------------------------------------------
def test_admin_lists_tokens_without_secrets_and_revokes(admin_client: Client, make_user: MakeUser) -> None:
    token, text = make_token(make_user(), "script", [Scope.READ])
    pages = [admin_client.get(f"/admin/mastoscore_site/apitoken/{end}") for end in ("", f"{token.pk}/change/")]
    for page in pages:
        assert page.status_code == 200
        assert "script" in page.content.decode()
        assert token.digest not in page.content.decode()
    assert admin_client.get("/admin/mastoscore_site/apitoken/add/").status_code == 403
    form = {"action": "revoke_tokens", "_selected_action": [token.pk]}
    assert admin_client.post("/admin/mastoscore_site/apitoken/", form).status_code == 302
    assert find_token(text) is None


@pytest.mark.parametrize("query", ["digest__startswith=a", "digest=a", "user__password__startswith=a"])
def test_admin_list_answers_no_question_about_secrets(admin_client: Client, make_user: MakeUser, query: str) -> None:
    make_token(make_user("ines"), "one", [Scope.READ])
    assert admin_client.get(f"/admin/mastoscore_site/apitoken/?{query}").status_code == 400
    assert admin_client.get("/admin/mastoscore_site/apitoken/?name=one").status_code == 200
