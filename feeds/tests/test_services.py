from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from common.times import now_utc
from feeds import refresh, search
from feeds.addresses import normalise_address
from feeds.errors import CategoryInUse, InvalidAddress
from feeds.models import Category, Entry, Feed, Mute, Post, ReaderOptions, Source
from feeds.mutes import InvalidMute, add_mute
from feeds.posts import PostFilter, PostList, mark_all_but_newest, select_posts
from feeds.purge import purge_posts
from jobs.context import JobContext
from tests.remote.feed_host import FeedHost, Page, item, posts, rss

from .conftest import NOW
from .making import ask_all, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


def titles(user: Any, **chosen: Any) -> list[str]:
    return [post.entry.title for post in PostList(select_posts(user, PostFilter(**chosen)))[0:100]]


def command(*arguments: str) -> tuple[int, str, str]:
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as left:
        code = int(left.code or 0)
    return code, out.getvalue(), err.getvalue()


# --- addresses ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" HTTPS://Blog.Example:443/Feed#top ", "https://blog.example/Feed"),
        ("http://blog.example", "http://blog.example/"),
        ("http://blog.example:8080/a?b=C", "http://blog.example:8080/a?b=C"),
        ("feed://blog.example/rss", "https://blog.example/rss"),
        ("feed:http://blog.example/rss", "http://blog.example/rss"),
        ("https://blog.example:80/", "https://blog.example:80/"),
    ],
)
def test_addresses_have_one_spelling(text: str, address: str) -> None:
    assert normalise_address(text) == address
    assert normalise_address(address) == address


@pytest.mark.parametrize(
    "text",
    ["", "blog.example", "ftp://blog.example/", "https://", "http://a:b@blog.example/", "https://x/" + "y" * 1000],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        normalise_address(text)


# --- mutes ----------------------------------------------------------------------------------------------------------
def test_muted_posts_arrive_read_for_who_muted_them_only(anna: Any, bert: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(rss(item(1, title="A Sponsor speaks"), item(2, text="by our SPONSOR"), item(3)))
    source = subscribe(anna, host.url())
    subscribe(bert, host.url())
    add_mute(anna, "sponsor", source=None, in_text=False, now=NOW)
    ask_all()
    assert titles(anna, is_read=False) == ["Post 2", "Post 3"]
    assert len(titles(bert, is_read=False)) == 3
    _, silenced = add_mute(anna, "sponsor", source=source, in_text=True, now=NOW)
    assert silenced == 1
    assert titles(anna, is_read=False) == ["Post 3"]
    for phrase in ("SPONSOR", " ", "x" * 201):
        with pytest.raises(InvalidMute):
            add_mute(anna, phrase, source=None, in_text=False, now=NOW)
    assert Mute.objects.count() == 2


# --- search ---------------------------------------------------------------------------------------------------------
def test_search_finds_words_and_phrases_in_titles_and_text(anna: Any, bert: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(
        rss(
            item(1, title="Rain of frogs", text="<p>It <b>poured</b> in Málaga</p>"),
            item(2, title="Frogs of rain", text="dry <i>weather</i>"),
        )
    )
    subscribe(anna, host.url())
    ask_all()
    assert titles(anna, search="rain") == ["Rain of frogs", "Frogs of rain"]
    assert titles(anna, search='"rain of frogs"') == ["Rain of frogs"]
    assert titles(anna, search="frogs POURED") == ["Rain of frogs"]
    assert titles(anna, search="rain", is_read=True) == []
    assert titles(anna, search='AND (" OR frogs*') == []
    assert titles(bert, search="rain") == []
    host.pages["/feed"] = Page(rss(item(1, title="Sunshine", text="none")))
    ask_all()
    assert titles(anna, search="poured") == []
    assert titles(anna, search="sunshine") == ["Sunshine"]


def test_whatever_is_typed_is_words_only() -> None:
    assert search.parse_terms('rain "of frogs" a-b "open') == [("rain",), ("of", "frogs"), ("a", "b"), ("open",)]
    assert search.parse_terms('"" * -- ():') == []
    assert len(search.parse_terms("w " * 400)) == search.MAX_TERMS


# --- purge ----------------------------------------------------------------------------------------------------------
def test_purged_posts_do_not_come_back_while_the_feed_names_them(anna: Any, bert: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1, 2))
    subscribe(anna, host.url())
    ask_all()
    Post.objects.update(created_at=now_utc() - timedelta(days=40))
    Entry.objects.update(created_at=now_utc() - timedelta(days=40))
    Post.objects.filter(entry__title="Post 1").update(is_read=True)
    assert purge_posts(JobContext.detached("purge_posts"))["posts"] == 0  # off unless somebody wants it
    ReaderOptions.objects.create(user=anna, purge_after_days=30)
    assert purge_posts(JobContext.detached("purge_posts")) == {"posts": 1, "entries": 1, "places": 0, "feeds": 0}
    assert titles(anna) == ["Post 2"]
    assert Entry.objects.get(title="Post 1").content == ""
    host.pages["/feed"] = Page(posts(1, 2, 3))
    assert ask_all().new_posts == 1
    subscribe(bert, host.url(), now=now_utc())
    assert titles(bert) == ["Post 2", "Post 3"]


def test_the_place_of_a_purged_entry_goes_long_after_the_feed_dropped_it(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url())
    ask_all()
    Entry.objects.update(is_purged=True, seen_at=now_utc() - timedelta(days=200))
    Feed.objects.update(changed_at=now_utc() - timedelta(days=200))
    assert purge_posts(JobContext.detached("purge_posts"))["places"] == 0
    Feed.objects.update(changed_at=now_utc())
    assert purge_posts(JobContext.detached("purge_posts"))["places"] == 1


def test_a_deleted_user_leaves_nothing_behind(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url())
    ask_all()
    anna.delete()
    assert Source.objects.count() == Post.objects.count() == Category.objects.count() == 0
    assert purge_posts(JobContext.detached("purge_posts"))["feeds"] == 1
    assert Entry.objects.count() == 0


# --- constraints ----------------------------------------------------------------------------------------------------
def test_the_database_keeps_order(anna: Any, host: FeedHost) -> None:
    source = subscribe(anna, host.url())
    with pytest.raises(IntegrityError):
        Category.objects.create(user=anna, description="BLOGS")
    with pytest.raises(IntegrityError):
        Source.objects.filter(pk=source.pk).update(interval_minutes=5)
    with pytest.raises(IntegrityError):
        Feed.objects.create(url=host.url(), host="x", next_due_at=NOW)


def test_uncategorized_stays_while_it_has_sources(anna: Any, host: FeedHost) -> None:
    from feeds.categories import delete_category

    source = subscribe(anna, host.url(), category="Uncategorized")
    with pytest.raises(CategoryInUse):
        delete_category(source.category)


# --- commands -------------------------------------------------------------------------------------------------------
def test_refresh_command_says_what_came_and_fails_when_a_feed_did(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1, 2))
    source = subscribe(anna, host.url())
    code, out, _ = command("refresh_feeds")
    assert code == 0
    assert "1 feeds: 1 changed, 0 unchanged, 0 failed" in out
    assert "2 new posts" in out
    assert command("refresh_feeds")[1].startswith("0 feeds")  # nothing is due
    assert "1 unchanged" in command("refresh_feeds", "--all")[1]
    host.pages["/feed"] = Page(status=500)
    code, out, err = command("refresh_feeds", "--source", str(source.pk))
    assert code == 1
    assert "1 failed" in out
    assert "500" in err
    code, _, err = command("refresh_feeds", "--source", "999")
    assert (code, err.strip()) == (1, "Source [999] not found")


def test_back_off_is_for_the_clock_only(anna: Any, host: FeedHost) -> None:
    source = subscribe(anna, host.url())
    ask_all()
    assert not refresh.due_feeds(now_utc()).exists()
    host.pages["/feed"] = Page(posts(1))
    assert command("refresh_feeds", "--source", str(source.pk))[0] == 0


def test_mark_read_command(anna: Any, bert: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1, 2, 3, 4))
    source = subscribe(anna, host.url())
    subscribe(bert, host.url())
    ask_all()
    assert command("mark_read")[0] == 1  # whose?
    assert "2 posts marked as read" in command("mark_read", "--user", "anna", "--keep-newest", "2")[1]
    assert titles(anna, is_read=False) == ["Post 3", "Post 4"]
    assert mark_all_but_newest(anna, 10, NOW) == 0
    assert "2 posts" in command("mark_read", "--user", "anna", "--source", str(source.pk))[1]
    assert "4 posts marked as unread" in command("mark_read", "--user", "anna", "--unread")[1]
    assert "4 posts" in command("mark_read", "--user", "anna", "--older-than", "1")[1]
    assert len(titles(bert, is_read=False)) == 4
    assert command("mark_read", "--user", "nobody")[0] == 1


def test_purge_command(anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url())
    ask_all()
    Post.objects.update(is_read=True, created_at=now_utc() - timedelta(days=10))
    assert "Removed 0 posts" in command("purge_posts")[1]
    assert "Removed 1 posts" in command("purge_posts", "--days", "9")[1]
    assert command("purge_posts", "--days", "0")[0] == 1
