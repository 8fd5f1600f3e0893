"""What is harmless once and not when it is asked for a thousand times, and answers that a form cannot spoil."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from common.api.access import Scope
from feeds.models import Article, Digest, Post
from feeds.pages.manage import allowances
from feeds.sync.greader import MAX_STREAMS
from mastoscore_site.tokens import make_token
from tests.remote.feed_host import FeedHost, Page

from .managing import Manager, make_sources
from .phone import READ, GoogleReaderApp
from .shelves import make_posts, make_source

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    cache.clear()


@pytest.fixture
def page(anna: Any) -> Client:
    client = Client()
    client.force_login(anna)
    return client


@pytest.fixture
def post(anna: Any) -> Post:
    return make_posts(make_source(anna, "Own"), 1)[0]


# --- the pages ------------------------------------------------------------------------------------------------------
def test_who_has_ever_new_quotes_explained_is_stopped_before_the_day_is_spent(
    page: Client, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(allowances.LIMITS, "shorten", 3)
    for number in range(5):
        quote = "This sentence is explained. " * 30 + f"It differs: {number}."
        last = page.post(f"/reader/posts/{post.pk}/quote", {"quote": quote}, headers=PART)
    assert allowances.TOO_MANY in last["HX-Trigger"]
    assert Digest.objects.count() == 3
    refused = page.post(f"/reader/posts/{post.pk}/summary", headers=PART)  # the same allowance
    assert allowances.TOO_MANY in refused["HX-Trigger"]
    assert Digest.objects.count() == 3


def test_page_that_cannot_be_read_is_not_asked_for_without_end(
    page: Client, anna: Any, host: FeedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(allowances.LIMITS, "full_text", 2)
    host.pages["/post"] = Page(b"gone", status=404)
    (post,) = make_posts(make_source(anna, "Short"), 1, url=host.url("/post"))
    answers = [page.post(f"/reader/posts/{post.pk}/full-text", headers=PART) for _ in range(4)]
    assert [allowances.TOO_MANY in answer["HX-Trigger"] for answer in answers] == [False, False, True, True]
    assert len(host.requests_for("/post")) == 2
    Article.objects.update(content="<p>Here it is.</p>")  # what is known costs nobody anything
    assert page.post(f"/reader/posts/{post.pk}/full-text", headers=PART).content == b"<p>Here it is.</p>"


@pytest.mark.parametrize(
    ("back", "expected"),
    [
        ("/reader/manage/sources?q=a\nSet-Cookie: a=b", "/reader/manage/sources?q=a%0ASet-Cookie:%20a=b"),
        ("/reader/manage/sources?q=ä", "/reader/manage/sources?q=%C3%A4"),
    ],
)
def test_dialog_leads_back_to_whatever_the_form_says_without_fault(anna: Any, back: str, expected: str) -> None:
    (source,) = make_sources(anna, 1)
    answer = Manager(anna).dialog(f"/sources/{source.pk}/delete", data={"back": back})
    assert answer["HX-Redirect"] == expected


# --- apps on phones -------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_app_that_names_thousands_of_streams_is_answered_not_computed_for(
    anna: Any, live_server: Any, post: Post
) -> None:
    app = GoogleReaderApp(live_server.url, "anna", make_token(anna, "phone", [Scope.RUN])[1])
    assert app.sign_in() == 200
    same = app.send("POST", "reader/api/0/stream/items/ids", fields=[("xt", READ)] * 3000)
    assert same.json()["itemRefs"] == [{"id": str(post.pk)}]
    feeds = [f"feed/{source.pk}" for source in make_sources(anna, MAX_STREAMS + 1, posts=0)]
    for call, field in (("stream/items/ids", "it"), ("stream/items/ids", "xt"), ("mark-all-as-read", "s")):
        refused = app.send("POST", f"reader/api/0/{call}", fields=[(field, name) for name in feeds])
        assert (refused.status_code, refused.json()) == (
            400,
            {"error": f"Name at most {MAX_STREAMS} streams at once."},
        )
    assert not Post.objects.filter(is_read=True).exists()
