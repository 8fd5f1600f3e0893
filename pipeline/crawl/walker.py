"""One server's walk, in a thread of its own: ask, judge, hand over, wait until that is stored, ask again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from common.errors import RemoteError
from common.http import Gate
from common.http_errors import Aborted
from common.mastodon import MastodonServer, PageFacts, RateLimited, RemoteRefused, hashtag_path
from common.robots import RobotsRules, fetch_robots
from common.times import now_utc
from pipeline.core.fetch import (
    PAGE_LIMIT,
    Aim,
    Cursor,
    Jump,
    Page,
    Step,
    View,
    after_failed_jump,
    after_refusal,
    take_page,
)
from pipeline.crawl import outcomes
from pipeline.crawl.messages import Assignment, Ending, Report, Tally

_T = TypeVar("_T")

_RETRIES_OF_THE_SILENT = 2


@dataclass(frozen=True, slots=True)
class Manners:
    """How patient a crawl is with one server.

    ``retry_pauses``: seconds before the second, third... attempt at a request that failed in passing; a server that
    names a longer time gets it, up to ``longest_wait_seconds``. ``visit_seconds``: for the whole visit.
    """

    retry_pauses: tuple[float, ...]
    longest_wait_seconds: float = 600
    visit_seconds: float = 3600


class Interrupted(Exception):
    """Nobody's error: the crawl is being stopped, and the walk has to end without an outcome."""


class Walk:
    """The walk through one server. ``deliver`` hands a report to the coordinator and returns at once."""

    def __init__(
        self,
        gate: Gate,
        assignment: Assignment,
        aim: Aim,
        *,
        hashtag: str,
        token: str,
        manners: Manners,
        deliver: Callable[[Report], None],
        stop: threading.Event,
    ) -> None:
        self._gate = gate
        self._assignment = assignment
        self._server = MastodonServer(gate, assignment.server, token=token)
        self._aim = aim
        self._hashtag = hashtag
        self._manners = manners
        self._deliver = deliver
        self._stop = stop
        self._tally = Tally()
        self._facts: PageFacts | None = None
        self._has_answered = assignment.cursor.pages > 0
        self._robots_verdict = ""
        self._new_robots: RobotsRules | None = None
        self._out_of_patience_at = time.monotonic() + manners.visit_seconds - assignment.seconds

    def run(self) -> None:
        """Walk to the end, or until the crawl is stopped; never raises for what a server does."""
        try:
            self._walk(self._assignment.cursor)
        except (Interrupted, Aborted):
            return

    def _walk(self, cursor: Cursor) -> None:
        step, ending = Step(cursor), self._look_at_robots(cursor)
        while ending is None:
            step, ending = self._take_step(step.cursor)
            if ending is None:
                self._tell(step)
                self._heed_limits()
        self._tell(step, ending)

    def _take_step(self, cursor: Cursor) -> tuple[Step, Ending | None]:
        """Ask once; what came and, when the walk is over, how."""
        if time.monotonic() > self._out_of_patience_at:
            minutes = round(self._manners.visit_seconds / 60)
            return Step(cursor), outcomes.ending_of_patience(self._server.server, cursor, minutes)
        try:
            step = self._ask_for_page(cursor)
        except RemoteError as error:
            return self._judge_failure(cursor, error)
        if step.end is None:
            return step, None
        return step, outcomes.ending_of_walk(step.end, self._server.server, step.cursor, self._aim)

    def _ask_for_page(self, cursor: Cursor) -> Step:
        page = self._ask(
            lambda: self._server.hashtag_page(
                self._hashtag, max_id=cursor.max_id, is_local=cursor.view is View.LOCAL, limit=PAGE_LIMIT
            ),
            is_jump=cursor.jump is Jump.ASKED,
        )
        self._facts = page.answer
        self._tally.pages += 1
        self._tally.received_bytes += page.answer.received_bytes
        step = take_page(cursor, Page(page.toots, page.row_count, page.last_id), self._aim, now=now_utc())
        self._tally.passed_over += step.passed_over
        return step

    def _judge_failure(self, cursor: Cursor, error: RemoteError) -> tuple[Step, Ending | None]:
        if isinstance(error, Aborted):
            raise error
        if isinstance(error, RemoteRefused) and (local := after_refusal(cursor)) is not None:
            return Step(local), None
        if cursor.jump is Jump.ASKED and _is_no_to_a_jump(error):
            return Step(after_failed_jump(cursor)), None
        is_home = self._assignment.is_home
        return Step(cursor), outcomes.ending_of_error(error, self._server.server, cursor, is_home=is_home)

    def _look_at_robots(self, cursor: Cursor) -> Ending | None:
        """The home server is asked as its user; every other one may say no to robots."""
        if self._assignment.is_home:
            return None
        rules = self._assignment.robots
        if rules is None:
            try:
                rules = self._ask(lambda: fetch_robots(self._gate, self._server.server))
            except Aborted:
                raise
            except RemoteError as error:
                return outcomes.ending_of_error(error, self._server.server, cursor)
            self._new_robots = rules
        path = hashtag_path(self._hashtag)
        self._robots_verdict = rules.verdict(path)
        return None if rules.allows(path) else outcomes.ending_of_robots(self._server.server)

    def _ask(self, request: Callable[[], _T], *, is_jump: bool = False) -> _T:
        """The answer, after as many attempts as our manners allow where trying again may help."""
        failures = 0
        while True:
            self._check()
            begun_at = time.monotonic()
            try:
                answer = request()
                self._has_answered = True
                return answer
            except RemoteError as error:
                self._has_answered |= error.status_code is not None
                failures += 1
                wait_seconds = self._wait_before_retry(error, failures)
                if wait_seconds is None or (is_jump and _is_no_to_a_jump(error)):
                    raise
            finally:
                self._tally.requests += 1
                self._tally.seconds += time.monotonic() - begun_at
            self._pause(wait_seconds)

    def _wait_before_retry(self, error: RemoteError, failures: int) -> float | None:
        """Seconds until the next attempt, or None when there should be none."""
        pauses = self._manners.retry_pauses
        if not self._has_answered:  # most likely it is not there at all
            pauses = pauses[:_RETRIES_OF_THE_SILENT]
        if error.permanent or failures > len(pauses):
            return None
        wait_seconds = max(pauses[failures - 1], error.retry_after or 0)
        return wait_seconds if wait_seconds <= self._manners.longest_wait_seconds else None

    def _heed_limits(self) -> None:
        """Wait for the server's next period when it says that this one is used up."""
        facts = self._facts
        if facts is None or facts.rate_remaining is None or facts.rate_reset_at is None or facts.rate_remaining > 0:
            return
        wait_seconds = (facts.rate_reset_at - now_utc()).total_seconds()
        self._pause(min(max(wait_seconds, 0), self._manners.longest_wait_seconds))

    def _tell(self, step: Step, ending: Ending | None = None) -> None:
        """Hand over what came since the last report and wait until it is stored."""
        report = Report(
            self._assignment,
            step.cursor,
            toots=step.counted,
            tally=self._tally,
            robots_verdict=self._robots_verdict,
            new_robots=self._new_robots,
            ending=ending,
        )
        self._tally, self._new_robots = Tally(), None
        self._check()
        self._deliver(report)
        while not report.stored.wait(0.2):
            self._check()
        if report.is_lost:
            raise Interrupted

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Interrupted

    def _check(self) -> None:
        if self._stop.is_set():
            raise Interrupted


def _is_no_to_a_jump(error: RemoteError) -> bool:
    """Whether the server answered that it cannot make sense of the id, in whatever way; 429 says nothing about it."""
    return error.status_code is not None and not isinstance(error, RateLimited)
