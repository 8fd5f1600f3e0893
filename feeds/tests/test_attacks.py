"""What was found by attacking the running reader, each thing as it was done."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from common.api.access import Scope
from common.times import now_utc
from feeds import hubs_news, storing
from feeds.models import Article, Digest, Entry, Feed, HubNews, HubSubscription, Post
from feeds.pages.manage import allowances
from feeds.saving import create_service, try_service
from feeds.sync.greader import MAX_STREAMS
from feeds.turns import MOST_AT_ONCE, turn_of
from jobs.context import JobContext
from mastoscore_site.tokens import make_token
from tests.remote.answering_host import AnsweringHost, Call, Reply
from tests.remote.feed_host import FeedHost, Page, item, posts, rss

from .making import ask_all, subscribe
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


# --- documents that no database takes -------------------------------------------------------------------------------
HALF = "\ud800"  # of a pair of surrogates: JSON can say it, UTF-8 cannot


def test_identity_with_half_a_character_is_an_identity_all_the_same(anna: Any, host: FeedHost) -> None:
    rows = [{"id": f"{HALF}\0{number}", "title": f"T{HALF}", "content_html": f"<p>{HALF}x</p>"} for number in (1, 2)]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": f"J{HALF}", "items": rows}
    host.pages["/feed"] = Page(json.dumps(feed).encode(), headers={"Content-Type": "application/feed+json"})
    subscribe(anna, host.url())
    assert [ask_all().changed, ask_all().unchanged] == [1, 1]
    assert sorted(Entry.objects.values_list("uid", flat=True)) == ["guid:1", "guid:2"]


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> str:
    """A text that lets through what no database takes."""
    real = storing.sanitise

    def spoil(markup: str, **options: Any) -> str:
        return HALF if "poison" in markup else real(markup, **options)

    monkeypatch.setattr(storing, "sanitise", spoil)
    return "poison"


def test_document_that_cannot_be_stored_is_a_failure_of_its_source_alone(
    anna: Any, bert: Any, host: FeedHost, poison: str
) -> None:
    host.pages["/bad"], host.pages["/good"] = Page(rss(item(1, text=poison))), Page(posts(1, 2))
    bad, _ = subscribe(anna, host.url("/bad")), subscribe(bert, host.url("/good"))
    outcome = ask_all()
    assert (outcome.changed, outcome.failed) == (1, 1)
    assert Post.objects.filter(user=bert).count() == 2
    feed = Feed.objects.get(pk=bad.feed_id)
    assert (feed.failures, feed.claimed_until, feed.next_due_at > now_utc()) == (1, None, True)
    assert feed.last_error


def test_news_that_cannot_be_stored_do_not_keep_those_behind_them(anna: Any, poison: str) -> None:
    source = subscribe(anna, "https://blog.example/feed")
    subscription = HubSubscription.objects.create(
        feed=source.feed, key="k" * 43, state=HubSubscription.State.ACTIVE, asked_at=now_utc(), due_at=now_utc()
    )
    for body in (rss(item(1, text=poison)), posts(2)):
        assert hubs_news.keep(subscription, body, "application/rss+xml", now_utc())
    done = hubs_news.store_news(JobContext.detached("hub_news"))
    assert done == {"documents": 2, "new_posts": 1, "unreadable": 1}
    assert not HubNews.objects.exists()


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


def test_who_waits_for_many_slow_servers_leaves_room_for_others(anna: Any, bert: Any, host: FeedHost) -> None:
    post = make_posts(make_source(anna, "Slow"), 1, url=host.url("/post"))[0]
    page, dialog = Client(), Manager(anna)
    page.force_login(anna)
    token = make_token(anna, "client", [Scope.RUN])[1]
    with ExitStack() as others:
        for _ in range(MOST_AT_ONCE):
            others.enter_context(turn_of(anna.pk))
        # Each of these would wait for somebody else.
        looked = dialog.post("/sources/add", status=422, address=host.url())
        taken = dialog.post("/sources/add", status=422, address="x", feed_url=host.url())
        fetched = page.post(f"/reader/posts/{post.pk}/full-text", headers=PART)
        answer = page.post(
            "/api/v1/sources",
            {"url": host.url(), "category_id": post.source.category_id},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        sentence = "What you asked for before is still being fetched."
        assert all(sentence in text for text in (looked, taken, fetched["HX-Trigger"]))
        assert (answer.status_code, sentence in answer.json()["message"]) == (429, True)
        assert answer["Retry-After"] == "10"
        assert host.asked == []
        with turn_of(bert.pk):
            pass
    host.pages["/feed"] = Page(posts(1))
    assert "A blog" in dialog.post("/sources/add", status=200, address=host.url())


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


# --- services to save to --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("refresh_token", [HALF, "x" * 900_000, ["list"], 7])
def test_service_that_sends_a_strange_token_gets_none_of_it_stored(anna: Any, refresh_token: object) -> None:
    token = {"access_token": "good", "refresh_token": refresh_token, "expires_in": 10**30}

    def wallabag(call: Call) -> Reply:
        return Reply(200, json.dumps(token).encode()) if call.path.endswith("token") else Reply(200, {"page": 1})

    entered = dict.fromkeys(("client_id", "client_secret", "username", "password"), "x")
    with AnsweringHost(wallabag) as host:
        service = create_service(anna, kind="wallabag", url=host.url("/"), credentials=entered)
        try_service(service)
    service.refresh_from_db()
    kept = json.loads(service.credentials)
    assert (kept["access_token"], kept["refresh_token"]) == ("good", "")


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
