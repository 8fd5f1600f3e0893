"""The API in a browser: start page, forms, documentation, tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, expect

from events.models import Event
from jobs.models import Job
from mastoscore_site.models import ApiToken
from mastoscore_site.tests.conftest import make_user as make_user
from mastoscore_site.tokens import find_token
from pipeline.tests.scored_event import make_scored
from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Check = Callable[[str], None]
MakeUser = Callable[..., User]


@pytest.fixture
def scored(make_event: Any) -> Event:
    return make_scored(make_event())


@pytest.fixture
def host(visitor: Visitor, db: None) -> Visitor:
    User.objects.create_superuser("host", password="a password for tests")
    visitor.sign_in("host", "a password for tests")
    return visitor


def test_api_opens_from_its_start_page(host: Visitor, check: Check) -> None:
    check("/api/v1")
    host.page.click("pre.api-body a[href$='/me']")
    expect(host.page.locator("h1")).to_have_text("Me")
    expect(host.page.locator(".api-status")).to_have_text("200 OK")
    check("/api/v1/me")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_an_event_fit_the_screen_and_ask_for_what_they_take(
    host: Visitor, check: Check, scored: Event, scheme: Literal["light", "dark"]
) -> None:
    host.page.emulate_media(color_scheme=scheme)
    address = f"/api/v1/events/{scored.slug}"
    for part in ("", "/toots?ordering=-boosts", "/servers", "/artifacts", "/analysis", "/graph", "/thread"):
        check(f"{address}{part}")
    host.page.goto(f"{host.address}{address}/fetch")
    form = host.page.locator("section.api-form form")
    expect(host.page.locator("text=There is nothing to read at this address")).to_be_visible()
    form.locator("[name=mock]").check()
    form.locator("[name=mode]").select_option("quick")
    form.locator("button").click()
    expect(host.page.locator(".api-status")).to_have_text("202 Accepted")
    job = Job.objects.get()
    assert (job.kind, job.params) == ("fetch", {"mock": True, "mode": "quick"})
    assert not host.is_too_wide()
    assert [text for text in host.complaints if "status of 405" not in text] == []


def test_who_may_look_sees_no_forms(visitor: Visitor, check: Check, make_user: MakeUser, scored: Event) -> None:
    make_user("viewer", "events.view_event", password="a password for tests", is_staff=True)
    visitor.sign_in("viewer", "a password for tests")
    for path in ("/api/v1/events", f"/api/v1/events/{scored.slug}", f"/api/v1/events/{scored.slug}/graph"):
        check(path)
        expect(visitor.page.locator(".api-form form[method=post]")).to_have_count(0)


def test_documentation_lists_calls_and_tries_them(host: Visitor, check: Check) -> None:
    check("/api/docs#/about/me")  # this leads to a call and opens it, unless those above it are drawn too slowly
    call = scroll_to(host, "#operations-about-me")
    if not call.locator("button.try-out__btn").count():
        call.locator(".opblock-summary-control").first.click()
    call.locator("button.try-out__btn").click()
    call.locator("button.execute").click()
    expect(call.locator(".live-responses-table .response-col_status").last).to_have_text("200")
    assert host.complaints == []


def scroll_to(host: Visitor, selector: str) -> Locator:
    """As a person looks for a call: of so many only those in view are drawn."""
    found = host.page.locator(selector)
    expect(host.page.locator(".opblock").first).to_be_visible()
    for screen in range(200):
        if found.count():
            break
        host.page.evaluate("place => scrollTo(0, place % document.documentElement.scrollHeight)", screen * 500)
        host.page.wait_for_timeout(150)
    found.scroll_into_view_if_needed()
    return found


def test_token_is_made_shown_and_revoked(host: Visitor, check: Check) -> None:
    check("/tokens/")
    host.page.fill("#id_name", "my script")
    host.page.check("text=run: change events")
    host.page.click("text=Make the token")
    text = host.page.locator("#token-text").input_value()
    token = find_token(text)
    assert token is not None
    assert token.scopes == "read run"
    assert not host.is_too_wide()
    host.page.click("button:has-text('Revoke')")
    expect(host.page.locator(".api-note")).to_contain_text("does not work any more")
    assert not ApiToken.objects.filter(revoked_at__isnull=True).exists()
    assert host.complaints == []
