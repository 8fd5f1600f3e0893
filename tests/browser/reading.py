"""What tests of the reading page share: a reader with posts, and words for what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from feeds.metrics import CRAWL_BEAT
from feeds.models import Post
from feeds.tests.shelves import make_posts, make_source
from jobs.models import Beat
from tests.browser.conftest import Visitor

PASSWORD = "a password for tests"
SENTENCE = "The frogs of the old pond sing every night until the dawn comes up. "
CONTENT = (
    "<p>Read <a href='https://blog.example/one' target='_blank'>one</a> and "
    "<a href='https://blog.example/two' target='_blank'>two</a>.</p>"
    f"<blockquote><p>{SENTENCE * 8}</p></blockquote>"
    f"<pre><code>{'a very long line of code ' * 20}</code></pre>"
    f"<table><tr>{'<td>acellwithoutanybreak</td>' * 12}</tr></table>"
    f"{('<p>' + SENTENCE * 6 + '</p>') * 8}"
)


def make_anna() -> User:
    """Five posts about frogs, all of them long, and one about the weather."""
    anna = User.objects.create_user("anna", password=PASSWORD)
    Beat.objects.create(name=CRAWL_BEAT, at=timezone.now())
    source = make_source(anna, "Frogs and Toads")
    make_posts(source, 5, content=CONTENT, text=SENTENCE)
    make_posts(make_source(anna, "Weather", category="Sky"), 1, first=50, text="rain tomorrow")
    return anna


def open_list(visitor: Visitor, user: User) -> Visitor:
    """Signed in, with the list open."""
    sign_in(visitor, user)
    visitor.open("/reader/")
    ready(visitor.page)
    return visitor


def sign_in(visitor: Visitor, user: User) -> None:
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    visitor.page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": visitor.address}])


def ready(page: Page) -> None:
    page.wait_for_selector("html.is-ready")


def press(visitor: Visitor, *keys: str) -> None:
    for key in keys:
        visitor.page.keyboard.press(key)


def titles(visitor: Visitor) -> Any:
    return visitor.page.locator(".row:not(.is-read) .row-link")


def current(visitor: Visitor) -> Any:
    return visitor.page.locator(".row.is-current .row-link")


def is_column(visitor: Visitor) -> bool:
    return bool(visitor.page.evaluate("innerWidth < 1000"))


def is_true(visitor: Visitor, expression: str) -> None:
    """Wait for it; Playwright's own way needs eval, which the page forbids."""
    eventually(visitor, lambda: bool(visitor.page.evaluate(expression)), expression)


def eventually(visitor: Visitor, check: Callable[[], bool], what: str) -> None:
    for _ in range(100):
        if check():
            return
        visitor.page.wait_for_timeout(50)
    pytest.fail(what)


def read_titles() -> set[str]:
    return set(Post.objects.filter(is_read=True).values_list("entry__title", flat=True))
