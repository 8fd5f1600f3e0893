"""How the reading page looks and holds: widths, sizes, contrast, landmarks, trouble, no network, no JavaScript."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect
from playwright.sync_api import Error as PlaywrightError

from feeds.models import Post, ReaderOptions, Source
from feeds.tests.shelves import make_posts, make_source
from jobs.models import Beat
from tests.browser.conftest import Visitor
from tests.browser.reading import (
    PASSWORD,
    eventually,
    is_column,
    is_true,
    make_anna,
    open_list,
    press,
    read_titles,
    ready,
    sign_in,
    titles,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def anna(db: None) -> User:
    return make_anna()


@pytest.fixture
def reader(visitor: Visitor, anna: User) -> Visitor:
    return open_list(visitor, anna)


# --- looks ----------------------------------------------------------------------------------------------------------
def test_nothing_is_wider_than_the_screen_and_everything_is_large_enough_to_press(
    reader: Visitor, check: Callable[[str], None]
) -> None:
    post = Post.objects.get(entry__title="Post 1")
    for path in ("/reader/", f"/reader/posts/{post.pk}", "/reader/?q=frogs", "/reader/?show=read"):
        check(path)
        small = reader.page.evaluate(
            """() => [...document.querySelectorAll('button, .tools a, .bar-button, .shown a')]
                .map(e => [e, e.getBoundingClientRect()])
                .filter(([e, box]) => box.width && getComputedStyle(e).visibility !== 'hidden'
                    && (box.width < 44 || box.height < 44))
                .map(([e, box]) => `${e.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)"""
        )
        assert small == []


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (colour.startsWith('rgb(')) return parse(colour);
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
  };
  const bad = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const box = e.getBoundingClientRect();
    if (!own || box.width < 2 || getComputedStyle(e).visibility === 'hidden' || e.closest('noscript')) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push(`${e.outerHTML.slice(0, 90)} ${ratio.toFixed(2)}`);
  }
  return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("visitor", ["desk"], indirect=True)
def test_every_text_stands_out_from_its_ground(reader: Visitor, scheme: Any) -> None:
    reader.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    reader.page.reload()
    ready(reader.page)
    press(reader, "j")
    assert reader.page.evaluate(CONTRAST) == []
    press(reader, "o")
    expect(reader.page.locator("#post-title")).to_have_text("Post 1")
    press(reader, "m")
    expect(reader.page.locator("#summary-box")).to_contain_text("In short")
    press(reader, "?")
    assert reader.page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_focus_comes_back_to_the_list_and_landmarks_have_names(reader: Visitor) -> None:
    press(reader, "j", "Enter")
    expect(reader.page.locator("#post-title")).to_be_focused()
    press(reader, "Escape")
    expect(reader.page.locator(".row-link:focus")).to_have_count(1)
    press(reader, "?", "Escape")
    names = reader.page.evaluate("[...document.querySelectorAll('nav')].map(n => n.getAttribute('aria-label'))")
    assert all(names)
    assert len(set(names)) == len(names)
    assert reader.page.locator("main").count() == 1


def test_sources_are_a_drawer_in_one_column_and_a_pane_beside_it(reader: Visitor) -> None:
    shelf = reader.page.locator("#shelf")
    if is_column(reader):
        expect(shelf).to_be_hidden()
        reader.page.get_by_label("Sources and categories").click()
    expect(shelf).to_be_visible()
    shelf.get_by_role("link", name="Sky").click()
    expect(titles(reader)).to_have_text(["Post 50"])


@pytest.mark.parametrize("visitor", ["desk"], indirect=True)
def test_layout_of_one_column_holds_on_wide_screens(reader: Visitor) -> None:
    ReaderOptions.objects.create(user=Source.objects.all()[0].user, layout="column")
    reader.page.reload()
    ready(reader.page)
    expect(reader.page.locator("#shelf")).to_be_hidden()
    titles(reader).first.click()
    expect(reader.page.locator("#post-title")).to_be_visible()
    expect(reader.page.locator("#list")).not_to_be_visible()


# --- trouble --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("visitor", ["desk"], indirect=True)
def test_mark_is_taken_back_when_the_server_cannot_be_reached(reader: Visitor) -> None:
    reader.page.context.route("**/reader/mark", lambda route: route.abort())
    press(reader, "j", "e")
    expect(reader.page.locator("#toasts")).to_contain_text("could not be reached")
    expect(titles(reader)).to_have_count(6)
    expect(reader.page.locator("#unread")).to_have_text("6")
    expect(reader.page.locator("#undo-form")).to_be_hidden()
    assert read_titles() == set()


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_post_that_cannot_be_loaded_leads_to_its_original(reader: Visitor) -> None:
    def fail(route: Route) -> None:
        route.abort()

    reader.page.context.route("**part=post*", fail)
    press(reader, "j", "Enter")
    expect(reader.page.locator(".post-trouble")).to_contain_text("could not be loaded")
    expect(reader.page.get_by_role("link", name="Read the original")).to_be_visible()
    reader.page.context.unroute("**part=post*", fail)
    reader.page.get_by_role("button", name="Try again").click()
    expect(reader.page.locator("#post-title")).to_have_text("Post 1")


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_late_crawl_is_told_and_dismissed_for_good(reader: Visitor) -> None:
    Beat.objects.update(at=timezone.now() - timezone.timedelta(hours=5))
    reader.page.reload()
    ready(reader.page)
    expect(reader.page.locator("#alert")).to_contain_text("Feeds were last asked 5 hours ago.")
    reader.page.get_by_label("Dismiss").click()
    reader.page.reload()
    ready(reader.page)
    expect(reader.page.locator("#alert")).to_be_hidden()


# --- without a network ----------------------------------------------------------------------------------------------
def through_the_worker(reader: Visitor) -> None:
    """The page comes a second time, now by way of the service worker."""
    is_true(reader, "navigator.serviceWorker.controller !== null")
    reader.page.reload()
    ready(reader.page)


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_loaded_posts_stay_readable_offline_and_marks_are_sent_later(reader: Visitor) -> None:
    through_the_worker(reader)
    press(reader, "j", "Enter")
    expect(reader.page.locator("#post-title")).to_have_text("Post 1")
    path = f"/reader/posts/{Post.objects.get(entry__title='Post 1').pk}"
    is_true(reader, f"caches.match('{path}?part=post').then(Boolean)")
    reader.page.context.set_offline(True)
    expect(reader.page.locator("#offline-notice")).to_be_attached()
    reader.page.reload()
    ready(reader.page)
    expect(reader.page.locator("#post-title")).to_have_text("Post 1")
    press(reader, "Escape")
    expect(reader.page.locator("#offline-notice")).to_be_visible()
    expect(reader.page.locator("#unread")).to_have_text("5")
    press(reader, "Shift+G", "Enter")
    expect(reader.page.locator(".post-trouble")).to_contain_text("you are offline")
    assert read_titles() == set()
    reader.page.context.set_offline(False)
    eventually(reader, lambda: read_titles() == {"Post 1"}, "the mark was sent")


@pytest.mark.parametrize("visitor", ["desk"], indirect=True)
def test_signing_out_forgets_what_was_kept(reader: Visitor) -> None:
    through_the_worker(reader)
    press(reader, "j", "Enter")
    expect(reader.page.locator("#post-title")).to_have_text("Post 1")
    press(reader, "Escape")
    is_true(reader, "caches.has('reader-pages')")
    if is_column(reader):
        reader.page.get_by_label("Sources and categories").click()
    reader.page.get_by_role("button", name="Sign out").click()
    reader.page.wait_for_url("**/login/")
    assert reader.page.evaluate("caches.has('reader-pages')") is False
    reader.page.context.set_offline(True)
    with contextlib.suppress(PlaywrightError):  # no worker is left that could answer
        answer = reader.page.goto(f"{reader.address}/reader/")
        assert answer is None or answer.status == 503


@pytest.mark.parametrize("visitor", ["desk"], indirect=True)
def test_posts_of_one_reader_are_never_shown_to_the_next(reader: Visitor) -> None:
    through_the_worker(reader)
    bert = User.objects.create_user("bert")
    make_posts(make_source(bert, "Berts"), 1, first=70)
    reader.page.context.clear_cookies()  # the session ends without a sign-out
    sign_in(reader, bert)
    reader.open("/reader/")
    ready(reader.page)
    expect(titles(reader)).to_have_text(["Post 70"])
    anna_post = Post.objects.get(entry__title="Post 1").pk
    reader.page.context.set_offline(True)
    kept = reader.page.evaluate(
        """async (id) => {
            const store = await caches.open('reader-pages');
            const names = (await store.keys()).map((request) => request.url);
            const list = await (await store.match('/reader/')).text();
            return [names.some((name) => name.includes(`/posts/${id}`)), list.includes('Post 1<')];
        }""",
        anna_post,
    )
    assert kept == [False, False]


# --- without JavaScript ---------------------------------------------------------------------------------------------
@pytest.fixture
def plain(browser: Browser, anna: User, live_server: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{live_server.url}/reader/")
    page.fill("#id_username", "anna")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url("**/reader/")
    yield page
    context.close()


def test_reading_and_marking_work_without_javascript(plain: Page) -> None:
    plain.get_by_role("link", name="Post 1", exact=True).click()
    expect(plain.locator("#post-title")).to_have_text("Post 1")
    plain.get_by_role("button", name="Close").click()
    expect(plain.locator(".row-link")).to_have_text(["Post 2", "Post 3", "Post 4", "Post 5", "Post 50"])
    plain.get_by_role("button", name="Undo").click()
    expect(plain.locator(".row-link")).to_have_count(6)
    plain.get_by_label("Mark many as read").click()
    plain.get_by_role("button", name="All of them").click()
    expect(plain.locator("#status")).to_contain_text("All Posts Read!")
    plain.get_by_role("button", name="Undo").click()
    plain.get_by_role("link", name="Help and keys").click()
    expect(plain.locator("#help")).to_be_visible()
    plain.get_by_label("Search", exact=True).click()
    plain.fill("#search", "rain")
    plain.press("#search", "Enter")
    expect(plain.locator(".row-link")).to_have_text(["Post 50"])


def test_no_script_stands_in_the_files_of_the_page() -> None:
    folder = Path(__file__).resolve().parents[2] / "templates" / "reader"
    texts = {path.name: path.read_text() for path in folder.glob("*.html")}
    assert [name for name, text in texts.items() if re.search(r"\son\w+=|javascript:|hx-on|\sstyle=", text)] == []
