from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from common.api.paging import LargePages, NumberedPages
from events.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.urls("mastoscore_site.tests.api_urls")]
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def events(make_event: Any, settings: Any) -> list[Event]:
    """Twelve events; many share their top_n, two their start."""
    settings.API_RATES = {"general": 1000}
    return [
        make_event(
            slug=f"event-{number:02}",
            hashtag=f"tag{number}",
            start=START + timedelta(days=max(number, 1)),
            top_n=1 + number // 5,
        )
        for number in range(12)
    ]


def slugs(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["slug"] for row in answer.json()["data"]]


# --- numbered -------------------------------------------------------------------------------------------------------
def test_page_has_one_envelope(root: APIClient, events: list[Event]) -> None:
    body = root.get("/api/v1/things?per_page=5&page=2&search=x").json()
    assert set(body) == {"data", "links", "meta"}
    assert body["meta"] == {"current_page": 2, "from": 6, "last_page": 3, "per_page": 5, "to": 10, "total": 12}
    links = {name: parse_qs(urlsplit(link).query) for name, link in body["links"].items()}
    assert {name: query["page"] for name, query in links.items()} == {
        "first": ["1"],
        "last": ["3"],
        "prev": ["1"],
        "next": ["3"],
    }
    assert all(query["search"] == ["x"] and query["per_page"] == ["5"] for query in links.values())


def test_pages_hold_everything_once(root: APIClient, events: list[Event]) -> None:
    found, link = [], "/api/v1/things?per_page=5"
    while link:
        answer = root.get(link)
        found += slugs(answer)
        link = answer.json()["links"]["next"]
    assert sorted(found) == [event.slug for event in events]


def test_empty_list_is_one_empty_page(root: APIClient) -> None:
    body = root.get("/api/v1/things").json()
    assert body["data"] == []
    assert body["meta"] == {"current_page": 1, "from": None, "last_page": 1, "per_page": 50, "to": None, "total": 0}
    assert (body["links"]["prev"], body["links"]["next"]) == (None, None)


@pytest.mark.parametrize("page", ["4", "999999999999999999"])
def test_page_beyond_the_last_is_empty(page: str, root: APIClient, events: list[Event]) -> None:
    body = root.get(f"/api/v1/things?per_page=5&page={page}").json()
    assert body["data"] == []
    assert body["meta"]["total"] == 12
    assert "?page=3&" in body["links"]["prev"]


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "1e3", "²", "9" * 30, "1 2"])
@pytest.mark.parametrize("name", ["page", "per_page"])
def test_number_that_makes_no_sense_is_422(name: str, text: str, root: APIClient, events: list[Event]) -> None:
    for path in ("things", "rows") if name == "per_page" else ("things",):
        answer = root.get(f"/api/v1/{path}?{name}={quote(text)}")
        assert answer.status_code == 422
        assert answer.json()["errors"] == {name: ["This must be a whole number above zero."]}


def test_size_of_a_page_is_bounded(root: APIClient, events: list[Event]) -> None:
    assert root.get("/api/v1/things?per_page=100000").json()["meta"]["per_page"] == NumberedPages.max_page_size
    assert root.get("/api/v1/rows?per_page=100000").json()["meta"]["per_page"] == 1000
    assert root.get("/api/v1/things?per_page=").json()["meta"]["per_page"] == 50
    assert LargePages.page_size == LargePages.max_page_size == 500


def test_list_costs_the_same_however_long_it_is(root: APIClient, events: list[Event]) -> None:
    counts = []
    root.get("/api/v1/things")  # the first call opens the window of its allowance
    for size in (2, 10):
        with CaptureQueriesContext(connection) as seen:
            assert len(slugs(root.get(f"/api/v1/things?per_page={size}"))) == size
        counts.append(len(seen))
    assert counts[0] == counts[1]


# --- by cursor ------------------------------------------------------------------------------------------------------
def walk(client: APIClient, link: str | None, direction: str) -> list[list[str]]:
    pages = []
    while link:
        answer = client.get(link)
        pages.append(slugs(answer))
        link = answer.json()["links"][direction]
        assert len(pages) < 30
    return pages


@pytest.mark.parametrize("order", ["start", "-start", "top_n", "-top_n", "slug", "-slug", "id", ""])
@pytest.mark.parametrize("size", [1, 5, 50])
def test_cursor_walks_forth_and_back_over_everything_once(
    order: str, size: int, root: APIClient, events: list[Event]
) -> None:
    first = f"/api/v1/rows?per_page={size}&ordering={order}"
    forth = walk(root, first, "next")
    assert sorted(chain.from_iterable(forth)) == [event.slug for event in events]
    assert [len(page) for page in forth[:-1]] == [size] * (len(forth) - 1)
    last = first
    while link := root.get(last).json()["links"]["next"]:
        last = link
    back = walk(root, last, "prev")
    assert back[::-1] == forth


def test_cursor_does_not_skip_when_rows_come_and_go(root: APIClient, events: list[Event], make_event: Any) -> None:
    page = root.get("/api/v1/rows?per_page=4&ordering=-start").json()
    make_event(slug="newest", hashtag="newest", start=START + timedelta(days=400))
    Event.objects.filter(slug=page["data"][-1]["slug"]).delete()
    assert slugs(root.get(page["links"]["next"])) == ["event-07", "event-06", "event-05", "event-04"]


def test_cursor_to_rows_that_are_gone_leads_back(root: APIClient, events: list[Event]) -> None:
    link = root.get("/api/v1/rows?per_page=4").json()["links"]["next"]
    Event.objects.all().delete()
    body = root.get(link).json()
    assert body["data"] == []
    assert body["links"]["next"] is None
    assert "cursor" not in body["links"]["prev"]


def test_cursor_counts_nothing_and_skips_nothing(root: APIClient, events: list[Event]) -> None:
    link = root.get("/api/v1/rows?per_page=4&ordering=top_n").json()["links"]["next"]
    with CaptureQueriesContext(connection) as seen:
        root.get(link)
    sql = [query["sql"] for query in seen if "events_event" in query["sql"]]
    assert len(sql) == 1
    assert "COUNT(" not in sql[0]
    assert "OFFSET" not in sql[0]


def cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "é",
        "%00",
        "AAAA",
        "=" * 5,
        cursor(None),
        cursor({}),
        cursor(["n", "2026-01-01T00:00:00+00:00"]),
        cursor(["x", "2026-01-01T00:00:00+00:00", 1]),
        cursor(["n", "yesterday", 1]),
        cursor(["n", 5, 1]),
        cursor(["n", "2026-01-01T00:00:00+00:00", "1"]),
        cursor(["n", "2026-01-01T00:00:00+00:00", -1]),
        cursor(["n", "2026-01-01T00:00:00+00:00", True]),
        cursor(["n", "2026-01-01T00:00:00+00:00", 2**70]),
        cursor(["n", "9" * 5000, 1]),
        cursor(["n", "\0", 1]),
        cursor(["n", "\ud800", 1]),
        "W1tb" * 20_000,
    ],
    ids=lambda text: text[:30],
)
@pytest.mark.parametrize("order", ["start", "top_n"])
def test_cursor_of_somebodys_own_making_is_422(order: str, text: str, root: APIClient, events: list[Event]) -> None:
    answer = root.get("/api/v1/rows", {"ordering": order, "cursor": text})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["cursor"]


def test_number_in_a_cursor_that_no_column_holds_finds_nothing_or_everything(
    root: APIClient, events: list[Event]
) -> None:
    for number in (10**17, -(10**17), 2**63 - 1):
        answer = root.get("/api/v1/rows", {"ordering": "top_n", "cursor": cursor(["n", str(number), 1])})
        assert answer.status_code == 200


def test_browser_gets_links_to_the_pages(make_user: Callable[..., User], events: list[Event]) -> None:
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    for path in ("/api/v1/things?per_page=5&page=2", "/api/v1/rows?per_page=5"):
        page = client.get(path, headers={"Accept": "text/html"}).content.decode()
        assert 'rel="next"' in page
