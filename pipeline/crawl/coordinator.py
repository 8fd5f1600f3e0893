"""Runs a crawl in this process: hands out visits to threads, stores what they bring, until nothing is left."""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from django.core.cache import cache

from common.errors import RemoteError
from common.http import Gate
from common.robots import RobotsRules
from common.text import fold_hashtag
from common.times import Window
from events.models import Event
from jobs.context import JobContext
from pipeline.core.fetch import Aim
from pipeline.crawl import frontier
from pipeline.crawl.messages import Assignment, Report
from pipeline.crawl.outcomes import is_good
from pipeline.crawl.progress import snapshot
from pipeline.crawl.walker import Manners, Walk
from pipeline.crawl.writer import Writer
from pipeline.models import Crawl

ROBOTS_SECONDS = 24 * 3600
_BATCH = 64
_POLL_SECONDS = 0.2
_SNAPSHOT_SECONDS = 0.5
# How often the table is asked for work while this process knows of none: other processes may add some.
_IDLE_CLAIM_SECONDS = 1.0


class HomeServerFailed(RemoteError):
    """The crawl could not even begin."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a crawl goes about it. ``home_token`` goes to the home server and to nobody else."""

    threads: int
    max_servers: int
    manners: Manners
    home_token: str = ""


class Coordinator:
    """One crawl in one process. Only this thread touches the database; the walks only talk to servers."""

    def __init__(self, ctx: JobContext, event: Event, crawl: Crawl, gate: Gate, terms: Terms) -> None:
        self._ctx = ctx
        self._event = event
        self._crawl = crawl
        self._gate = gate
        self._terms = terms
        self._aim = Aim(
            frozenset({fold_hashtag(crawl.hashtag)}), Window(crawl.window_start, crawl.window_end), crawl.max_toots
        )
        self._holder = frontier.new_holder()
        self._writer = Writer(event, crawl, self._holder, max_servers=terms.max_servers)
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._walks: dict[int, Future[None]] = {}
        self._current_server = ""
        self._claim_at = self._renew_at = self._snapshot_at = 0.0

    @property
    def left_out_servers(self) -> int:
        """Servers that found no room under the cap."""
        return self._writer.left_out_servers

    def run(self) -> None:
        """Until no visit is open any more, in whatever process.

        Raises HomeServerFailed when the home server does not even give a first page, and JobStopped when the job
        has to end; what is stored by then stays, open visits are given back.
        """
        frontier.release_dead(self._crawl)
        try:
            with self._ctx.on_stop(self._halt), ThreadPoolExecutor(self._terms.threads, "walk") as pool:
                try:
                    self._work(pool)
                finally:
                    self._halt()
        finally:
            frontier.release(self._crawl, self._holder)
        self._show_progress(is_last=True)

    def _work(self, pool: ThreadPoolExecutor) -> None:
        while True:
            self._ctx.check_cancelled()
            self._drop_finished_walks()
            self._hand_out(pool)
            if not self._walks and self._reports.empty() and frontier.is_exhausted(self._crawl):
                return
            reports = self._collect()
            if reports:
                self._store(reports)
            self._renew()
            self._show_progress()

    def _hand_out(self, pool: ThreadPoolExecutor) -> None:
        idle = self._terms.threads - len(self._walks)
        now = time.monotonic()
        if idle <= 0 or not (self._writer.has_new_servers or now >= self._claim_at):
            return
        assignments = frontier.claim(self._crawl, self._holder, idle)
        if len(assignments) < idle:
            self._writer.has_new_servers = False
            self._claim_at = now + _IDLE_CLAIM_SECONDS
        for assignment in assignments:
            self._walks[assignment.visit_id] = pool.submit(self._make_walk(assignment).run)

    def _make_walk(self, assignment: Assignment) -> Walk:
        if not assignment.is_home:
            assignment = replace(assignment, robots=cache.get(_robots_key(assignment.server)))
        return Walk(
            self._gate,
            assignment,
            self._aim,
            hashtag=self._crawl.hashtag,
            token=self._terms.home_token if assignment.is_home else "",
            manners=self._terms.manners,
            deliver=self._reports.put,
            stop=self._stop,
        )

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
            if report.ending is not None or report.is_lost:
                self._finish_walk(report.assignment.visit_id)
            if report.new_robots is not None:
                _remember_robots(report.assignment.server, report.new_robots)
            self._look_at_home(report)

    def _look_at_home(self, report: Report) -> None:
        ending = report.ending
        if report.is_lost or ending is None or is_good(ending.outcome):
            return
        if report.assignment.is_home and report.cursor.pages == 0:
            raise HomeServerFailed(
                f"home server {report.assignment.server}: {ending.outcome}",
                server=report.assignment.server,
                user_message=f"The home server failed, so nothing was fetched: {ending.detail}",
            )

    def _renew(self) -> None:
        if self._walks and time.monotonic() >= self._renew_at:
            frontier.renew(self._crawl, self._holder)
            self._renew_at = time.monotonic() + frontier.RENEW_SECONDS

    def _drop_finished_walks(self) -> None:
        for visit_id, walk in list(self._walks.items()):
            if walk.done():
                self._finish_walk(visit_id)

    def _finish_walk(self, visit_id: int) -> None:
        """Free the thread of a walk that has told its last; a bug in it is raised here, not lost."""
        self._walks.pop(visit_id).result()
        self._claim_at = 0.0

    def _show_progress(self, *, is_last: bool = False) -> None:
        if is_last or time.monotonic() >= self._snapshot_at:
            self._snapshot_at = time.monotonic() + _SNAPSHOT_SECONDS
            self._ctx.progress(**snapshot(self._event, self._crawl, self._current_server))

    def _halt(self) -> None:
        self._stop.set()
        self._gate.abort()


def _robots_key(server: str) -> str:
    return f"robots:{server}"


def _remember_robots(server: str, rules: RobotsRules) -> None:
    cache.set(_robots_key(server), rules, ROBOTS_SECONDS)
