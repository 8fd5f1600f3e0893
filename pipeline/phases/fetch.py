"""Fetch: ask the home server and every server named on the way for the event's toots."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings

from common.errors import ConfigurationError
from common.http import Gate, GatePolicy, policy_from_settings
from events.models import Event
from jobs.context import JobCancelled, JobContext
from pipeline.core.wording import count_of
from pipeline.crawl import frontier, helping, runs
from pipeline.crawl.coordinator import Coordinator, HomeServerFailed
from pipeline.crawl.results import coverage, summarise
from pipeline.crawl.store import refresh_statistics
from pipeline.crawl.terms import caps_from_settings, terms_from_settings
from pipeline.crawl.vanished import Vanished, settle_vanished
from pipeline.crawl.walker import Manners
from pipeline.journals import write_fetch_files
from pipeline.models import Crawl

if TYPE_CHECKING:
    from pipeline.mock.server import Fediverse

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
        crawl, is_resumed = runs.open_crawl(
            event, job=job, home_server=place.home, is_mock=place.is_mock, mode=_read_mode(ctx.params.get("mode"))
        )
        return _fetch(ctx, crawl, place, is_resumed=is_resumed)


def _fetch(ctx: JobContext, crawl: Crawl, place: Place, *, is_resumed: bool) -> dict[str, Any]:
    event, begun_at = ctx.event, time.monotonic()
    hashtags = " ".join(f"#{hashtag}" for hashtag in crawl.hashtags)
    ctx.say(f"{'Going on with' if is_resumed else 'Fetching'} {hashtags} from {place.home} ({crawl.mode}).")
    has_help = ctx.job.pk is not None and not place.is_mock
    terms = terms_from_settings(place.manners, home_token=place.token, has_help=has_help)
    with Gate(replace(place.policy, stays_on_server=True)) as gate:
        ask_for_help = partial(helping.ask_for_help, crawl, terms.helpers)
        coordinator = Coordinator(ctx, event, crawl, gate, terms, on_much_work=ask_for_help)
        try:
            coordinator.run()
            refresh_statistics()
            vanished = _settle_vanished(ctx, crawl, place)
        except JobCancelled:
            ctx.keep_partial(_settle(event, crawl, Crawl.State.CANCELLED, left_out=coordinator.left_out))
            raise
        except HomeServerFailed:
            _settle(event, crawl, Crawl.State.FAILED, left_out=coordinator.left_out)
            raise
    summary = _settle(event, crawl, Crawl.State.COMPLETE, vanished, left_out=coordinator.left_out)
    result = summary | {"resumed": is_resumed}
    files = write_fetch_files(event, crawl, check=ctx.check_cancelled)
    ctx.say(_in_words(result))
    return result | {"mock": crawl.is_mock, "seconds": round(time.monotonic() - begun_at, 1), "files": files}


def _settle_vanished(ctx: JobContext, crawl: Crawl, place: Place) -> Vanished:
    if crawl.state != Crawl.State.RUNNING:
        return Vanished.from_result(crawl.summary)
    with Gate(replace(place.policy, stays_on_server=True)) as gate, ctx.on_stop(gate.abort):
        return settle_vanished(crawl, gate, check=ctx.check_cancelled)


def _read_mode(text: object) -> str:
    """The mode asked for instead of the event's own; empty if none is."""
    if text in (None, ""):
        return ""
    if text not in Event.FetchMode.values:
        raise ConfigurationError(f"{text!r} is no mode of a fetch: use {' or '.join(Event.FetchMode.values)}.")
    return str(text)


def _settle(
    event: Event, crawl: Crawl, state: Crawl.State, vanished: Vanished | None = None, *, left_out: int
) -> dict[str, Any]:
    """Close the crawl; returns what it came to, as it is noted in the crawl too.

    ``left_out``: servers without room, as far as this process heard of them. An interrupted crawl knows of those that
    stored toots name, and of those that were found since it went on.
    """
    runs.close(crawl, state)
    helping.send_helpers_away(crawl)
    summary = summarise(event, crawl) | (vanished or Vanished()).as_result()
    summary["left_out_servers"] = max(left_out, frontier.count_left_out(crawl))
    summary["caps"] = asdict(caps_from_settings())
    runs.note_summary(crawl, summary | {"coverage": coverage(crawl)})
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
    from pipeline.mock.server import start_fediverse  # it draws pictures, for which a real fetch has no use

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
    if result["unfinished"]:
        text += f" {count_of(result['unfinished'], 'server was', 'servers were')} not asked to the end."
    if result["implausible_loss"]:
        text += (
            f" {result['missing']} toots are not shown by their own servers any more; so many at once are not "
            "believed, and none was taken out."
        )
    elif result["gone"]:
        text += f" {count_of(result['gone'], 'toot is', 'toots are')} gone and left out from now on."
    if result["left_out_servers"]:
        text += f" {result['left_out_servers']} more servers were named than one fetch may ask."
    return text
