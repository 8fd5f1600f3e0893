"""The one writer of a crawl: a batch of reports becomes one short transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Sum

from common.times import now_utc
from events.models import Event
from pipeline.crawl import frontier
from pipeline.crawl.messages import Place, Receipt, Report
from pipeline.crawl.outcomes import is_good
from pipeline.crawl.store import TootStore
from pipeline.models import Crawl, Sighting, Visit

logger = logging.getLogger(__name__)

# By hand, because for every page of every server it is the same statement with other values.
_MOVE_ON = """
    UPDATE pipeline_visit SET
        cursor = %s, requests = requests + %s, pages = pages + %s, toots = toots + %s,
        passed_over = passed_over + %s, received_bytes = received_bytes + %s, seconds = seconds + %s,
        robots = COALESCE(NULLIF(%s, ''), robots), lease_until = %s
    WHERE id = %s AND state = %s AND lease_holder = %s
"""


class Writer:
    """Stores toots, sightings, progress of visits and newly found servers: all of a batch, or nothing of it."""

    def __init__(self, event: Event, crawl: Crawl, holder: str, *, max_servers: int) -> None:
        self._crawl = crawl
        self._holder = holder
        self._max_servers = max_servers
        self._store = TootStore(event)
        self._found: set[str] = set()
        self.has_new_servers = False
        self.left_out: set[str] = set()  # named, and no room for them

    def write(self, reports: Sequence[Report]) -> list[Receipt]:
        """Store the reports; the receipts say whose visit somebody else walks by now: those leave no trace."""
        for is_last in (False, False, True):
            try:
                lost = self._write(reports)
                break
            # Another worker on the same crawl stood in the way, or somebody erased what we were about to point at.
            except (OperationalError, IntegrityError) as error:
                logger.warning("crawl %d: a batch could not be stored: %s", self._crawl.pk, error)
                self._store.forget()
                self._found.clear()
                if is_last:
                    raise
        return [self._receipt(report, is_lost=report.walk in lost) for report in reports]

    def take_changed(self) -> dict[str, Place]:
        """As of the TootStore."""
        return self._store.take_changed()

    def count_spent(self) -> tuple[int, int]:
        """Requests and bytes of this crawl, of all processes and of earlier runs."""
        spent = self._crawl.visits.order_by().aggregate(Sum("requests"), Sum("received_bytes"))
        return spent["requests__sum"] or 0, spent["received_bytes__sum"] or 0

    def _receipt(self, report: Report, *, is_lost: bool) -> Receipt:
        if is_lost:
            return Receipt(report.walk, is_lost=True)
        return Receipt(report.walk, tuple(self._store.place_of(toot.uri) for toot in report.toots))

    def _write(self, reports: Sequence[Report]) -> set[int]:
        """Walks whose visit is not ours any more."""
        with transaction.atomic():
            lost = self._update_visits(reports)
            kept = [report for report in reports if report.walk not in lost]
            copies = ((report.visit_id, toot) for report in kept for toot in report.toots)
            seen_again = ((toot_id, report.visit_id) for report in kept for toot_id in report.known)
            self._store.save(copies, seen_again=seen_again)
            self._discover(kept)
            for report in kept:
                if report.ending is not None:
                    self._settle(report)
        return lost

    def _update_visits(self, reports: Sequence[Report]) -> set[int]:
        """Move the visits on; returns the walks whose visits are not ours."""
        lease_until = connection.ops.adapt_datetimefield_value(now_utc() + frontier.LEASE)
        in_order = sorted(reports, key=lambda report: report.visit_id)
        with connection.cursor() as cursor:
            cursor.executemany(_MOVE_ON, [_moved_on(report, lease_until, self._holder) for report in in_order])
            if cursor.rowcount == len(reports):
                return set()
        ours = set(self._find_held(reports))
        return {report.walk for report in reports if report.visit_id not in ours}

    def _find_held(self, reports: Sequence[Report]) -> Any:
        """Ids of the visits that we hold; those have just been moved on, so nobody takes them before we are done."""
        ids = [report.visit_id for report in reports]
        held = Visit.objects.filter(pk__in=ids, state=Visit.State.RUNNING, lease_holder=self._holder)
        return held.values_list("pk", flat=True)

    def _settle(self, report: Report) -> None:
        """The end of a visit. Rows that came by twice were counted twice on the way; the sightings know better."""
        if report.ending is None:
            return
        self._own(report).update(
            state=Visit.State.DONE if is_good(report.ending.outcome) else Visit.State.FAILED,
            outcome=report.ending.outcome,
            detail=report.ending.detail[:500],
            toots=Sighting.objects.filter(visit=report.visit_id).count(),
            lease_holder="",
            lease_until=None,
            finished_at=now_utc(),
        )

    def _discover(self, reports: Sequence[Report]) -> None:
        named = {server for report in reports for server in report.named}
        named |= {report.ending.onward for report in reports if report.ending is not None and report.ending.onward}
        if named := named - self._found:
            self.left_out.update(frontier.discover(self._crawl, sorted(named), most=self._max_servers))
            self._found |= named
            self.has_new_servers = True

    def _own(self, report: Report) -> Any:
        return Visit.objects.filter(pk=report.visit_id, state=Visit.State.RUNNING, lease_holder=self._holder)


def _moved_on(report: Report, lease_until: Any, holder: str) -> tuple[Any, ...]:
    """The values of ``_MOVE_ON``."""
    tally = report.tally
    return (
        connection.ops.adapt_json_value(report.cursor.as_json(), None),
        tally.requests,
        tally.pages,
        len(report.toots) + len(report.known),
        tally.passed_over,
        tally.received_bytes,
        tally.seconds,
        report.robots_verdict,
        lease_until,
        report.visit_id,
        Visit.State.RUNNING.value,
        holder,
    )
