"""Runs a crawl in this process: hands out visits to threads, stores what they bring, until nothing is left."""

from __future__ import annotations

import itertools
import queue
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.cache import cache

from common.errors import RemoteError
from common.garbage import rare_collections, share_heaps
from common.http import Gate
from common.robots import RobotsRules
from events.models import Event
from jobs.context import JobContext
from pipeline.core.fetch import Stage
from pipeline.core.wording import count_of
from pipeline.crawl import facts, frontier, rounds, runs
from pipeline.crawl.crews import News, Orders
from pipeline.crawl.messages import Assignment, Farewell, Place, Report
from pipeline.crawl.outcomes import is_good
from pipeline.crawl.outpost import Outpost, OutpostGone, OutpostNews, OutpostReady, PackedNews
from pipeline.crawl.progress import snapshot
from pipeline.crawl.teams import FEW, Team, Teams
from pipeline.crawl.terms import Terms
from pipeline.crawl.writer import Writer
from pipeline.models import Crawl

ROBOTS_SECONDS = 24 * 3600
# Pieces of news taken in at once, and reports and toots stored at once: few, so that the report of a server found
# last does not wait long for its turn.
_NEWS_AT_ONCE = 64
_REPORTS_AT_ONCE = 6
_TOOTS_AT_ONCE = 60
_POLL_SECONDS = 0.2
_MANY_WALKS = 24
_GATHER_SECONDS = 0.008
_SNAPSHOT_SECONDS = 1.0
# How often the table is asked for work while this process knows of none: other processes may add some.
_IDLE_CLAIM_SECONDS = 1.0
_HELP_SECONDS = 30.0
# For so long nobody wonders why nothing happens.
_SILENCE_SECONDS = 1.5
# A little less than the lease in the table: nobody asks with a lease that may have ended.
_LEASE_SECONDS = frontier.LEASE.total_seconds() - 3
_SWITCH_SECONDS = 0.0005


class HomeServerFailed(RemoteError):
    """The crawl could not even begin."""


@dataclass(frozen=True, slots=True)
class _RunningWalk:
    visit_id: int
    server: str
    team: Team


class Coordinator:
    """One crawl in one worker. Only this thread touches the database; the walks only talk to servers.

    They begin in threads of this process. When there are more servers than a few, outposts take the others, so that
    walking and storing do not share one processor.

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
        self._terms = terms
        self._may_stay = may_stay
        self._on_much_work = on_much_work
        self._holder = frontier.new_holder()
        self._writer = Writer(event, crawl, self._holder, max_servers=terms.max_servers)
        self._news: queue.SimpleQueue[News | OutpostNews] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._walks: dict[int, _RunningWalk] = {}
        self._reports: list[Report] = []  # not stored yet
        self._teams = Teams(
            Orders(runs.aim_of(crawl), crawl.pk, terms.manners, terms.caps, terms.threads),
            gate,
            self._news.put,
            home_token=terms.home_token,
            outposts=terms.outposts,
        )
        self._current_server = ""
        self._claim_at = self._upkeep_at = self._snapshot_at = self._help_at = 0.0
        self._is_leaving = self._takes_newest = self._has_told = self._has_backlog = self._has_spread = False
        self._busy_at = time.monotonic()
        self.ended_walks = 0

    def run(self) -> None:
        """Until no visit is open any more, in whatever process; a helper also until it has to go.

        Raises HomeServerFailed when the home server does not even give a first page, and JobStopped when the job
        has to end; what is stored by then stays, open visits are given back.
        """
        share_heaps()
        try:
            with rare_collections(), _usual_switching(), self._ctx.on_stop(self._teams.halt):
                try:
                    self._work()
                finally:
                    self._teams.disband()
        finally:
            frontier.release(self._crawl, self._holder)
        self._show_progress(is_last=True)

    @property
    def left_out(self) -> int:
        """Servers that this process heard of and found no room for."""
        return len(self._writer.left_out)

    def _work(self) -> None:
        while not self._is_leaving:
            self._ctx.check_cancelled()
            self._keep_up()
            self._hand_out()
            self._look_for_help()
            if not self._walks and self._news.empty() and frontier.is_exhausted(self._crawl):
                if not rounds.open_next(self._crawl):
                    return
                self._claim_at = 0.0
                continue
            self._say_why_it_waits()
            self._hear(self._collect())
            self._store_some()
            self._show_progress()
        while self._reports:
            self._store_some()

    def _hand_out(self) -> None:
        now = time.monotonic()
        if not (self._writer.has_new_servers or now >= self._claim_at):
            return
        if self._teams.wants_outposts and frontier.count_pending(self._crawl) > FEW:
            self._open_outposts()
        ready = self._teams.list_ready()
        idle = sum(team.room for team in ready)
        if idle <= 0:
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
            assignment = replace(assignment, software=software.get(assignment.server), walk=next(self._numbers))
            # The home server is asked signed in, and its token stays in this process.
            team = self._teams.here
            if not assignment.is_home:
                team = self._teams.choose(ready, is_on_the_way=self._has_spread)
            self._start_walk(team, assignment, valid_until)
        self._has_spread = self._has_spread or (len(self._teams.all) > 1 and any(not a.is_home for a in assignments))
        is_first = any(assignment.is_home and not assignment.cursor.has_pages for assignment in assignments)
        if is_first and self._teams.wants_outposts and runs.is_large(self._crawl, FEW):
            self._open_outposts()  # while the first answer is on its way

    def _open_outposts(self) -> None:
        # There are few threads here from now on, and this one is not to wait long for each of its statements.
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._teams.open_outposts()

    def _start_walk(self, team: Team, assignment: Assignment, valid_until: float) -> None:
        if not assignment.is_home:
            assignment = replace(assignment, robots=cache.get(robots_key(assignment.server)))
        if assignment.cursor.stage is Stage.TRAIL:
            known = frozenset(self._crawl.visits.values_list("server", flat=True))
            assignment = replace(assignment, known_servers=known)
        self._walks[assignment.walk] = _RunningWalk(assignment.visit_id, assignment.server, team)
        team.walks += 1
        team.crew.walk(assignment, valid_until)

    def _close_outpost(self, outpost: Outpost) -> None:
        """One that ended before its time: what it walked goes back to the table."""
        team = self._teams.close_outpost(outpost)
        self._end_walks({number: None for number, walk in self._walks.items() if walk.team is team})
        self._claim_at = 0.0

    def _collect(self) -> list[News | OutpostNews]:
        """What has come in: with nothing to store it waits a moment for the first piece, then it takes what is there.

        With many walks under way it waits for more than one, as what a batch costs hardly depends on its size.
        """
        news = []
        try:
            if not self._reports:
                news.append(self._news.get(timeout=_POLL_SECONDS))
                if len(self._walks) > _MANY_WALKS:
                    time.sleep(_GATHER_SECONDS)
            while len(news) < _NEWS_AT_ONCE:
                news.append(self._news.get_nowait())
        except queue.Empty:
            return news
        return news

    def _hear(self, news: Iterable[News | OutpostNews]) -> None:
        farewells, gone = {}, []
        for told in news:
            piece = told.unpack() if isinstance(told, PackedNews) else told
            match piece:
                case Report() if piece.walk in self._walks:
                    self._reports.append(piece)
                case Farewell():
                    farewells[piece.walk] = piece
                case OutpostReady():
                    self._claim_at = 0.0
                case OutpostGone():
                    gone.append(piece.outpost)
        while self._reports and (gone or any(report.walk in farewells for report in self._reports)):
            self._store_some()  # what they told before they ended
        for farewell in farewells.values():
            if farewell.trouble is not None:
                raise farewell.trouble
        self._end_walks({number: farewell.not_before for number, farewell in farewells.items()})
        for outpost in gone:
            self._close_outpost(outpost)

    def _store_some(self) -> None:
        """A batch of what was reported: the home server and those found last before the others."""
        self._reports.sort(key=lambda report: (report.is_home, report.visit_id))
        batch: list[Report] = []
        toots = 0
        while self._reports and len(batch) < _REPORTS_AT_ONCE and toots < _TOOTS_AT_ONCE:
            batch.append(self._reports.pop())
            toots += len(batch[-1].toots)
        if batch:
            self._store(batch)

    def _store(self, reports: list[Report]) -> None:
        receipts = self._writer.write(reports)
        for team in self._teams.all:
            if theirs := [receipt for receipt in receipts if self._walks[receipt.walk].team is team]:
                team.crew.confirm(theirs)
        self._spread(self._writer.take_changed(), reports)
        self._current_server = reports[-1].server
        for report, receipt in zip(reports, receipts, strict=True):
            if not receipt.is_lost:
                self._teams.note_spent(self._walks[report.walk].team, report.tally)
            if report.new_robots is not None:
                _remember_robots(report.server, report.new_robots)
            if report.new_software is not None:
                facts.remember_software(report.server, report.new_software)
            self._look_at_home(report, is_lost=receipt.is_lost)
        self._teams.watch_limits()

    def _spread(self, changed: Mapping[str, Place], reports: Sequence[Report]) -> None:
        """Tell every crew what the others brought, so that no toot is told by each of them."""
        for team in self._teams.all if changed else ():
            own = {toot.uri for report in reports if self._walks[report.walk].team is team for toot in report.toots}
            if news := {uri: place for uri, place in changed.items() if uri not in own}:
                team.crew.learn(news)

    def _look_at_home(self, report: Report, *, is_lost: bool) -> None:
        ending = report.ending
        if is_lost or ending is None or is_good(ending.outcome):
            return
        if report.is_home and not report.cursor.has_pages:
            raise HomeServerFailed(
                f"home server {report.server}: {ending.outcome}",
                server=report.server,
                user_message=f"The home server failed, so nothing was fetched: {ending.detail}",
            )

    def _end_walks(self, ended: dict[int, datetime | None]) -> None:
        """Free the places of walks that said farewell; each with the moment before which not to ask that server."""
        walked = {number: self._walks.pop(number) for number in ended if number in self._walks}
        if not walked:
            return
        for walk in walked.values():
            walk.team.walks -= 1
        frontier.end_walks(
            self._crawl,
            self._holder,
            {walk.visit_id: (walk.server, ended[number]) for number, walk in walked.items()},
        )
        self.ended_walks += len(walked)
        if self._has_backlog:
            self._claim_at = 0.0

    def _keep_up(self) -> None:
        """Every few seconds: leases, what others spent, what dead ones left behind."""
        now = time.monotonic()
        if now < self._upkeep_at:
            return
        self._upkeep_at = now + frontier.RENEW_SECONDS
        held = frontier.renew(self._crawl, self._holder)
        walks = {number for number, walk in self._walks.items() if walk.visit_id in held}
        frontier.release_dead(self._crawl)
        self._teams.hold(walks, now + _LEASE_SECONDS, self._writer.count_spent())
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
        if self._walks or self._may_stay is not None or self._has_told or not self._teams.list_ready():
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


@contextmanager
def _usual_switching() -> Iterator[None]:
    """Threads of this process take turns as before when the block ends."""
    before = sys.getswitchinterval()
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def robots_key(server: str) -> str:
    return f"robots:{server}"


def _remember_robots(server: str, rules: RobotsRules) -> None:
    cache.set(robots_key(server), rules, ROBOTS_SECONDS)
