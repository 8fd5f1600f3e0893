from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from common.times import now_utc
from feeds import refresh
from feeds.models import Entry, Feed, Post, Source
from feeds.sources import change_source, delete_source
from jobs.context import JobCancelled, JobContext, StopReason
from tests.remote.feed_host import FeedHost, Page, item, posts, rss

from .making import ask_all, subscribe

pytestmark = pytest.mark.django_db


def test_an_address_of_two_readers_is_fetched_once(anna: Any, bert: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1, 2))
    for user in (anna, bert):
        subscribe(user, host.url())
    assert ask_all().changed == 1
    assert len(host.asked) == 1
    assert Entry.objects.count() == 2
    for user in (anna, bert):
        titles = Post.objects.filter(user=user).values_list("entry__title", flat=True)
        assert sorted(titles) == ["Post 1", "Post 2"]


def test_only_the_first_request_for_a_feed_is_unconditional(anna: Any, host: FeedHost) -> None:
    etag = "W/\"caf\xe9-;weird, 'tag'\"".encode("latin-1")
    host.pages["/feed"] = Page(posts(1), etag=etag, last_modified=b"Sat, 01 Aug 2026 10:00:00 GMT")
    subscribe(anna, host.url())
    assert [ask_all().changed, ask_all().unchanged, ask_all().unchanged] == [1, 1, 1]
    assert [asked.is_conditional for asked in host.asked] == [False, True, True]
    assert host.asked[-1].headers["if-none-match"].encode("latin-1") == etag
    assert host.asked[-1].headers["if-modified-since"] == "Sat, 01 Aug 2026 10:00:00 GMT"


def test_a_second_reader_gets_what_the_feed_names_at_present_without_a_request(
    anna: Any, bert: Any, host: FeedHost
) -> None:
    host.pages["/feed"] = Page(posts(1, 2))
    subscribe(anna, host.url())
    ask_all()
    host.pages["/feed"] = Page(posts(2, 3))
    ask_all()
    subscribe(bert, host.url(), now=now_utc())
    assert sorted(Post.objects.filter(user=bert).values_list("entry__title", flat=True)) == ["Post 2", "Post 3"]
    assert len(host.asked) == 2


def test_the_same_body_is_not_parsed_again(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url())
    assert ask_all().changed == 1
    outcome = ask_all()
    assert (outcome.unchanged, outcome.changed) == (1, 0)


def test_a_body_that_could_not_be_read_is_asked_for_again_in_full(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1), etag=b'"one"')
    subscribe(anna, host.url())
    ask_all()
    host.pages["/feed"] = Page(b"<html>We are moving house</html>", "text/html", etag=b'"two"')
    assert ask_all().failed == 1
    feed = Feed.objects.get()
    assert bytes(feed.etag) == b'"one"'
    host.pages["/feed"] = Page(posts(1, 2), etag=b'"two"')
    assert ask_all().new_posts == 1
    assert host.asked[-1].headers["if-none-match"] == '"one"'


def test_an_edited_entry_is_updated_and_stays_read(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(rss(item(1, title="Frgos")))
    subscribe(anna, host.url())
    ask_all()
    Post.objects.update(is_read=True)
    host.pages["/feed"] = Page(rss(item(1, title="Frogs")))
    outcome = ask_all()
    assert outcome.new_posts == 0
    entry = Entry.objects.get()
    assert entry.title == "Frogs"
    assert entry.updated_at is not None
    assert Post.objects.get().is_read


def test_two_feeds_may_use_the_same_guid(anna: Any, host: FeedHost) -> None:
    for path in ("/one", "/two"):
        host.pages[path] = Page(rss(item(1, guid="1")))
        subscribe(anna, host.url(path))
    assert ask_all().new_posts == 2


def test_a_future_date_is_now_and_a_missing_one_is_when_it_was_first_seen(anna: Any, host: FeedHost) -> None:
    undated = "<item><title>Undated</title><guid>u</guid></item>"
    host.pages["/feed"] = Page(rss(item(1, date="Sat, 01 Jan 2095 10:00:00 GMT"), undated))
    subscribe(anna, host.url())
    before = now_utc()
    ask_all()
    moments = Post.objects.values_list("posted_at", flat=True)
    assert all(before - timedelta(seconds=1) <= moment <= now_utc() for moment in moments)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page(b"", status=404), "404"),
        (Page(b"", status=500), "500"),
        (Page(b"", status=403), "403"),
        (Page(b"no feed at all"), ""),
        (Page(b"<html><body>Hello</body></html>", "text/html"), ""),
        (Page(bytes(6_000_000), gzipped=True), "larger"),
        (Page(endless=b"<rss>" * 1000), "larger"),
        (Page(status=304), "304"),
    ],
    ids=["missing", "fault", "forbidden", "text", "page", "bomb", "endless", "false 304"],
)
def test_every_failure_is_counted_with_a_sentence_for_the_owner(
    anna: Any, host: FeedHost, page: Page, words: str
) -> None:
    host.pages["/feed"] = page
    host.pages["/good"] = Page(posts(1))
    subscribe(anna, host.url())
    subscribe(anna, host.url("/good"))
    outcome = ask_all()
    assert (outcome.failed, outcome.changed) == (1, 1)
    feed = Feed.objects.get(url=host.url())
    assert feed.failures == 1
    assert feed.health == "warning"
    assert feed.last_error.endswith(".")
    assert words in feed.last_error
    assert feed.fetched_at is None
    assert feed.next_due_at - feed.last_error_at == timedelta(hours=2)


def test_the_fifth_failure_in_a_row_is_failed_and_a_success_forgets_all(anna: Any, host: FeedHost) -> None:
    subscribe(anna, host.url())
    pauses = []
    for _ in range(5):
        ask_all()
        feed = Feed.objects.get()
        pauses.append((feed.next_due_at - feed.last_error_at) / timedelta(hours=1))
    assert pauses == [2, 4, 8, 16, 24]
    assert (feed.failures, feed.health) == (5, "failed")
    host.pages["/feed"] = Page(posts(1))
    ask_all()
    feed = Feed.objects.get()
    assert (feed.failures, feed.health, feed.last_error, feed.last_error_at) == (0, "active", "", None)


def test_a_feed_that_is_gone_is_switched_off_with_the_reason(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(status=410)
    source = subscribe(anna, host.url())
    assert ask_all().gone == 1
    source.refresh_from_db()
    assert not source.active
    assert "410" in source.deactivation_reason
    assert not refresh.due_feeds(now_utc() + timedelta(days=300)).exists()
    change_source(source, {"active": True})
    assert refresh.due_feeds(now_utc()).exists()


def test_a_server_that_asks_for_a_pause_gets_it(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(status=429, headers={"Retry-After": "1800"})
    source = subscribe(anna, host.url())
    ask_all()
    feed = Feed.objects.get()
    assert feed.not_before - feed.last_error_at == timedelta(seconds=1800)
    context = JobContext.detached("refresh_feed", params={"feed_id": source.feed_id})
    result = refresh.refresh_feed(context)
    assert not result["success"]
    assert "asked us to wait" in result["error"]
    assert len(host.asked) == 1


def test_a_permanent_redirect_moves_the_address_after_three_proofs(anna: Any, host: FeedHost) -> None:
    host.pages["/old"] = Page(status=301, headers={"Location": "/new"})
    host.pages["/new"] = Page(posts(1), etag=b'"1"')
    subscribe(anna, host.url("/old"))
    for _ in range(2):
        ask_all()
        assert Feed.objects.get().url == host.url("/old")
    ask_all()
    assert Feed.objects.get().url == host.url("/new")
    ask_all()
    assert host.asked[-1].path == "/new"
    assert host.asked[-1].is_conditional
    assert Post.objects.count() == 1


def test_a_temporary_redirect_never_moves_the_address(anna: Any, host: FeedHost) -> None:
    host.pages["/old"] = Page(status=302, headers={"Location": "/new"})
    host.pages["/new"] = Page(posts(1))
    subscribe(anna, host.url("/old"))
    for _ in range(4):
        ask_all()
    assert Feed.objects.get().url == host.url("/old")


def test_a_redirect_to_no_feed_proves_nothing(anna: Any, host: FeedHost) -> None:
    host.pages["/old"] = Page(status=301, headers={"Location": "/parked"})
    host.pages["/parked"] = Page(b"<html>Buy this name</html>", "text/html")
    subscribe(anna, host.url("/old"))
    for _ in range(4):
        ask_all()
    feed = Feed.objects.get()
    assert (feed.url, feed.moving_seen) == (host.url("/old"), 0)


def test_a_host_is_asked_one_thing_at_a_time_and_a_slow_one_holds_nobody_up(anna: Any, host: FeedHost) -> None:
    hold = threading.Event()
    with FeedHost("127.0.0.2") as slow:
        for number in range(3):
            slow.pages[f"/{number}"] = Page(posts(number), hold=hold)
            subscribe(anna, slow.url(f"/{number}"))
        for number in range(6):
            host.pages[f"/{number}"] = Page(posts(number))
            subscribe(anna, host.url(f"/{number}"))

        def let_go_when_the_others_are_done(asked: Any) -> Page:
            hold.set()
            return Page(posts(9))

        host.pages["/5"] = let_go_when_the_others_are_done
        assert ask_all().changed == 9
        assert slow.most_at_once == host.most_at_once == 1


def test_feeds_that_failed_last_time_are_asked_after_all_others(anna: Any, host: FeedHost, settings: Any) -> None:
    settings.MASTOSCORE_FEED_THREADS = 1
    with FeedHost() as broken:
        broken.pages["/feed"] = Page(status=500)
        subscribe(anna, broken.url())
        ask_all()
        asked_first: list[str] = []
        for other, name in ((broken, "broken"), (host, "good")):
            other.pages["/feed"] = lambda asked, name=name: (asked_first.append(name), Page(posts(1)))[1]
        subscribe(anna, host.url())
        Feed.objects.filter(url=broken.url()).update(next_due_at=now_utc() - timedelta(days=1))
        refresh.refresh_feeds(JobContext.detached("refresh_feeds"))
    assert asked_first == ["good", "broken"]


def test_a_feed_of_which_somebody_else_asks_the_host_is_left_alone(anna: Any, host: FeedHost) -> None:
    for path in ("/one", "/two"):
        host.pages[path] = Page(posts(1))
        subscribe(anna, host.url(path))
    Feed.objects.filter(url=host.url("/one")).update(claimed_until=now_utc() + timedelta(minutes=1))
    assert ask_all().skipped == 2
    assert host.asked == []


def test_a_claim_of_a_dead_process_runs_out(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url())
    Feed.objects.update(claimed_until=now_utc() - timedelta(seconds=1))
    assert ask_all().changed == 1


def test_cancel_ends_what_is_under_way_and_gives_the_feeds_back(anna: Any, host: FeedHost) -> None:
    context = JobContext.detached("refresh_feeds")

    def cancel(asked: Any) -> Page:
        context.control.stop(StopReason.CANCEL)
        return Page(posts(1), hold=threading.Event())

    host.pages["/feed"] = cancel
    subscribe(anna, host.url())
    Feed.objects.update(next_due_at=now_utc())
    with pytest.raises(JobCancelled):
        refresh.refresh_feeds(context)
    feed = Feed.objects.get()
    assert (feed.failures, feed.claimed_until, feed.attempted_at) == (0, None, None)


def test_nothing_is_begun_when_time_is_up(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url())
    assert ask_all(slice_seconds=-1).skipped == 1
    assert host.asked == []


def test_a_feed_nobody_reads_any_more_is_forgotten(anna: Any, bert: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    sources = [subscribe(user, host.url()) for user in (anna, bert)]
    ask_all()
    delete_source(sources[0])
    assert Feed.objects.count() == Post.objects.count() == 1
    delete_source(sources[1])
    assert Feed.objects.count() == Entry.objects.count() == Post.objects.count() == 0


def test_a_paused_source_gets_no_posts_and_misses_none_that_are_still_named(
    anna: Any, bert: Any, host: FeedHost
) -> None:
    host.pages["/feed"] = Page(posts(1))
    source = subscribe(anna, host.url())
    subscribe(bert, host.url())
    ask_all()
    change_source(source, {"active": False})
    host.pages["/feed"] = Page(posts(1, 2))
    ask_all()
    assert Post.objects.filter(user=anna).count() == 1
    change_source(Source.objects.get(pk=source.pk), {"active": True})
    assert Post.objects.filter(user=anna).count() == 2


def test_a_new_address_keeps_read_marks(anna: Any, host: FeedHost) -> None:
    host.pages["/old"] = host.pages["/new"] = Page(posts(1, 2))
    source = subscribe(anna, host.url("/old"))
    ask_all()
    Post.objects.filter(entry__title="Post 1").update(is_read=True)
    change_source(source, {"feed_url": host.url("/new")})
    assert ask_all().new_posts == 0
    assert sorted(Post.objects.values_list("entry__title", "is_read")) == [("Post 1", True), ("Post 2", False)]
    assert host.asked[-1].path == "/new"


def test_a_new_address_that_others_read_already_takes_over_read_marks(anna: Any, bert: Any, host: FeedHost) -> None:
    host.pages["/old"] = host.pages["/new"] = Page(posts(1, 2))
    source = subscribe(anna, host.url("/old"))
    subscribe(bert, host.url("/new"))
    ask_all()
    Post.objects.filter(user=anna, entry__title="Post 1").update(is_read=True)
    change_source(source, {"feed_url": host.url("/new")})
    assert sorted(Post.objects.filter(user=anna).values_list("entry__title", "is_read")) == [
        ("Post 1", True),
        ("Post 2", False),
    ]
    assert Feed.objects.count() == 1
