"""InfraRead's routes without a version."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from common.api.access import Scope
from feeds.models import SavingService
from mastoscore_site.tokens import make_token
from tests.remote.feed_host import FeedHost, Page, posts

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(anna: Any) -> Any:
    """The answer to a GET with a token of Anna's."""
    cache.clear()
    _, text = make_token(anna, "test", [Scope.RUN])

    def get(path: str, **query: str) -> Any:
        return Client().get(f"/api/{path}", query, headers={"Authorization": f"Bearer {text}"})

    return get


def test_user_is_told_without_secrets(ask: Any, anna: Any) -> None:
    anna.email = "anna@example.org"
    anna.set_password("frogs in a pond")
    anna.save()
    facts = ask("user").json()
    assert (facts["id"], facts["name"], facts["email"]) == (anna.pk, "anna", "anna@example.org")
    assert facts["created_at"].endswith("Z")
    assert set(facts) == {"id", "name", "email", "email_verified_at", "created_at", "updated_at"}
    refused = Client().get("/api/user/")
    assert (refused.status_code, refused.json()) == (401, {"message": "Unauthenticated."})


def test_anybody_may_ask_whether_somebody_is_there() -> None:
    answer = Client().get("/api/test", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (
        200,
        b"test successful",
        "text/plain; charset=utf-8",
    )


def test_address_is_analysed_for_who_may_subscribe(ask: Any, host: FeedHost, anna: Any) -> None:
    link = b'<link rel="alternate" type="application/rss+xml" href="/feed"><title>Frogs</title>'
    host.pages["/"] = Page(b"<html><head>" + link + b"</head></html>", "text/html")
    host.pages["/feed"] = Page(posts(1))
    assert ask("urlanalyze", url=host.url("/")).json() == {
        "status": "ok",
        "error_messages": [],
        "result": {
            "title": "Frogs",
            "description": None,
            "author": None,
            "rss": host.url("/feed"),
            "canonical_url": "https://blog.example/",
        },
    }
    for url in ("", "nothing", "http://10.0.0.1/feed", host.url("/gone"), "file:///etc/passwd"):
        told = ask("urlanalyze", url=url).json()
        assert told["status"] == "error"
        assert told["error_messages"][0].endswith(".") or "URL" in told["error_messages"][0]
        assert set(told["result"].values()) == {None}
    assert Client().get("/api/urlanalyze", {"url": host.url()}).status_code == 401


def test_read_later_service_is_the_users_own_default(ask: Any, anna: Any, bert: Any) -> None:
    assert ask("v2_readlaterservice").content == b"none"
    SavingService.objects.create(user=bert, kind="wallabag", name="hers", is_default=True)
    SavingService.objects.create(user=anna, kind="webhook", name="other")
    SavingService.objects.create(user=anna, kind="linkding", name="mine", is_default=True)
    assert ask("v2_readlaterservice").content == b"linkding"
    assert Client().get("/api/v2_readlaterservice").status_code == 401
