"""The page of a thread in a browser: written, changed, approved, watched going out, deleted; on a phone as well."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django.db
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from common.files import write_bytes
from events.models import Event, Series
from jobs.models import Job
from jobs.runner import run_job
from pipeline import paths
from pipeline.artifacts import remember_file
from pipeline.tests.thread_help import prepare
from tests.browser.conftest import Visitor
from tests.remote.posting import PostingServer
from tests.remote.tmdb import poster_image

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server() -> Iterator[PostingServer]:
    with PostingServer() as running:
        yield running


@pytest.fixture
def event(make_event: Any, server: PostingServer, settings: Any) -> Event:
    event = prepare(make_event, server, settings)
    event.crawls.update(is_mock=True)  # nothing is looked up at origins that do not exist
    for kind, path in (("graph", paths.graph(event)), ("wordcloud", paths.wordcloud(event))):
        remember_file(event, kind, write_bytes(path, poster_image("PNG", (1200, 675))), description=f"The {kind}.")
    return event


@pytest.fixture
def host(visitor: Visitor, db: None) -> Visitor:
    User.objects.create_superuser("host", password="a password for tests")
    visitor.sign_in("host", "a password for tests")
    visitor.page.on("dialog", lambda dialog: dialog.accept())
    return visitor


@contextmanager
def worker() -> Iterator[None]:
    """A worker in a thread, as the queue would have one."""
    ending = threading.Event()

    def work() -> None:
        try:
            while not ending.wait(0.05):
                for pk in Job.objects.filter(status="queued").values_list("pk", flat=True):
                    run_job(pk)
        finally:
            django.db.connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def test_thread_is_written_changed_approved_sent_and_deleted(
    host: Visitor, event: Event, server: PostingServer
) -> None:
    page = host.page
    server.hook = lambda asked, when: bool(time.sleep(0.15 if asked.kind == "publish" else 0))  # to be watched
    host.open(f"/admin/event/{event.pk}/thread/")
    panel = page.locator("#ms-thread")
    expect(panel).to_contain_text("no draft yet")
    with worker():
        panel.get_by_role("button", name="Make a draft").click()
        expect(panel.locator(".ms-toot")).to_have_count(7, timeout=30_000)
        assert not host.is_too_wide()

        boosts = panel.locator(".ms-toot", has_text="Most boosted")
        boosts.get_by_role("button", name="Edit").click()
        box = panel.get_by_label("Text", exact=True)
        box.fill("x" * 501)
        expect(panel.locator("output")).to_have_text("501 of 500 characters")
        panel.get_by_role("button", name="Save").click()
        expect(panel.get_by_role("alert")).to_contain_text("Toot 3 has 501 characters")
        box.fill("My own words, https://origin.example/@u/8")
        panel.get_by_role("button", name="Save").click()
        expect(panel).to_contain_text("My own words")
        expect(panel).to_contain_text("your words")

        panel.get_by_role("button", name="Move toot 3 up").click()
        expect(panel.locator(".ms-toot").nth(1)).to_contain_text("My own words")
        panel.locator(".ms-toot").nth(6).get_by_role("button", name="Drop").click()
        expect(panel.locator(".ms-toot")).to_have_count(6)

        panel.get_by_role("button", name="Approve").click()
        expect(panel.locator(".ms-badge")).to_have_text("approved")
        expect(panel.get_by_role("button", name="Edit")).to_have_count(0)
        panel.get_by_role("button", name="Send").click()
        expect(panel.locator(".ms-job")).to_contain_text("Sending")
        expect(panel.locator(".ms-chip-sent").first).to_be_visible(timeout=20_000)
        expect(panel.locator(".ms-badge")).to_have_text("posted", timeout=30_000)
        assert [text.split("\n")[0] for text in server.thread()][1] == "My own words, https://origin.example/@u/8"
        expect(panel.get_by_role("link", name="Open")).to_have_count(6)
        assert not host.is_too_wide()

        panel.get_by_role("button", name="Delete thread").click()
        expect(panel.locator(".ms-badge")).to_have_text("deleted", timeout=30_000)
    assert server.statuses == {}
    assert host.complaints == []


def test_texts_are_tried_while_they_are_written(host: Visitor, event: Event) -> None:
    page = host.page
    host.open(f"/admin/event/{event.pk}/thread/texts/")
    tried = page.locator("#ms-tried")
    expect(tried).to_contain_text("Most boosted")
    page.locator("#id_thread_heading").fill("Top of {{ ranking|lower }}")
    expect(tried).to_contain_text("Top of most boosted")
    page.locator("#id_thread_heading").fill("{{ event.delete }}")
    expect(tried).to_contain_text("There is no value called “event.delete”")
    page.locator("#id_thread_heading").fill("Top of {{ ranking|lower }}")
    assert not host.is_too_wide()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile("/thread/$"))
    event.refresh_from_db()
    assert event.thread_heading == "Top of {{ ranking|lower }}"
    assert host.complaints == []


def test_texts_of_a_series_are_tried_as_well(host: Visitor) -> None:
    series = Series.objects.create(title="Jellynight", slug="jellynight", hashtag="jelly")
    page = host.page
    host.open(f"/admin/events/series/{series.pk}/change/")
    page.get_by_role("link", name="Texts, with a preview").click()
    tried = page.locator("#ms-tried")
    expect(tried).to_contain_text("With made-up numbers.")
    page.locator("#id_thread_closing").fill("Bye, {{ people }} people of {{ event }}")
    expect(tried).to_contain_text("Bye, 231 people of Jellynight")
    assert not host.is_too_wide()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(f"/events/series/{series.pk}/change/$"))
    series.refresh_from_db()
    assert series.thread_closing == "Bye, {{ people }} people of {{ event }}"
    assert host.complaints == []
