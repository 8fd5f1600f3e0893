"""The list of sources, adding one, changing, moving and deleting, as a browser without JavaScript does it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common.times import now_utc
from feeds.models import Category, Feed, Mute, Post, Source
from feeds.pages.manage import allowances
from feeds.pages.manage.forms import AddressForm
from feeds.pages.manage.states import time_until
from jobs.models import Job
from tests.remote.feed_host import FeedHost, Page, posts

from .conftest import NOW
from .making import ask_all, subscribe
from .managing import Manager, make_posts, make_sources

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_worker(wake_ups: list[int]) -> None:
    """Jobs are asked for, and wait."""


@pytest.fixture
def annas(anna: Any) -> Manager:
    return Manager(anna)


def blog(host: FeedHost) -> str:
    """A page that names two feeds."""
    host.pages["/blog"] = Page(
        b"<html><head><title>Frogs &amp; Co</title>"
        b"<link rel=alternate type='application/rss+xml' title='All posts' href='/feed'>"
        b"<link rel=alternate type='application/atom+xml' title='Only &lt;news&gt;' href='/news'></head></html>",
        "text/html",
    )
    host.pages["/feed"] = Page(posts(1, 2, title="The Frog Blog"))
    host.pages["/news"] = Page(posts(3, title="Frog news"))
    return host.url("/blog")


# --- who may come ---------------------------------------------------------------------------------------------------
PAGES = (
    *("/", "/welcome", "/sources", "/sources/add", "/sources/coming", "/sources/1", "/sources/1/row"),
    *("/sources/1/delete", "/categories", "/categories/1", "/categories/1/delete", "/mutes", "/opml"),
    *("/opml/export", "/mark-read", "/settings", "/settings/services/add", "/settings/services/1"),
)


def test_strangers_are_sent_to_sign_in(db: None) -> None:
    for path in PAGES:
        answer = Client().get(f"/reader/manage{path}")
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/login/?next=/reader/manage")


def test_sources_of_others_are_unknown(annas: Manager, bert: Any) -> None:
    (source,) = make_sources(bert, 1)
    for number in (source.pk, 999_999, 10**19):
        for path in ("", "/row", "/delete"):
            annas.get(f"/sources/{number}{path}", status=404)
        for path in ("", "/refresh", "/delete"):
            annas.post(f"/sources/{number}{path}", status=404, name="mine")
    source.refresh_from_db()
    assert source.name == "Blog 0"
    assert not Job.objects.exists()


def test_nothing_is_changed_by_get_or_without_the_token_of_the_form(anna: Any) -> None:
    (source,) = make_sources(anna, 1)
    strict = Manager(anna, enforce_csrf_checks=True)
    for path in (f"/sources/{source.pk}/delete", f"/sources/{source.pk}/refresh", "/sources/bulk", "/mark-read"):
        assert strict.client.post(f"/reader/manage{path}").status_code == 403
    assert strict.client.get(f"/reader/manage/sources/{source.pk}/refresh").status_code == 405
    assert strict.client.get("/reader/manage/sources/bulk?action=delete-now&ids=1").status_code == 405
    strict.get(f"/sources/{source.pk}/delete")
    strict.get("/mark-read", what="all")
    assert Source.objects.count() == 1
    assert Post.objects.filter(is_read=False, source=source).exists()
    assert not Job.objects.exists()


# --- adding ---------------------------------------------------------------------------------------------------------
def test_all_feeds_of_a_page_are_offered_and_the_chosen_one_comes_with_its_posts(
    annas: Manager, host: FeedHost
) -> None:
    said = annas.post("/sources/add", status=200, address=blog(host))
    assert "There are 2 feeds" in said
    assert "Frogs & Co" in said
    assert "The Frog Blog RSS" in said  # proved, so it has the title that it says itself
    assert "Only <news> Atom" in said
    said = annas.post(
        "/sources/add", address=host.url("/blog"), feed_url=host.url("/news"), new_category="Ponds", name=""
    )
    assert "You now follow “Frog news”." in said
    assert "1 post so far" in said
    source = Source.objects.get()
    assert (source.name, source.category.description, source.posts.count()) == ("Frog news", "Ponds", 1)


def test_the_first_feed_that_can_be_read_is_chosen_beforehand(annas: Manager, host: FeedHost) -> None:
    host.pages["/blog"] = Page(
        b"<html><link rel=alternate type='application/rss+xml' title='Broken' href='/broken'>"
        b"<link rel=alternate type='application/rss+xml' title='Fine' href='/fine'></html>",
        "text/html",
    )
    host.pages["/broken"], host.pages["/fine"] = Page(b"<p>oops</p>", "text/html"), Page(posts(1, title="Frogs"))
    page = annas.client.post("/reader/manage/sources/add", {"address": host.url("/blog")}).content.decode()
    assert [name for name in ("/broken", "/fine") if f'value="{host.url(name)}" checked' in page] == ["/fine"]
    said = annas.post("/sources/add", status=422, address=host.url("/blog"), feed_url=host.url("/broken"))
    assert "This feed cannot be taken." in said
    host.pages.clear()
    host.pages["/atom.xml"] = Page(posts(1, title="A guess"))
    host.pages["/"] = Page(b"<html><title>Names none</title></html>", "text/html")
    assert "A guess" in annas.post("/sources/add", status=200, address=host.url("/"))


def test_following_twice_leaves_one_source(annas: Manager, host: FeedHost) -> None:
    wish = {"address": blog(host), "feed_url": host.url("/feed"), "name": "Frogs"}
    annas.post("/sources/add", **wish)
    assert "You have this feed already: “Frogs”." in annas.post("/sources/add", **wish)
    assert Source.objects.count() == 1
    said = annas.post("/sources/add", status=200, address=host.url("/blog"))
    assert "you have it: Frogs" in said


def test_what_cannot_be_taken_is_said_in_the_form(annas: Manager, host: FeedHost) -> None:
    host.pages["/page"] = Page(b"<html><title>No feed</title></html>", "text/html")
    for address, says in (
        ("", "Type an address first."),
        ("two words", "This is not an address of the web."),
        ("ftp://blog.example/", "This is not an address of the web."),
        ("x" * 1001, "at most 1000 characters"),
        (host.url("/missing"), "status 404"),
        (host.url("/page"), "This page names no feed that can be read."),
        ("http://10.0.0.1/feed", "private"),
    ):
        said = annas.post("/sources/add", status=422, address=address)
        assert says in said, address
        assert f"[{address[:1000]}]" in said or len(address) > 1000 or not address
    wish = {"address": "x", "feed_url": host.url("/page"), "new_category": "Ponds", "offer": "rss no"}
    said = annas.post("/sources/add", status=422, **wish)
    assert "This feed cannot be taken. There is no feed at this address." in said
    assert "[Ponds]" in said
    assert not Source.objects.exists()
    assert not Category.objects.exists()


def test_the_very_feed_that_was_chosen_is_taken_or_none(annas: Manager, host: FeedHost) -> None:
    said = annas.post("/sources/add", status=422, address="x", feed_url=blog(host), name="")
    assert "There is no feed at this address." in said
    assert not Source.objects.exists()


def test_nobody_looks_at_more_places_than_a_person_can(
    annas: Manager, host: FeedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(allowances.LIMITS, "look", 2)
    monkeypatch.setitem(allowances.LIMITS, "refresh", 1)
    host.pages["/feed"] = Page(posts(1))
    for _ in range(2):
        annas.post("/sources/add", status=200, address=host.url())
    assert "Wait a minute" in annas.post("/sources/add", status=429, address=host.url())
    assert len(host.requests_for("/feed")) == 2
    first, second = make_sources(annas.user, 2)
    annas.post(f"/sources/{first.pk}/refresh")
    assert "Wait a minute" in annas.post(f"/sources/{second.pk}/refresh")
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("xkcd.com", "https://xkcd.com/"),
        ("xkcd.com/atom.xml?a=b", "https://xkcd.com/atom.xml?a=b"),
        ("@Gargron@mastodon.social", "https://mastodon.social/@Gargron"),
        ("gargron@mastodon.social", "https://mastodon.social/@gargron"),
        ("  HTTP://Blog.Example ", "http://blog.example/"),
        ("feed://blog.example/rss", "https://blog.example/rss"),
    ],
)
def test_what_people_leave_out_of_addresses_is_filled_in(typed: str, address: str) -> None:
    form = AddressForm({"address": typed})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["address"] == address


def test_new_sources_are_watched_until_their_posts_are_there(annas: Manager, host: FeedHost) -> None:
    host.pages["/a"], host.pages["/b"] = Page(posts(1, 2)), Page(status=503)
    subscribe(annas.user, host.url("/a"), name="Good", now=now_utc())
    subscribe(annas.user, host.url("/b"), name="Bad", now=now_utc())
    page = annas.client.get("/reader/manage/sources/coming").content.decode()
    assert "0 of 2 sources asked" in page
    assert "hx-trigger" in page
    ask_all()
    said = annas.get("/sources/coming")
    assert "All 2 sources have been asked. 2 posts so far, 1 source in trouble." in said
    assert "503" in said
    assert "hx-trigger" not in annas.client.get("/reader/manage/sources/coming").content.decode()
    assert "Good" not in annas.get("/sources/coming", source=Source.objects.get(name="Bad").pk)
    for nonsense in (
        {"since": "yesterday"},
        {"source": "9" * 30},
        {"source": "-1"},
        {"since": "9999-12-31T00:00:00Z"},
    ):
        annas.get("/sources/coming", **nonsense)


# --- the list -------------------------------------------------------------------------------------------------------
def test_list_says_how_each_source_is(annas: Manager) -> None:
    fine, shaky, dead, off, new = make_sources(annas.user, 5)
    Feed.objects.filter(pk=shaky.feed_id).update(health="warning", failures=2, last_error="It answered with 503.")
    Feed.objects.filter(pk=dead.feed_id).update(health="failed", failures=7, last_error="It is a web page.")
    Feed.objects.filter(pk=new.feed_id).update(attempted_at=None, fetched_at=None)
    Source.objects.filter(pk=off.pk).update(active=False, deactivation_reason="Too loud")
    said = annas.get("/sources")
    for text in (
        "Working",
        "Issues: failed 2 times in a row It answered with 503.",
        "Not working: failed 7 times in a row It is a web page.",
        "Switched off Too loud",
        "Not asked yet",
        "next in 60 minutes",
        "1 unread of 2",
    ):
        assert text in said
    for state, names in (
        ("issues", [shaky.name]),
        ("failed", [dead.name]),
        ("off", [off.name]),
        ("working", [fine.name, new.name]),
    ):
        said = annas.get("/sources", state=state)
        assert [source.name for source in (fine, shaky, dead, off, new) if source.feed.url in said] == names


def test_list_is_filtered_by_words_and_category_and_forgives_nonsense(annas: Manager, bert: Any) -> None:
    make_sources(annas.user, 3)
    make_sources(annas.user, 1, category="Ponds")
    Source.objects.filter(name="Blog 1").update(name="Frogs of 1% <b>")
    other = Category.objects.create(user=bert, description="Secret of Bert")
    assert "Frogs of 1% <b>" in annas.get("/sources", q="frogs 1%")
    assert "1 source fits." in annas.get("/sources", q="blog2.example")
    assert "1 source fits." in annas.get("/sources", category=Category.objects.get(description="Ponds").pk)
    assert "No source fits." in annas.get("/sources", q="no such thing")
    for nonsense in ({"category": other.pk}, {"category": "x"}, {"state": "odd"}, {"page": "x"}, {"page": "99"}):
        said = annas.get("/sources", **nonsense)
        assert "4 sources" in said
        assert "Secret of Bert" not in said
    annas.get("/sources", q="x" * 5000 + "\0")


def test_a_thousand_sources_cost_as_many_queries_as_a_few(annas: Manager) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            annas.get(path)
        return len(captured)

    paths = ("/sources", "/", "/categories", "/sources/coming", "/mutes", "/mark-read")
    make_sources(annas.user, 3)
    Feed.objects.update(health="warning", failures=1)
    before = {path: queries(path) for path in paths}
    make_sources(annas.user, 997, posts=0)
    Feed.objects.update(health="warning", failures=1)
    assert {path: queries(path) for path in paths} == before
    assert before["/sources"] <= 14
    assert "Page 1 of 20" in annas.get("/sources")
    assert "Page 20 of 20" in annas.get("/sources", page=20)


# --- refreshing -----------------------------------------------------------------------------------------------------
def test_refresh_is_a_job_that_the_row_waits_for(annas: Manager, wake_ups: list[int]) -> None:
    (source,) = make_sources(annas.user, 1)
    said = annas.post(f"/sources/{source.pk}/refresh", back="/reader/manage/sources?q=blog")
    assert "“Blog 0” is being asked for news." in said
    assert "1 source fits." in said  # back where the button was
    annas.post(f"/sources/{source.pk}/refresh")
    job = Job.objects.get()
    assert (job.kind, job.asked_by, wake_ups) == ("refresh_feed", annas.user, [job.pk])
    row = annas.dialog(f"/sources/{source.pk}/row?job={job.pk}").content.decode()
    assert "Being asked" in row
    assert "hx-get" in row
    job.status, job.result = "complete", {"success": False, "error": "blog0.example asked us to wait."}
    job.save()
    row = annas.dialog(f"/sources/{source.pk}/row?job={job.pk}").content.decode()
    assert "blog0.example asked us to wait." in row
    assert "hx-get" not in row


def test_a_row_says_nothing_of_jobs_about_other_things(annas: Manager) -> None:
    (source,) = make_sources(annas.user, 1)
    job = Job.objects.create(kind="refresh_feed", exclusive_key="feed:999", status="error", error="A secret.")
    for number in (str(job.pk), "x", "9" * 30, ""):
        assert "A secret." not in annas.get(f"/sources/{source.pk}/row", job=number)


def test_nobody_is_sent_elsewhere_by_the_way_back(annas: Manager) -> None:
    (source,) = make_sources(annas.user, 1)
    for back in (
        "https://evil.example/",
        "//evil.example/reader/",
        "/admin/",
        "javascript:alert(1)",
        "/reader" + "x",
    ):
        answer = annas.client.post(f"/reader/manage/sources/{source.pk}/refresh", {"back": back})
        assert answer["Location"] == "/reader/manage/sources"


# --- changing -------------------------------------------------------------------------------------------------------
def form_of(source: Source, **values: Any) -> dict[str, Any]:
    return {
        "name": source.name,
        "category": source.category_id,
        "feed_url": source.feed.url,
        "active": "on",
        "interval_minutes": "",
        **values,
    }


def test_a_source_is_changed_in_what_the_form_has_and_nothing_else(annas: Manager, bert: Any) -> None:
    (source,) = make_sources(annas.user, 1)
    wish = form_of(
        source,
        name="  Frogs\n daily ",
        new_category="Ponds",
        url="frogs.example",
        interval_minutes="240",
        wants_full_text="on",
        user=bert.pk,
        id=77,
    )
    wish.pop("active")
    said = annas.post(f"/sources/{source.pk}", **wish, deactivation_reason="Later")
    assert "was changed." in said
    source.refresh_from_db()
    assert source.user == annas.user
    assert source.name == "Frogs daily"
    assert source.category.description == "Ponds"
    assert source.url == "https://frogs.example/"
    assert source.interval_minutes == 240
    assert source.wants_full_text
    assert (source.active, source.deactivation_reason) == (False, "Later")
    annas.post(f"/sources/{source.pk}", **form_of(source))
    source.refresh_from_db()
    assert (source.active, source.deactivation_reason, source.interval_minutes) == (True, "", None)


def test_what_is_wrong_with_a_change_stands_at_its_field(annas: Manager, bert: Any) -> None:
    (source,) = make_sources(annas.user, 1)
    others = Category.objects.create(user=bert, description="Of Bert")
    for wrong, says in (
        ({"name": " "}, "A source needs a name."),
        ({"name": "x" * 256}, "at most 255 characters"),
        ({"category": others.pk}, "This category is not there any more"),
        ({"feed_url": "nonsense"}, "This is not an address of the web."),
        ({"interval_minutes": "3"}, "Select a valid choice."),
        ({"description": "x" * 501}, "at most 500 characters"),
    ):
        answer = annas.client.post(f"/reader/manage/sources/{source.pk}", form_of(source, **wrong))
        page = answer.content.decode()
        assert answer.status_code == 422, wrong
        assert says in page
        field = next(iter(wrong))
        assert f'aria-describedby="id_{field}' in page or f'id_{field}_error"' in page
        assert 'aria-invalid="true"' in page
        assert page.count(" autofocus") == 1
    source.refresh_from_db()
    assert source.name == "Blog 0"


def test_a_new_address_of_the_feed_is_proved_first(annas: Manager, host: FeedHost) -> None:
    host.pages["/old"], host.pages["/new"] = Page(posts(1)), Page(posts(1, 2))
    host.pages["/page"] = Page(b"<html><title>Page</title></html>", "text/html")
    source = subscribe(annas.user, host.url("/old"), name="Frogs")
    other = subscribe(annas.user, host.url("/other"), name="Toads")
    ask_all()
    for address, says in (
        (host.url("/page"), "There is no feed at this address."),
        (host.url("/gone"), "status 404"),
    ):
        assert says in annas.post(f"/sources/{source.pk}", status=422, **form_of(source, feed_url=address))
    host.pages["/other"] = Page(posts(5))
    said = annas.post(f"/sources/{source.pk}", status=422, **form_of(source, feed_url=other.feed.url))
    assert "You have a source with this feed already: “Toads”." in said
    source.refresh_from_db()
    assert source.feed.url == host.url("/old")
    annas.post(f"/sources/{source.pk}", **form_of(source, feed_url=host.url("/new")))
    source = Source.objects.select_related("feed").get(pk=source.pk)
    assert source.feed.url == host.url("/new")


# --- deleting and moving --------------------------------------------------------------------------------------------
def test_deleting_says_what_goes_before_it_goes(annas: Manager) -> None:
    first, second = make_sources(annas.user, 2, posts=4)
    Mute.objects.create(user=annas.user, source=first, phrase="toad")
    said = annas.get(f"/sources/{first.pk}/delete")
    assert "Delete “Blog 0”?" in said
    assert "4 posts, 2 of them not read yet" in said
    assert "1 muted phrase that is for this source only" in said
    assert Source.objects.count() == 2
    assert "“Blog 0” was deleted with its posts." in annas.post(f"/sources/{first.pk}/delete")
    assert list(Source.objects.all()) == [second]
    assert Post.objects.count() == 4
    annas.post(f"/sources/{first.pk}/delete", status=404)


def test_many_are_moved_at_once_and_deleted_after_a_second_page(annas: Manager, bert: Any) -> None:
    sources = make_sources(annas.user, 4)
    (foreign,) = make_sources(bert, 1)
    ponds = Category.objects.create(user=annas.user, description="Ponds")
    ids = [sources[0].pk, sources[1].pk, foreign.pk, "x", "9" * 30]
    said = annas.post("/sources/bulk", action="move", category=ponds.pk, ids=ids)
    assert "2 sources moved to “Ponds”." in said
    assert Source.objects.filter(category=ponds).count() == 2
    said = annas.post("/sources/bulk", status=200, action="delete", ids=ids)
    assert "Delete 2 sources?" in said
    assert "4 posts, 2 of them not read yet" in said
    assert str(foreign.pk) not in said.split("[")[-1].split(",")
    assert Source.objects.count() == 5
    said = annas.post("/sources/bulk", action="delete-now", ids=f"{sources[0].pk},{sources[1].pk},{foreign.pk}")
    assert "2 sources deleted with their posts." in said
    assert set(Source.objects.all()) == {sources[2], sources[3], foreign}
    for wrong in (
        {"action": "move", "ids": [sources[2].pk]},
        {"action": "move", "category": ponds.pk},
        {"action": "explode", "ids": [sources[2].pk]},
        {"action": "delete-now", "ids": [foreign.pk]},
        {"action": "move", "category": foreign.category_id, "ids": [sources[2].pk]},
    ):
        assert "Nothing was" in annas.post("/sources/bulk", **wrong)
    assert Source.objects.count() == 3


# --- the dialog -----------------------------------------------------------------------------------------------------
def test_dialog_gets_the_page_without_its_frame_and_leads_on_by_a_header(annas: Manager, host: FeedHost) -> None:
    (source,) = make_sources(annas.user, 1)
    page = annas.dialog(f"/sources/{source.pk}/delete").content.decode()
    assert "<html" not in page
    assert 'id="dialog-title"' in page
    answer = annas.dialog("/sources/add", status=422, data={"address": "no way"})
    assert "<html" not in answer.content.decode()
    answer = annas.dialog(f"/sources/{source.pk}/delete", data={})
    assert answer["HX-Redirect"] == "/reader/manage/sources"
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    annas.client.logout()
    assert annas.dialog("/sources", status=401)["HX-Refresh"] == "true"


def test_times_ahead_are_in_words() -> None:
    assert time_until(NOW + timedelta(seconds=5), NOW) == "in 1 minute"
    assert time_until(NOW + timedelta(minutes=89), NOW) == "in 89 minutes"
    assert time_until(NOW + timedelta(hours=3), NOW) == "in 3 hours"
    assert time_until(NOW + timedelta(days=3), NOW) == "in 3 days"


def test_posts_of_hostile_names_are_shown_as_text(annas: Manager) -> None:
    (source,) = make_sources(annas.user, 1)
    Source.objects.filter(pk=source.pk).update(name="<script>alert(1)</script>")
    make_posts(source, 1)
    for path in ("/sources", f"/sources/{source.pk}", f"/sources/{source.pk}/delete", "/mark-read", "/mutes"):
        assert "<script>alert" not in annas.client.get(f"/reader/manage{path}").content.decode()
