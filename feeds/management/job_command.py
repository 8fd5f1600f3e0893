"""The ground of commands that are a job in the foreground: progress, what came of it, an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from common.commands import CANCELLED, FAILED, HouseCommand
from jobs.context import Listener
from jobs.models import Job
from jobs.progress import percent_of
from jobs.services import run_in_foreground

# Plain lines are for logs: one per tenth of the way.
_STEP_PERCENT = 10


class JobCommand(HouseCommand):
    def run_job(self, kind: str, **options: Any) -> tuple[dict[str, Any], int]:
        """The result and an exit code: 0 when it ran to its end, whatever its result says."""
        with _listener(self.stderr.write) as listener:
            job = run_in_foreground(kind, listener=listener, **options)
        if job.status == Job.Status.COMPLETE:
            return dict(job.result or {}), 0
        self.stderr.write(job.error or f"Cancelled (job {job.pk}).")
        return {}, CANCELLED if job.status == Job.Status.CANCELLED else FAILED


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)

    def progress(self, snapshot: dict[str, Any]) -> None:
        self._bar.update(self._task, total=snapshot.get("total"), completed=snapshot.get("done", 0))

    def line(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False)


class _Lines:
    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._step = 0

    def progress(self, snapshot: dict[str, Any]) -> None:
        step = (percent_of(snapshot) or 0) // _STEP_PERCENT
        if self._step < step < 100 // _STEP_PERCENT:
            self._step = step
            self._write(f"{step * _STEP_PERCENT} %")

    def line(self, text: str) -> None:
        self._write(text)


@contextmanager
def _listener(write: Callable[[str], object]) -> Iterator[Listener]:
    """A bar on stderr when that is a terminal, else lines."""
    if not sys.stderr.isatty():
        yield _Lines(write)
        return
    columns = (TextColumn("feeds"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar)
