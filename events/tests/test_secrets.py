"""Tokens at rest, and what a lost key does to the pages around them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from common.encryption import UnreadableSecret
from events.models import MastodonAccount

pytestmark = pytest.mark.django_db


def stored_token(account: MastodonAccount) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM events_mastodonaccount WHERE id = %s", [account.pk])
        return str(cursor.fetchone()[0])


@pytest.fixture
def account() -> MastodonAccount:
    return MastodonAccount.objects.create(server="films.example", token="very-secret")


def test_token_is_unreadable_in_the_database_and_plain_in_python(account: MastodonAccount) -> None:
    assert "very-secret" not in stored_token(account)
    assert MastodonAccount.objects.get().token == "very-secret"


def test_saving_an_account_that_was_only_listed_leaves_the_stored_token_as_it_is(account: MastodonAccount) -> None:
    before = stored_token(account)
    MastodonAccount.objects.get().save()
    assert stored_token(account) == before


def test_former_key_still_opens_what_it_closed(account: MastodonAccount, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert MastodonAccount.objects.get().token == "very-secret"


def test_lost_key_is_a_sentence_where_the_token_is_needed(account: MastodonAccount, settings: Any) -> None:
    settings.SECRET_KEY = "another"
    listed = MastodonAccount.objects.get()
    assert listed.has_token
    with pytest.raises(UnreadableSecret) as trouble:
        _ = listed.token
    assert "SECRET_KEY_FALLBACKS" in trouble.value.user_message


def test_lost_key_spoils_no_page(
    account: MastodonAccount, make_event: Any, admin_user: Any, client: Client, settings: Any
) -> None:
    event = make_event(home_account=account)
    settings.SECRET_KEY = "another"
    client.force_login(admin_user)
    for page in (f"/admin/events/event/{event.pk}/change/", "/admin/events/mastodonaccount/"):
        assert client.get(page).status_code == 200


@pytest.mark.parametrize("query", ["token__startswith=a", "token=a", "app__client_secret__startswith=a"])
def test_list_of_accounts_answers_no_question_about_tokens(admin_client: Any, query: str) -> None:
    MastodonAccount.objects.create(server="home.example", token="abc")
    assert admin_client.get(f"/admin/events/mastodonaccount/?{query}").status_code == 400
    assert admin_client.get("/admin/events/mastodonaccount/?server=home.example").status_code == 200
