"""The reading page in a browser: by keyboard alone and by hand, on a phone and with panes side by side."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from feeds.models import Post, ReaderOptions, SavingService, Source
from feeds.tests.shelves import make_posts
from tests.browser.conftest import Visitor
from tests.browser.reading import (
    PASSWORD,
    current,
    eventually,
    is_column,
    is_true,
    make_anna,
    open_list,
    press,
    read_titles,
    ready,
    titles,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def anna(db: None) -> User:
    return make_anna()


@pytest.fixture
def reader(visitor: Visitor, anna: User) -> Visitor:
    return open_list(visitor, anna)


# --- by keyboard ----------------------------------------------------------------------------------------------------
def test_from_signing_in_to_undoing_by_keyboard_alone(visitor: Visitor, anna: User) -> None:
    reader = visitor
    reader.open("/reader/")
    reader.page.locator("#id_username").focus()
    reader.page.keyboard.type("anna")
    press(reader, "Tab")
    reader.page.keyboard.type(PASSWORD)
    press(reader, "Enter")
    ready(reader.page)
    expect(titles(reader)).to_have_count(6)
    press(reader, "j")
    expect(current(reader)).to_have_text("Post 1")
    press(reader, "j", "k", "j")
    expect(current(reader)).to_have_text("Post 2")
    press(reader, "e")
    expect(reader.page.locator("#unread")).to_have_text("5")
    expect(titles(reader)).to_have_count(5)
    press(reader, "g", "g", "Enter")
    expect(reader.page.locator("#post-title")).to_have_text("Post 1")
    expect(reader.page).to_have_url(re.compile(r"/reader/posts/\d+$"))
    press(reader, "Escape")
    expect(reader.page).to_have_url(re.compile("/reader/$"))
    expect(reader.page.locator("#unread")).to_have_text("4")
    eventually(reader, lambda: read_titles() == {"Post 1", "Post 2"}, "both are read")
    press(reader, "u")
    expect(titles(reader).first).to_have_text("Post 1")
    press(reader, "u")
    expect(reader.page.locator("#unread")).to_have_text("6")
    expect(reader.page.locator("#undo-form")).to_be_hidden()
    eventually(reader, lambda: read_titles() == set(), "both are unread again")
    press(reader, "Shift+G")
    expect(current(reader)).to_have_text("Post 50")
    press(reader, "Escape")
    expect(current(reader)).to_have_count(0)
    assert reader.complaints == []


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_fast_fingers_read_one_post_after_the_other(reader: Visitor) -> None:
    press(reader, "j", "Enter", "Escape", "Enter", "Escape", "Enter")
    expect(reader.page.locator("#post-title")).to_have_text("Post 3")
    expect(reader.page).to_have_url(re.compile(f"/posts/{Post.objects.get(entry__title='Post 3').pk}$"))
    eventually(reader, lambda: read_titles() == {"Post 1", "Post 2"}, "both are read")
    press(reader, "Escape")
    expect(titles(reader)).to_have_text(["Post 4", "Post 5", "Post 50"])
    expect(reader.page).to_have_url(re.compile("/reader/$"))


@pytest.mark.parametrize("visitor", ["desk"], indirect=True)
def test_keys_in_a_post_scroll_it_and_go_on_to_the_next(reader: Visitor) -> None:
    scrolled = "document.querySelector('.post-scroll').scrollTop"
    press(reader, "j", "o")
    expect(reader.page.locator("#post-title")).to_have_text("Post 1")
    press(reader, "j", "j", "k")
    assert reader.page.evaluate(scrolled) == 200
    press(reader, "d")
    assert reader.page.evaluate(scrolled) == 700
    press(reader, " ")
    is_true(reader, f"{scrolled} === 1100")
    press(reader, "Shift+G")
    assert reader.page.evaluate(scrolled) > 1100
    press(reader, "g", "g")
    assert reader.page.evaluate(scrolled) == 0
    press(reader, "n")
    expect(reader.page.locator("#post-title")).to_have_text("Post 2")
    eventually(reader, lambda: read_titles() == {"Post 1"}, "the post before is read")
    press(reader, "e")
    expect(reader.page.locator("#post")).to_have_count(0)
    assert reader.complaints == []


@pytest.mark.parametrize("visitor", ["desk"], indirect=True)
def test_keys_open_original_archive_search_and_numbered_links(reader: Visitor) -> None:
    opened: list[str] = []
    reader.page.context.route(re.compile("^https://"), lambda route: route.fulfill(body="elsewhere"))
    reader.page.context.on("page", lambda page: opened.append(page.url))
    url = Post.objects.get(entry__title="Post 1").entry.url
    press(reader, "j", "t", "Enter")
    expect(reader.page.locator("#post-title")).to_have_text("Post 1")
    press(reader, "o", "a", "f")
    expect(reader.page.locator(".link-number")).to_have_text(["1", "2"])
    press(reader, "2")
    expect(reader.page.locator(".link-number")).to_have_count(0)
    ReaderOptions.objects.create(user=Source.objects.all()[0].user, search_server="social.example")
    reader.page.reload()
    ready(reader.page)
    press(reader, "t")
    wanted = {
        f"https://twitter.com/search?q={url.replace(':', '%3A').replace('/', '%2F')}",
        url,
        f"https://archive.is/newest/{url}",
        "https://blog.example/two",
        f"https://social.example/search?q={url.replace(':', '%3A').replace('/', '%2F')}",
    }
    eventually(reader, lambda: {page.url for page in reader.page.context.pages[1:]} == wanted, "five tabs")


@pytest.mark.parametrize("visitor", ["desk"], indirect=True)
def test_keys_rest_in_fields_in_dialogs_and_with_modifiers(reader: Visitor) -> None:
    press(reader, "/")
    expect(reader.page.locator("#search")).to_be_focused()
    reader.page.keyboard.type("jeu?")
    expect(current(reader)).to_have_count(0)
    expect(reader.page.locator("#help")).to_be_hidden()
    expect(reader.page.locator("#search")).to_have_value("jeu?")
    press(reader, "Escape", "?")
    expect(reader.page.locator("#help")).to_be_visible()
    press(reader, "j", "Escape")
    expect(reader.page.locator("#help")).to_be_hidden()
    expect(current(reader)).to_have_count(0)
    press(reader, "Control+j", "Alt+e")
    expect(current(reader)).to_have_count(0)
    assert read_titles() == set()


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_search_finds_while_typing_and_can_be_reloaded(reader: Visitor) -> None:
    press(reader, "/")
    reader.page.keyboard.type("rain")
    expect(reader.page.locator("#list-title")).to_contain_text("rain")
    expect(titles(reader)).to_have_text(["Post 50"])
    expect(reader.page).to_have_url(re.compile(r"\?q=rain$"))
    reader.page.reload()
    ready(reader.page)
    expect(titles(reader)).to_have_text(["Post 50"])
    reader.page.get_by_label("Show posts of all sources").click()
    expect(titles(reader)).to_have_count(6)
    assert reader.complaints == []


# --- by hand --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_every_post_has_an_address_that_survives_reload_and_back(reader: Visitor) -> None:
    titles(reader).nth(1).click()
    expect(reader.page.locator("#post-title")).to_have_text("Post 2")
    reader.page.reload()
    ready(reader.page)
    expect(reader.page.locator("#post-title")).to_have_text("Post 2")
    assert read_titles() == set()
    reader.page.go_back()
    expect(reader.page.locator("#post")).to_have_count(0)
    reader.page.go_forward()
    expect(reader.page.locator("#post-title")).to_have_text("Post 2")
    reader.page.get_by_role("button", name="Close").click()
    eventually(reader, lambda: read_titles() == {"Post 2"}, "closing marks it as read")
    assert reader.complaints == []


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_list_narrows_to_a_source_and_is_marked_as_a_whole_and_back(reader: Visitor) -> None:
    reader.page.locator(".row-meta a", has_text="Frogs and Toads").first.click()
    ready(reader.page)
    expect(reader.page.locator("#list-title")).to_have_text("Posts by Frogs and Toads")
    expect(titles(reader)).to_have_count(5)
    reader.page.get_by_label("Mark many as read").click()
    reader.page.get_by_role("button", name="All of it").click()
    expect(reader.page.locator("#toasts")).to_contain_text("Marked 5 posts as read.")
    expect(reader.page.locator("#empty")).to_be_visible()
    expect(reader.page.locator("#unread")).to_have_text("1")
    reader.page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(titles(reader)).to_have_count(5)
    expect(reader.page.locator("#toasts").get_by_role("button", name="Undo")).to_have_count(0)
    assert read_titles() == set()
    assert reader.complaints == []


def test_last_post_read_leaves_a_calm_picture(reader: Visitor) -> None:
    for left in range(5, 0, -1):
        titles(reader).first.locator("xpath=ancestor::li").locator(".row-mark").click()
        expect(reader.page.locator("#unread")).to_have_text(str(left))
    titles(reader).first.locator("xpath=ancestor::li").locator(".row-mark").click()
    expect(reader.page.locator("#status")).to_contain_text("All Posts Read!")
    if is_column(reader):
        expect(reader.page.locator("#empty .calm")).to_be_visible()
    eventually(reader, lambda: len(read_titles()) == 6, "all are read")
    reader.page.reload()
    expect(reader.page.locator("#empty .calm")).to_be_visible()


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_long_lists_come_in_parts_as_one_scrolls(reader: Visitor) -> None:
    make_posts(Source.objects.get(name="Weather"), 130, first=100)
    reader.page.reload()
    ready(reader.page)
    assert reader.page.locator(".row").count() < 136
    for _ in range(12):
        press(reader, "Shift+G")
        reader.page.wait_for_timeout(100)
    expect(reader.page.locator(".row")).to_have_count(136)
    expect(reader.page.locator(".more")).to_have_count(0)
    assert reader.complaints == []


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_summary_and_explanation_come_into_the_post(reader: Visitor) -> None:
    press(reader, "j", "o")
    expect(reader.page.locator("#post-title")).to_have_text("Post 1")
    press(reader, "m")
    expect(reader.page.locator("#summary-box .summary-box")).to_contain_text("In short")
    expect(reader.page.locator("#summary-form")).to_have_class(re.compile("is-done"))
    explain = reader.page.get_by_role("button", name="Explain this quote")
    explain.click()
    place = reader.page.locator(".explanation-place")
    expect(place).to_contain_text("The frogs of the old pond")
    quote = reader.page.locator("blockquote")
    assert place.bounding_box()["y"] < quote.bounding_box()["y"]  # type: ignore[index]
    explain.click()
    expect(place).to_have_count(0)
    assert reader.complaints == []


@pytest.mark.parametrize("visitor", ["phone"], indirect=True)
def test_post_is_saved_for_later_and_copied_as_markdown(reader: Visitor) -> None:
    press(reader, "j", "o")
    expect(reader.page.locator("#post-title")).to_have_text("Post 1")
    press(reader, "s")
    expect(reader.page.locator("#toasts")).to_contain_text("Saving needs a service")
    anna = Source.objects.all()[0].user
    values = {"kind": "webhook", "name": "My hook", "url": "https://hook.example", "is_default": True}
    SavingService.objects.create(user=anna, created_at=timezone.now(), **values)
    reader.page.reload()
    ready(reader.page)
    press(reader, "s")
    expect(reader.page.locator("#toasts")).to_contain_text("On its way to My hook.")
    expect(reader.page.locator("#save-form")).to_contain_text("Saved")
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.page.locator("[data-copy]").click()
    expect(reader.page.locator("#toasts")).to_contain_text("Copied as Markdown.")
    assert "[one](https://blog.example/one)" in reader.page.evaluate("navigator.clipboard.readText()")
