"""The API in a browser: start page, forms, documentation, tokens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from mastoscore_site.models import ApiToken
from mastoscore_site.tokens import find_token
from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Check = Callable[[str], None]


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


def test_documentation_lists_calls_and_tries_them(host: Visitor, check: Check) -> None:
    check("/api/docs")
    call = host.page.locator("#operations-about-me")
    call.locator("button.opblock-summary-control").click()
    call.locator("button.try-out__btn").click()
    call.locator("button.execute").click()
    expect(call.locator(".live-responses-table .response-col_status").last).to_have_text("200")
    assert host.complaints == []


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
