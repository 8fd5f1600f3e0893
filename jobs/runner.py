"""Runs a job from claim to end. The only place that catches whatever comes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import django.db

from common.database_trouble import explain_database_trouble
from common.errors import MastoscoreError
from jobs import kinds, services, shutdown
from jobs.context import Control, JobContext, JobStopped, Listener, StopReason
from jobs.models import Job
from jobs.plain import plain_json
from jobs.pulse import Pulse

logger = logging.getLogger(__name__)

Status = Job.Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """``status`` None: back to the queue, or not ours any more."""

    status: Job.Status | None
    result: dict[str, Any] | None = None
    error: str = ""


def run_job(job_id: int) -> str:
    """What django-q2 calls in a worker. Raises nothing; what it returns is for the queue's log."""
    try:
        if shutdown.is_asked():
            services.forget_wake_up(job_id)
            return "the worker is being stopped"
        job = services.claim(job_id)
        if job is None:
            return "not queued any more"
        execute(job, control=Control(), is_queue_worker=True)
    except Exception:
        # The row was not brought to an end; recovery will find it without a pulse.
        logger.exception("job %s: the row could not be written", job_id)
        return "failed"
    return "done"


def execute(job: Job, *, control: Control, listener: Listener | None = None, is_queue_worker: bool) -> None:
    """Run a claimed job under a pulse and write how it ended."""
    context = JobContext(job, control, listener)
    pulse = Pulse(job, control, is_queue_worker=is_queue_worker)
    pulse.start()
    try:
        outcome = _call(context)
    finally:
        control.finish()
        pulse.end()
    _settle(job, outcome, control)


def run_chore(chore: Callable[[], object]) -> bool:
    """Do something that comes round again; if it fails, the log says so and the next round tries anew."""
    try:
        chore()
    except Exception:
        logger.exception("%s failed; it will be tried again", getattr(chore, "__name__", chore))
        django.db.connection.close()
        return False
    return True


def _call(context: JobContext) -> Outcome:
    control, job_id = context.control, context.job_id
    try:
        result = plain_json(kinds.load_function(context.job.kind)(context) or {})
        return Outcome(Status.COMPLETE, result=result)
    except (JobStopped, KeyboardInterrupt):
        control.stop(StopReason.CANCEL)  # counts only if there was no other reason before
        return _stopped(control)
    except MastoscoreError as error:
        if control.is_stopped:  # such as a request that was aborted for the stop
            return _stopped(control)
        return Outcome(Status.ERROR, error=error.user_message)
    except (Exception, SystemExit) as error:
        if control.is_stopped:
            logger.warning("job %d: on the way out: %r", job_id, error)
            return _stopped(control)
        sentence = explain_database_trouble(error) if isinstance(error, django.db.Error) else None
        if sentence is not None:
            logger.error("job %d (%s) failed: %s", job_id, context.job.kind, error)
            return Outcome(Status.ERROR, error=sentence)
        logger.exception("job %d (%s) failed", job_id, context.job.kind)
        return Outcome(
            Status.ERROR, error=f"Something went wrong in the program itself (job {job_id}); the log has the details."
        )


def _stopped(control: Control) -> Outcome:
    if control.reason is StopReason.CANCEL:
        return Outcome(Status.CANCELLED, result=control.partial)
    return Outcome(None)


def _settle(job: Job, outcome: Outcome, control: Control) -> None:
    for pause_seconds in (0.5, 2.0, None):
        try:
            _write(job, outcome, control)
            return
        except django.db.Error as error:
            if pause_seconds is None:
                raise
            logger.warning("job %d: could not be ended yet: %s", job.pk, error)
            django.db.connection.close()
            time.sleep(pause_seconds)


def _write(job: Job, outcome: Outcome, control: Control) -> None:
    if outcome.status is None:
        if control.reason is StopReason.LOST or services.release(job):
            return
        # Not released: either not ours any more, or its cancel was asked for in this very moment.
        outcome = Outcome(Status.CANCELLED, result=control.partial)
    services.finish(
        job, outcome.status or Status.CANCELLED, result=outcome.result, error=outcome.error, progress=control.snapshot
    )
