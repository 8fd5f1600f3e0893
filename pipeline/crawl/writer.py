"""The one writer of a crawl: a batch of reports becomes one short transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from common.times import now_utc
from events.models import Event
from pipeline.core.merge import from_copy
from pipeline.crawl import frontier
from pipeline.crawl.messages import Report
from pipeline.crawl.outcomes import is_good
from pipeline.crawl.store import TootStore
from pipeline.models import Crawl, Sighting, Visit


class Writer:
    """Stores toots, sightings, progress of visits and newly found servers: all of a batch, or nothing of it."""

    def __init__(self, event: Event, crawl: Crawl, holder: str, *, max_servers: int) -> None:
        self._crawl = crawl
        self._holder = holder
        self._max_servers = max_servers
        self._store = TootStore(event)
        self._found: set[str] = set()
        self.has_new_servers = False
        self.left_out_servers = 0

    def write(self, reports: Sequence[Report]) -> None:
        """Store the reports and mark the ones whose visit somebody else walks by now; those leave no trace."""
        with transaction.atomic():
            for report in reports:
                report.is_lost = not self._update_visit(report)
            kept = [report for report in reports if not report.is_lost]
            self._store.save(
                (report.assignment.visit_id, from_copy(toot, self._crawl.pk))
                for report in kept
                for toot in report.toots
            )
            self._discover(kept)
            for report in kept:
                if report.ending is not None:
                    self._settle(report)

    def _update_visit(self, report: Report) -> bool:
        tally = report.tally
        values: dict[str, Any] = {
            "cursor": report.cursor.as_json(),
            "requests": F("requests") + tally.requests,
            "pages": F("pages") + tally.pages,
            "toots": F("toots") + len(report.toots),
            "passed_over": F("passed_over") + tally.passed_over,
            "received_bytes": F("received_bytes") + tally.received_bytes,
            "seconds": F("seconds") + tally.seconds,
            "lease_until": now_utc() + frontier.LEASE,
        }
        if report.robots_verdict:
            values["robots"] = report.robots_verdict
        return bool(self._own(report).update(**values))

    def _settle(self, report: Report) -> None:
        """The end of a visit. Rows that came by twice were counted twice on the way; the sightings know better."""
        if report.ending is None:
            return
        self._own(report).update(
            state=Visit.State.DONE if is_good(report.ending.outcome) else Visit.State.FAILED,
            outcome=report.ending.outcome,
            detail=report.ending.detail[:500],
            toots=Sighting.objects.filter(visit=report.assignment.visit_id).count(),
            lease_holder="",
            lease_until=None,
            finished_at=now_utc(),
        )

    def _discover(self, reports: Sequence[Report]) -> None:
        origins = {toot.origin for report in reports for toot in report.toots} - self._found
        if origins:
            self.left_out_servers += frontier.discover(self._crawl, sorted(origins), most=self._max_servers)
            self._found |= origins
            self.has_new_servers = True

    def _own(self, report: Report) -> Any:
        return Visit.objects.filter(
            pk=report.assignment.visit_id, state=Visit.State.RUNNING, lease_holder=self._holder
        )
