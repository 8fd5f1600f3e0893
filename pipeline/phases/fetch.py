"""Fetch: ask the home server and every server named on the way for the event's toots."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from common.errors import ConfigurationError
from common.http import Gate, GatePolicy, policy_from_settings
from events.models import Event
from jobs.context import JobCancelled, JobContext
from pipeline.crawl import runs
from pipeline.crawl.coordinator import Coordinator, HomeServerFailed, Terms
from pipeline.crawl.results import summarise
from pipeline.crawl.walker import Manners
from pipeline.journals import write_fetch_files
from pipeline.mock.server import Fediverse, start_fediverse
from pipeline.models import Crawl

# The bundled fediverse answers at once or never; nobody has to wait for it as for a real server.
_MOCK_MANNERS = Manners(retry_pauses=(0.2, 0.5, 1), longest_wait_seconds=5, visit_seconds=60)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fetch goes: the server it starts from, as whom, and through what."""

    home: str
    token: str
    policy: GatePolicy
    manners: Manners
    is_mock: bool


def run(ctx: JobContext) -> dict[str, Any]:
    event = ctx.event
    with _open_place(event, is_mock=bool(ctx.params.get("mock")) or event.fetch_dry_run) as place:
        job = ctx.job if ctx.job.pk else None
        crawl, is_resumed = runs.open_crawl(event, job=job, home_server=place.home, is_mock=place.is_mock)
        return _fetch(ctx, crawl, place, is_resumed=is_resumed)


def _fetch(ctx: JobContext, crawl: Crawl, place: Place, *, is_resumed: bool) -> dict[str, Any]:
    event, begun_at = ctx.event, time.monotonic()
    ctx.say(f"{'Going on with' if is_resumed else 'Fetching'} #{crawl.hashtag} from {place.home}.")
    terms = Terms(
        threads=settings.MASTOSCORE_FETCH_THREADS,
        max_servers=settings.MASTOSCORE_MAX_SERVERS,
        home_token=place.token,
        manners=place.manners,
    )
    with Gate(place.policy) as gate:
        coordinator = Coordinator(ctx, event, crawl, gate, terms)
        try:
            coordinator.run()
        except JobCancelled:
            ctx.keep_partial(_settle(event, crawl, Crawl.State.CANCELLED, coordinator))
            raise
        except HomeServerFailed:
            _settle(event, crawl, Crawl.State.FAILED, coordinator)
            raise
    result = _settle(event, crawl, Crawl.State.COMPLETE, coordinator) | {"resumed": is_resumed}
    files = write_fetch_files(event, crawl, check=ctx.check_cancelled)
    ctx.say(_in_words(result))
    return result | {"mock": crawl.is_mock, "seconds": round(time.monotonic() - begun_at, 1), "files": files}


def _settle(event: Event, crawl: Crawl, state: Crawl.State, coordinator: Coordinator) -> dict[str, Any]:
    """Close the crawl; returns what it came to, as it is noted in the crawl too."""
    runs.close(crawl, state)
    summary = summarise(event, crawl) | {"left_out_servers": coordinator.left_out_servers}
    runs.note_summary(crawl, summary)
    return summary


@contextmanager
def _open_place(event: Event, *, is_mock: bool) -> Iterator[Place]:
    if is_mock:
        runs.refuse_to_mix(event)
        with _open_fediverse(event) as fediverse:
            policy = policy_from_settings(extra_private_hosts=fediverse.private_hosts)
            policy = replace(policy, connect_seconds=2, read_seconds=5, total_seconds=10)
            yield Place(fediverse.home, fediverse.token, policy, _MOCK_MANNERS, is_mock=True)
        return
    account = event.home_account
    if account is None:
        raise ConfigurationError(
            f"{event.slug} has no home account",
            user_message=f"{event.slug} has no home account to start from: set “home account” of the event "
            "(api_base_url in its INI file).",
        )
    manners = Manners(retry_pauses=tuple(settings.MASTOSCORE_RETRY_PAUSES))
    yield Place(account.server, account.token, policy_from_settings(), manners, is_mock=False)


def _open_fediverse(event: Event) -> Fediverse:
    """The bundled fediverse, under the same names as last time if its port is free, so that a crawl can go on."""
    world = (event.hashtag, event.start, event.duration, event.margin)
    last_home = runs.find_mock_home(event)
    if last_home is not None:
        try:
            return start_fediverse(*world, port=int(last_home.rpartition(":")[2]))
        except OSError:  # taken by now: other names, and toots under the old ones will make way
            return start_fediverse(*world)
    return start_fediverse(*world)


def _in_words(result: dict[str, Any]) -> str:
    text = (
        f"{result['toots']} toots by {result['authors']} authors ({result['new_toots']} new); "
        f"{result['servers']} servers asked: {result['answered']} answered, {result['refused']} refused, "
        f"{result['failed']} failed."
    )
    if result["left_out_servers"]:
        text += f" {result['left_out_servers']} more servers were named than one fetch may ask."
    return text
