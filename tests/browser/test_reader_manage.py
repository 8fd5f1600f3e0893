"""The managing pages in a browser: by keyboard, in the dialog, on phone and desktop, without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from common.times import now_utc
from feeds.models import Category, Feed, Post, Source
from feeds.starters import starters
from feeds.tests.making import ask_all
from feeds.tests.managing import make_sources
from jobs.models import Job
from tests.browser.conftest import Visitor
from tests.remote.feed_host import FeedHost, Page, posts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Check = Callable[[str], None]
ROOT = "/reader/manage"
_TABS = 60
# What does not depend on the width is tried with one of them.
only_desk = pytest.mark.parametrize("visitor", ["desk"], indirect=True)
only_phone = pytest.mark.parametrize("visitor", ["phone"], indirect=True)


@pytest.fixture(autouse=True)
def near_network(settings: Any) -> None:
    settings.MASTOSCORE_PRIVATE_HOSTS = ["127.0.0.0/8"]
    settings.MASTOSCORE_FEED_HOST_PAUSE_SECONDS = 0.0


@pytest.fixture
def host() -> Iterator[FeedHost]:
    with FeedHost() as host:
        yield host


@pytest.fixture
def anna(visitor: Visitor, db: None) -> User:
    """Signed in already; the form for that has tests of its own."""
    user = User.objects.create_user("anna")
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie: Any = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": visitor.address}
    visitor.page.context.add_cookies([cookie])
    return user


def tab_to(tab: Tab, words: str) -> None:
    """Press Tab until what has these words, or this label, has the focus."""
    for _ in range(_TABS):
        tab.keyboard.press("Tab")
        reached = tab.evaluate(
            """() => { const here = document.activeElement;
            const label = here.labels && here.labels[0];
            return [here.textContent, here.getAttribute('aria-label'), label && label.textContent].join(' ') }"""
        )
        if words in reached:
            return
    raise AssertionError(f"the Tab key does not reach “{words}”")


@only_desk
def test_first_visit_by_keyboard_ends_with_posts_on_their_way(visitor: Visitor, anna: User, check: Check) -> None:
    check(f"{ROOT}/")
    expect(visitor.page.locator("h1")).to_have_text("Welcome, anna")
    first = starters().feeds[0]
    tab_to(visitor.page, first.name)
    visitor.page.keyboard.press("Space")
    tab_to(visitor.page, "Follow the ticked ones")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#coming")).to_contain_text("0 of 1 source asked")
    assert not visitor.is_too_wide()
    now = now_utc()
    Feed.objects.update(attempted_at=now, failures=1, health="warning", last_error="It did not answer in time.")
    expect(visitor.page.locator("#coming")).to_contain_text("1 source in trouble")  # the page asked by itself
    expect(visitor.page.locator("#coming")).to_contain_text("It did not answer in time.")
    assert Job.objects.get().kind == "refresh_feeds"
    assert visitor.complaints == []


def test_source_is_added_in_the_dialog_by_keyboard(
    visitor: Visitor, anna: User, host: FeedHost, check: Check
) -> None:
    host.pages["/blog"] = Page(
        b"<html><title>Frogs</title><link rel=alternate type='application/rss+xml' title='Posts' href='/feed'>"
        b"<link rel=alternate type='application/atom+xml' title='News of frogs' href='/news'></html>",
        "text/html",
    )
    host.pages["/feed"], host.pages["/news"] = (
        Page(posts(1, title="The Frog Blog")),
        Page(posts(2, 3, title="Frogs!")),
    )
    make_sources(anna, 1)
    check(f"{ROOT}/sources")
    tab_to(visitor.page, "Add a source")
    visitor.page.keyboard.press("Enter")
    dialog = visitor.page.locator("#dialog")
    expect(dialog.get_by_label("Address")).to_be_focused()
    visitor.page.keyboard.type("no such thing")
    visitor.page.keyboard.press("Enter")
    expect(dialog.locator(".error")).to_contain_text("This is not an address of the web.")
    expect(dialog.get_by_label("Address")).to_be_focused()
    dialog.get_by_label("Address").fill(host.url("/blog"))
    visitor.page.keyboard.press("Enter")
    expect(dialog.locator(".offer")).to_have_count(2)
    expect(dialog.locator(".offer").first).to_contain_text("The Frog Blog")
    assert not visitor.is_too_wide()
    dialog.get_by_label(re.compile("News of frogs")).check()
    dialog.get_by_label("Or a new category").fill("Ponds")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("h1")).to_have_text("New sources")
    expect(visitor.page.locator(".arrivals")).to_contain_text("2 posts")
    source = Source.objects.get(feed__url=host.url("/news"))
    assert (source.name, source.category.description) == ("Frogs!", "Ponds")
    # Browsers report answers of 422 as errors on their console; nothing else may stand there.
    assert [text for text in visitor.complaints if "422" not in text] == []


@only_desk
def test_dialog_closes_with_escape_and_gives_the_focus_back(visitor: Visitor, anna: User) -> None:
    make_sources(anna, 1)
    visitor.open(f"{ROOT}/sources")
    visitor.page.get_by_role("link", name="Delete Blog 0").click()
    expect(visitor.page.locator("#dialog")).to_be_visible()
    expect(visitor.page.locator("#dialog-title")).to_have_text("Delete “Blog 0”?")
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("#dialog")).not_to_be_visible()
    expect(visitor.page.get_by_role("link", name="Delete Blog 0")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("button", name="Delete for good").click()
    expect(visitor.page.locator("#toasts")).to_contain_text("“Blog 0” was deleted with its posts.")
    assert not Source.objects.exists()
    assert not Post.objects.exists()
    assert visitor.complaints == []


@only_phone
def test_opml_is_looked_at_then_imported(visitor: Visitor, anna: User, check: Check, tmp_path: Path) -> None:
    make_sources(anna, 1)
    rows = "".join(f'<outline text="Feed {n}" xmlUrl="https://feed{n}.example/rss"/>' for n in range(3))
    (tmp_path / "list.opml").write_text(f'<opml><body><outline text="Ponds">{rows}</outline></body></opml>')
    check(f"{ROOT}/opml")
    visitor.page.set_input_files("input[type=file]", tmp_path / "list.opml")
    visitor.page.get_by_role("button", name="Show what is in it").click()
    expect(visitor.page.locator(".lead")).to_contain_text("3 new to you")
    expect(visitor.page.locator(".folder")).to_contain_text("Ponds")
    assert not visitor.is_too_wide()
    visitor.page.get_by_label(re.compile("make your sources those")).check()
    visitor.page.get_by_role("button", name="Import").click()
    expect(visitor.page.locator(".problem")).to_contain_text("Blog 0")
    assert Source.objects.count() == 1
    visitor.page.get_by_role("button", name="Remove it and import").click()
    expect(visitor.page.locator("#coming")).to_contain_text("0 of 3 sources asked")
    assert set(Category.objects.values_list("description", flat=True)) == {"Ponds"}
    assert visitor.complaints == []


@only_desk
def test_row_shows_what_came_of_a_refresh(visitor: Visitor, anna: User, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1, 2, 3))
    (source,) = make_sources(anna, 1, posts=0)
    Feed.objects.update(url=host.url(), host=host.host, attempted_at=None, fetched_at=None, body_hash="")
    visitor.open(f"{ROOT}/sources")
    row = visitor.page.locator(f"#source-{source.pk}")
    expect(row).to_contain_text("Not asked yet")
    visitor.page.get_by_role("button", name="Ask Blog 0 for news now").click()
    expect(row).to_contain_text("Being asked")
    ask_all()
    Job.objects.update(status="complete", result={"success": True})
    expect(row).to_contain_text("Working")
    expect(row).to_contain_text("3 unread")
    assert visitor.complaints == []


@only_phone
def test_marking_shows_the_number_as_it_is_chosen(visitor: Visitor, anna: User, check: Check) -> None:
    make_sources(anna, 2, posts=6)
    Post.objects.filter(source__name="Blog 0").update(posted_at=now_utc() - timedelta(days=30))
    check(f"{ROOT}/mark-read")
    expect(visitor.page.locator("#number")).to_have_text("3 unread posts will be marked as read.")
    expect(visitor.page.get_by_label("How many stay unread")).not_to_be_visible()
    visitor.page.get_by_label("all posts", exact=True).check()
    expect(visitor.page.locator("#number")).to_have_text("6 unread posts will be marked as read.")
    assert "csrfmiddlewaretoken" not in visitor.page.url
    visitor.page.get_by_role("button", name="Mark as read").click()
    expect(visitor.page.locator("#toasts")).to_contain_text("6 posts marked as read.")
    assert not Post.objects.filter(is_read=False).exists()
    assert visitor.complaints == []


def test_every_page_fits_the_screen_in_light_and_dark(visitor: Visitor, anna: User, check: Check) -> None:
    sources = make_sources(anna, 3)
    Source.objects.filter(pk=sources[0].pk).update(name="Langer-Name-ohne-Leerzeichen" * 8)
    Category.objects.update(description="Kategorie" * 20)
    Feed.objects.filter(pk=sources[1].feed_id).update(health="failed", failures=9, last_error="x" * 300)
    pages = ("/", "/welcome", "/sources", "/sources/add", f"/sources/{sources[0].pk}", "/sources/coming")
    pages += (f"/sources/{sources[0].pk}/delete", "/categories", "/mutes", "/opml", "/mark-read", "/settings")
    pages += (f"/categories/{sources[0].category_id}/delete", "/settings/services/add?kind=wallabag")
    for page in pages:
        visitor.open(f"{ROOT}{page}")
        assert not visitor.is_too_wide(), page
        assert visitor.page.locator("h1").count() == 1, page
        assert visitor.page.evaluate(_UNLABELLED) == [], page
    visitor.page.emulate_media(color_scheme="dark")
    check(f"{ROOT}/sources")
    assert visitor.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 23, 27)"


# Fields without a name, and ids that stand twice.
_UNLABELLED = """() => [
  ...[...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
    .filter((field) => !(field.labels && field.labels.length) && !field.getAttribute("aria-label"))
    .map((field) => field.outerHTML),
  ...[...document.querySelectorAll("button, a[href]")]
    .filter((one) => !one.textContent.trim() && !one.getAttribute("aria-label") && !one.querySelector("img[alt]"))
    .map((one) => one.outerHTML),
  ...[...document.querySelectorAll("[id]")].map((one) => one.id).filter((id, n, all) => all.indexOf(id) !== n),
  ...[...document.querySelectorAll("[aria-describedby]")]
    .flatMap((one) => one.getAttribute("aria-describedby").split(" ")).filter((id) => !document.getElementById(id)),
]"""


@only_phone
def test_everything_works_without_javascript(visitor: Visitor, anna: User, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1, 2, title="The Frog Blog"))
    browser = visitor.page.context.browser
    assert browser is not None
    state = visitor.page.context.storage_state()
    context = browser.new_context(java_script_enabled=False, storage_state=state, viewport=visitor.page.viewport_size)
    tab = context.new_page()
    tab.goto(f"{visitor.address}{ROOT}/welcome")
    tab.get_by_role("textbox", name="Address").fill(host.url())
    tab.get_by_role("button", name="Look for feeds").click()
    tab.get_by_role("button", name="Follow").click()
    expect(tab.locator("#coming")).to_contain_text("2 posts so far")
    tab.goto(f"{visitor.address}{ROOT}/sources")
    tab.get_by_role("button", name="Ask The Frog Blog for news now").click()
    expect(tab.locator("#toasts")).to_contain_text("is being asked for news")
    tab.get_by_label("Choose The Frog Blog").check()
    tab.get_by_role("button", name="Delete …").click()
    tab.get_by_role("button", name="Delete for good").click()
    expect(tab.locator("#toasts")).to_contain_text("1 source deleted")
    assert not Source.objects.exists()
    context.close()
