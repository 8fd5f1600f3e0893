"""One server's walk, in a thread of its own: ask, judge, hand over, wait until that is stored, ask again."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from common.errors import RemoteError
from common.http import Gate
from common.http_errors import Aborted, InvalidAnswer
from common.mastodon import NotFound, RateLimited, RemoteRefused
from common.misskey import FAMILY
from common.nodeinfo import PATH as NODEINFO_PATH
from common.nodeinfo import Software, fetch_software
from common.robots import RobotsRules, fetch_robots
from common.times import now_utc
from pipeline.core.fetch import (
    Aim,
    Cursor,
    End,
    Jump,
    Page,
    Stage,
    Step,
    after_failed_jump,
    after_missing_api,
    after_refusal,
    begin,
    next_hashtag,
    take_page,
)
from pipeline.core.merge import MergedToot
from pipeline.crawl import outcomes
from pipeline.crawl.asking import Asking
from pipeline.crawl.desk import Desk
from pipeline.crawl.known import KnownToots
from pipeline.crawl.messages import Assignment, Ending, Report
from pipeline.crawl.meter import Interrupted, VisitMeter

_T = TypeVar("_T")

_RETRIES_OF_THE_SILENT = 2
_LAST_ENDS = (End.REACHED_MAX, End.ENDLESS, End.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Manners:
    """How patient a crawl is with one server.

    ``retry_pauses``: seconds before the second, third... attempt at a request that failed in passing; a server that
    names a longer time gets it, up to ``longest_wait_seconds``. ``visit_seconds``: for the whole visit.
    """

    retry_pauses: tuple[float, ...]
    longest_wait_seconds: float = 600
    visit_seconds: float = 3600


class Delivery:
    """A report on its way: ``stored`` is set when it has arrived, or will not (``is_lost``)."""

    def __init__(self) -> None:
        self.stored = threading.Event()
        self.is_lost = False


class Walk:
    """The walk through one server. ``deliver`` hands a report to the coordinator and returns at once.

    ``known`` tells which copies are not worth reading, ``told_in`` is the number of the crawl.
    """

    def __init__(
        self,
        gate: Gate,
        assignment: Assignment,
        aim: Aim,
        *,
        token: str,
        manners: Manners,
        meter: VisitMeter,
        known: KnownToots,
        desk: Desk,
        told_in: int,
        deliver: Callable[[Report], Delivery],
        stop: threading.Event,
    ) -> None:
        self._gate = gate.metered(meter)
        self._meter = meter
        self._assignment = assignment
        # The home server first, then those found last: it is they who may lead on.
        self._seat = desk.seat(-sys.maxsize if assignment.is_home else -assignment.visit_id)
        self._server = Asking(self._gate, assignment.server, aim, token=token, on_page=self._seat.take)
        self._aim = aim
        self._manners = manners
        self._known = known
        self._told_in = told_in
        self._deliver = deliver
        self._stop = stop
        self._has_answered = assignment.cursor.has_pages
        self._robots = assignment.robots
        self._robots_verdict = ""
        self._new_robots: RobotsRules | None = None
        self._software = assignment.software
        self._new_software: Software | None = None
        self._toots: tuple[MergedToot, ...] = ()
        self._seen_again: tuple[int, ...] = ()
        self._out_of_patience_at = time.monotonic() + manners.visit_seconds - assignment.seconds

    def run(self) -> None:
        """Walk to the end, or until the crawl is stopped; never raises for what a server does."""
        try:
            is_home, speaks_notes = self._assignment.is_home, _speaks_notes(self._software)
            self._walk(begin(self._assignment.cursor, self._aim, is_home=is_home, speaks_notes=speaks_notes))
        except (Interrupted, Aborted):
            return
        finally:
            self._seat.leave()

    def _walk(self, cursor: Cursor) -> None:
        step, ending = Step(cursor), self._look_at_robots(cursor)
        while ending is None:
            step, ending = self._take_step(step.cursor)
            if ending is None:
                self._tell(step)
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
        if step.end is not None and step.end not in _LAST_ENDS:
            following = next_hashtag(step.cursor, self._aim)
            step = replace(step, cursor=following, end=None) if following is not None else step
        if step.end is None:
            return step, None
        return step, outcomes.ending_of_walk(step.end, self._server.server, step.cursor, self._aim)

    def _ask_for_page(self, cursor: Cursor) -> Step:
        page = self._ask(
            lambda: self._server.fetch_page(cursor),
            is_jump=cursor.jump is Jump.ASKED,
        )
        self._meter.spent.pages += 1
        step = take_page(
            cursor,
            Page(page.toots, page.row_count, page.last_id),
            self._aim,
            now=now_utc(),
            known_servers=self._assignment.known_servers,
        )
        self._meter.spent.passed_over += step.passed_over
        # At once, so that the page makes way for that of another walk: dozens of them fit into no processor's cache.
        self._toots, self._seen_again = self._known.sort_out(step.counted, told_in=self._told_in)
        return replace(step, counted=())

    def _judge_failure(self, cursor: Cursor, error: RemoteError) -> tuple[Step, Ending | None]:
        if isinstance(error, Aborted):
            raise error
        if cursor.jump is Jump.ASKED and _is_no_to_a_jump(error):
            return Step(after_failed_jump(cursor)), None
        following = self._find_other_way(cursor, error)
        if following is not None and self._is_allowed(following):
            return Step(following), None
        is_home = self._assignment.is_home
        return Step(cursor), outcomes.ending_of_error(error, self._server.server, cursor, is_home=is_home)

    def _find_other_way(self, cursor: Cursor, error: RemoteError) -> Cursor | None:
        """What else to ask for after a no. Only when no other way is left, NodeInfo is asked what the server is."""
        if cursor.stage is not Stage.FIRST:
            return None
        if isinstance(error, NotFound) and error.speaks_api:
            return next_hashtag(cursor, self._aim)  # GoToSocial says so of a hashtag that nobody used
        if isinstance(error, RemoteRefused):
            simpler = after_refusal(cursor, has_feed=False)
            if simpler is not None or cursor.pages or self._assignment.is_home:
                return simpler
            return after_refusal(cursor, speaks_notes=self._learn_whether_notes())
        if isinstance(error, NotFound | InvalidAnswer) and not cursor.has_pages:
            return after_missing_api(cursor, speaks_notes=self._learn_whether_notes())
        return None

    def _learn_whether_notes(self) -> bool:
        """Whether the server is of the Misskey family; asked at most once in 30 days."""
        if self._software is None and (self._robots is None or self._robots.allows(NODEINFO_PATH)):
            try:
                self._software = self._ask(lambda: fetch_software(self._gate, self._server.server))
                self._new_software = self._software
            except Aborted:
                raise
            except RemoteError:
                return False  # not today; the server's first answer says what becomes of the visit
        return _speaks_notes(self._software)

    def _is_allowed(self, cursor: Cursor) -> bool:
        return self._robots is None or self._robots.allows(self._server.path_of(cursor))

    def _look_at_robots(self, cursor: Cursor) -> Ending | None:
        """The home server is asked as its user; every other one may say no to robots."""
        if self._assignment.is_home:
            return None
        if self._robots is None:
            try:
                self._robots = self._ask(lambda: fetch_robots(self._gate, self._server.server))
            except Aborted:
                raise
            except RemoteError as error:
                return outcomes.ending_of_error(error, self._server.server, cursor)
            self._new_robots = self._robots
        path = self._server.path_of(cursor)
        self._robots_verdict = self._robots.verdict(path)
        return None if self._robots.allows(path) else outcomes.ending_of_robots(self._server.server)

    def _ask(self, request: Callable[[], _T], *, is_jump: bool = False) -> _T:
        """The answer, after as many attempts as our manners allow where trying again may help."""
        failures = 0
        while True:
            self._check()
            try:
                answer = request()
                self._has_answered = True
                return answer
            except RemoteError as error:
                self._seat.leave()
                self._has_answered |= error.status_code is not None
                failures += 1
                wait_seconds = self._wait_before_retry(error, failures)
                if wait_seconds is None or (is_jump and _is_no_to_a_jump(error)):
                    raise
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

    def _tell(self, step: Step, ending: Ending | None = None) -> None:
        """Hand over what came since the last report and wait until it is stored."""
        assignment = self._assignment
        report = Report(
            assignment.walk,
            assignment.visit_id,
            assignment.server,
            assignment.is_home,
            step.cursor,
            toots=self._toots,
            known=self._seen_again,
            named=step.named,
            tally=self._meter.take_spent(),
            robots_verdict=self._robots_verdict,
            new_robots=self._new_robots,
            new_software=self._new_software,
            ending=ending,
        )
        self._new_robots = self._new_software = None
        self._toots, self._seen_again = (), ()
        self._check()
        delivery = self._deliver(report)
        self._seat.leave()
        while not delivery.stored.wait(0.2):
            self._check()
        if delivery.is_lost:
            raise Interrupted

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Interrupted

    def _check(self) -> None:
        if self._stop.is_set():
            raise Interrupted


def _speaks_notes(software: Software | None) -> bool:
    return software is not None and software.name in FAMILY


def _is_no_to_a_jump(error: RemoteError) -> bool:
    """Whether the server answered that it cannot make sense of the id, in whatever way; 429 says nothing about it."""
    return error.status_code is not None and not isinstance(error, RateLimited)
