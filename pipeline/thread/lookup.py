"""Many toots looked up at their origins at once, one request at a time per server; where the origin is silent, the
copy of our own server speaks, as far as it goes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.db import transaction

from common.errors import RemoteError
from common.http import Gate
from common.mastodon_lookup import Finding, Standing, judge, look_up
from common.robots import RobotsRules, fetch_robots
from jobs import turns
from pipeline.models import Toot
from pipeline.thread.outbox import Outbox

if TYPE_CHECKING:
    from jobs.context import JobContext

_THREADS = 8
# How long a toot's server may be busy with another piece of our work before the toot counts as not looked up.
_PATIENCE_SECONDS = 20.0
_LOOK_SECONDS = 0.25
_ROBOTS_SECONDS = 24 * 3600


def look_up_all(ctx: JobContext, gate: Gate, outbox: Outbox, toots: list[Toot]) -> dict[str, Finding]:
    """A finding per uri."""
    by_origin: dict[str, list[Toot]] = defaultdict(list)
    for toot in toots:
        by_origin[toot.origin].append(toot)
    known = {server: _known_rules(server, outbox.server) for server in by_origin}
    findings: dict[str, Finding] = {}
    with _turns_at(ctx, set(by_origin)) as (ours, hold_on):
        with ctx.on_stop(gate.abort), ThreadPoolExecutor(_THREADS) as pool:
            asked = {
                server: pool.submit(
                    _ask_origin, gate, server, known[server], [(toot.uri, toot.url) for toot in shown]
                )
                for server, shown in by_origin.items()
                if server in ours
            }
            while wait(asked.values(), timeout=turns.RENEW_SECONDS).not_done:
                hold_on()
        for server, answer in asked.items():
            rules, found = answer.result()
            findings |= found
            if rules is not None and known[server] is None:
                cache.set(_robots_key(server), rules, _ROBOTS_SECONDS)
    for server in by_origin.keys() - asked.keys():
        detail = f"{server} was being asked for something else."
        findings |= {toot.uri: Finding(Standing.UNKNOWN, detail=detail) for toot in by_origin[server]}
    ctx.check_cancelled()
    return {uri: _or_by_copy(outbox, uri, finding) for uri, finding in findings.items()}


@contextmanager
def _turns_at(ctx: JobContext, servers: set[str]) -> Iterator[tuple[set[str], Callable[[], object]]]:
    """The turns at those servers that could be had in a while, and what to call now and then to keep them."""
    holder, ours = turns.new_holder(), set[str]()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    try:
        while True:
            turns.release_dead()
            with transaction.atomic():
                ours |= set(turns.take(servers - ours, holder))
            if ours >= servers or time.monotonic() >= deadline:
                break
            ctx.wait(_LOOK_SECONDS)
        yield ours, lambda: turns.renew(holder)
    finally:
        turns.release(holder)


def _ask_origin(
    gate: Gate, server: str, rules: RobotsRules | None, toots: list[tuple[str, str]]
) -> tuple[RobotsRules | None, dict[str, Finding]]:
    """Everything of one server, in a thread of its own; touches no database."""
    try:
        rules = rules if rules is not None else fetch_robots(gate, server)
    except RemoteError as error:
        return None, {uri: Finding(Standing.UNKNOWN, detail=error.user_message) for uri, _ in toots}
    return rules, {uri: look_up(gate, uri, url, robots=rules) for uri, url in toots}


def _addresses(toots: list[Toot]) -> list[tuple[str, str]]:
    return [(toot.uri, toot.url) for toot in toots]


def _known_rules(server: str, own_server: str) -> RobotsRules | None:
    """On our own server we are a guest with an account, not a robot."""
    rules = RobotsRules(has_file=False) if server == own_server else cache.get(_robots_key(server))
    return rules if isinstance(rules, RobotsRules) else None


def _or_by_copy(outbox: Outbox, uri: str, finding: Finding) -> Finding:
    if finding.standing is not Standing.UNKNOWN:
        return finding
    try:
        copy = outbox.client.find_copy(uri)
    except RemoteError:
        copy = None  # a token without the right to search: what the origin did not say stays unknown
    return judge(copy) if copy is not None else finding


def _robots_key(server: str) -> str:
    return f"robots:{server}"
