"""How a crawl behaves, as the servers saw it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from common.times import now_utc
from jobs.models import ServerTurn
from pipeline.models import Crawl, Visit
from pipeline.phases import fetch
from pipeline.servers_report import list_refusals
from pipeline.tests.fetch_help import allow, event_at_noon, make_context, run_fetch, visit_of
from tests.remote.fediverse import Fediverse, RemoteServer, Reply, always, fail_first

pytestmark = pytest.mark.django_db


@pytest.fixture
def fediverse() -> Iterator[Fediverse]:
    with Fediverse() as servers:
        yield servers


@pytest.fixture
def home(fediverse: Fediverse) -> RemoteServer:
    return fediverse.add()


@pytest.fixture
def event(make_event: Any, home: RemoteServer) -> Any:
    return event_at_noon(make_event, home)


@pytest.fixture
def other(fediverse: Fediverse, home: RemoteServer) -> RemoteServer:
    """A server that the home server names."""
    server = fediverse.add(page_rows=1)
    home.show(server.toot(1, 0))
    return server


@pytest.fixture
def fetch_all(settings: Any, fediverse: Fediverse, event: Any) -> Any:
    def fetch_event() -> dict[str, Any]:
        allow(settings, fediverse)
        return run_fetch(event)

    return fetch_event


def gaps(server: RemoteServer) -> list[float]:
    """Seconds between the requests for pages."""
    moments = [asked.at for asked in server.pages_asked]
    return [later - earlier for earlier, later in itertools.pairwise(moments)]


def test_crawl_says_who_it_is_everywhere(
    settings: Any, fetch_all: Any, home: RemoteServer, other: RemoteServer
) -> None:
    settings.PROJECT_URL, settings.MASTOSCORE_CONTACT = "https://score.example", "host@score.example"

    fetch_all()

    agents = {asked.headers["user-agent"] for asked in home.asked + other.asked}
    assert len(agents) == 1
    (agent,) = agents
    assert agent.startswith("Mastoscore/")
    assert "+https://score.example" in agent and "host@score.example" in agent
    assert "gzip" in other.asked[0].headers["accept-encoding"]


def test_last_requests_of_a_period_are_spread_over_it(fetch_all: Any, other: RemoteServer) -> None:
    for number in range(2, 6):
        other.toot(number, number)
    left = {1: "80", 2: "4", 3: "3", 4: "2"}

    def script(asked: Any) -> Reply:
        reset_at = now_utc() + timedelta(seconds=2)
        told = {"X-RateLimit-Limit": "300", "X-RateLimit-Reset": reset_at.isoformat()}
        return Reply(other.page(asked), headers={**told, "X-RateLimit-Remaining": left.get(asked.number, "200")})

    other.script = script
    fetch_all()

    assert visit_of(other).toots == 5
    assert min(gaps(other)[1:4]) >= 0.4


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (429, "1"),
        (503, ["1", "0"]),
        (429, lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)),
        (503, lambda: ["0", format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)]),
    ],
    ids=["seconds", "two numbers", "date", "number and date"],
)
def test_retry_after_is_obeyed_in_every_spelling(fetch_all: Any, other: RemoteServer, told: Any, status: int) -> None:
    def busy() -> Reply:
        return Reply({}, status, {"Retry-After": told() if callable(told) else told})

    other.script = fail_first(1, busy)

    fetch_all()

    assert gaps(other)[0] >= 0.9
    assert visit_of(other).outcome == "complete"


@pytest.mark.parametrize("told", ["86400", "9" * 40, "Fri, 31 Dec 2100 23:59:59 GMT", ["3600", "1"]])
def test_absurd_retry_after_ends_the_visit_and_binds_the_next_crawl(
    fetch_all: Any, other: RemoteServer, told: Any
) -> None:
    other.script = always(lambda: Reply({}, 429, {"Retry-After": told}))

    fetch_all()
    fetch_all()

    assert len(other.pages_asked) == 1
    assert [visit.outcome for visit in Visit.objects.filter(server=other.name)] == ["rate_limited", "rate_limited"]
    assert ServerTurn.objects.get(server=other.name).not_before <= now_utc() + timedelta(hours=1)


@pytest.mark.parametrize("told", ["-1", "soon", "", "0"])
def test_senseless_retry_after_is_followed_by_our_own_patience(
    fetch_all: Any, other: RemoteServer, told: str
) -> None:
    other.script = always(lambda: Reply({}, 429, {"Retry-After": told}))

    fetch_all()

    assert len(other.pages_asked) == 3
    assert visit_of(other).outcome == "rate_limited"


@pytest.mark.parametrize("status", [401, 403, 422, 404, 410])
def test_final_refusal_is_asked_once_per_view_and_run(fetch_all: Any, other: RemoteServer, status: int) -> None:
    other.script = always(lambda: Reply({"error": "no"}, status))

    fetch_all()

    asked = [(asked.path, asked.is_local) for asked in other.pages_asked]
    assert len(asked) == len(set(asked)) <= 2


def test_robots_verdict_is_kept_for_a_day_and_shown(fetch_all: Any, fediverse: Fediverse, home: RemoteServer) -> None:
    shy, open_ = fediverse.add(robots="User-agent: *\nDisallow: /api/v1/timelines\n"), fediverse.add(robots="")
    home.show(shy.toot(1, 0), open_.toot(2, 0))

    fetch_all()
    fetch_all()

    assert [asked.path for asked in shy.asked] == ["/robots.txt"]
    assert [asked.path for asked in open_.asked].count("/robots.txt") == 1
    assert {visit.robots for visit in Visit.objects.filter(server=shy.name)} == {"forbidden"}
    assert {visit.robots for visit in Visit.objects.filter(server=open_.name)} == {"allowed"}


def test_requests_of_one_server_are_capped(
    settings: Any, fetch_all: Any, home: RemoteServer, other: RemoteServer
) -> None:
    settings.MASTOSCORE_MAX_REQUESTS_PER_SERVER = 5
    for number in range(2, 30):
        other.toot(number, number)

    fetch_all()

    visit = visit_of(other)
    assert len(other.asked) == visit.requests == 5
    assert (visit.outcome, visit_of(home).outcome) == ("reached_cap", "complete")
    assert visit.detail == (
        f"{other.name} was not asked to the end: {other.name} got all 5 requests that one server gets. "
        "What it had shown until then counts."
    )
    assert [refusal.server for refusal in list_refusals(Crawl.objects.get())] == [other.name]


def test_bytes_of_one_server_are_capped(settings: Any, fetch_all: Any, other: RemoteServer) -> None:
    settings.MASTOSCORE_MAX_MB_PER_SERVER = 1
    for number in range(2, 30):
        other.toot(number, number, content=f"<p>{'x' * 300_000} #monsterdon</p>")

    fetch_all()

    visit = visit_of(other)
    assert visit.outcome == "reached_cap" and "1 MB" in visit.detail
    assert 1_000_000 <= visit.received_bytes < 1_500_000
    assert len(other.pages_asked) == 4


def test_requests_of_the_crawl_are_capped_and_every_server_says_so(
    settings: Any, fetch_all: Any, fediverse: Fediverse, home: RemoteServer
) -> None:
    settings.MASTOSCORE_MAX_REQUESTS = 12
    others = [fediverse.add() for _ in range(10)]
    for number, server in enumerate(others):
        home.show(server.toot(number, number))

    result = fetch_all()

    assert sum(len(server.asked) for server in fediverse.servers) == result["requests"] == 12
    cut = Visit.objects.filter(outcome="reached_cap")
    assert cut.exists()
    assert all("The fetch as a whole reached its limit of 12 requests." in visit.detail for visit in cut)
    assert Crawl.objects.get().state == Crawl.State.COMPLETE


def test_every_request_and_byte_is_in_the_report(fetch_all: Any, fediverse: Fediverse, other: RemoteServer) -> None:
    other.script = lambda asked: (
        Reply(status=307, headers={"Location": f"{asked.path}?a=1"}) if asked.number == 1 else None
    )

    fetch_all()

    for server in fediverse.servers:
        assert visit_of(server).requests == len(server.asked)
        assert visit_of(server).received_bytes > 0
        assert visit_of(server).seconds > 0


def test_server_that_sends_us_on_is_left_and_the_other_one_asked_in_its_own_name(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, other: RemoteServer
) -> None:
    successor = fediverse.add()
    successor.toot(5, 5)
    other.script = always(lambda: Reply(status=301, headers={"Location": f"http://{successor.name}/x"}))

    fetch_all()

    assert (visit_of(other).outcome, visit_of(successor).outcome) == ("moved", "complete")
    assert successor.name in visit_of(other).detail
    assert "/robots.txt" in {asked.path for asked in successor.asked}
    assert "/x" not in {asked.path for asked in successor.asked}
    assert {server.most_in_flight for server in fediverse.servers} == {1}


def test_server_that_somebody_else_asks_is_waited_for(
    settings: Any, fediverse: Fediverse, event: Any, home: RemoteServer, other: RemoteServer
) -> None:
    """Another crawl holds the turn for a while; until then this one asks nothing there."""
    allow(settings, fediverse)
    free_at = now_utc() + timedelta(seconds=2)
    ServerTurn.objects.create(server=other.name, holder="elsewhere/1/abcd", held_until=free_at)
    started = now_utc()
    asked_at = []

    def script(asked: Any) -> None:
        asked_at.append(now_utc())

    other.script = script
    fetch.run(make_context(event))

    assert visit_of(other).outcome == "complete"
    assert min(asked_at) >= free_at - timedelta(milliseconds=50) > started
