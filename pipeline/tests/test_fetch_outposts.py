"""Crawls whose walks are done in processes beside the one that stores: the same results, whatever becomes of them."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.http import Gate, policy_from_settings
from common.times import Window
from jobs.context import Control, JobCancelled, StopReason
from pipeline.core.fetch import Aim, Cursor
from pipeline.crawl import outpost, runs
from pipeline.crawl.crews import Orders
from pipeline.crawl.messages import Assignment, Farewell, Receipt, Report
from pipeline.crawl.meter import Caps
from pipeline.crawl.outpost import Outpost, OutpostGone, OutpostReady, PackedNews, WalkFailed
from pipeline.crawl.teams import Teams
from pipeline.crawl.walker import Manners
from pipeline.crawl.writer import Writer
from pipeline.models import Crawl, Visit
from pipeline.phases import fetch
from pipeline.tests.fetch_help import (
    DEADLINE_SECONDS,
    allow,
    event_at_noon,
    make_context,
    pages_asked,
    pages_asked_twice,
    picture,
    run_fetch,
    wait_until,
)
from tests.remote.fediverse import NOON, Asked, Fediverse
from tests.remote.hostile import HOSTILE, plant

pytestmark = pytest.mark.django_db


class Started:
    """The processes that were started, as a spy on Popen saw them."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, *arguments: Any, **values: Any) -> subprocess.Popen[bytes]:
        self.processes.append(subprocess.Popen(*arguments, **values))
        return self.processes[-1]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    spy = Started()
    monkeypatch.setattr(outpost, "Popen", spy)
    return spy


@pytest.fixture
def fediverse(settings: Any) -> Iterator[Fediverse]:
    """A home that names eleven more; all show toots of their own and many of the others', on pages of six."""
    with Fediverse() as servers:
        for _ in range(12):
            servers.add(page_rows=6)
        toots = [
            server.toot(100 * place + number, number + place / 20, favourites_count=number, reblogs_count=number // 2)
            for place, server in enumerate(servers.servers)
            for number in range(15)
        ]
        for place, server in enumerate(servers.servers):
            known = {status["uri"] for status in server.statuses}
            others = [toot for toot in toots if toot["uri"] not in known]
            server.show(*(others if place == 0 else others[place::3]), favourites_count=place % 4)
        allow(settings, servers)
        settings.MASTOSCORE_FETCH_PROCESSES = 2
        yield servers


@pytest.fixture
def event(make_event: Any, fediverse: Fediverse) -> Any:
    return event_at_noon(make_event, fediverse.servers[0])


def without_outposts(event: Any, fediverse: Fediverse, settings: Any) -> dict[str, Any]:
    """What a crawl in threads alone comes to; everything is as before afterwards."""
    settings.MASTOSCORE_FETCH_PROCESSES = 0
    run_fetch(event)
    expected = picture(event)
    event.crawls.all().delete()
    event.toots.all().delete()
    for server in fediverse.servers:
        server.asked.clear()
    settings.MASTOSCORE_FETCH_PROCESSES = 2
    return expected


def test_outposts_bring_the_same_as_threads(
    event: Any, fediverse: Fediverse, settings: Any, started: Started
) -> None:
    expected = without_outposts(event, fediverse, settings)

    result = run_fetch(event)

    assert picture(event) == expected
    assert len(started.processes) == 2
    assert [process.returncode for process in started.processes] == [0, 0]
    assert (result["toots"], result["answered"], result["failed"]) == (12 * 15, 12, 0)
    assert {server.most_in_flight for server in fediverse.servers} == {1}
    assert [pages_asked_twice(server) for server in fediverse.servers] == [0] * 12
    told = [asked.headers.get("Authorization") for server in fediverse.servers[1:] for asked in server.asked]
    assert set(told) == {None}


def test_what_one_outpost_brought_is_not_told_by_another(
    event: Any, fediverse: Fediverse, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [status for server in fediverse.servers[1:] for status in server.posts.values()]
    slow, late = fediverse.servers[5], fediverse.add(page_rows=6)
    slow.latency_seconds = 0.1
    slow.show(late.toot(1, -30))  # on its last page, when all others are through
    late.show(*shown)
    settings.MASTOSCORE_PRIVATE_HOSTS = fediverse.private_hosts
    reports: list[Report] = []
    write = Writer.write

    def spy(writer: Writer, batch: Sequence[Report]) -> list[Receipt]:
        reports.extend(batch)
        return write(writer, batch)

    monkeypatch.setattr(Writer, "write", spy)

    run_fetch(event)

    told = [toot.uri for report in reports if report.server == late.name for toot in report.toots]
    seen_again = sum(len(report.known) for report in reports if report.server == late.name)
    assert told == [late.statuses[0]["uri"]]
    assert seen_again == len(shown)


def test_where_the_last_crawl_found_few_servers_they_are_walked_without_outposts(
    make_event: Any, settings: Any, fediverse: Fediverse, started: Started
) -> None:
    with Fediverse() as few:
        home = few.add()
        for place in range(3):
            home.show(few.add().toot(1, place))
        settings.MASTOSCORE_PRIVATE_HOSTS = few.private_hosts
        event = event_at_noon(make_event, home, slug="few")
        first = run_fetch(event)
        assert len(started.processes) == 2
        started.processes.clear()

        second = run_fetch(event)

    assert (first["answered"], second["answered"], started.processes) == (4, 4, [])


def test_outposts_start_while_the_first_page_is_asked_for(event: Any, fediverse: Fediverse, started: Started) -> None:
    asked: list[Asked] = []

    def answer_when_they_run(request: Asked) -> None:
        asked.append(request)
        wait_until(lambda: len(started.processes) == 2, "two processes")

    fediverse.servers[0].script = answer_when_they_run

    assert run_fetch(event)["answered"] == 12
    assert asked


def test_outposts_are_opened_later_when_more_servers_turn_up_than_last_time(
    event: Any, fediverse: Fediverse, started: Started
) -> None:
    last = Crawl.objects.create(
        event=event,
        state=Crawl.State.COMPLETE,
        window_start=event.window.start,
        window_end=event.window.end,
        max_toots=1,
    )
    assert not runs.is_large(Crawl(pk=last.pk + 1, event=event), 0)

    assert run_fetch(event)["answered"] == 12
    assert len(started.processes) == 2


def test_crawl_goes_on_when_all_its_outposts_are_killed(
    event: Any, fediverse: Fediverse, settings: Any, started: Started
) -> None:
    expected = without_outposts(event, fediverse, settings)
    for server in fediverse.servers:
        server.latency_seconds = 0.05

    def kill() -> None:
        for wanted in (20, 45):
            wait_until(lambda wanted=wanted: pages_asked(fediverse) >= wanted, "some pages")
            started.processes[wanted > 20].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    result = run_fetch(event)
    killer.join()

    assert [process.returncode for process in started.processes] == [-signal.SIGKILL] * 2
    assert picture(event) == expected
    assert result["answered"] == 12
    assert all(pages_asked_twice(server) <= 2 for server in fediverse.servers)


def test_crawl_without_outposts_where_no_process_can_be_started(
    event: Any, fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **values: Any) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(outpost, "Popen", refuse)

    assert run_fetch(event)["answered"] == 12


def test_limit_of_a_crawl_holds_for_all_its_processes_together(
    event: Any, fediverse: Fediverse, settings: Any, started: Started
) -> None:
    settings.MASTOSCORE_MAX_REQUESTS = 60

    result = run_fetch(event)

    # What is under way when the limit is reached is not called back: one request per server.
    assert 60 <= sum(len(server.asked) for server in fediverse.servers) <= 60 + len(fediverse.servers)
    assert result["requests"] == sum(len(server.asked) for server in fediverse.servers)
    assert len(started.processes) == 2
    assert "reached_cap" in set(Visit.objects.values_list("outcome", flat=True))


def test_cancel_ends_the_outposts_and_what_they_ask(event: Any, fediverse: Fediverse, started: Started) -> None:
    for server in fediverse.servers:
        server.latency_seconds = 0.3
    control = Control()

    def cancel() -> None:
        wait_until(lambda: pages_asked(fediverse) >= 15, "some pages")
        control.stop(StopReason.CANCEL)
        moments.append(time.monotonic())

    moments: list[float] = []
    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(JobCancelled):
        fetch.run(make_context(event, control=control))
    canceller.join()

    assert time.monotonic() - moments[0] < 2
    assert [process.returncode for process in started.processes] == [0, 0]
    crawl = Crawl.objects.get()
    assert crawl.state == Crawl.State.CANCELLED
    assert not crawl.visits.filter(state=Visit.State.RUNNING).exists()


def test_hostile_servers_do_no_harm_to_an_outpost(make_event: Any, settings: Any, started: Started) -> None:
    with Fediverse() as fediverse:
        home, honest = fediverse.add(page_rows=100), fediverse.add(page_rows=7)
        for number in range(20):
            honest.toot(number, 10 + number, favourites_count=number)
        home.show(honest.statuses[0])
        planted = plant(fediverse, home)
        allow(settings, fediverse)
        settings.MASTOSCORE_FETCH_PROCESSES = 1
        settings.MASTOSCORE_READ_SECONDS, settings.MASTOSCORE_REQUEST_SECONDS = 2.0, 4.0
        settings.MASTOSCORE_MAX_SERVERS = len(planted) + 2
        event = event_at_noon(make_event, home)

        run_fetch(event)

        told = dict(Visit.objects.values_list("server", "outcome"))
        expected = {planted[hostile.name].name: hostile.outcome for hostile in HOSTILE}
        assert {server: told[server] for server in expected} == expected
        assert event.toots.filter(origin=honest.name, is_authoritative=True).count() == 20
        assert [process.returncode for process in started.processes] == [0]


# --- an outpost by itself -------------------------------------------------------------------------------------------
AIM = Aim.at(("monsterdon",), Window(NOON - timedelta(hours=1), NOON + timedelta(hours=3)), 100)
ORDERS = Orders(AIM, 1, Manners((0.01,)), Caps(100, 10**9, 100, 10**9), threads=3)


class News:
    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.tell = self._queue.put

    def next(self) -> Any:
        told = self._queue.get(timeout=DEADLINE_SECONDS)
        return told.unpack() if isinstance(told, PackedNews) else told


def test_outpost_tells_of_each_page_and_says_farewell(fediverse: Fediverse) -> None:
    server, news = fediverse.servers[3], News()
    post = Outpost(ORDERS, policy_from_settings(), news.tell)
    try:
        assert isinstance(news.next(), OutpostReady)
        post.walk(Assignment(7, server.name, False, Cursor(), walk=1), time.monotonic() + 60)
        first = news.next()
        assert isinstance(first, Report)
        assert (first.walk, first.visit_id, first.ending, len(first.toots)) == (1, 7, None, 6)
        post.hold(set(), time.monotonic() + 60)  # somebody else has the server by now
        post.confirm([outpost_receipt(first)])
        assert news.next() == Farewell(1)
    finally:
        post.close()
    assert len(server.pages_asked) == 1


def outpost_receipt(report: Report) -> Receipt:
    return Receipt(report.walk, (None,) * len(report.toots))


def test_fault_of_ours_in_an_outpost_is_told_with_its_traceback(fediverse: Fediverse) -> None:
    news = News()
    broken = replace(ORDERS, aim=replace(AIM, window=None))  # type: ignore[arg-type]
    post = Outpost(broken, policy_from_settings(), news.tell)
    try:
        assert isinstance(news.next(), OutpostReady)
        post.walk(Assignment(7, fediverse.servers[3].name, False, Cursor(), walk=1), time.monotonic() + 60)
        farewell = news.next()
        assert isinstance(farewell.trouble, WalkFailed)
        assert "AttributeError" in str(farewell.trouble)
        assert "take_page" in str(farewell.trouble)
    finally:
        post.close()


def test_killed_outpost_is_said_to_be_gone(started: Started, settings: Any) -> None:
    news = News()
    post = Outpost(ORDERS, policy_from_settings(), news.tell)
    assert isinstance(news.next(), OutpostReady)

    os.kill(started.processes[0].pid, signal.SIGKILL)

    assert news.next() == OutpostGone(post)
    post.walk(Assignment(7, "one.example", False, Cursor(), walk=1), 0)  # nobody hears it, and nothing is raised
    post.close()


def test_outpost_is_told_no_secrets_of_the_environment(
    started: Started, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "nobody else's business")
    post = Outpost(ORDERS, policy_from_settings(), News().tell)
    try:
        environment = Path(f"/proc/{started.processes[0].pid}/environ")
        wait_until(lambda: b"MALLOC_ARENA_MAX" in environment.read_bytes(), "the start of the process")
        names = {entry.partition(b"=")[0].decode() for entry in environment.read_bytes().split(b"\0") if entry}
    finally:
        post.close()
    assert names <= {"PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH"} | {
        "MALLOC_ARENA_MAX",
        "MALLOC_MMAP_THRESHOLD_",
        "MALLOC_TRIM_THRESHOLD_",
    }


@pytest.mark.parametrize(("threads", "outposts"), [(128, 2), (48, 1), (3, 2), (9, 8), (65, 4), (2, 1)])
def test_last_outpost_keeps_room_for_servers_found_on_the_way(
    started: Started, settings: Any, threads: int, outposts: int
) -> None:
    teams = Teams(
        replace(ORDERS, threads=threads), Gate(policy_from_settings()), News().tell, home_token="", outposts=outposts
    )
    teams.open_outposts()
    try:
        wait_until(lambda: teams.here not in teams.list_ready() and bool(teams.list_ready()), "the outposts")
        ready = teams.list_ready()
        *first, last = ready
        assert len(started.processes) == len(ready) == outposts
        assert sum(team.most for team in ready) <= threads - 1
        assert all(team.most > 0 for team in ready)

        assert teams.choose(ready, is_on_the_way=True) is last
        for _ in first:
            chosen = teams.choose(ready, is_on_the_way=False)
            assert chosen in first
            chosen.walks = chosen.most
        assert teams.choose(ready, is_on_the_way=False) is last  # as the others are full
        last.walks = last.most
        if first:
            first[0].walks -= 1
            assert teams.choose(ready, is_on_the_way=True) is first[0]
    finally:
        teams.disband()


def test_few_are_stored_at_once_and_those_found_last_first(
    event: Any, fediverse: Fediverse, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = without_outposts(event, fediverse, settings)
    batches: list[list[tuple[bool, int]]] = []
    write = Writer.write

    def write_slowly(writer: Writer, reports: Sequence[Report]) -> list[Receipt]:
        batches.append([(report.is_home, report.visit_id) for report in reports])
        time.sleep(0.1)  # meanwhile all the others report
        return write(writer, reports)

    monkeypatch.setattr(Writer, "write", write_slowly)

    run_fetch(event)

    assert picture(event) == expected
    assert all(batch == sorted(batch, reverse=True) for batch in batches)
    assert 1 < max(map(len, batches)) <= 6


def test_processes_that_ask_let_the_one_that_stores_go_first(started: Started, settings: Any) -> None:
    post = Outpost(replace(ORDERS, niceness=7, processor=5), policy_from_settings(), News().tell)
    try:
        pid, ours = started.processes[0].pid, os.getpriority(os.PRIO_PROCESS, 0)
        wait_until(lambda: os.getpriority(os.PRIO_PROCESS, pid) == ours + 7, "its place")
        wait_until(lambda: len(os.sched_getaffinity(pid)) == 1, "its processor")
        assert os.sched_getaffinity(pid) <= os.sched_getaffinity(0)
    finally:
        post.close()


def test_outpost_that_does_not_even_read_is_ended_all_the_same(started: Started, settings: Any) -> None:
    news = News()
    post = Outpost(ORDERS, policy_from_settings(), news.tell)
    assert isinstance(news.next(), OutpostReady)
    os.kill(started.processes[0].pid, signal.SIGSTOP)
    stuffed = threading.Thread(target=lambda: [post.hold([*range(5000)], 0.0) for _ in range(200)], daemon=True)
    stuffed.start()
    time.sleep(0.2)

    began_at = time.monotonic()
    post.close()

    assert time.monotonic() - began_at < 10
    assert started.processes[0].returncode == -signal.SIGKILL
    stuffed.join(DEADLINE_SECONDS)
    assert not stuffed.is_alive()


def test_outpost_dies_with_the_process_that_opened_it(settings: Any) -> None:
    program = (
        "import sys, time, pickle, queue\n"
        "from pipeline.crawl.outpost import Outpost\n"
        "orders, policy = pickle.load(sys.stdin.buffer)\n"
        "news = queue.SimpleQueue()\n"
        "post = Outpost(orders, policy, news.put)\n"
        "news.get(timeout=30)\n"
        "print(post._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin is not None and parent.stdout is not None
        pickle.dump((ORDERS, policy_from_settings()), parent.stdin)
        parent.stdin.close()
        pid = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: is_gone(pid), "the end of the outpost")


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
