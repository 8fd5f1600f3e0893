"""How the queue of jobs is, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from jobs.models import Beat, Job
from jobs.recovery import WORKER_BEAT

_REFRESH = ("refresh_feeds", "refresh_feed")
_STALLED_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Queue:
    """``failed``: within the last day."""

    pending: int
    failed: int


@dataclass(frozen=True, slots=True)
class State:
    queues: dict[str, Queue]
    is_healthy: bool

    @property
    def total_pending(self) -> int:
        return sum(queue.pending for queue in self.queues.values())

    @property
    def total_failed(self) -> int:
        return sum(queue.failed for queue in self.queues.values())


def look(now: datetime) -> State:
    """Healthy: a worker showed that it works, and no job waits for one longer than ten minutes."""
    pending = Q(status__in=Job.ACTIVE)
    failed = Q(status=Job.Status.ERROR, finished_at__gte=now - timedelta(days=1))
    jobs = Job.objects.filter(pending | failed)
    refresh, summaries = Q(kind__in=_REFRESH), Q(kind="summarise")
    counts = {
        "default": _count(jobs.exclude(refresh | summaries), pending, failed),
        "refresh": _count(jobs.filter(refresh), pending, failed),
        "summaries": _count(jobs.filter(summaries), pending, failed),
    }
    beat = Beat.objects.filter(name=WORKER_BEAT).values_list("at", flat=True).first()
    is_alive = beat is not None and now - beat < timedelta(seconds=settings.WORKER_SILENT_SECONDS)
    is_stalled = Job.objects.filter(status=Job.Status.QUEUED, created_at__lt=now - _STALLED_AFTER).exists()
    return State(counts, is_alive and not is_stalled)


def _count(jobs: QuerySet[Job], pending: Q, failed: Q) -> Queue:
    row = jobs.aggregate(pending=Count("pk", filter=pending), failed=Count("pk", filter=failed))
    return Queue(row["pending"], row["failed"])
