"""Runs a crawl in this process: hands out visits to threads, stores what they bring, until nothing is left."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from django.core.cache import cache

from common.errors import RemoteError
from common.garbage import rare_collections, share_heaps
from common.http import Gate
from common.robots import RobotsRules
from events.models import Event
from jobs.context import JobContext
from pipeline.core.fetch import Stage
from pipeline.core.wording import count_of
from pipeline.crawl import facts, frontier, rounds
from pipeline.crawl.messages import Assignment, Report
from pipeline.crawl.meter import CrawlBudget, Lease, VisitMeter
from pipeline.crawl.outcomes import is_good
from pipeline.crawl.progress import snapshot
from pipeline.crawl.runs import aim_of
from pipeline.crawl.terms import Terms
from pipeline.crawl.walker import Walk
from pipeline.crawl.writer import Writer
from pipeline.models import Crawl

ROBOTS_SECONDS = 24 * 3600
_BATCH = 64
_POLL_SECONDS = 0.2
_SNAPSHOT_SECONDS = 1.0
# How often the table is asked for work while this process knows of none: other processes may add some.
_IDLE_CLAIM_SECONDS = 1.0
_HELP_SECONDS = 30.0
# For so long nobody wonders why nothing happens.
_SILENCE_SECONDS = 1.5
# A little less than the lease in the table: nobody asks with a lease that may have ended.
_LEASE_SECONDS = frontier.LEASE.total_seconds() - 3


class HomeServerFailed(RemoteError):
    """The crawl could not even begin."""


@dataclass(frozen=True, slots=True)
class RunningWalk:
    future: Future[None]
    server: str
    lease: Lease
    meter: VisitMeter


class Coordinator:
    """One crawl in one process. Only this thread touches the database; the walks only talk to servers.

    Several may be at work on one crawl. The one that runs it has no ``may_stay``; a helper has, leaves the home
    server to the other, and goes when it says no.
    """

    def __init__(
        self,
        ctx: JobContext,
        event: Event,
        crawl: Crawl,
        gate: Gate,
        terms: Terms,
        *,
        may_stay: Callable[[], bool] | None = None,
        on_much_work: Callable[[], None] = lambda: None,
    ) -> None:
        self._ctx = ctx
        self._event = event
        self._crawl = crawl
        self._gate = gate
        self._terms = terms
        self._may_stay = may_stay
        self._on_much_work = on_much_work
        self._aim = aim_of(crawl)
        self._holder = frontier.new_holder()
        self._writer = Writer(event, crawl, self._holder, max_servers=terms.max_servers)
        self._budget = CrawlBudget(terms.caps)
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._walks: dict[int, RunningWalk] = {}
        self._current_server = ""
        self._claim_at = self._upkeep_at = self._snapshot_at = self._help_at = 0.0
        self._is_leaving = self._takes_newest = self._has_told = self._has_backlog = False
        self._busy_at = time.monotonic()
        self.ended_walks = 0

    def run(self) -> None:
        """Until no visit is open any more, in whatever process; a helper also until it has to go.

        Raises HomeServerFailed when the home server does not even give a first page, and JobStopped when the job
        has to end; what is stored by then stays, open visits are given back.
        """
        share_heaps()
        try:
            with (
                rare_collections(),
                self._ctx.on_stop(self._halt),
                ThreadPoolExecutor(self._terms.threads, "walk") as pool,
            ):
                try:
                    self._work(pool)
                finally:
                    self._halt()
        finally:
            frontier.release(self._crawl, self._holder)
        self._show_progress(is_last=True)

    @property
    def left_out(self) -> int:
        """Servers that this process heard of and found no room for."""
        return len(self._writer.left_out)

    def _work(self, pool: ThreadPoolExecutor) -> None:
        while not self._is_leaving:
            self._ctx.check_cancelled()
            self._keep_up()
            self._end_walks([visit_id for visit_id, walk in self._walks.items() if walk.future.done()])
            self._hand_out(pool)
            self._look_for_help()
            if not self._walks and self._reports.empty() and frontier.is_exhausted(self._crawl):
                if not rounds.open_next(self._crawl):
                    return
                self._claim_at = 0.0
                continue
            self._say_why_it_waits()
            reports = self._collect()
            if reports:
                self._store(reports)
            self._show_progress()

    def _hand_out(self, pool: ThreadPoolExecutor) -> None:
        idle = self._terms.threads - len(self._walks)
        now = time.monotonic()
        if idle <= 0 or not (self._writer.has_new_servers or now >= self._claim_at):
            return
        valid_until = now + _LEASE_SECONDS
        assignments = frontier.claim(
            self._crawl, self._holder, idle, with_home=self._may_stay is None, newest_first=self._takes_newest
        )
        # From both ends in turn: what was found last may lead on to a server that nobody else names, and what was
        # found first does not wait for ever behind invented names.
        self._takes_newest = not self._takes_newest
        self._has_backlog = len(assignments) == idle
        if not self._has_backlog:
            self._writer.has_new_servers = False
            self._claim_at = now + _IDLE_CLAIM_SECONDS
        software = facts.find_software(assignment.server for assignment in assignments)
        for assignment in assignments:
            assignment = replace(assignment, software=software.get(assignment.server))
            self._start_walk(pool, assignment, Lease(valid_until))

    def _start_walk(self, pool: ThreadPoolExecutor, assignment: Assignment, lease: Lease) -> None:
        if not assignment.is_home:
            assignment = replace(assignment, robots=cache.get(robots_key(assignment.server)))
        if assignment.cursor.stage is Stage.TRAIL:
            known = frozenset(self._crawl.visits.values_list("server", flat=True))
            assignment = replace(assignment, known_servers=known)
        meter = VisitMeter(
            assignment,
            self._terms.caps,
            self._budget,
            lease,
            stop=self._stop,
            longest_wait_seconds=self._terms.manners.longest_wait_seconds,
        )
        walk = Walk(
            self._gate,
            assignment,
            self._aim,
            token=self._terms.home_token if assignment.is_home else "",
            manners=self._terms.manners,
            meter=meter,
            deliver=self._reports.put,
            stop=self._stop,
        )
        self._walks[assignment.visit_id] = RunningWalk(pool.submit(walk.run), assignment.server, lease, meter)

    def _collect(self) -> list[Report]:
        """What has come in: waits a moment for the first report, then takes what is there."""
        reports = []
        try:
            reports.append(self._reports.get(timeout=_POLL_SECONDS))
            while len(reports) < _BATCH:
                reports.append(self._reports.get_nowait())
        except queue.Empty:
            return reports
        return reports

    def _store(self, reports: list[Report]) -> None:
        self._writer.write(reports)
        for report in reports:
            report.stored.set()
        self._current_server = reports[-1].assignment.server
        for report in reports:
            if report.new_robots is not None:
                _remember_robots(report.assignment.server, report.new_robots)
            if report.new_software is not None:
                facts.remember_software(report.assignment.server, report.new_software)
            self._look_at_home(report)
        self._end_walks(
            [report.assignment.visit_id for report in reports if report.ending is not None or report.is_lost]
        )

    def _look_at_home(self, report: Report) -> None:
        ending = report.ending
        if report.is_lost or ending is None or is_good(ending.outcome):
            return
        if report.assignment.is_home and not report.cursor.has_pages:
            raise HomeServerFailed(
                f"home server {report.assignment.server}: {ending.outcome}",
                server=report.assignment.server,
                user_message=f"The home server failed, so nothing was fetched: {ending.detail}",
            )

    def _end_walks(self, visit_ids: list[int]) -> None:
        """Free the threads of walks that have told their last; a bug in one is raised here, not lost."""
        ended = [(visit_id, self._walks.pop(visit_id)) for visit_id in visit_ids if visit_id in self._walks]
        if not ended:
            return
        for _, walk in ended:
            walk.future.result()
        frontier.end_walks(
            self._crawl,
            self._holder,
            {visit_id: (walk.server, walk.meter.not_before) for visit_id, walk in ended},
        )
        self.ended_walks += len(ended)
        if self._has_backlog:
            self._claim_at = 0.0

    def _keep_up(self) -> None:
        """Every few seconds: leases, what others spent, what dead ones left behind."""
        now = time.monotonic()
        if now < self._upkeep_at:
            return
        self._upkeep_at = now + frontier.RENEW_SECONDS
        held = frontier.renew(self._crawl, self._holder)
        for visit_id, walk in self._walks.items():
            walk.lease.is_lost = visit_id not in held
            walk.lease.valid_until = now + _LEASE_SECONDS
        frontier.release_dead(self._crawl)
        self._budget.note_elsewhere(*self._writer.spent_by_others())
        if self._may_stay is not None:
            self._is_leaving = not self._may_stay() or not frontier.is_running(self._crawl)

    def _look_for_help(self) -> None:
        """Call for helpers when more waits than this process can do at once."""
        now = time.monotonic()
        if self._may_stay is not None or now < self._help_at:
            return
        has_much = frontier.count_pending(self._crawl) > self._terms.threads
        self._help_at = now + (_HELP_SECONDS if has_much else _IDLE_CLAIM_SECONDS)
        if has_much:
            self._on_much_work()

    def _say_why_it_waits(self) -> None:
        """Once, when there is work left and none of it is for us."""
        now = time.monotonic()
        if self._walks or self._may_stay is not None or self._has_told:
            self._busy_at = now
        elif now - self._busy_at >= _SILENCE_SECONDS and (count := frontier.count_open(self._crawl)):
            self._has_told = True
            self._ctx.say(
                f"Waiting for {count_of(count, 'server')} that another process is asking; what a killed one held "
                f"is free after {frontier.LEASE.total_seconds():.0f} seconds at most."
            )

    def _show_progress(self, *, is_last: bool = False) -> None:
        if is_last or time.monotonic() >= self._snapshot_at:
            self._snapshot_at = time.monotonic() + _SNAPSHOT_SECONDS
            self._ctx.progress(**snapshot(self._event, self._crawl, self._current_server))

    def _halt(self) -> None:
        self._stop.set()
        self._gate.abort()


def robots_key(server: str) -> str:
    return f"robots:{server}"


def _remember_robots(server: str, rules: RobotsRules) -> None:
    cache.set(robots_key(server), rules, ROBOTS_SECONDS)
