"""Welcome, OPML, categories, mutes, marking, settings and overview, as a browser without JavaScript uses them."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from common.times import now_utc
from feeds import saving
from feeds.metrics import CRAWL_BEAT
from feeds.models import Category, Feed, Mute, Post, ReaderOptions, SavingService, Source
from feeds.pages.manage import opml as opml_pages
from feeds.refresh import JOB_KEY
from feeds.starters import starters
from jobs.models import Beat, Job
from tests.remote.feed_host import FeedHost, Page

from .managing import Manager, make_posts, make_sources

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_worker(wake_ups: list[int]) -> None:
    """Jobs are asked for, and wait."""


@pytest.fixture
def annas(anna: Any) -> Manager:
    return Manager(anna)


def outlines(*names: str, folder: str = "") -> str:
    rows = "".join(f'<outline type="rss" text="{name}" xmlUrl="https://{name}.example/feed"/>' for name in names)
    return f'<outline text="{folder}">{rows}</outline>' if folder else rows


def upload(*parts: str, name: str = "list.opml") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, f'<opml version="2.0"><body>{"".join(parts)}</body></opml>'.encode())


def preview(annas: Manager, file: SimpleUploadedFile) -> tuple[str, str]:
    """What the page says of the file, and the digest it carries."""
    said = annas.post("/opml", status=200, opml=file)
    digests = re.findall(r"\[([0-9a-f]{64})\]", said)
    return said, digests[0]


# --- welcome --------------------------------------------------------------------------------------------------------
def test_first_visit_leads_to_the_welcome(annas: Manager) -> None:
    answer = annas.client.get("/reader/manage/")
    assert answer["Location"] == "/reader/manage/welcome"
    said = annas.get("/welcome")
    assert "Welcome, anna" in said
    assert all(listed.name in said for listed in starters().feeds)


def test_suggested_feeds_are_there_at_once_and_fetched_by_a_job(annas: Manager, host: FeedHost) -> None:
    first, second = starters().feeds[0], starters().feeds[-1]
    said = annas.post("/welcome", feed=[first.url, second.url, "https://evil.example/feed"])
    assert "0 of 2 sources asked" in said
    assert {source.feed.url for source in Source.objects.select_related("feed")} == {first.url, second.url}
    assert {category.description for category in Category.objects.all()} == {first.category, second.category}
    assert Job.objects.get().exclusive_key == JOB_KEY
    annas.post("/welcome", feed=[first.url])
    assert Source.objects.count() == 2
    assert "you have it" in annas.get("/welcome")


def test_no_tick_is_said_and_makes_nothing(annas: Manager) -> None:
    assert "Tick at least one of them." in annas.post("/welcome", status=422, feed=["https://evil.example/"])
    assert not Source.objects.exists()
    assert not Category.objects.exists()


def test_suggestions_are_real_addresses_with_a_line_about_each() -> None:
    listing = starters()
    assert listing.errors == ()
    assert len(listing.by_category()) >= 5
    assert all(listed.url.startswith("https://") and listed.description for listed in listing.feeds)
    assert all(listed.site_url for listed in listing.feeds)


# --- OPML -----------------------------------------------------------------------------------------------------------
def test_file_is_shown_first_and_then_the_very_same_is_added(annas: Manager) -> None:
    (known,) = make_sources(annas.user, 1)
    said, digest = preview(
        annas, upload(outlines("frogs", "toads", folder="Ponds"), outlines("blog0"), outlines("no"))
    )
    assert "names 4 feeds in 1 category: 3 new to you, 1 that you have" in said
    assert "Nothing has been changed yet." in said
    assert Source.objects.count() == 1
    assert "is not kept here any more" in annas.post("/opml/import", status=422, digest="0" * 64)
    said = annas.post("/opml/import", digest=digest, mode="merge")
    assert "3 sources added, 1 you had already." in said
    assert "0 of 3 sources asked" in said
    assert set(Source.objects.values_list("name", flat=True)) == {"Blog 0", "frogs", "toads", "no"}
    assert Job.objects.get().exclusive_key == JOB_KEY
    assert "is not kept here any more" in annas.post("/opml/import", status=422, digest=digest)
    assert Source.objects.count() == 4
    known.refresh_from_db()
    assert known.category.description == "Blogs"


def test_replacing_says_what_goes_and_asks_a_second_time(annas: Manager, bert: Any) -> None:
    make_sources(annas.user, 2, posts=3)
    make_sources(bert, 1)
    said, digest = preview(annas, upload(outlines("blog0", "frogs", folder="Ponds")))
    assert "1 source of yours is not in it and would go" in said
    said = annas.post("/opml/import", status=200, digest=digest, mode="replace")
    assert "One source goes for good, with 3 posts" in said
    assert "Blog 1 (Blogs, 3 posts)" in said
    make_sources(annas.user, 1)  # meanwhile, in another window
    said = annas.post("/opml/import", status=200, digest=digest, mode="replace", sure="1")
    assert "2 sources go for good" in said
    assert Source.objects.filter(user=annas.user).count() == 3
    annas.post("/opml/import", digest=digest, mode="replace", sure="2")
    assert set(Source.objects.filter(user=annas.user).values_list("name", flat=True)) == {"blog0", "frogs"}
    assert Post.objects.filter(user=annas.user).count() == 3
    assert Source.objects.filter(user=bert).count() == 1


def test_files_that_are_none_are_refused_with_a_sentence(annas: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    large = SimpleUploadedFile("large.opml", b"<opml>" + b" " * 1_048_576)
    for file, says in (
        (None, "Choose a file first."),
        (SimpleUploadedFile("a.opml", b""), "The file is empty."),
        (SimpleUploadedFile("a.opml", b"\x89PNG\r\n\0\xff"), "not a list of feeds"),
        (SimpleUploadedFile("a.opml", b"<html><body>hello</body></html>"), "a web page, not a list of feeds"),
        (large, "larger than 1 MB"),
    ):
        said = annas.post("/opml", status=422, **({"opml": file} if file else {}))
        assert says in said
    empty = upload()
    digest = hashlib.sha256(empty.read()).hexdigest()
    empty.seek(0)
    assert "names 0 feeds" in annas.post("/opml", status=200, opml=empty)
    assert "nothing to take in" in annas.post("/opml/import", status=422, digest=digest, mode="replace", sure="0")
    said, digest = preview(annas, upload(outlines("frogs"), "<outline text='broken'/>"))
    assert "1 line cannot be used" in said
    assert "Say whether" in annas.post("/opml/import", status=422, digest=digest, mode="burn")
    assert not Source.objects.exists()
    monkeypatch.setattr(opml_pages, "MAX_SHOWN", 2)
    said, _ = preview(annas, upload(outlines("a", "b", "c", "d", folder="&lt;script>F")))
    assert "<script>F 4 feeds" in said
    assert "and 2 more" in said


def test_nobody_imports_what_another_one_uploaded(annas: Manager, bert: Any) -> None:
    _, digest = preview(annas, upload(outlines("frogs")))
    assert "is not kept here any more" in Manager(bert).post("/opml/import", status=422, digest=digest)
    assert not Source.objects.exists()


def test_export_is_a_file_that_can_be_imported_again(annas: Manager, bert: Any) -> None:
    make_sources(annas.user, 2)
    make_sources(bert, 1)
    answer = annas.client.get("/reader/manage/opml/export")
    assert answer["Content-Disposition"].startswith('attachment; filename="infraread-feeds-')
    assert answer["Content-Type"].startswith("text/x-opml")
    bert_page, _ = preview(Manager(bert), SimpleUploadedFile("list.opml", answer.content))
    assert "names 2 feeds in 1 category: 2 new to you" in bert_page


# --- categories -----------------------------------------------------------------------------------------------------
def test_categories_are_counted_made_and_renamed(annas: Manager, bert: Any) -> None:
    make_sources(annas.user, 2, posts=4)
    foreign = Category.objects.create(user=bert, description="Bert's")
    said = annas.get("/categories")
    assert "Blogs 2 sources 4 unread" in said
    assert "Bert's" not in said
    assert "The category “Ponds” is there." in annas.post("/categories", description=" Ponds ")
    for wrong, says in (("ponds", "of this name already"), ("", "needs a name"), ("x" * 256, "255 characters")):
        assert says in annas.post("/categories", status=422, description=wrong)
    ponds = Category.objects.get(description="Ponds")
    assert "“Ponds” is called “Lakes” now." in annas.post(f"/categories/{ponds.pk}", description="Lakes")
    said = annas.post(f"/categories/{ponds.pk}", status=422, description="BLOGS")
    assert "of this name already" in said
    assert "Rename “Lakes”" in said
    for path in (f"/categories/{foreign.pk}", f"/categories/{foreign.pk}/delete"):
        annas.get(path, status=404)
        annas.post(path, status=404, description="mine")


def test_deleting_a_category_says_where_its_sources_go(annas: Manager) -> None:
    make_sources(annas.user, 2)
    blogs = Category.objects.get()
    assert "The 2 sources in it move to “Uncategorized”" in annas.get(f"/categories/{blogs.pk}/delete")
    said = annas.post(f"/categories/{blogs.pk}/delete")
    assert "2 sources of it now lie in “Uncategorized”." in said
    home = Category.objects.get()
    assert "Move them to another category first" in annas.get(f"/categories/{home.pk}/delete")
    assert "cannot be deleted while it has sources" in annas.post(f"/categories/{home.pk}/delete")
    Source.objects.all().delete()
    assert "It is empty" in annas.get(f"/categories/{home.pk}/delete")
    annas.post(f"/categories/{home.pk}/delete")
    assert not Category.objects.exists()


# --- mutes ----------------------------------------------------------------------------------------------------------
def test_muting_says_how_many_posts_it_marked(annas: Manager, bert: Any) -> None:
    first, _ = make_sources(annas.user, 2, posts=4)
    (foreign,) = make_sources(bert, 1)
    said = annas.post("/mutes", phrase=" Post  0 ", where="title", source="")
    assert "“Post 0” is muted. 2 posts that held it were marked as read" in said
    said = annas.post("/mutes", phrase="post 2", where="text", source=first.pk)
    assert "1 post that held it was marked as read" in said
    assert "titles and text of Blog 0" in said
    for wrong, says in (
        ({"phrase": "POST 0", "where": "title"}, "muted already"),
        ({"phrase": " ", "where": "title"}, "Type the words"),
        ({"phrase": "x" * 201, "where": "title"}, "at most 200 characters"),
        ({"phrase": "y"}, "Say where to look for it."),
        ({"phrase": "y", "where": "title", "source": foreign.pk}, "This source is not there any more"),
    ):
        assert says in annas.post("/mutes", status=422, **wrong)
    theirs = Mute.objects.create(user=bert, phrase="theirs")
    annas.post(f"/mutes/{theirs.pk}/delete", status=404)
    mute = Mute.objects.get(phrase="Post 0")
    assert "is not muted any more" in annas.post(f"/mutes/{mute.pk}/delete")
    assert Mute.objects.filter(user=annas.user).count() == 1


# --- marking --------------------------------------------------------------------------------------------------------
def test_number_is_shown_before_anything_is_marked(annas: Manager, bert: Any) -> None:
    first, second = make_sources(annas.user, 2, posts=0)
    make_posts(first, 10, days_ago=9)  # every second one unread
    make_posts(second, 4)
    make_posts(make_sources(bert, 1)[0], 6, days_ago=30)
    everything = {"days": 7, "keep": 20, "where": ""}
    cases = (
        ({"what": "all"}, 7),
        ({"what": "older"}, 5),
        ({"what": "older", "days": 3650}, 0),
        ({"what": "newest", "keep": 4}, 5),
        ({"what": "newest", "keep": 20}, 0),
        ({"what": "newest", "keep": 2, "where": f"s{second.pk}"}, 1),
        ({"what": "all", "where": f"s{first.pk}"}, 5),
        ({"what": "all", "where": f"c{first.category_id}"}, 7),
    )
    for wish, count in cases:
        said = annas.get("/mark-read", **{**everything, **wish})
        looked = annas.post("/mark-read", status=200, **{**everything, **wish}, look="1")
        expected = (
            f"{count} unread post{'' if count == 1 else 's'} will be marked" if count else "No unread post fits."
        )
        assert expected in said, wish
        assert expected in looked, wish
    assert Post.objects.filter(user=annas.user, is_read=False).count() == 7
    assert "5 posts marked as read." in annas.post("/mark-read", **everything, what="older")
    assert "0 posts marked as read." in annas.post("/mark-read", **everything, what="older")
    assert "1 post marked as read." in annas.post(
        "/mark-read", **{**everything, "what": "newest", "keep": 2, "where": f"s{second.pk}"}
    )
    assert "1 post marked as read." in annas.post("/mark-read", what="all")
    assert Post.objects.filter(user=bert, is_read=False).count() == 4


def test_choices_that_make_no_sense_mark_nothing(annas: Manager, bert: Any) -> None:
    make_sources(annas.user, 1)
    (foreign,) = make_sources(bert, 1)
    for wrong, says in (
        ({}, "Say which posts."),
        ({"what": "older"}, "Type a number from 1 to 3650."),
        ({"what": "older", "days": 0}, "greater than or equal to 1"),
        ({"what": "older", "days": 3651}, "less than or equal to 3650"),
        ({"what": "newest", "keep": 5001}, "less than or equal to 5000"),
        ({"what": "newest", "keep": -1}, "greater than or equal to 0"),
        ({"what": "all", "where": f"s{foreign.pk}"}, "This is not there any more"),
        ({"what": "all", "where": "s1 or 1=1"}, "This is not there any more"),
    ):
        assert says in annas.post("/mark-read", status=422, **wrong)
    assert Post.objects.filter(is_read=False).count() == 2
    fragment = annas.dialog("/mark-read?what=older&days=x").content.decode()
    assert "Something is missing above." in fragment
    assert "<html" not in fragment


# --- settings -------------------------------------------------------------------------------------------------------
def test_settings_are_kept_and_purging_is_off_until_chosen(annas: Manager) -> None:
    said = annas.get("/settings")
    assert "Unread posts always stay." in said
    assert not ReaderOptions.objects.exists()
    annas.post("/settings", layout="column", order="newest", purge_after_days="30")
    options = ReaderOptions.objects.get()
    assert (options.layout, options.newest_first, options.collapse_duplicates) == ("column", True, False)
    assert options.purge_after_days is None
    annas.post(
        "/settings", layout="panes", order="oldest", collapse_duplicates="on", purge="on", purge_after_days="30"
    )
    options.refresh_from_db()
    assert (options.layout, options.newest_first, options.purge_after_days) == ("panes", False, 30)
    for wrong, says in (
        ({"purge": "on", "purge_after_days": ""}, "Say after how many days"),
        ({"purge": "on", "purge_after_days": "0"}, "greater than or equal to 1"),
        ({"layout": "upside down"}, "Select a valid choice."),
    ):
        wish = {"layout": "column", "order": "oldest", **wrong}
        assert says in annas.post("/settings", status=422, **wish)
    options.refresh_from_db()
    assert options.layout == "panes"


def test_settings_name_the_doors_of_phone_apps(annas: Manager) -> None:
    said = annas.get("/settings")
    for address in ("/api/greader.php", "/api/fever.php"):
        assert f"[http://testserver{address}]" in said
    assert annas.client.post("/api/greader.php/accounts/ClientLogin").status_code == 400
    assert annas.client.post("/api/fever.php?api").status_code == 200


def test_services_are_added_tried_changed_and_removed_without_showing_secrets(
    annas: Manager, host: FeedHost, settings: Any
) -> None:
    host.pages["/api/bookmarks/?limit=1"] = Page(b'{"results": []}', "application/json")
    address = f"http://{host.host}"
    settings.MASTOSCORE_PRIVATE_HOSTS = [host.host]
    assert "Linkding" in annas.get("/settings/services/add")
    wish = {"kind": "linkding", "name": "My links", "url": address, "credential_token": "s3cret-token"}
    assert "API token is missing." in annas.post(
        "/settings/services/add", status=422, **{**wish, "credential_token": ""}
    )
    said = annas.post("/settings/services/add", **wish)
    assert "“My links” is there." in said
    service = SavingService.objects.get()
    assert service.is_default
    assert "You have a service of that name already." in annas.post("/settings/services/add", status=422, **wish)
    for path in ("/settings", f"/settings/services/{service.pk}"):
        assert "s3cret" not in annas.client.get(f"/reader/manage{path}").content.decode()
    assert "s3cret" not in annas.post("/settings/services/add", status=422, **wish)
    assert "“My links” works." in annas.post(f"/settings/services/{service.pk}/try")
    host.pages.clear()
    said = annas.post(f"/settings/services/{service.pk}/try")
    assert "“My links” does not work yet." in said
    assert "s3cret" not in said
    annas.post(f"/settings/services/{service.pk}", name="Links", url=address, credential_token="")
    service.refresh_from_db()
    assert service.name == "Links"
    assert saving.has_credentials(service)
    annas.post("/settings/services/add", kind="webhook", name="Hook", url=address)
    hook = SavingService.objects.get(name="Hook")
    assert "Posts are saved to “Hook” from now on." in annas.post(f"/settings/services/{hook.pk}/default")
    assert "Remove “Hook”?" in annas.get(f"/settings/services/{hook.pk}/delete")
    annas.post(f"/settings/services/{hook.pk}/delete")
    assert list(SavingService.objects.values_list("name", "is_default")) == [("Links", True)]


def test_services_of_others_are_unknown(annas: Manager, bert: Any) -> None:
    service = saving.create_service(bert, kind="webhook", name="Bert", url="https://bert.example/hook")
    annas.get(f"/settings/services/{service.pk}", status=404)
    annas.get(f"/settings/services/{service.pk}/delete", status=404)
    for path in ("", "/try", "/default", "/delete"):
        annas.post(f"/settings/services/{service.pk}{path}", status=404, name="mine")
    assert "Bert" not in annas.get("/settings")


# --- overview -------------------------------------------------------------------------------------------------------
def test_overview_counts_and_lists_the_worst_first(annas: Manager, bert: Any) -> None:
    fine, shaky, dead, off = make_sources(annas.user, 4)
    make_sources(bert, 3)
    Feed.objects.filter(pk=shaky.feed_id).update(health="warning", failures=1, last_error="It hung up.")
    Feed.objects.filter(pk=dead.feed_id).update(health="failed", failures=8, last_error="It is gone.")
    Feed.objects.filter(pk=off.feed_id).update(health="failed", failures=9)
    Source.objects.filter(pk=off.pk).update(active=False)
    said = annas.get("/")
    assert "No crawl has been completed yet." in said
    assert "Sources 41 switched off Categories 1 Unread posts 4of 8 New posts 8in 24 hours" in said
    assert said.index(dead.name) < said.index(shaky.name)
    assert "failed 8 times in a row It is gone." in said
    assert "failed once It hung up." in said
    assert f"{fine.name} " not in said.split("need a look")[1]
    Beat.objects.create(name=CRAWL_BEAT, at=now_utc() - timedelta(hours=5))
    said = annas.get("/")
    assert "Feeds were last asked 5 hours ago." in said
    assert "whether the background worker runs" in said
