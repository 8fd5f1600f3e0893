"""Crawls by real workers: two on one crawl, two crawls at the same servers, workers killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.cluster.house import House, wait_until
from tests.remote.fediverse import NOON, Fediverse, RemoteServer

DAY = 24 * 60


@pytest.fixture
def fediverse() -> Iterator[Fediverse]:
    """A home that names thirteen more servers; each shows its own toots of two days and some of the others'."""
    with Fediverse() as servers:
        for _ in range(14):
            servers.add(page_rows=6).latency_seconds = 0.1
        toots = [
            server.toot(100 * place + number + day, day + number + place / 20, favourites_count=number)
            for place, server in enumerate(servers.servers)
            for day in (0, DAY)
            for number in range(12)
        ]
        for place, server in enumerate(servers.servers):
            known = {status["uri"] for status in server.statuses}
            others = [toot for toot in toots if toot["uri"] not in known]
            server.show(*(others if place == 0 else others[place::9]), favourites_count=0)
        yield servers


@pytest.fixture
def ready(house: House, fediverse: Fediverse) -> House:
    house.environment |= {
        "MASTOSCORE_PRIVATE_HOSTS": ",".join(fediverse.private_hosts),
        "MASTOSCORE_FETCH_THREADS": "3",
        "MASTOSCORE_FETCH_HELPERS": "1",
        "MASTOSCORE_RETRY_PAUSES": "0.1,0.2",
    }
    make_event(house, fediverse, "first", 0)
    return house


def make_event(house: House, fediverse: Fediverse, slug: str, day: int) -> None:
    start = (NOON + timedelta(minutes=day)).isoformat()
    home = fediverse.servers[0].name
    house.ask(do="make_event", slug=slug, hashtag="monsterdon", start=start, home=home)


def expected_toots(fediverse: Fediverse, day: int) -> dict[str, list[Any]]:
    """Counts as the origin has them, and who showed each toot."""
    seen: dict[str, set[str]] = {}
    counts = {}
    for server in fediverse.servers:
        for status in server.statuses:
            if is_of_day(status, day):
                seen.setdefault(status["uri"], set()).add(server.name)
                if status["uri"].startswith(f"http://{server.name}/"):
                    counts[status["uri"]] = status["favourites_count"]
    return {uri: [counts[uri], True, sorted(servers)] for uri, servers in seen.items()}


def is_of_day(status: dict[str, Any], day: int) -> bool:
    return status["created_at"].startswith((NOON + timedelta(minutes=day)).date().isoformat())


def most_in_flight(fediverse: Fediverse) -> set[int]:
    return {server.most_in_flight for server in fediverse.servers}


def pages_asked_twice(server: RemoteServer) -> int:
    asked = [asked.query.get("max_id") for asked in server.pages_asked]
    return len(asked) - len(set(asked))


def test_two_workers_share_one_crawl_with_the_result_of_one(ready: House, fediverse: Fediverse) -> None:
    ready.start_worker()

    job = ready.wait_for(ready.enqueue("fetch", slug="first"), "complete")

    [helper] = ready.ask(do="jobs", kind="fetch_help")
    wait_until(lambda: ready.job(helper["id"])["status"] == "complete", "the end of the helper")
    assert ready.job(helper["id"])["result"]["servers"] >= 2
    assert ready.ask(do="toots", slug="first") == expected_toots(fediverse, 0)
    assert {outcome for outcome, _ in ready.ask(do="visits", slug="first").values()} == {"complete"}
    assert (job["result"]["toots"], job["result"]["servers"]) == (14 * 12, 14)
    assert most_in_flight(fediverse) == {1}
    assert [pages_asked_twice(server) for server in fediverse.servers] == [0] * 14


def test_crawls_of_two_events_never_ask_one_server_at_the_same_time(ready: House, fediverse: Fediverse) -> None:
    make_event(ready, fediverse, "second", DAY)
    ready.start_worker()

    first, second = ready.enqueue("fetch", slug="first"), ready.enqueue("fetch", slug="second")
    wait_until(lambda: {ready.job(job)["status"] for job in (first, second)} == {"running"}, "both at work")
    ready.wait_for(first, "complete")
    ready.wait_for(second, "complete")

    assert most_in_flight(fediverse) == {1}
    assert ready.ask(do="toots", slug="first") == expected_toots(fediverse, 0)
    assert ready.ask(do="toots", slug="second") == expected_toots(fediverse, DAY)


def test_crawl_survives_the_kill_of_all_its_workers(ready: House, fediverse: Fediverse) -> None:
    job = ready.enqueue("fetch", slug="first")
    for pages in (8, 40):
        ready.start("worker")
        wait_until(lambda wanted=pages: sum(len(s.pages_asked) for s in fediverse.servers) >= wanted, "some pages")
        ready.kill_everything()
    ready.start("worker")
    ready.wait_for(job, "complete")

    assert ready.ask(do="toots", slug="first") == expected_toots(fediverse, 0)
    assert all(pages_asked_twice(server) <= 2 for server in fediverse.servers)
