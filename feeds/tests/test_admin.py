from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feeds.models import Article, Entry, Feed
from feeds.saving import create_service
from jobs.models import Job
from tests.remote.feed_host import FeedHost, Page, posts

from .conftest import NOW
from .making import ask_all, subscribe

pytestmark = pytest.mark.django_db


@pytest.fixture
def backstage() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("host"))
    return client


def test_feeds_are_listed_with_their_health_the_worst_first(anna: Any, host: FeedHost, backstage: Client) -> None:
    host.pages["/good"] = Page(posts(1, title="Good blog"))
    subscribe(anna, host.url("/good"))
    subscribe(anna, host.url("/bad"))
    ask_all()
    page = backstage.get(reverse("admin:feeds_feed_changelist")).content.decode()
    assert "Issues detected" in page
    assert "Working normally" in page
    assert page.index(host.url("/bad")) < page.index("Good blog")
    feed = Feed.objects.get(url=host.url("/bad"))
    page = backstage.get(reverse("admin:feeds_feed_change", args=[feed.pk])).content.decode()
    assert "There is no feed at this address (404)." in page
    for model in ("source", "category", "mute", "readeroptions", "savingservice", "article", "summaryspending"):
        assert backstage.get(reverse(f"admin:feeds_{model}_changelist")).status_code == 200


def test_the_list_costs_the_same_for_ten_feeds_as_for_two(anna: Any, host: FeedHost, backstage: Client) -> None:
    counts = []
    for number in range(10):
        subscribe(anna, host.url(f"/{number}"))
        if number in (1, 9):
            with CaptureQueriesContext(connection) as queries:
                backstage.get(reverse("admin:feeds_feed_changelist"))
                backstage.get(reverse("admin:feeds_source_changelist"))
            counts.append(len(queries))
    assert counts[0] == counts[1]


def test_refresh_now_queues_a_job_per_feed(anna: Any, host: FeedHost, backstage: Client) -> None:
    source = subscribe(anna, host.url())
    data = {"action": "refresh_now", "_selected_action": [source.feed_id]}
    page = backstage.post(reverse("admin:feeds_feed_changelist"), data, follow=True).content.decode()
    assert "1 feeds will be asked" in page
    assert Job.objects.get().params == {"feed_id": source.feed_id}


def test_saving_services_and_full_texts_are_shown_without_secrets_and_addresses(
    anna: Any, host: FeedHost, backstage: Client
) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url())
    ask_all()
    article = Article.objects.create(entry=Entry.objects.get(), tried_at=NOW, last_error="No article.", failures=3)
    service = create_service(
        anna, kind="linkding", url=host.url("/shelf"), credentials={"token": "hush"}, name="Shelf of Anna"
    )
    for path, word in (
        (reverse("admin:feeds_savingservice_changelist"), "Shelf of Anna"),
        (reverse("admin:feeds_savingservice_change", args=[service.pk]), "Shelf of Anna"),
        (reverse("admin:feeds_article_changelist"), "No article."),
        (reverse("admin:feeds_article_change", args=[article.pk]), "No article."),
    ):
        page = backstage.get(path).content.decode()
        assert word in page
        assert "hush" not in page
        assert host.url("/shelf") not in page
