"""A job in the process of a command, with the row, pulse, cancel and recovery of any other.

Who may have the key: a job that is really running elsewhere keeps it (AlreadyActive). One whose process is gone, or
has had no pulse for ``JOBS_DEAD_AFTER_SECONDS``, is first put back to the queue. A queued job of the same kind with
the same params is taken over: this process does it, and no worker is needed. A queued one that would do something
else is not thrown away; the error says what it is and how to be rid of it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.db import IntegrityError, connection, transaction

from jobs import kinds, recovery, runner, services
from jobs.context import Control, Listener
from jobs.models import Job
from jobs.plain import plain_json


def run(
    kind: str,
    *,
    event: Any,
    subject: str,
    params: dict[str, Any] | None,
    exclusive_key: str | None,
    asked_by: Any,
    listener: Listener | None,
) -> Job:
    """Do the job here and now. SIGINT or SIGTERM cancels it; a second one does not wait for the next check."""
    kinds.find_kind(kind)
    if connection.in_atomic_block:
        raise RuntimeError(
            "a job cannot run inside a transaction: its pulse would not see the row (in tests: transaction=True)"
        )
    wanted = {"event": event, "subject": subject, "params": plain_json(params or {}), "asked_by": asked_by}
    job = _begin(kind, services.key_for(event, exclusive_key), wanted)
    control = Control()
    with _cancel_on_signal(control):
        runner.execute(job, control=control, listener=listener, is_queue_worker=False)
    return Job.objects.select_related("event").get(pk=job.pk)


def _begin(kind: str, key: str, wanted: dict[str, Any]) -> Job:
    """A row claimed by this process: a new one, or the one that waits to do the same."""
    if key:
        recovery.recover_key(key)
    for is_last in (False, False, True):
        try:
            with transaction.atomic():  # nobody sees it queued
                job = services.claim(services.create(kind, key=key, **wanted).pk)
        except IntegrityError:
            holder = services.find_active(key)
            if holder is None and is_last:
                raise
            job = _take_over(holder, kind, wanted["params"]) if holder is not None else None
        if job is not None:
            return job
    raise services.AlreadyActive(services.find_active(key) or Job(kind=kind, exclusive_key=key))


def _take_over(holder: Job, kind: str, params: dict[str, Any]) -> Job | None:
    """The waiting job, claimed; None if it changed meanwhile."""
    if holder.status != Job.Status.QUEUED:
        raise services.AlreadyActive(holder)
    if holder.kind == kind and holder.params == params:
        return services.claim(holder.pk)
    difference = " with other options" if holder.kind == kind else ""
    raise services.AlreadyActive(
        holder,
        f"{services.describe(holder)}{difference} is already waiting for a worker (job {holder.pk}). "
        f"Let a worker do it (manage.py worker), or cancel it: manage.py cancel_job {holder.pk}",
    )


@contextmanager
def _cancel_on_signal(control: Control) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers
        return

    def handle(signum: int, frame: FrameType | None) -> None:
        # No locks here: the main thread may be holding them. The pulse makes a stop of it.
        if control.is_interrupted and not control.is_finished:
            raise KeyboardInterrupt
        control.is_interrupted = True

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
