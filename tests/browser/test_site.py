"""The pages in a browser: nothing in the console, nothing wider than the screen, the live parts alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from events.models import Event
from jobs.models import Job
from pipeline.tests.scored_event import add_toot, analyse, make_scored
from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Check = Callable[[str], None]


@pytest.fixture
def scored(make_event: Any) -> Event:
    event = make_scored(make_event(is_published=True))
    long_name = "A name " + "thatneverends" * 20
    add_toot(event, 90, author_name=long_name, text="x" * 400, author_handle=f"{'u' * 200}@long.example")
    add_toot(event, 91, spoiler_text="Ending", text="مرحبا", author_name="محمد")
    analyse(event)
    return Event.objects.get(pk=event.pk)


@pytest.fixture
def host(visitor: Visitor, db: None) -> Visitor:
    User.objects.create_superuser("host", password="a password for tests")
    visitor.sign_in("host", "a password for tests")
    return visitor


def test_home_and_event_and_servers_open_without_complaints(visitor: Visitor, scored: Event, check: Check) -> None:
    check("/")
    visitor.page.click(f"text={scored.episode_title}")
    visitor.page.wait_for_url(f"**/events/{scored.slug}/")
    check(f"/events/{scored.slug}/")
    expect(visitor.page.locator("h1")).to_have_text(scored.episode_title)
    check(f"/events/{scored.slug}/servers/")


def test_empty_home_leads_backstage(visitor: Visitor, db: None, check: Check) -> None:
    check("/")
    visitor.page.click("text=Go backstage >> nth=-1")
    visitor.page.wait_for_url("**/admin/login/**")


def test_content_warning_opens_by_keyboard(visitor: Visitor, scored: Event, check: Check) -> None:
    check(f"/events/{scored.slug}/")
    warning = visitor.page.locator("details", has_text="Ending")
    hidden = warning.locator("blockquote")
    expect(hidden).to_be_hidden()
    warning.locator("summary").focus()
    visitor.page.keyboard.press("Enter")
    expect(hidden).to_be_visible()


def test_first_tab_stop_skips_to_the_content(visitor: Visitor, scored: Event, check: Check) -> None:
    check(f"/events/{scored.slug}/")
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.locator(".skip")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("main")).to_be_focused()


def test_login_opens_without_complaints(visitor: Visitor, db: None, check: Check) -> None:
    check("/admin/login/")


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/events/event/",
        "/admin/jobs/job/",
        "/admin/pipeline/visit/",
        "/admin/pipeline/toot/",
        "/admin/pipeline/artifact/",
    ],
)
def test_backstage_lists_open_without_complaints(host: Visitor, scored: Event, check: Check, path: str) -> None:
    Job.objects.create(kind="score", event=scored, status="complete", finished_at=timezone.now())
    check(path)


def test_events_page_opens_without_complaints(host: Visitor, scored: Event, check: Check) -> None:
    check(f"/admin/events/event/{scored.pk}/change/")
    expect(host.page.locator(".ms-step")).to_have_count(7)
    expect(host.page.get_by_role("button", name="Score now")).to_be_visible()


def test_panel_follows_its_job_by_itself_to_the_end(host: Visitor, scored: Event, check: Check) -> None:
    job = Job.objects.create(
        kind="fetch", event=scored, status="running", heartbeat_at=timezone.now(), progress={"progress_percent": 10}
    )
    host.open(f"/admin/events/event/{scored.pk}/change/")
    progress = host.page.locator("#ms-phases progress")
    expect(progress).to_have_attribute("value", "10")
    Job.objects.filter(pk=job.pk).update(progress={"progress_percent": 70})
    expect(progress).to_have_attribute("value", "70", timeout=20_000)
    Job.objects.filter(pk=job.pk).update(status="complete", finished_at=timezone.now())
    expect(host.page.locator("#ms-phases")).to_contain_text("fetch is done", timeout=20_000)
    expect(host.page.locator("#ms-phases")).not_to_have_attribute("hx-trigger", "every 2s")
    assert host.complaints == []


def test_cancel_in_the_panel_asks_the_job_to_stop(host: Visitor, scored: Event) -> None:
    job = Job.objects.create(kind="fetch", event=scored, status="running", heartbeat_at=timezone.now())
    host.open(f"/admin/events/event/{scored.pk}/change/")
    host.page.locator("#ms-phases").get_by_role("button", name="Cancel").click()
    expect(host.page.locator("#ms-phases")).to_contain_text("is being stopped")
    job.refresh_from_db()
    assert job.cancel_requested_at is not None
    assert host.complaints == []
