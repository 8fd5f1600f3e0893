"""Every arrow in the life of a job: each one filtered ``UPDATE`` whose row count says who won.

A worker writes only through ``_mine``: the row must still be running under the fence it claimed with.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django_q.tasks import async_task

from common.errors import MastoscoreError
from jobs import identity, kinds
from jobs.context import Listener
from jobs.models import Job
from jobs.plain import plain_json, plain_text

# Kinds that speak for an account.
PUBLIC_KINDS = frozenset({"send", "delete_thread"})

logger = logging.getLogger(__name__)

Status = Job.Status


class AlreadyActive(MastoscoreError):
    """Something is being done with that event (or other key) already: ``job``."""

    def __init__(self, job: Job, sentence: str = "") -> None:
        super().__init__(sentence or f"{describe(job)} is already {_doing(job)} (job {job.pk}).")
        self.job = job


def describe(job: Job) -> str:
    """“The fetch of monsterdon-20260222”."""
    about = job.subject or (str(job.event) if job.event_id else "")
    return f"The {kinds.label_of(job.kind)}" + (f" of {about}" if about else "")


def _doing(job: Job) -> str:
    return "waiting for a worker" if job.status == Status.QUEUED else "running"


# --- asked for ------------------------------------------------------------------------------------------------------
def enqueue(
    kind: str,
    *,
    event: Any = None,
    subject: str = "",
    params: dict[str, Any] | None = None,
    exclusive_key: str | None = None,
    asked_by: Any = None,
) -> Job:
    """Ask for a job; a worker is told when the transaction around this commits.

    At most one job per ``exclusive_key`` is active; None means ``event:<id>`` when there is an event, empty means no
    limit. Raises AlreadyActive with the other job, UnknownKind.
    """
    kinds.find_kind(kind)
    key = key_for(event, exclusive_key)
    try:
        with transaction.atomic():
            job = create(kind, event=event, subject=subject, params=params, key=key, asked_by=asked_by)
    except IntegrityError:
        holder = find_active(key)
        if holder is not None:
            raise AlreadyActive(holder) from None
        # The other one ended in between; a second collision would be an error of another kind.
        with transaction.atomic():
            job = create(kind, event=event, subject=subject, params=params, key=key, asked_by=asked_by)
    transaction.on_commit(lambda: send_wake_up(job), robust=True)
    return job


def run_in_foreground(
    kind: str,
    *,
    event: Any = None,
    subject: str = "",
    params: dict[str, Any] | None = None,
    exclusive_key: str | None = None,
    asked_by: Any = None,
    listener: Listener | None = None,
) -> Job:
    """The same row and the same function in this process; returns the row as it ended. See ``jobs.foreground``."""
    from jobs import foreground  # it stands on the runner, which stands on this module

    return foreground.run(
        kind,
        event=event,
        subject=subject,
        params=params,
        exclusive_key=exclusive_key,
        asked_by=asked_by,
        listener=listener,
    )


def ask_again(job: Job, *, asked_by: Any = None) -> Job:
    """A new job that does the same as this one did. Raises as ``enqueue`` does."""
    return enqueue(
        job.kind,
        event=job.event,
        subject=job.subject,
        params={name: value for name, value in job.params.items() if name != "by_command"},
        exclusive_key=job.exclusive_key,
        asked_by=asked_by,
    )


def key_for(event: Any, exclusive_key: str | None) -> str:
    if exclusive_key is None:
        return f"event:{event.pk}" if event is not None else ""
    return exclusive_key


def create(
    kind: str, *, event: Any, subject: str, params: dict[str, Any] | None, key: str, asked_by: Any = None
) -> Job:
    """The row, queued. IntegrityError when the key has an active job."""
    return Job.objects.create(
        kind=kind,
        event=event,
        subject=subject,
        params=plain_json(params or {}),
        exclusive_key=key,
        asked_by=asked_by,
        woken_at=timezone.now(),
    )


def find_active(key: str) -> Job | None:
    """The active job of that key, if there is one; the empty key has none."""
    if not key:
        return None
    return Job.objects.filter(exclusive_key=key, status__in=Job.ACTIVE).select_related("event").first()


def send_wake_up(job: Job) -> None:
    """Tell the workers of a queued job. Told twice or never: both do no harm, see ``claim`` and ``jobs.recovery``."""
    # No time limit: our pulse watches over the job, and django-q2's alarm would hit a fetch that makes progress.
    async_task("jobs.runner.run_job", job.pk, task_name=f"job-{job.pk}", timeout=-1)


# --- taken and reported ---------------------------------------------------------------------------------------------
def claim(job_id: int) -> Job | None:
    """Take a queued job for this process; None if it is not queued (any more)."""
    now = timezone.now()
    with transaction.atomic():
        count = Job.objects.filter(pk=job_id, status=Status.QUEUED).update(
            status=Status.RUNNING,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            worker=identity.this_worker(),
            heartbeat_at=now,
            started_at=Coalesce(F("started_at"), now),
        )
        return Job.objects.select_related("event", "asked_by").get(pk=job_id) if count else None


def _mine(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=job.pk, status=Status.RUNNING, fence=job.fence)


def pulse(job: Job, progress: dict[str, Any] | None = None) -> bool:
    """Say that this process still works on it, and how far it is. False: it is not ours any more."""
    values: dict[str, Any] = {"heartbeat_at": timezone.now()}
    if progress is not None:
        values["progress"] = progress
    return _mine(job).update(**values) == 1


def is_cancel_requested(job: Job) -> bool | None:
    """Whether somebody wants it cancelled; None: the job is not ours any more."""
    row = _mine(job).values_list("cancel_requested_at", flat=True)[:1]
    return next((moment is not None for moment in row), None)


def finish(
    job: Job,
    status: Job.Status,
    *,
    result: dict[str, Any] | None = None,
    error: str = "",
    progress: dict[str, Any] | None = None,
) -> bool:
    """End it as complete, cancelled or error. False: it was not ours any more, nothing was written."""
    values: dict[str, Any] = {"status": status, "result": result, "error": plain_text(error)}
    if progress is not None:
        values["progress"] = progress
    return _mine(job).update(**values, finished_at=timezone.now()) == 1


def release(job: Job) -> bool:
    """Give it back to the queue unfinished, as if it had not been tried; not if its cancel was asked for.

    Without ``woken_at``: the next recovery, at the latest that of the next worker, sends the wake-up.
    """
    count = (
        _mine(job)
        .filter(cancel_requested_at__isnull=True)
        .update(
            status=Status.QUEUED,
            attempts=Greatest(F("attempts") - 1, 0),
            worker="",
            heartbeat_at=None,
            woken_at=None,
        )
    )
    return count == 1


def forget_wake_up(job_id: int) -> None:
    """A wake-up came to a worker that is being stopped: let recovery send another."""
    Job.objects.filter(pk=job_id, status=Status.QUEUED).update(woken_at=None)


# --- stopped --------------------------------------------------------------------------------------------------------
class MayNotCancel(MastoscoreError):
    """A job that speaks for an account is stopped by those only who may start one."""


def request_cancel(job_id: int, *, by: Any = None) -> Job | None:
    """Cancel a queued job; ask a running one to stop (within seconds, see ``jobs.pulse``). Returns the row, or None.

    A job that has ended stays as it is. ``by``: the user who asks; MayNotCancel unless they may stop it.
    """
    if by is not None:
        job = Job.objects.filter(pk=job_id).first()
        moves_thread = job is not None and (job.kind in PUBLIC_KINDS or bool(job.params.get("send")))
        if moves_thread and not by.has_perm("pipeline.post_thread"):
            raise MayNotCancel("A thread on its way is stopped by those only who may post it.")
    now = timezone.now()
    for _ in range(3):  # between the two it may be released or taken
        if Job.objects.filter(pk=job_id, status=Status.QUEUED).update(
            status=Status.CANCELLED, cancel_requested_at=now, finished_at=now
        ):
            break
        if Job.objects.filter(pk=job_id, status=Status.RUNNING).update(
            cancel_requested_at=Coalesce(F("cancel_requested_at"), now)
        ):
            break
    return Job.objects.filter(pk=job_id).first()


# --- cleared away ---------------------------------------------------------------------------------------------------
def clean_up() -> int:
    """Delete jobs that ended more than ``JOBS_KEEP_DAYS`` ago; returns how many."""
    limit = timezone.now() - timedelta(days=settings.JOBS_KEEP_DAYS)
    old = Job.objects.exclude(status__in=Job.ACTIVE).filter(finished_at__lt=limit)
    removed = 0
    while ids := list(old.values_list("pk", flat=True)[:500]):  # short transactions
        removed += Job.objects.filter(pk__in=ids).delete()[1].get("jobs.Job", 0)
    if removed:
        logger.info("removed %d old jobs", removed)
    return removed
