"""A fetch in a test: over real HTTP, in this thread, without a worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from events.models import Event, MastodonAccount
from jobs.context import Control, JobContext
from jobs.models import Job
from pipeline.models import Crawl, Toot, Visit
from pipeline.phases import fetch
from tests.remote.fediverse import NOON, Fediverse, RemoteServer

DEADLINE_SECONDS = 60


def event_at_noon(make_event: Any, home: RemoteServer, **values: Any) -> Event:
    """Counts toots from an hour before noon to 150 minutes after."""
    account, _ = MastodonAccount.objects.get_or_create(server=home.name, defaults={"token": "home-secret"})
    defaults: dict[str, Any] = {"start": NOON, "duration": timedelta(minutes=90), "home_account": account}
    event: Event = make_event(**{**defaults, **values})
    return event


def allow(settings: Any, fediverse: Fediverse) -> None:
    settings.MASTOSCORE_PRIVATE_HOSTS = fediverse.private_hosts
    settings.MASTOSCORE_RETRY_PAUSES = [0.01, 0.02]
    settings.MASTOSCORE_FETCH_PROCESSES = 0  # see test_fetch_outposts.py


class Listener:
    def __init__(self) -> None:
        self.snapshots: list[dict[str, Any]] = []
        self.lines: list[str] = []

    def progress(self, snapshot: dict[str, Any]) -> None:
        self.snapshots.append(snapshot)

    def line(self, text: str) -> None:
        self.lines.append(text)


def make_context(
    event: Event, *, control: Control | None = None, job: Job | None = None, **params: Any
) -> JobContext:
    job = job or Job(kind="fetch", event=event)
    return JobContext(job, control or Control(), Listener(), params=params)


def run_fetch(event: Event, **params: Any) -> dict[str, Any]:
    return fetch.run(make_context(event, **params))


def outcomes(crawl: Crawl) -> dict[str, str]:
    return dict(crawl.visits.values_list("server", "outcome"))


def visit_of(server: RemoteServer) -> Visit:
    return Visit.objects.filter(server=server.name).latest("id")


def picture(event: Event) -> dict[str, tuple[Any, ...]]:
    """Everything of the event's toots that a fetch must get right, by uri."""
    return {
        toot.uri: (
            toot.author_handle,
            toot.created_at,
            toot.boosts,
            toot.favourites,
            toot.replies,
            toot.is_authoritative,
            toot.text,
            toot.author_wishes,
            frozenset(toot.sightings.values_list("visit__server", flat=True)),
        )
        for toot in Toot.objects.filter(event=event)
    }


def pages_asked(fediverse: Fediverse) -> int:
    return sum(len(server.pages_asked) for server in fediverse.servers)


def pages_asked_twice(server: RemoteServer) -> int:
    asked = [(asked.query.get("max_id"), asked.is_local) for asked in server.pages_asked]
    return len(asked) - len(set(asked))


def wait_until(is_reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)
