"""Jobs that nobody works on any more, and jobs that nobody was told of. Goes by the pulse, not by age.

Runs every minute, at the start of every worker, and for its key before a job is run in the foreground. Any number
of recoveries may run at the same time: each step is a filtered UPDATE.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_q.brokers import get_broker

from jobs import identity, services
from jobs.models import Beat, Job

logger = logging.getLogger(__name__)

Status = Job.Status

# Under this name the recovery that runs as a task says that the queue works; see mastoscore_site.supervisor.
WORKER_BEAT = "worker"


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many jobs went back to the queue, ended, and were announced (again)."""

    requeued: int
    ended: int
    woken: int


def recover(*, is_start: bool = False) -> Recovered:
    """``is_start``: a worker starts; all that is queued is announced, as nobody knows what the queue has lost."""
    now = timezone.now()
    requeued, ended = _revive(Job.objects.all(), now)
    woken = _wake(now, is_start=is_start)
    if requeued or ended:
        logger.warning("recovery: %d jobs queued again, %d ended", requeued, ended)
    return Recovered(requeued, ended, woken)


def recover_key(key: str) -> None:
    """Set right a dead job of that key, without telling a worker: the caller wants it."""
    _revive(Job.objects.filter(exclusive_key=key), timezone.now())


def recover_as_task() -> str:
    """What the schedule runs. That it runs shows that the queue works, hence the beat."""
    Beat.objects.update_or_create(name=WORKER_BEAT, defaults={"at": timezone.now()})
    return str(recover())


def _revive(jobs: QuerySet[Job], now: datetime) -> tuple[int, int]:
    requeued = ended = 0
    for job in jobs.filter(status=Status.RUNNING):
        if not _is_dead(job, now):
            continue
        if job.cancel_requested_at is not None:
            ended += _update_dead(job, status=Status.CANCELLED, finished_at=now)
        elif job.attempts >= settings.JOBS_MAX_ATTEMPTS:
            ended += _update_dead(job, status=Status.ERROR, error=_given_up(job), finished_at=now)
        else:
            requeued += _update_dead(job, status=Status.QUEUED, worker="", heartbeat_at=None, woken_at=None)
    return requeued, ended


def _is_dead(job: Job, now: datetime) -> bool:
    limit = now - timedelta(seconds=settings.JOBS_DEAD_AFTER_SECONDS)
    return job.heartbeat_at is None or job.heartbeat_at < limit or identity.is_gone(job.worker)


def _update_dead(job: Job, **values: object) -> int:
    """Only if nothing moved since we looked: no new claim, no pulse, no wish to cancel it."""
    unmoved = Job.objects.filter(
        pk=job.pk,
        status=Status.RUNNING,
        fence=job.fence,
        heartbeat_at=job.heartbeat_at,
        cancel_requested_at=job.cancel_requested_at,
    )
    return unmoved.update(**values)


def _given_up(job: Job) -> str:
    return (
        f"The program was stopped in the middle of this job {job.attempts} times; it is not tried again by itself. "
        "You can start it anew."
    )


def _wake(now: datetime, *, is_start: bool) -> int:
    queued = Job.objects.filter(status=Status.QUEUED)
    if not is_start:
        overdue = now - timedelta(seconds=settings.JOBS_WAKE_AFTER_SECONDS)
        queued = queued.filter(Q(woken_at__isnull=True) | Q(woken_at__lt=overdue))
    waiting = list(queued.order_by("pk"))
    if waiting and not is_start:
        waiting = waiting[: _room_in_queue(waiting)]
    return sum(_wake_one(job, now) for job in waiting)


def _room_in_queue(waiting: list[Job]) -> int:
    """How many wake-ups may have been lost.

    While all workers are busy, jobs wait long without a fault: as many messages in the queue as jobs means that none
    is missing, and sending more each minute would only pile them up. Jobs never announced are always sent.
    """
    new = sum(job.woken_at is None for job in waiting)
    missing = Job.objects.filter(status=Status.QUEUED).count() - int(get_broker().queue_size() or 0)
    return max(new, missing)


def _wake_one(job: Job, now: datetime) -> int:
    won = Job.objects.filter(pk=job.pk, status=Status.QUEUED, woken_at=job.woken_at).update(woken_at=now)
    if won:
        services.send_wake_up(job)
    return won
