"""The longest list of the API: in every order, with every filter the right toots, found without a long search."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from events.models import Event, OptOut
from pipeline.api import results
from pipeline.models import Toot
from pipeline.tests.scored_event import add_toot

pytestmark = pytest.mark.django_db

TOOTS = "/api/v1/events/monsterdon-20260222/toots"
ORDERS = [f"{sign}{name}" for name in ("created_at", "boosts", "favourites", "replies") for sign in ("", "-")]


@pytest.fixture
def toots(make_event: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[Toot]:
    """Two dozen, mostly equal in their counts; so few are looked at in front that most pages need the second look."""
    settings.API_RATES = {"general": 10_000}
    monkeypatch.setattr(results, "_FRONT", 6)
    event = make_event()
    return [
        add_toot(
            event,
            number,
            author_handle=f"user{number % 4}@{'a' if number % 8 else 'b'}.example",
            boosts=max(0, number % 10 - 6),
            favourites=number % 3,
            replies=0,
            language="de" if number % 9 == 0 else "en",
            is_reply=number % 6 == 0,
        )
        for number in range(24)
    ]


def walk(caller: APIClient, link: str | None, way: str = "next") -> list[list[int]]:
    pages = []
    while link:
        answer = caller.get(link)
        assert answer.status_code == 200, answer.content
        body = answer.json()
        pages.append([row["id"] for row in body["data"]])
        link = body["links"][way]
    return pages


@pytest.mark.parametrize(
    ("order", "narrow"),
    [
        *((order, "") for order in ORDERS),
        ("-boosts", "language=de"),
        ("boosts", "is_reply=true"),
        ("-boosts", "min_boosts=2"),
        *((order, "author=user1%40a.example") for order in ("created_at", "-favourites")),
    ],
)
def test_every_order_holds_every_toot_once_forth_and_back(
    root: APIClient, toots: list[Toot], order: str, narrow: str
) -> None:
    name = order.lstrip("-")
    fitting = {
        "": toots,
        "language=de": [toot for toot in toots if toot.language == "de"],
        "is_reply=true": [toot for toot in toots if toot.is_reply],
        "author=user1%40a.example": [toot for toot in toots if toot.author_handle == "user1@a.example"],
        "min_boosts=2": [toot for toot in toots if toot.boosts >= 2],
    }[narrow]
    wanted = sorted(fitting, key=lambda toot: (getattr(toot, name), toot.pk), reverse=order.startswith("-"))
    first = f"{TOOTS}?per_page=3&ordering={order}&{narrow}"
    forth = walk(root, first)
    assert list(chain.from_iterable(forth)) == [toot.pk for toot in wanted]
    last = first
    while link := root.get(last).json()["links"]["next"]:
        last = link
    assert walk(root, last, "prev")[::-1] == forth


def test_strict_consent_asks_for_a_yes_that_no_copy_denies(root: APIClient, make_event: Any) -> None:
    event: Event = make_event(consent=Event.Consent.STRICT)
    yes = {"author_is_discoverable": True, "author_is_indexable": True}
    add_toot(event, 1, author_handle="open@a.example", **yes)
    add_toot(event, 2, author_handle="open@a.example")  # a copy that came without the profile
    add_toot(event, 3, author_handle="torn@a.example", **yes)
    add_toot(event, 4, author_handle="torn@a.example", author_is_discoverable=False, author_is_indexable=True)
    add_toot(event, 5, author_handle="silent@a.example")
    add_toot(event, 6, author_handle="half@a.example", author_is_discoverable=True)
    for order in ("", "?ordering=-boosts"):
        rows = root.get(f"{TOOTS}{order}").json()["data"]
        assert {row["author_handle"] for row in rows} == {"open@a.example"}
    lines = b"".join(root.get(f"{TOOTS}.jsonl")).splitlines()  # type: ignore[arg-type]
    assert [json.loads(line)["author"] for line in lines] == ["open@a.example"] * 2


def test_file_holds_nobody_whom_the_list_leaves_out(root: APIClient, toots: list[Toot]) -> None:
    Toot.objects.filter(pk=toots[0].pk).update(withdrawn="deleted")
    Toot.objects.filter(pk=toots[1].pk).update(author_wishes="nobot")  # user1@a.example, in all toots
    Toot.objects.filter(pk=toots[2].pk).update(author_handle="ÄDA@a.example")
    for target in ("b.example", "Äda@A.example", "other.example"):
        OptOut.objects.create(target=target)
    listed = {row["uri"] for row in root.get(TOOTS).json()["data"]}
    lines = b"".join(root.get(f"{TOOTS}.jsonl")).splitlines()  # type: ignore[arg-type]
    assert {json.loads(line)["uri"] for line in lines} == listed
    wanted = {toot.uri for toot in toots[3:] if toot.author_handle not in ("user1@a.example",)}
    assert listed == {uri for uri in wanted if "b.example" not in Toot.objects.get(uri=uri).author_handle}
    assert b"".join(root.get(f"{TOOTS}.jsonl?everyone=true")).count(b"\n") == 24  # type: ignore[arg-type]


def test_thousands_of_opt_outs_are_no_trouble(root: APIClient, toots: list[Toot]) -> None:
    OptOut.objects.bulk_create([OptOut(target=f"server{number}.example") for number in range(3000)])
    assert len(root.get(f"{TOOTS}?ordering=-boosts").json()["data"]) == 24


@pytest.mark.sqlite
def test_lists_are_found_by_an_index(root: APIClient, toots: list[Toot]) -> None:
    assert "toot_by_time" in plans(root, "")
    assert "toot_by_boosts (event_id=? AND boosts<?)" in plans(root, root.get(f"{TOOTS}?ordering=-boosts&per_page=1"))
    assert "toot_by_replies" in plans(root, "?ordering=replies")
    assert "toot_by_wishes (event_id=? AND author_handle=?)" in plans(root, "?author=user1%40a.example")
    for query in ("", "?ordering=-boosts", "?search=zebra", "?author=user1%40a.example"):
        assert "SCAN pipeline_toot" not in plans(root, query)
    assert "TEMP B-TREE" not in plans(root, "") + plans(root, "?ordering=-created_at&language=en")


def plans(caller: APIClient, query: Any) -> str:
    """How SQLite goes about the toots; ``query``: text, or the answer whose next page it is about."""
    path = f"{TOOTS}{query}" if isinstance(query, str) else query.json()["links"]["next"]
    with CaptureQueriesContext(connection) as captured:
        assert caller.get(path).status_code == 200
    asked = [query["sql"] for query in captured if 'FROM "pipeline_toot"' in query["sql"]]
    with connection.cursor() as cursor:
        return "\n".join(
            row[3] for sql in asked for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}", []).fetchall()
        )
