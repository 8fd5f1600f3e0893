"""All that a phase sees of the job it runs in: what to do, progress, and whether to stop."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from jobs.models import Job
from jobs.plain import plain_json, plain_text


class JobStopped(BaseException):
    """The job has to end now. Let it pass.

    Derived from BaseException like asyncio.CancelledError, and for the same reason: a phase that deals with the
    failures of a server, or a library that catches Exception, must not take it for one. ``with``, ``finally`` and
    ``transaction.atomic`` clean up as ever.
    """


class JobCancelled(JobStopped):
    """Somebody asked for it to be cancelled."""


class JobLost(JobStopped):
    """Somebody else holds the job by now (no pulse for too long); nothing may be written for it any more."""


class JobReleased(JobStopped):
    """The worker is being stopped; the job goes back to the queue."""


class StopReason(enum.Enum):
    CANCEL = JobCancelled
    LOST = JobLost
    RELEASE = JobReleased


class Listener(Protocol):
    """Who is told of progress at once, such as a command with its progress bar."""

    def progress(self, snapshot: dict[str, Any]) -> None: ...

    def line(self, text: str) -> None: ...


class Control:
    """What the thread of the job and the thread of its pulse tell each other."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.listening = threading.RLock()  # one call of the listener at a time; apart, as a listener may be slow
        self.reason: StopReason | None = None
        self.stopped_at: float | None = None
        self.partial: dict[str, Any] | None = None
        self.is_finished = False  # the function has returned; under lock, see Pulse
        # Set by signal handlers, which may take no lock; the pulse makes a stop of it.
        self.is_interrupted = False
        self._stopped = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._snapshot: dict[str, Any] = {}
        self._has_news = False

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self, reason: StopReason) -> None:
        """Ask the job to end. The first reason counts, but for LOST: that one always does."""
        with self.lock:
            if self.reason is None or reason is StopReason.LOST:
                self.reason = reason
            if self._stopped.is_set():
                return
            self.stopped_at = time.monotonic()
            self._stopped.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            self._call_beside(callback)

    def check(self) -> None:
        if self._stopped.is_set() and self.reason is not None:
            raise self.reason.value

    def wait(self, seconds: float) -> bool:
        return self._stopped.wait(seconds)

    def finish(self) -> None:
        with self.lock:
            self.is_finished = True

    @contextmanager
    def on_stop(self, callback: Callable[[], None]) -> Iterator[None]:
        with self.lock:
            is_late = self._stopped.is_set()
            self._callbacks.append(callback)
        if is_late:
            callback()
        try:
            yield
        finally:
            with self.lock:
                self._callbacks.remove(callback)

    def merge(self, values: dict[str, Any]) -> dict[str, Any]:
        """Add to the snapshot of the progress; returns a copy of the whole."""
        with self.lock:
            self._snapshot.update(values)
            self._has_news = True
            return dict(self._snapshot)

    def begin_phase(self, kind: str) -> dict[str, Any]:
        """Start a new snapshot for a phase; those before it are listed under ``phases_done``."""
        with self.lock:
            done = [*self._snapshot.get("phases_done", [])]
            if "phase" in self._snapshot:
                done.append(self._snapshot["phase"])
            self._snapshot = {}
            return self.merge({"phase": kind, "phases_done": done})

    @property
    def snapshot(self) -> dict[str, Any]:
        with self.lock:
            return dict(self._snapshot)

    def take_news(self) -> dict[str, Any] | None:
        """The snapshot if it changed since the last call."""
        with self.lock:
            if not self._has_news:
                return None
            self._has_news = False
            return dict(self._snapshot)

    def _call_beside(self, callback: Callable[[], None]) -> None:
        # In a thread of its own, so that neither a slow callback nor a faulty one stops the pulse.
        threading.Thread(target=callback, name="on-stop", daemon=True).start()


class JobContext:
    """What a phase is given. Every method may be called from any thread of the phase."""

    def __init__(
        self,
        job: Job,
        control: Control,
        listener: Listener | None = None,
        *,
        phase: str = "",
        params: dict[str, Any] | None = None,
    ) -> None:
        self.job = job
        self.control = control
        self.listener = listener
        self.params: dict[str, Any] = dict(job.params or {}) if params is None else params
        self._phase = phase

    @classmethod
    def detached(
        cls, kind: str, *, event: Any = None, params: dict[str, Any] | None = None, listener: Listener | None = None
    ) -> JobContext:
        """A context without a row and without a pulse, to call a phase directly."""
        return cls(Job(kind=kind, event=event, params=params or {}), Control(), listener)

    @property
    def job_id(self) -> int:
        return self.job.pk

    @property
    def kind(self) -> str:
        return self._phase or self.job.kind

    @property
    def event(self) -> Any:
        return self.job.event

    def progress(self, **values: Any) -> None:
        """Merge into the snapshot. The listener hears it at once, the row at most once a second and at the end.

        Pages draw a bar from ``progress_percent`` (0 to 100) or from ``done`` and ``total``, beside ``message``.
        """
        self._tell(self.control.merge(plain_json(values)))

    def say(self, text: str) -> None:
        """One line for a person; kept as ``message`` in the snapshot."""
        text = plain_text(text)
        self.control.merge({"message": text})
        if self.listener is not None:
            with self.control.listening:
                self.listener.line(text)

    def check_cancelled(self) -> None:
        """Raise JobStopped if the job has to end. Costs nothing: ask between pages, files and toots."""
        self.control.check()

    def stopping(self) -> bool:
        return self.control.is_stopped

    def wait(self, seconds: float) -> None:
        """Sleep, but wake up and raise JobStopped as soon as the job has to end."""
        self.control.wait(seconds)
        self.control.check()

    @contextmanager
    def on_stop(self, callback: Callable[[], None]) -> Iterator[None]:
        """While the block runs, ``callback()`` is called (in another thread) as soon as the job has to end.

        For closing what a thread may be blocked on, such as sockets. If the job has to end already: at once, here.
        """
        with self.control.on_stop(callback):
            yield

    def keep_partial(self, result: dict[str, Any]) -> None:
        """What becomes the ``result`` if the job is cancelled from now on. In a phase: under the phase's name."""
        plain = plain_json(result)
        with self.control.lock:
            if self._phase:
                self.control.partial = {**(self.control.partial or {}), self._phase: plain}
            else:
                self.control.partial = plain

    def phase(self, kind: str, **params: Any) -> JobContext:
        """The context for one phase inside a larger job: same stop, same row; params of its own.

        The snapshot starts anew with ``phase`` and ``phases_done``, and the phase's values stand beside them.
        """
        context = JobContext(self.job, self.control, self.listener, phase=kind, params=params)
        context._tell(self.control.begin_phase(kind))
        return context

    def _tell(self, snapshot: dict[str, Any]) -> None:
        if self.listener is not None:
            with self.control.listening:
                self.listener.progress(snapshot)
