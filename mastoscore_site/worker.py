"""The worker: django-q2's cluster with an end that comes, and no orphans.

What the cluster does by itself, measured: SIGTERM waits for running tasks without limit; a kill -9 of its main
process leaves the others running; a SIGTERM to all of its processes can leave the main one hanging. Hence: running
jobs are told to go back to the queue, the wait is bounded, and the kernel ends every process whose parent is gone.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from django.conf import settings
from django.db import connections
from django_q.cluster import Cluster
from django_q.tasks import async_task

from common.commands import DONE, FAILED
from jobs import recovery, runner, shutdown
from mastoscore_site import processes

LOOK_SECONDS = 0.2


class Worker:
    """``say`` is told in lines what a person should know."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._is_stop_asked = False

    def run(self) -> int:
        """Take jobs until SIGTERM, SIGINT or SIGHUP; returns the exit code."""
        shutdown.prepare()
        processes.tie_forks_to_parent()
        runner.run_chore(_recover_at_start)
        connections.close_all()  # a connection must not be shared with forked processes
        cluster = Cluster()
        self._handle_signals()  # after Cluster, which sets its own
        try:
            cluster.start()
        except RuntimeError:
            self._say("The queue could not be started; the lines above say why.")
            return FAILED
        runner.run_chore(_send_first_beat)
        self._watch(cluster)
        if not self._is_stop_asked:
            self._say("The queue stopped by itself.")
            return FAILED
        self._stop(cluster)
        return DONE

    def _handle_signals(self) -> None:
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        signal.signal(signal.SIGINT, self._ask_to_stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self._ask_to_stop)

    def _ask_to_stop(self, signum: int, frame: FrameType | None) -> None:
        self._is_stop_asked = True
        shutdown.ask()

    def _watch(self, cluster: Cluster) -> None:
        next_recovery = time.monotonic() + settings.JOBS_RECOVERY_SECONDS
        while not self._is_stop_asked and cluster.sentinel.is_alive():
            time.sleep(LOOK_SECONDS)
            # Here as well as by the schedule: while all workers are busy, no scheduled task runs.
            if time.monotonic() >= next_recovery:
                runner.run_chore(recovery.recover)
                connections.close_all()
                next_recovery = time.monotonic() + settings.JOBS_RECOVERY_SECONDS

    def _stop(self, cluster: Cluster) -> None:
        # In a thread: set() waits for ever if the sentinel was killed while it looked at the event.
        threading.Thread(target=cluster.stop_event.set, daemon=True).start()
        cluster.sentinel.join(settings.WORKER_STOP_SECONDS)
        if cluster.sentinel.is_alive():
            self._say("Some jobs did not stop in time; they are cut off and will be done again.")
            cluster.sentinel.kill()  # its children die with it
            cluster.sentinel.join()


def _recover_at_start() -> None:
    recovery.recover(is_start=True)


def _send_first_beat() -> None:
    with contextlib.closing(connections["default"]):
        async_task("jobs.recovery.recover_as_task", task_name="first-beat")
