"""Waiting for a job in a web request: a few threads of the server at most, never for long."""

from __future__ import annotations

import threading
import time
from typing import Any

from jobs.models import Job
from jobs.services import request_cancel

POLL_SECONDS = 0.2
# The web server answers with eight threads; waiting ones must leave room for everybody else.
MOST_WAITING = 3
_places = threading.BoundedSemaphore(MOST_WAITING)


def wait_for_end(job: Job, seconds: float) -> Job:
    """The row once the job has ended, or as it is after that time; at once when too many wait already."""
    if not _places.acquire(blocking=False):
        return _read_again(job)
    try:
        return _poll(job, seconds)
    finally:
        _places.release()


def cancel_and_wait(job: Job, seconds: float, *, by: Any = None) -> Job:
    """Ask it to stop; the row once it has ended, or as it is after that time."""
    request_cancel(job.pk, by=by)
    return _poll(job, seconds)


def _poll(job: Job, seconds: float) -> Job:
    deadline = time.monotonic() + seconds
    while True:
        is_active = Job.objects.filter(pk=job.pk, status__in=Job.ACTIVE).exists()
        left = deadline - time.monotonic()
        if not is_active or left <= 0:
            return _read_again(job)
        time.sleep(min(POLL_SECONDS, left))


def _read_again(job: Job) -> Job:
    """It may be gone by now, with its event; then as it was."""
    return Job.objects.select_related("event", "asked_by").filter(pk=job.pk).first() or job
