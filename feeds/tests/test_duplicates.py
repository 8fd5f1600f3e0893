"""One page in several sources: unread once, for users who want that."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feeds import posts
from feeds.duplicates import also_in, also_in_each, find_originals
from feeds.link_digest import link_digest
from feeds.models import Entry, Post, ReaderOptions, Source
from feeds.sources import delete_source
from tests.remote.feed_host import FeedHost, Page, item, rss

from .conftest import NOW
from .making import ask_all, subscribe

PAGE = "https://www.pond.example/frogs/jump?b=2&a=1"


@pytest.mark.parametrize(
    "other",
    [
        "http://pond.example/frogs/jump/?a=1&b=2",
        "https://POND.example:443/frogs/jump?utm_source=rss&b=2&a=1&fbclid=x#part",
        "https://pond.example./frogs/%6Aump?b=2&mc_cid=1&a=1&ref=rss",
    ],
)
def test_addresses_of_one_page_have_one_digest(other: str) -> None:
    assert link_digest(other) == link_digest(PAGE)
    assert len(link_digest(PAGE)) == 32


@pytest.mark.parametrize(
    "other",
    [
        "https://pond.example/frogs/jump?a=1",
        "https://pond.example/frogs/Jump?a=1&b=2",
        "https://pond.example/frogs/jump?a=1&b=2&ref=anna",
        "https://pond.example:8080/frogs/jump?a=1&b=2",
        "https://blog.pond.example/frogs/jump?a=1&b=2",
    ],
)
def test_addresses_of_other_pages_have_others(other: str) -> None:
    assert link_digest(other) not in (link_digest(PAGE), "")


@pytest.mark.parametrize(
    "url", ["", "https://pond.example/", "http://pond.example", "mailto:a@b.example", "http://["]
)
def test_what_names_no_page_has_no_digest(url: str) -> None:
    assert link_digest(url) == ""


@pytest.fixture
def two(anna: Any, host: FeedHost) -> list[Source]:
    """Two sources; the second one names the first one's page, and one of its own."""
    host.pages["/one"] = Page(rss(item(1, title="Frogs", link="https://pond.example/frogs?utm_medium=rss")))
    host.pages["/two"] = Page(
        rss(item(2, title="Also frogs", link="http://www.pond.example/frogs/"), item(3, title="Newts"))
    )
    return [subscribe(anna, host.url("/one"), name="One"), subscribe(anna, host.url("/two"), name="Two")]


def ask_in_turn(*sources: Source) -> None:
    for source in sources:
        from feeds import crawl
        from jobs.context import JobContext

        ctx = JobContext.detached("refresh_feeds")
        crawl.crawl(ctx, [(source.feed_id, source.feed.host)], slice_seconds=None, patience_seconds=0.0)


def unread(user: Any) -> list[str]:
    found = Post.objects.filter(user=user, is_read=False).order_by("entry__title")
    return list(found.values_list("entry__title", flat=True))


@pytest.mark.django_db
def test_second_post_of_a_page_arrives_read_and_stays_so(anna: Any, two: list[Source]) -> None:
    ask_in_turn(*two)
    assert unread(anna) == ["Frogs", "Newts"]
    first = Post.objects.get(source=two[0])
    second = Post.objects.get(source=two[1], entry__title="Also frogs")
    assert (second.duplicate_of_id, second.is_read) == (first.pk, True)
    assert also_in(first) == [two[1]]
    assert also_in(second) == [two[0]]
    for is_read in (True, False):
        posts.mark_post(first, is_read, NOW)
        assert Post.objects.get(pk=second.pk).is_read
    posts.mark_post(second, False, NOW)  # by hand it can be
    ask_in_turn(*two)
    assert unread(anna) == ["Also frogs", "Frogs", "Newts"]


@pytest.mark.django_db
def test_every_user_has_their_own_choice_and_their_own_posts(
    anna: Any, bert: Any, host: FeedHost, two: list[Source]
) -> None:
    ReaderOptions.objects.create(user=bert, collapse_duplicates=False)
    subscribe(bert, host.url("/one"))
    subscribe(bert, host.url("/two"))
    ask_in_turn(*two)
    assert unread(bert) == ["Also frogs", "Frogs", "Newts"]
    assert unread(anna) == ["Frogs", "Newts"]
    assert also_in(Post.objects.get(user=bert, entry__title="Frogs")) == []


@pytest.mark.django_db
def test_who_comes_later_gets_no_page_twice(anna: Any, bert: Any, host: FeedHost, two: list[Source]) -> None:
    ask_all()
    late = [subscribe(bert, host.url("/two")), subscribe(bert, host.url("/one"))]
    assert unread(bert) == ["Also frogs", "Newts"]
    third = Post.objects.get(source=late[1])
    assert third.duplicate_of == Post.objects.get(source=late[0], entry__title="Also frogs")


@pytest.mark.django_db
def test_page_stays_unread_when_the_source_that_had_it_goes(anna: Any, host: FeedHost, two: list[Source]) -> None:
    host.pages["/three"] = Page(rss(item(9, title="Frogs again", link="https://pond.example/frogs")))
    third = subscribe(anna, host.url("/three"))
    ask_in_turn(*two, third)
    assert unread(anna) == ["Frogs", "Newts"]
    delete_source(two[0])
    assert unread(anna) == ["Also frogs", "Newts"]
    heir = Post.objects.get(entry__title="Also frogs")
    assert Post.objects.get(source=third).duplicate_of == heir
    posts.mark_post(heir, True, NOW)
    delete_source(two[1])
    assert unread(anna) == []


@pytest.mark.django_db
def test_many_posts_cost_as_many_queries_as_one(anna: Any, two: list[Source]) -> None:
    ask_in_turn(*two)
    rows = list(Post.objects.filter(user=anna))
    counts = []
    for some in (rows[:1], rows):
        with CaptureQueriesContext(connection) as queries:
            also_in_each(some)
        counts.append(len(queries))
    assert counts == [2, 2]


@pytest.mark.django_db
@pytest.mark.sqlite
def test_looking_for_the_same_page_is_by_index_alone(anna: Any, two: list[Source]) -> None:
    ask_in_turn(*two)
    with CaptureQueriesContext(connection) as queries:
        found = find_originals([two[1]], list(Entry.objects.filter(feed=two[1].feed_id)))
    assert len(found) == 1
    plans = []
    for query in queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plans.append(" ".join(str(row) for row in cursor.fetchall()))
    assert [plan for plan in plans if "entry_by_link" in plan]
    assert [plan for plan in plans if "post_by_entry" in plan]
    assert not [plan for plan in plans if "SCAN" in plan]


@pytest.mark.django_db
def test_entries_from_before_get_their_digest(two: list[Source], monkeypatch: pytest.MonkeyPatch) -> None:
    ask_in_turn(*two)
    expected = dict(Entry.objects.values_list("pk", "link_digest"))
    Entry.objects.update(link_digest="")
    Entry.objects.filter(title="Newts").update(url="")
    migration = import_module("feeds.migrations.0004_digests_of_links")
    monkeypatch.setattr(migration, "BATCH", 1)
    migration.fill_in(apps, SimpleNamespace(connection=connection))
    newts = Entry.objects.get(title="Newts").pk
    assert dict(Entry.objects.values_list("pk", "link_digest")) == {**expected, newts: ""}
