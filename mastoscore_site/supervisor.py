"""Site and worker as one: started together, watched, started again when they fall, and ended together.

Each child leads a session of its own, so that what it forked can be ended with it; and dies with this process.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

import django.db
from django.conf import settings

from common.commands import DONE
from common.errors import MastoscoreError
from jobs import identity
from jobs.models import Beat, Job
from jobs.recovery import WORKER_BEAT
from mastoscore_site import processes, web

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
STOP_SECONDS = 9.0
# A child that ends sooner than this after its start was not running at all.
SHORT_LIFE_SECONDS = 10.0
MOST_SHORT_LIVES = 5
LONGEST_PAUSE_SECONDS = 30.0
LIFE_SIGN_SECONDS = 5.0


class ChildKeepsFalling(MastoscoreError):
    """One of the two does not stay up."""


@dataclass
class Child:
    """One program that has to run. Times are those of ``time.monotonic()``."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_after: float = 0.0
    short_lives: int = 0

    def look(self, now: float) -> None:
        """Start it if it is due, notice if it has ended. Raises ChildKeepsFalling."""
        if self.process is None:
            if now >= self.start_after:
                self._start(now)
        elif processes.has_ended(self.process.pid):
            self._mourn(now, self._bury())

    def terminate(self) -> None:
        """Ask the main process to end; it tells the others."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End everything of it, now."""
        if self.process is not None:
            self._bury()

    def _start(self, now: float) -> None:
        environment = {**os.environ, **self.environment, processes.SUPERVISOR_VARIABLE: str(os.getpid())}
        self.process = subprocess.Popen(
            self.command,
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=self.pass_fds,
        )
        self.started_at = now

    def _bury(self) -> int:
        """Kill what is left of its group, and only then let go of its number."""
        assert self.process is not None  # noqa: S101
        processes.kill_group(self.process.pid)
        code = self.process.wait()
        self.process = None
        return code

    def _mourn(self, now: float, code: int) -> None:
        is_short = now - self.started_at < SHORT_LIFE_SECONDS
        self.short_lives = self.short_lives + 1 if is_short else 0
        if self.short_lives >= MOST_SHORT_LIVES:
            raise ChildKeepsFalling(
                f"The {self.name} stopped {self.short_lives} times right after its start (exit code {code}); "
                "the lines above should say why. Giving up."
            )
        pause_seconds = min(2.0 ** (self.short_lives - 1), LONGEST_PAUSE_SECONDS) if is_short else 0.0
        logger.warning("the %s stopped (exit code %d); started again in %g s", self.name, code, pause_seconds)
        self.start_after = now + pause_seconds


class LifeSigns:
    """Notices a worker whose processes are there but do nothing: the cluster can lock up when an idle one is killed.

    A sign of life is a beat written by a task that ran, or the pulse of a job of this worker. Only their change
    counts, not their time, so neither a clock set anew nor a suspended laptop looks like a silent worker.
    """

    def __init__(self) -> None:
        self._seen: object = None
        self._seen_at = 0.0

    def is_silent(self, worker_pid: int, started_at: float, now: float) -> bool:
        try:
            signs = (worker_pid, self._beat(), self._pulses(worker_pid))
        except django.db.Error as error:
            logger.warning("cannot look after the worker: %s", error)
            return False
        finally:
            django.db.connection.close()
        if signs != self._seen:
            self._seen, self._seen_at = signs, now
        return now - max(self._seen_at, started_at) > settings.WORKER_SILENT_SECONDS

    def _beat(self) -> object:
        return Beat.objects.filter(name=WORKER_BEAT).values_list("at", flat=True).first()

    def _pulses(self, worker_pid: int) -> list[object]:
        running = Job.objects.filter(status=Job.Status.RUNNING).order_by("pk")
        return [job.heartbeat_at for job in running if _session_of(job.worker) == worker_pid]


def _session_of(worker: str) -> int | None:
    pid = identity.process_on_this_host(worker)
    try:
        return None if pid is None else os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


class Supervisor:
    def __init__(self, site: Child, worker: Child, address: web.Address, say: Callable[[str], None]) -> None:
        self.site = site
        self.worker = worker
        self._address = address
        self._say = say
        self._is_announced = False
        self._is_stop_asked = False
        self._signs = LifeSigns()
        self._next_look_for_signs = 0.0

    def run(self) -> int:
        """Until SIGINT, SIGTERM or SIGHUP; returns the exit code. Raises ChildKeepsFalling."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            is_nohup = number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN
            if not is_nohup:  # a shell's background job ignores SIGINT from birth, but whoever sends it means it
                signal.signal(number, self._ask_to_stop)
        try:
            while not self._is_stop_asked:
                self._look(time.monotonic())
                time.sleep(LOOK_SECONDS)
        finally:
            self._stop()
        return DONE

    def _ask_to_stop(self, signum: int, frame: FrameType | None) -> None:
        self._is_stop_asked = True

    def _look(self, now: float) -> None:
        self.site.look(now)
        self.worker.look(now)
        if not self._is_announced and self.site.process is not None and web.is_answering(self._address):
            self._is_announced = True
            self._say(f"The site is at {self._address.url} (admin: {self._address.url}admin/). Ctrl-C stops it.")
        if now >= self._next_look_for_signs:
            self._next_look_for_signs = now + LIFE_SIGN_SECONDS
            self._look_for_signs(now)

    def _look_for_signs(self, now: float) -> None:
        worker = self.worker
        if worker.process is not None and self._signs.is_silent(worker.process.pid, worker.started_at, now):
            logger.warning("the worker shows no sign of life; it is killed and started again")
            worker.kill()

    def _stop(self) -> None:
        children = [child for child in (self.site, self.worker) if child.process is not None]
        for child in children:
            child.terminate()
        processes.wait_for_end([child.process.pid for child in children if child.process], STOP_SECONDS)
        for child in children:
            child.kill()


def serve(listener: socket.socket, address: web.Address, *, workers: int | None, say: Callable[[str], None]) -> int:
    """Run site and worker until told to stop. The site takes its connections from ``listener``."""
    listener.set_inheritable(True)
    django.db.connections.close_all()
    site = Child(
        name="web server",
        command=[
            sys.executable,
            "-m",
            "gunicorn",
            "--config",
            "python:mastoscore_site.gunicorn_config",
            "--bind",
            f"fd://{listener.fileno()}",
            "mastoscore_site.wsgi:application",
        ],
        pass_fds=(listener.fileno(),),
    )
    worker = Child(
        name="worker",
        command=[sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"],
        environment={"MASTOSCORE_WORKERS": str(workers)} if workers is not None else {},
    )
    return Supervisor(site, worker, address, say).run()
