"""Weaknesses of the program whose API this is (section 7 of the contract): where each has its test, and the rest."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common.tests.loopback import answering, reply, serve
from common.times import now_utc
from feeds import refresh, transfer
from feeds.errors import InvalidAddress
from feeds.metrics import last_crawl_at
from feeds.models import Category, Feed, Post, Source
from feeds.sources import change_source
from jobs.context import JobContext
from mastoscore_site.models import ApiToken
from tests.remote.feed_host import FeedHost, Page, posts

from .making import ask_all, subscribe
from .test_transfer import folder, opml_file, outline

pytestmark = pytest.mark.django_db(transaction=True)


HERE = "feeds/tests/test_weaknesses.py"
OVER_HTTP = "tests/cluster/reader"
# By the number of the weakness: tests by file, those of this one at the end.
COVERED: dict[str, dict[str, tuple[str, ...]]] = {
    "1 addresses inside": {
        f"{OVER_HTTP}/test_sources.py": ("what_cannot_or_must_not_be_reached", "a_redirect_inside_is_not_followed"),
        f"{OVER_HTTP}/test_outside.py": ("address_is_analysed_for_who_is_signed_in",),
        "feeds/tests/test_saving.py": ("private_address_is_refused_when_it_is_entered_and_when_it_is_asked",),
        HERE: ("addresses_inside_are_never_asked_however_they_came",),
    },
    "2 certificates": {HERE: ("a_feed_behind_a_certificate_nobody_signed_is_a_failure",)},
    "3 stored scripts": {
        "feeds/tests/test_sanitising.py": ("attack_comes_to_nothing", "any_text_is_made_harmless"),
        "feeds/tests/test_manage_sources.py": ("posts_of_hostile_names_are_shown_as_text",),
    },
    "4 scripts by a model": {"feeds/tests/test_summary_service.py": ("answer_becomes_plain_text",)},
    "5 tokens in pages": {HERE: ("pages_hold_no_token_and_make_none",)},
    "6 secrets shown": {
        "mastoscore_site/tests/test_tokens.py": ("nothing_stored_tells_the_secret", "page_shows_a_new_token_once"),
        "feeds/tests/test_saving.py": ("api_makes_changes_tries_and_removes_services_and_tells_no_secret",),
    },
    "7 changes by GET, tokens that can all": {
        "mastoscore_site/tests/test_tokens.py": ("token_ends_with_its_days",),
        f"{OVER_HTTP}/test_rules.py": (
            "a_token_for_reading_changes_nothing",
            "other_sites_are_let_in_only_by_the_settings",
        ),
        HERE: ("nothing_is_changed_by_looking",),
    },
    "8 public lists": {HERE: ("nothing_of_a_reader_is_public",)},
    "9 insides in error texts": {
        f"{OVER_HTTP}/test_hostile_feeds.py": ("each_is_a_failure_with_a_sentence_or_does_no_harm",),
        f"{OVER_HTTP}/test_opml.py": ("nothing_of_this_house_gets_out_through_an_entity",),
    },
    "10 dead feeds": {
        "feeds/tests/test_crawl.py": ("every_failure_is_counted_with_a_sentence_for_the_owner",),
        HERE: ("a_crawl_in_which_everything_failed_is_no_successful_one",),
    },
    "11 identity": {
        "feeds/tests/test_crawl.py": ("two_feeds_may_use_the_same_guid",),
        "feeds/tests/test_parsing.py": ("very_long_guid_is_told_apart_by_its_end",),
    },
    "12 orphans": {
        f"{OVER_HTTP}/test_sources.py": ("deleting_takes_the_posts_along",),
        f"{OVER_HTTP}/test_posts.py": ("list_by_category_follows_the_source",),
        f"{OVER_HTTP}/test_categories.py": ("uncategorized_stays_while_it_has_sources",),
    },
    "13 open transaction": {f"{OVER_HTTP}/test_posts.py": ("bulk_with_unknown_ids_changes_nothing",)},
    "14 replacing": {
        f"{OVER_HTTP}/test_opml.py": ("replace_is_the_default_and_keeps_what_stays",),
        HERE: ("a_replacing_import_that_breaks_off_has_changed_nothing",),
    },
    "15 odd lists": {
        f"{OVER_HTTP}/test_opml.py": ("preview", "a_list_of_one_outline_is_one_feed"),
        "feeds/tests/test_opml.py": ("single_outline_and_folder_without_title_are_read",),
    },
    "16 invented queue": {
        f"{OVER_HTTP}/test_jobs.py": ("queue_status_counts_what_is_there", "a_queued_summary_is_processing_at_once"),
    },
    "17 refresh that does nothing": {
        f"{OVER_HTTP}/test_jobs.py": ("refresh_job_brings_posts",),
        f"{OVER_HTTP}/test_sources.py": ("subscribing_by_a_page",),
    },
    "18 edits, JSON, full text": {
        "feeds/tests/test_crawl.py": ("an_edited_entry_is_updated_and_stays_read",),
        "feeds/tests/test_articles.py": ("new_posts_get_the_text_of_their_page_shown_and_found",),
    },
    "19 owners": {
        f"{OVER_HTTP}/test_rules.py": ("what_is_anothers_is_as_unknown_as_what_never_was",),
        f"{OVER_HTTP}/test_metrics.py": ("metrics_of_the_system_are_the_users_own",),
    },
    "20 lists, queries, manners": {
        f"{OVER_HTTP}/test_rules.py": ("pages_have_fifteen_posts_and_links_that_keep_the_query",),
        "feeds/tests/test_crawl.py": (
            "a_host_is_asked_one_thing_at_a_time_and_a_slow_one_holds_nobody_up",
            "only_the_first_request_for_a_feed_is_unconditional",
        ),
        HERE: ("storing_many_entries_costs_no_more_queries_than_few",),
    },
    "21 work inside the request": {f"{OVER_HTTP}/test_jobs.py": ("asking_for_a_refresh_waits_for_no_feed",)},
    "22 strangers without a limit": {f"{OVER_HTTP}/test_rates.py": ("who_guesses_tokens_is_throttled",)},
    "23 old posts": {"feeds/tests/test_services.py": ("purge_command",)},
}


@pytest.mark.parametrize("weakness", COVERED)
def test_each_weakness_has_its_test(weakness: str) -> None:
    root = Path(__file__).parents[2]
    for path, names in COVERED[weakness].items():
        text = (root / path).read_text()
        assert [name for name in names if f"def test_{name}(" not in text] == [], path


@pytest.fixture
def page(anna: Any) -> Client:
    client = Client()
    client.force_login(anna)
    return client


# --- 1: addresses that lead inside ----------------------------------------------------------------------------------
def test_addresses_inside_are_never_asked_however_they_came(anna: Any, host: FeedHost, settings: Any) -> None:
    host.pages["/feed"] = Page(posts(1))
    edited = subscribe(anna, "http://10.0.0.1/feed")
    settings.MASTOSCORE_PRIVATE_HOSTS = []
    listing = transfer.read_listing(opml_file(outline("Inside", host.url())))
    transfer.import_listing(anna, listing, transfer.MERGE, now_utc())
    with pytest.raises(InvalidAddress):
        change_source(edited, {"feed_url": host.url("/other")})
    assert ask_all().failed == 2
    assert host.asked == []
    assert all("do not contact" in feed.last_error for feed in Feed.objects.all())


# --- 2: certificates ------------------------------------------------------------------------------------------------
def test_a_feed_behind_a_certificate_nobody_signed_is_a_failure(anna: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serve(answering(lambda _: reply(posts(1))), tls=context) as server:
        subscribe(anna, server.url(scheme="https"))
        assert ask_all().failed == 1
    assert "certificate" in Feed.objects.get().last_error
    assert not Post.objects.exists()


# --- 5, 7, 8: tokens in pages, GET that changes things, public lists ------------------------------------------------
def test_pages_hold_no_token_and_make_none(page: Client, anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    source = subscribe(anna, host.url())
    ask_all()
    for path in ("/reader/", f"/reader/?source={source.pk}", f"/reader/posts/{Post.objects.get().pk}"):
        answer = page.get(path)
        assert answer.status_code == 200
        assert "Bearer" not in answer.content.decode()
        assert "ms_" not in answer.content.decode()
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("path", ["/logout/", "/reader/mark", "/reader/mark-all", "/reader/undo", "/reader/options"])
def test_nothing_is_changed_by_looking(page: Client, anna: Any, host: FeedHost, path: str) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url())
    ask_all()
    post = Post.objects.get()
    assert page.get(path, {"ids": post.pk, "read": 1, "older_than": 0}).status_code == 405
    assert not Post.objects.get().is_read
    assert page.get("/reader/").status_code == 200  # still signed in


@pytest.mark.parametrize("path", ["/feeds.opml", "/rss/1", "/uploadOpml", "/app/readlater?url=https://x.example/"])
def test_nothing_of_a_reader_is_public(anna: Any, host: FeedHost, path: str) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url(), name="Secret pond")
    ask_all()
    for answer in (Client().get(path), Client().post(path), Client().get("/reader/")):
        assert answer.status_code in (302, 404, 405)
        assert "Secret pond" not in answer.content.decode()
    assert Source.objects.exists()


# --- 10: dead feeds -------------------------------------------------------------------------------------------------
def test_a_crawl_in_which_everything_failed_is_no_successful_one(anna: Any, host: FeedHost) -> None:
    subscribe(anna, host.url())
    refresh.refresh_feeds(JobContext.detached("refresh_feeds"))
    assert last_crawl_at() is None
    host.pages["/feed"] = Page(posts(1))
    refresh.refresh_feeds(JobContext.detached("refresh_feeds", params={"all": True}))
    assert last_crawl_at() is not None


# --- 14: replacing --------------------------------------------------------------------------------------------------
def test_a_replacing_import_that_breaks_off_has_changed_nothing(
    anna: Any, host: FeedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url(), name="Pond")
    ask_all()

    def break_off(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(transfer, "_add_all", break_off)
    listing = transfer.read_listing(opml_file(folder("New", outline("Reed", "https://reed.example/rss"))))
    with pytest.raises(KeyboardInterrupt):
        transfer.import_listing(anna, listing, transfer.REPLACE, now_utc())
    assert [source.name for source in Source.objects.all()] == ["Pond"]
    assert [category.description for category in Category.objects.all()] == ["Blogs"]
    assert Post.objects.count() == 1


# --- 20: a query per item -------------------------------------------------------------------------------------------
def test_storing_many_entries_costs_no_more_queries_than_few(anna: Any, host: FeedHost) -> None:
    subscribe(anna, host.url())
    counts = []
    for last in (5, 60):
        host.pages["/feed"] = Page(posts(*range(last, 0, -1)))
        with CaptureQueriesContext(connection) as captured:
            ask_all()
        counts.append(len(captured))
    assert Post.objects.count() == 60
    assert counts[1] <= counts[0]
