"""The thread beside a running job: says that we live, brings progress to the row, sees that the job has to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

import django.db
from django.conf import settings

from jobs import services, shutdown
from jobs.context import Control, StopReason
from jobs.models import Job

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 1.0


class Pulse(threading.Thread):
    """Runs from claim to end of a job, on a database connection of its own.

    A job that is asked to stop and does not listen is not waited for: after a grace time its row is set right, and
    in a queue worker the whole process is killed, which is safe while it is busy (the cluster replaces it). In the
    foreground nothing is killed.
    """

    def __init__(self, job: Job, control: Control, *, is_queue_worker: bool) -> None:
        super().__init__(name=f"pulse-{job.pk}", daemon=True)
        self.job = job
        self.control = control
        self.is_queue_worker = is_queue_worker
        self._end = threading.Event()
        self._next_pulse = time.monotonic() + settings.JOBS_PULSE_SECONDS
        self._next_progress = 0.0
        self._is_settled = False

    def run(self) -> None:
        try:
            while not self._end.wait(settings.JOBS_POLL_SECONDS):
                try:
                    self._tick()
                except django.db.Error as error:
                    # Busy or away for a moment. If it lasts, the job goes to another worker and we lose it.
                    logger.warning("job %d: no pulse this time: %s", self.job.pk, error)
                    django.db.connection.close()
        finally:
            django.db.connections.close_all()

    def end(self) -> None:
        """Stop and wait until the last write is done."""
        self._end.set()
        self.join()

    def _tick(self) -> None:
        if self._is_settled:
            return
        self._look()
        if self.control.is_stopped:
            self._deal_with_the_deaf()
        if self.control.reason is not StopReason.LOST:
            self._report()

    def _look(self) -> None:
        if self.control.is_interrupted:
            self.control.stop(StopReason.CANCEL)
        is_cancelled = services.is_cancel_requested(self.job)
        if is_cancelled is None:
            self.control.stop(StopReason.LOST)
        elif is_cancelled:
            self.control.stop(StopReason.CANCEL)
        elif self.is_queue_worker and shutdown.is_asked():
            self.control.stop(StopReason.RELEASE)

    def _report(self) -> None:
        now = time.monotonic()
        progress = self.control.take_news() if now >= self._next_progress else None
        if progress is None and now < self._next_pulse:
            return
        if not services.pulse(self.job, progress):
            self.control.stop(StopReason.LOST)
        self._next_pulse = now + settings.JOBS_PULSE_SECONDS
        if progress is not None:
            self._next_progress = now + PROGRESS_SECONDS

    def _deal_with_the_deaf(self) -> None:
        reason, since = self.control.reason, self.control.stopped_at
        is_release = reason is StopReason.RELEASE
        grace_seconds = settings.JOBS_RELEASE_GRACE_SECONDS if is_release else settings.JOBS_CANCEL_GRACE_SECONDS
        if since is None or time.monotonic() - since < grace_seconds:
            return
        with self.control.lock:  # while we hold it, the function cannot be found finished: see Control.finish
            if self.control.is_finished:
                return
            if reason is StopReason.CANCEL:
                services.finish(
                    self.job,
                    Job.Status.CANCELLED,
                    result=self.control.partial,
                    progress=self.control.snapshot,
                )
            elif is_release:
                services.release(self.job)
            self._is_settled = True
            if self.is_queue_worker:
                logger.warning("job %d does not stop; its process is killed", self.job.pk)
                os.kill(os.getpid(), signal.SIGKILL)
