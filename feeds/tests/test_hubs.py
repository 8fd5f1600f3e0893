"""WebSub against a real hub on loopback, over HTTP in both directions."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db.models import Max
from django.urls import reverse

from common.times import now_utc
from feeds import hubs_asking, hubs_news
from feeds.models import Entry, Feed, HubNews, HubSubscription, Post, Source
from feeds.schedule import next_interval_minutes
from feeds.sources import change_source, delete_source
from jobs.context import JobContext
from jobs.models import Job
from tests.remote.feed_host import FeedHost, Page, item, rss
from tests.remote.hub import Hub, call

from .making import ask_all, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


@pytest.fixture(autouse=True)
def public_address(settings: Any, live_server: Any, wake_ups: list[int]) -> None:
    cache.clear()
    settings.MASTOSCORE_SITE_URL = live_server.url


def document(hub_url: str, *numbers: int, topic: str = "https://blog.example/topic") -> bytes:
    links = f"<atom:link rel='hub' href='{hub_url}'/><atom:link rel='self' href='{topic}'/>"
    body = rss(*(item(number) for number in numbers), extra=links)
    return body.replace(b"<rss ", b"<rss xmlns:atom='http://www.w3.org/2005/Atom' ")


def ask() -> dict[str, Any]:
    return hubs_asking.ask_hubs(JobContext.detached("ask_hubs"))


def read_news() -> dict[str, Any]:
    return hubs_news.store_news(JobContext.detached("hub_news"))


def titles() -> list[str]:
    return sorted(Post.objects.values_list("entry__title", flat=True))


@pytest.fixture
def source(anna: Any, host: FeedHost, hub: Hub) -> Source:
    """A feed with a hub, fetched once."""
    host.pages["/feed"] = Page(document(hub.url, 1))
    source = subscribe(anna, host.url())
    ask_all()
    return source


@pytest.fixture
def form(source: Source, hub: Hub) -> dict[str, str]:
    """What the hub was asked with; it has asked back."""
    ask()
    (form,) = hub.asked
    assert hub.confirm(form).status == 200
    return form


def row() -> HubSubscription:
    return HubSubscription.objects.get()


# --- from asking to leaving -----------------------------------------------------------------------------------------
def test_feed_with_a_hub_is_subscribed_pushed_renewed_and_left(
    source: Source, hub: Hub, host: FeedHost, wake_ups: list[int]
) -> None:
    assert hubs_asking.queue_asking() == 1
    assert hubs_asking.queue_asking() == 0
    assert ask() == {"asked": 1, "failed": 0, "lapsed": 0}
    (form,) = hub.asked
    assert (form["hub.mode"], form["hub.topic"]) == ("subscribe", "https://blog.example/topic")
    assert len(form["hub.secret"]) == 43
    assert len(form["hub.callback"].rpartition("/")[2]) == 43
    assert form["hub.secret"] not in form["hub.callback"]
    assert row().state == "asked"
    reply = hub.confirm(form)
    assert (reply.status, reply.body) == (200, "frogs & toads <b>")
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert row().state == "active"
    assert timedelta(days=9) < row().ends_at - now_utc() <= timedelta(days=10)
    # News come: only what is new, and a job reads them.
    before = len(host.asked)
    assert hub.push(form, document(hub.url, 2)).status == 202
    assert Job.objects.filter(kind="hub_news", status="queued").count() == 1
    assert read_news() == {"documents": 1, "new_posts": 1, "unreadable": 0}
    assert titles() == ["Post 1", "Post 2"]
    assert len(host.asked) == before
    assert row().told_at is not None
    # Renewed before the end, with the same key.
    assert ask()["asked"] == 0
    with time_machine.travel(now_utc() + timedelta(days=8, hours=1)):
        ask()
        assert hub.asked[1] == form
        assert ask()["asked"] == 0
        assert hub.confirm(form).status == 200
        assert row().ends_at - now_utc() > timedelta(days=9)
    # Nobody reads it any more.
    delete_source(source)
    assert not HubSubscription.objects.exists()
    leaving = Job.objects.get(kind="leave_hubs")
    context = JobContext(leaving, JobContext.detached("leave_hubs").control)
    assert hubs_asking.leave_hubs(context) == {"asked": 1, "failed": 0}
    (goodbye,) = hub.asked_for("unsubscribe")
    assert (goodbye["hub.callback"], goodbye["hub.topic"]) == (form["hub.callback"], form["hub.topic"])
    assert hub.confirm(goodbye).status == 200
    assert hub.confirm(goodbye, topic="https://else.example/").status == 404
    assert hub.confirm(form).status == 404
    assert hub.push(form, document(hub.url, 3)).status == 404


def test_paused_source_leaves_its_hub_and_comes_back_with_new_secrets(
    source: Source, hub: Hub, form: dict[str, str]
) -> None:
    change_source(source, {"active": False})
    assert ask()["asked"] == 1
    (goodbye,) = hub.asked_for("unsubscribe")
    assert row().state == "ended"
    assert hub.confirm(goodbye).status == 200
    assert hub.push(form, document(hub.url, 2)).status == 404
    assert ask()["asked"] == 0
    change_source(source, {"active": True})
    ask()
    again = hub.asked[-1]
    assert again["hub.mode"] == "subscribe"
    assert again["hub.callback"] != form["hub.callback"]
    assert again["hub.secret"] != form["hub.secret"]


def test_feed_that_moves_to_another_hub_leaves_the_first(source: Source, hub: Hub, host: FeedHost) -> None:
    ask()
    hub.confirm(hub.asked[0])
    with Hub() as other:
        headers = {"Link": f'<{other.url}>; rel="hub", <https://blog.example/new>; rel=self'}
        host.pages["/feed"] = Page(document(hub.url, 1, 2), headers=headers)  # headers go before the document
        ask_all()
        assert ask()["failed"] == 0
        assert [form["hub.mode"] for form in hub.asked] == ["subscribe", "unsubscribe"]
        assert hub.confirm(hub.asked[1]).status == 200
        assert other.asked[0]["hub.topic"] == "https://blog.example/new"
        assert other.confirm(other.asked[0]).status == 200


def test_without_a_public_address_no_hub_is_asked(source: Source, hub: Hub, settings: Any) -> None:
    address, settings.MASTOSCORE_SITE_URL = settings.MASTOSCORE_SITE_URL, ""
    assert hubs_asking.queue_asking() == 0
    assert ask()["asked"] == 0
    assert hub.asked == []
    settings.MASTOSCORE_SITE_URL = address
    hub.is_hasty = True
    ask()
    assert row().state == "active"
    settings.MASTOSCORE_SITE_URL = ""  # and what there was is over
    assert hubs_asking.queue_asking() == 1
    assert ask()["asked"] == 0
    assert row().state == "ended"
    assert len(hub.asked) == 1


# --- hubs that fail -------------------------------------------------------------------------------------------------
def test_hub_that_refuses_or_is_gone_is_asked_ever_more_seldom(source: Source, hub: Hub) -> None:
    hub.status = 500
    start = now_utc()
    asked_at = []
    with time_machine.travel(start, tick=False) as clock:
        for _ in range(40):
            if ask()["asked"]:
                asked_at.append((now_utc() - start) / timedelta(hours=1))
            clock.shift(timedelta(hours=1))
    assert asked_at == [0, 1, 3, 7, 15, 31]
    assert row().last_error == "The hub answered with status 500."
    hub.close()
    with time_machine.travel(start + timedelta(days=30)):
        assert ask()["failed"] == 1
    assert "127.0.0.1" in row().last_error
    assert Feed.objects.get().next_due_at < start + timedelta(days=2)  # polled as ever


def test_denial_and_the_end_of_a_lease_bring_polling_back(form: dict[str, str], hub: Hub) -> None:
    far = now_utc() + timedelta(hours=20)
    HubSubscription.objects.update(told_at=now_utc())
    Feed.objects.update(next_due_at=far)
    with time_machine.travel(now_utc() + timedelta(days=11)):
        Feed.objects.update(next_due_at=now_utc() + timedelta(hours=20))
        assert ask()["lapsed"] == 1
        assert Feed.objects.get().next_due_at < now_utc() + timedelta(minutes=10)
        assert (row().state, row().told_at) == ("asked", None)
        assert hub.confirm(form).status == 200
    Feed.objects.update(next_due_at=far)
    assert hub.confirm(form, mode="denied", reason="no\nroom").status == 200
    assert (row().state, row().last_error) == ("denied", "The hub refused: no room")
    assert Feed.objects.get().next_due_at < far
    assert hub.push(form, document(hub.url, 2)).status == 404
    assert hub.confirm(form).status == 404
    assert ask()["asked"] == 0


def test_only_a_hub_that_proved_itself_makes_asking_seldom(
    source: Source, form: dict[str, str], hub: Hub, host: FeedHost
) -> None:
    def interval() -> int:
        Feed.objects.update(body_hash="")
        ask_all()
        return Feed.objects.get().interval_minutes

    HubSubscription.objects.update(told_at=None)
    Entry.objects.update(published_at=now_utc())
    usual = interval()
    hub.push(form, document(hub.url, 1, 2))
    read_news()
    assert interval() == max(usual, 1300)
    # Then a fetch finds what it did not tell.
    host.pages["/feed"] = Page(document(hub.url, 1, 2, 3))
    ask_all()
    assert row().told_at is None
    assert interval() == usual
    change_source(source, {"interval_minutes": 30})
    HubSubscription.objects.update(told_at=now_utc())
    assert interval() == 30


def test_interval_of_a_pushed_feed_is_a_day_and_no_more() -> None:
    moments = [datetime(2026, 11, 21, 11, minute, tzinfo=UTC) for minute in range(20)]
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    assert next_interval_minutes(moments, now=now) == 15
    assert next_interval_minutes(moments, now=now, is_pushed=True) * 1.1 <= 1440


# --- strangers ------------------------------------------------------------------------------------------------------
def test_unknown_keys_and_questions_that_were_not_ours_are_404(
    form: dict[str, str], hub: Hub, live_server: Any
) -> None:
    for key in ("x" * 43, "x", "%C3%A9" * 43, "x" * 100, "x" * 42 + "%00"):
        unknown = {**form, "hub.callback": f"{live_server.url}/websub/{key}"}
        assert hub.confirm(unknown).status == 404
        assert hub.push(unknown, document(hub.url, 2)).status == 404
    for changes in (
        {"topic": "https://else.example/"},
        {"mode": "unsubscribe"},
        {"mode": "publish"},
        {"mode": "unsubscribe", "topic": ""},
        {"challenge": ""},
        {"challenge": "x" * 3000},
        {"topic": "\0"},
    ):
        assert hub.confirm(form, **changes).status == 404
    assert row().state == "active"
    assert call(form["hub.callback"]).status == 404


def test_challenge_is_never_a_page(source: Source, hub: Hub) -> None:
    ask()
    reply = hub.confirm(hub.asked[0], challenge="<script>alert(1)</script>", lease_seconds="soon")
    assert reply.body == "<script>alert(1)</script>"
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["Content-Security-Policy"] == "sandbox"
    assert timedelta(days=9) < row().ends_at - now_utc() <= timedelta(days=10)
    for lease, least, most in (("1", 4, 6), ("9" * 12, 1440 * 89, 1440 * 91)):
        hub.confirm(hub.asked[0], lease_seconds=lease)
        assert timedelta(minutes=least) < row().ends_at - now_utc() < timedelta(minutes=most)


def test_every_method_of_signing_counts_and_nothing_unsigned(form: dict[str, str], hub: Hub) -> None:
    for number, method in enumerate(("sha1", "sha256", "sha384", "sha512"), start=10):
        assert hub.push(form, document(hub.url, number), method=method).status == 202
    assert read_news()["new_posts"] == 4
    body = document(hub.url, 99)
    for signature in ("", "sha256=", "sha256=" + "0" * 64, "md5=" + "0" * 32, "sha256", "sha256=é", "=" * 500):
        assert hub.push(form, body, X_Hub_Signature=signature.encode().decode("latin-1")).status == 202
    assert not HubNews.objects.exists()
    assert "Post 99" not in titles()


def test_the_same_news_twice_make_one_post(form: dict[str, str], hub: Hub) -> None:
    body = document(hub.url, 2)
    for _ in range(2):
        assert hub.push(form, body).status == 202
    assert read_news() == {"documents": 1, "new_posts": 1, "unreadable": 0}
    hub.push(form, body)
    assert read_news()["new_posts"] == 0
    assert titles() == ["Post 1", "Post 2"]


def test_large_packed_and_endless_news_harm_nothing(form: dict[str, str], hub: Hub) -> None:
    assert hub.push(form, b"x" * 5_000_001).status == 413
    assert hub.push(form, gzip.compress(b"\0" * 60_000_000), Content_Encoding="gzip").status == 415
    assert hub.push(form, b"no gzip", Content_Encoding="gzip").status == 415
    assert hub.push(form, gzip.compress(document(hub.url, 5))[:-9], Content_Encoding="gzip").status == 415
    assert hub.push(form, b"x", Content_Encoding="br").status == 415
    assert not HubNews.objects.exists()
    assert hub.push(form, gzip.compress(document(hub.url, 5)), Content_Encoding="gzip").status == 202
    assert read_news()["new_posts"] == 1


def test_broken_news_are_told_and_those_behind_them_still_read(form: dict[str, str], hub: Hub) -> None:
    before = Feed.objects.values("title", "etag", "body_hash", "failures", "health", "next_due_at").get()
    for body in (b"", b"\0\xff" * 50, b"<html><body>Sorry</body></html>", b'{"a": [' * 1000):
        assert hub.push(form, body).status == 202
    assert read_news() == {"documents": 4, "new_posts": 0, "unreadable": 4}
    assert row().last_error.startswith("The hub sent something unreadable.")
    assert row().told_at is None
    hub.push(form, document(hub.url, 2).replace(b"A blog", b"Another name"))
    assert read_news()["new_posts"] == 1
    assert Feed.objects.values(*before).get() == before


def test_news_beyond_a_number_have_to_wait(form: dict[str, str], hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs_news, "MOST_WAITING", 2)
    codes = [hub.push(form, document(hub.url, number)).status for number in (2, 3, 4, 3)]
    assert codes == [202, 202, 503, 202]
    assert read_news()["new_posts"] == 2


def test_who_subscribes_after_news_gets_the_whole_feed(
    form: dict[str, str], hub: Hub, bert: Any, host: FeedHost
) -> None:
    hub.push(form, document(hub.url, 2))
    read_news()
    assert Entry.objects.aggregate(at=Max("seen_at"))["at"] == Entry.objects.earliest("pk").seen_at
    theirs = subscribe(bert, host.url())
    assert theirs.posts.count() == 2


def test_secret_that_cannot_be_opened_is_replaced(form: dict[str, str], hub: Hub, settings: Any) -> None:
    settings.SECRET_KEY = "another key, after the first was lost"
    assert hub.push(form, document(hub.url, 2)).status == 202
    assert not HubNews.objects.exists()
    HubSubscription.objects.update(due_at=now_utc())
    ask()
    assert hub.asked[-1]["hub.secret"] != form["hub.secret"]
    assert hub.confirm(hub.asked[-1]).status == 200
    hub.push(hub.asked[-1], document(hub.url, 2))
    assert read_news()["new_posts"] == 1


def test_backstage_shows_how_hubs_do_and_no_secret(form: dict[str, str], hub: Hub, admin_client: Any) -> None:
    for address in (
        reverse("admin:feeds_hubsubscription_changelist"),
        reverse("admin:feeds_hubsubscription_change", args=[row().pk]),
    ):
        page = admin_client.get(address).content.decode()
        assert "active" in page.lower()
        assert form["hub.secret"] not in page
        assert form["hub.callback"].rpartition("/")[2] not in page
