"""One pass over feeds: which of them next, threads that ask them, and what came of it written down.

The thread that calls ``crawl`` is the only one that touches the database.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DataError, transaction
from django.db.models import Exists, Min, OuterRef, Q

from common.http import Gate
from common.times import now_utc
from feeds.addresses import host_of
from feeds.decisions import Decision, Known, Rhythm, Verdict, ask, unexpected
from feeds.hubs import doubt, trusted
from feeds.models import Feed, HubSubscription, Source
from feeds.retrieval import Validators, open_gate
from feeds.storing import prepare, write
from jobs.context import JobContext

logger = logging.getLogger(__name__)

# Longer than any request and its parsing; a process that died holds its feeds no longer than this.
_CLAIM = timedelta(minutes=3)
_LOOK_AGAIN_SECONDS = 0.25


@dataclass
class Outcome:
    """What a pass did. ``skipped``: somebody else was asking that host, or time was up."""

    total: int
    unchanged: int = 0
    changed: int = 0
    failed: int = 0
    gone: int = 0
    skipped: int = 0
    new_posts: int = 0
    last_error: str = ""

    @property
    def succeeded(self) -> int:
        return self.unchanged + self.changed

    @property
    def done(self) -> int:
        return self.succeeded + self.failed + self.gone + self.skipped

    def as_result(self) -> dict[str, Any]:
        names = ("total", "unchanged", "changed", "failed", "gone", "skipped", "new_posts")
        return {name: getattr(self, name) for name in names}


def crawl(
    ctx: JobContext, feeds: Sequence[tuple[int, str]], *, slice_seconds: float | None, patience_seconds: float
) -> Outcome:
    """Ask the feeds, given as (id, host). Nothing is begun after ``slice_seconds``.

    ``patience_seconds``: how long to wait for hosts that another process is asking.
    """
    if not feeds:
        return Outcome(0)
    with open_gate() as gate, ctx.on_stop(gate.abort):
        return _Pass(ctx, gate, feeds, slice_seconds, patience_seconds).run()


@dataclass
class _Host:
    waiting: deque[int] = field(default_factory=deque)
    free_at: float = 0.0  # on the monotonic clock


class _Pass:
    def __init__(
        self,
        ctx: JobContext,
        gate: Gate,
        feeds: Sequence[tuple[int, str]],
        slice_seconds: float | None,
        patience_seconds: float,
    ) -> None:
        self._ctx = ctx
        self._gate = gate
        self._outcome = Outcome(len(feeds))
        self._hosts: dict[str, _Host] = {}
        for feed_id, host in feeds:
            self._hosts.setdefault(host, _Host()).waiting.append(feed_id)
        self._ready = deque(self._hosts)
        self._asked: dict[Future[Decision], tuple[Known, str]] = {}
        self._claimed: set[int] = set()
        started = time.monotonic()
        self._begin_until = None if slice_seconds is None else started + slice_seconds
        self._patient_until = started + patience_seconds
        self._threads: int = max(1, min(settings.MASTOSCORE_FEED_THREADS, len(self._hosts)))

    def run(self) -> Outcome:
        with ThreadPoolExecutor(self._threads, thread_name_prefix="feeds") as pool:
            try:
                while self._ready or self._asked:
                    self._ctx.check_cancelled()
                    self._begin(pool)
                    self._finish()
                    self._ctx.progress(**self._outcome.as_result(), done=self._outcome.done)
                self._ctx.check_cancelled()
            finally:
                self._gate.abort()
                self._give_back()
        return self._outcome

    # --- begun ---
    def _begin(self, pool: ThreadPoolExecutor) -> None:
        """Ask the next feed of as many free hosts as there are free threads."""
        if self._begin_until is not None and time.monotonic() > self._begin_until:
            self._outcome.skipped += sum(len(self._hosts.pop(name).waiting) for name in self._ready)
            self._ready.clear()
            return
        chosen: dict[int, str] = {}
        now = time.monotonic()
        for _ in range(len(self._ready)):
            if len(self._asked) + len(chosen) >= self._threads:
                break
            name = self._ready.popleft()
            if self._hosts[name].free_at > now:
                self._ready.append(name)
            else:
                chosen[self._hosts[name].waiting.popleft()] = name
        claimed = claim(chosen) if chosen else {}
        for feed_id, name in chosen.items():
            known = claimed.get(feed_id)
            if known is None:
                self._put_off(feed_id, name)
            else:
                self._claimed.add(feed_id)
                self._asked[pool.submit(ask, self._gate, known)] = (known, name)

    def _put_off(self, feed_id: int, name: str) -> None:
        """Somebody else asks that host, or the feed is gone."""
        if time.monotonic() < self._patient_until:
            self._hosts[name].waiting.append(feed_id)
            self._hosts[name].free_at = time.monotonic() + _LOOK_AGAIN_SECONDS
        else:
            self._outcome.skipped += 1
        self._line_up(name)

    def _line_up(self, name: str) -> None:
        if name in self._hosts and self._hosts[name].waiting:
            self._ready.append(name)

    # --- finished ---
    def _finish(self) -> None:
        """Wait for an answer, and write down all that are there."""
        if not self._asked:
            self._ctx.wait(min((self._pause_left(name) for name in self._ready), default=0.0))
            return
        free = len(self._asked) < self._threads and any(self._ready)
        finished, _ = wait(self._asked, _LOOK_AGAIN_SECONDS if free else 1.0, FIRST_COMPLETED)
        answers: list[tuple[Known, Decision]] = []
        for future in finished:
            known, name = self._asked.pop(future)
            if not self._ctx.stopping():
                answers.append((known, _result_of(future, known)))
            self._hosts[name].free_at = time.monotonic() + settings.MASTOSCORE_FEED_HOST_PAUSE_SECONDS
            self._line_up(name)
        if answers:
            store(answers, self._outcome)
            self._claimed.difference_update(known.feed_id for known, _ in answers)

    def _pause_left(self, name: str) -> float:
        return max(0.0, self._hosts[name].free_at - time.monotonic())

    def _give_back(self) -> None:
        """What was begun and is not written down is free for others."""
        if self._claimed:
            Feed.objects.filter(pk__in=self._claimed).update(claimed_until=None)


def _result_of(future: Future[Decision], known: Known) -> Decision:
    trouble = future.exception()
    if trouble is None:
        return future.result()
    # A document that a parser chokes on must cost its own source a failure, and nobody else anything.
    logger.error("feed %d (%s) could not be worked on", known.feed_id, known.url, exc_info=trouble)
    return unexpected(known, now_utc())


def claim(ids: Iterable[int]) -> dict[int, Known]:
    """Take those of the feeds whose host nobody is asking, as far as they exist; by id."""
    now = now_utc()
    with transaction.atomic():
        busy = Feed.objects.filter(host=OuterRef("host"), claimed_until__gt=now)
        feeds = Feed.objects.filter(~Exists(busy), pk__in=list(ids), is_gone=False)
        taken = [feed.pk for feed in feeds.select_for_update().only("pk")]
        Feed.objects.filter(pk__in=taken).update(claimed_until=now + _CLAIM)
    wanted = Min("sources__interval_minutes", filter=Q(sources__active=True))
    pushed = Exists(HubSubscription.objects.filter(trusted(now), feed=OuterRef("pk")))
    rows = Feed.objects.filter(pk__in=taken).annotate(wanted_minutes=wanted, is_pushed=pushed)
    return {feed.pk: known_of(feed, feed.wanted_minutes, is_pushed=feed.is_pushed) for feed in rows}


def known_of(feed: Feed, wanted_minutes: int | None, *, is_pushed: bool = False) -> Known:
    return Known(
        feed_id=feed.pk,
        url=feed.url,
        validators=Validators(bytes(feed.etag), bytes(feed.last_modified)),
        body_hash=feed.body_hash,
        rhythm=Rhythm(
            feed.latest_entry_at, feed.entry_gap_minutes, feed.ttl_minutes, feed.skip_hours, feed.skip_days
        ),
        wanted_minutes=wanted_minutes,
        failures=feed.failures,
        moving_to=feed.moving_to,
        moving_seen=feed.moving_seen,
        is_pushed=is_pushed,
    )


def store(answers: Sequence[tuple[Known, Decision]], outcome: Outcome) -> None:
    """Write down what was decided: documents one by one, all the rest in one transaction."""
    for known, decision in answers:
        if decision.document is not None:
            decision = _store_changed(known, decision, outcome)
        _count(decision, outcome)
    with transaction.atomic():
        for known, decision in answers:
            if decision.document is None:
                store_decision(known, decision)


def _store_changed(known: Known, decision: Decision, outcome: Outcome) -> Decision:
    feed = Feed.objects.filter(pk=known.feed_id).first()
    if feed is None or decision.document is None:  # its last reader left meanwhile
        return decision
    now = decision.values["attempted_at"]
    try:
        prepared = prepare(feed, decision.document, now)
        with transaction.atomic():
            stored = write(prepared)
            outcome.new_posts += stored.posts
            if known.is_pushed and stored.added:
                doubt(feed.pk)
            store_decision(known, decision)
    except (DataError, ValueError):  # texts that no database takes are one or the other, as its driver likes
        logger.exception("feed %d (%s) could not be stored", known.feed_id, known.url)
        decision = unexpected(known, now)
        store_decision(known, decision)
    return decision


def store_decision(known: Known, decision: Decision) -> None:
    """The feed's row, and what follows for its sources. Validators are written together with what they stand for."""
    Feed.objects.filter(pk=known.feed_id).update(**decision.values, claimed_until=None)
    if decision.verdict is Verdict.GONE:
        Source.objects.filter(feed=known.feed_id, active=True).update(
            active=False, deactivation_reason=decision.error, paused_at=decision.values["attempted_at"]
        )
    if decision.document is not None and decision.document.title:
        # Sources that were made before anything was known are called by their address.
        Source.objects.filter(feed=known.feed_id, name=known.url[:255]).update(name=decision.document.title[:255])
    if decision.move_to and not Feed.objects.filter(url=decision.move_to).exists():
        Feed.objects.filter(pk=known.feed_id).update(url=decision.move_to, host=host_of(decision.move_to))


def _count(decision: Decision, outcome: Outcome) -> None:
    name = decision.verdict.value
    setattr(outcome, name, getattr(outcome, name) + 1)
    outcome.last_error = decision.error or outcome.last_error
