"""Stopped, cancelled, killed: a fetch goes on where it stood, and what comes out is the same."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.times import now_utc
from jobs.context import Control, JobCancelled, JobLost, JobReleased, JobStopped, StopReason
from jobs.models import Job, ServerTurn
from pipeline.crawl import coordinator, frontier
from pipeline.crawl.runs import open_crawl
from pipeline.models import Crawl, Visit
from pipeline.phases import fetch
from pipeline.tests.fetch_help import allow, event_at_noon, make_context, picture, run_fetch
from tests.remote.fediverse import Asked, Fediverse, RemoteServer, Reply

pytestmark = pytest.mark.django_db

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def fediverse(settings: Any) -> Iterator[Fediverse]:
    """A home and four more servers with forty toots each, seen everywhere, on pages of nine."""
    with Fediverse() as servers:
        for _ in range(5):
            servers.add(page_rows=9)
        toots = [
            server.toot(100 * place + number, number + place / 10, favourites_count=number)
            for place, server in enumerate(servers.servers)
            for number in range(40)
        ]
        for server in servers.servers:
            known = {status["uri"] for status in server.statuses}
            server.show(
                *(toot for toot in toots if toot["uri"] not in known and int(toot["id"]) % 3), favourites_count=1
            )
        allow(settings, servers)
        yield servers


@pytest.fixture
def event(make_event: Any, fediverse: Fediverse) -> Any:
    return event_at_noon(make_event, fediverse.servers[0])


def forget(event: Any, fediverse: Fediverse) -> None:
    event.crawls.all().delete()
    event.toots.all().delete()
    for server in fediverse.servers:
        server.asked.clear()


def stop_at(fediverse: Fediverse, number: int, control: Control, reason: StopReason) -> None:
    """The job is told to stop while the ``number``-th timeline request of the whole crawl is being answered."""
    seen = Counter[str]()

    def script(asked: Asked) -> Reply | None:
        seen["requests"] += 1
        if seen["requests"] == number:
            control.stop(reason)
        return None

    for server in fediverse.servers:
        server.script = script


def pages_asked_twice(server: RemoteServer) -> int:
    pages = Counter(asked.query.get("max_id") for asked in server.pages_asked)
    return sum(count - 1 for count in pages.values())


@pytest.mark.parametrize("number", [1, 2, 7, 23, 60])
@pytest.mark.parametrize("reason", [StopReason.RELEASE, StopReason.LOST])
def test_stopped_fetch_resumes_at_its_cursors_with_the_same_result(
    fediverse: Fediverse, event: Any, number: int, reason: StopReason
) -> None:
    undisturbed = run_fetch(event)
    expected = picture(event)
    forget(event, fediverse)
    control = Control()
    stop_at(fediverse, number, control, reason)

    with pytest.raises(JobStopped) as stopped:
        fetch.run(make_context(event, control=control))
    assert stopped.type in (JobReleased, JobLost)
    assert not Visit.objects.filter(state=Visit.State.RUNNING).exists()
    result = run_fetch(event)

    assert picture(event) == expected
    assert result["resumed"]
    assert (result["toots"], result["copies"]) == (undisturbed["toots"], undisturbed["copies"])
    assert Crawl.objects.get().state == Crawl.State.COMPLETE
    assert all(pages_asked_twice(server) <= 1 for server in fediverse.servers)


def test_cancelled_fetch_keeps_what_it_has_and_the_next_one_is_complete(fediverse: Fediverse, event: Any) -> None:
    control = Control()
    stop_at(fediverse, 12, control, StopReason.CANCEL)

    with pytest.raises(JobCancelled):
        fetch.run(make_context(event, control=control))

    crawl = Crawl.objects.get()
    assert crawl.state == Crawl.State.CANCELLED and crawl.finished_at is not None
    assert control.partial is not None and control.partial["toots"] == len(picture(event)) > 0
    assert set(crawl.visits.filter(state="failed").values_list("outcome", flat=True)) == {"cancelled"}
    assert not crawl.visits.filter(state__in=["pending", "running"]).exists()

    result = run_fetch(event)
    assert (result["toots"], result["resumed"]) == (200, False)


def test_cancel_does_not_wait_for_slow_servers(fediverse: Fediverse, event: Any) -> None:
    control, is_over, answered = Control(), threading.Event(), []

    def slow(asked: Asked) -> Reply:
        control.stop(StopReason.CANCEL)
        is_over.wait(60)
        answered.append(asked)
        return Reply([])

    fediverse.servers[0].script = slow
    try:
        with pytest.raises(JobCancelled):
            fetch.run(make_context(event, control=control))
        assert not answered
    finally:
        is_over.set()


def test_visit_of_a_dead_holder_is_taken_over_at_its_cursor(fediverse: Fediverse, event: Any) -> None:
    home = fediverse.servers[0]
    crawl, _ = open_crawl(event, job=None, home_server=home.name, is_mock=False)
    (assignment,) = frontier.claim(crawl, "elsewhere/1/x", 5)
    cursor = {"max_id": home.statuses[20]["id"], "jump": "settled", "pages": 2}
    lapsed_at = now_utc() - timedelta(seconds=1)
    Visit.objects.filter(pk=assignment.visit_id).update(cursor=cursor, lease_until=lapsed_at)
    ServerTurn.objects.filter(server=home.name).update(held_until=lapsed_at)

    run_fetch(event)

    assert home.pages_asked[0].query["max_id"] == cursor["max_id"]
    assert Visit.objects.get(server=home.name).outcome == "complete"


def test_run_that_waits_for_what_another_holds_says_so_once(
    fediverse: Fediverse, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "_SILENCE_SECONDS", 0.1)
    home = fediverse.servers[0]
    crawl, _ = open_crawl(event, job=None, home_server=home.name, is_mock=False)
    frontier.claim(crawl, "elsewhere/1/x", 5)
    free_at = now_utc() + timedelta(seconds=2)
    Visit.objects.update(lease_until=free_at)
    ServerTurn.objects.update(held_until=free_at)
    ctx = make_context(event)

    fetch.run(ctx)

    told = [line for line in ctx.listener.lines if "Waiting for 1 server that another process is asking" in line]  # type: ignore[union-attr]
    assert len(told) == 1
    assert Visit.objects.get(server=home.name).outcome == "complete"


def test_visit_is_claimed_by_one_holder_only(fediverse: Fediverse, event: Any) -> None:
    crawl, _ = open_crawl(event, job=None, home_server=fediverse.servers[0].name, is_mock=False)

    assert len(frontier.claim(crawl, "one", 5)) == 1
    assert frontier.claim(crawl, "two", 5) == []
    frontier.release(crawl, "two")
    assert frontier.claim(crawl, "two", 5) == []
    frontier.release(crawl, "one")
    assert len(frontier.claim(crawl, "two", 5)) == 1


def test_visits_are_claimed_from_either_end_of_the_list(fediverse: Fediverse, event: Any) -> None:
    crawl, _ = open_crawl(event, job=None, home_server=fediverse.servers[0].name, is_mock=False)
    for server in ("a.example", "b.example", "c.example"):
        Visit.objects.create(crawl=crawl, server=server)

    claims = [
        frontier.claim(crawl, "one", most, with_home=False, newest_first=newest_first)
        for most, newest_first in ((1, True), (1, False), (5, True))
    ]

    assert [[visit.server for visit in visits] for visits in claims] == [["c.example"], ["a.example"], ["b.example"]]


def test_walk_whose_lease_went_to_another_stores_nothing_more(
    fediverse: Fediverse, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fediverse.servers[0]

    wanted, original = threading.Event(), frontier.renew

    def ask_for_theft(asked: Asked) -> Reply | None:
        if asked.number == 3:
            wanted.set()
        return None

    def steal(crawl: Crawl, holder: str) -> set[int]:
        if wanted.is_set():
            wanted.clear()
            until = now_utc() + timedelta(seconds=1)
            Visit.objects.filter(crawl=crawl, is_home=True, lease_holder=holder).update(
                lease_holder="elsewhere/1/x", lease_until=until
            )
            ServerTurn.objects.filter(server=home.name).update(holder="elsewhere/1/x", held_until=until)
        return original(crawl, holder)

    home.script = ask_for_theft
    monkeypatch.setattr(frontier, "renew", steal)
    monkeypatch.setattr(frontier, "RENEW_SECONDS", 0.0)

    result = run_fetch(event)

    assert pages_asked_twice(home) == 1
    assert result["toots"] == 200
    assert Visit.objects.get(server=home.name).outcome == "complete"


def test_job_that_completed_its_crawl_before_it_was_killed_does_not_crawl_again(
    fediverse: Fediverse, event: Any
) -> None:
    job = Job.objects.create(kind="fetch", event=event)
    fetch.run(make_context(event, job=job))
    for server in fediverse.servers:
        server.asked.clear()

    result = fetch.run(make_context(event, job=job))

    assert not any(server.asked for server in fediverse.servers)
    assert (result["toots"], Crawl.objects.count()) == (200, 1)


def test_changed_event_begins_a_new_crawl_instead_of_resuming(fediverse: Fediverse, event: Any) -> None:
    control = Control()
    stop_at(fediverse, 5, control, StopReason.RELEASE)
    with pytest.raises(JobReleased):
        fetch.run(make_context(event, control=control))
    event.hours_margin = 0
    event.save()

    run_fetch(event)

    assert [crawl.state for crawl in Crawl.objects.order_by("id")] == ["cancelled", "complete"]
