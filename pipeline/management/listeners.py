"""How a person at the command line follows a phase: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pipeline.progress_words import read_progress

# Plain lines are for logs: one per tenth of the way, not one per page.
STEP_PERCENT = 10


class Listener(Protocol):
    def progress(self, snapshot: dict[str, Any]) -> None: ...

    def line(self, text: str) -> None: ...


class Output(Protocol):
    """The part of Django's OutputWrapper that is used here."""

    def write(self, msg: str) -> object: ...


class PlainListener:
    """A line when a phase begins, a line per tenth of a long one, and whatever the phase says."""

    def __init__(self, kind: str, output: Output) -> None:
        self._kind = kind
        self._output = output
        self._phase = ""
        self._step = 0

    def progress(self, snapshot: dict[str, Any]) -> None:
        seen = read_progress(self._kind, snapshot)
        if seen.phase != self._phase:
            self._phase, self._step = seen.phase, 0
            self._output.write(f"{seen.phase} ...")
        step = (seen.percent or 0) // STEP_PERCENT
        if self._step < step < 100 // STEP_PERCENT:  # at its end the phase says itself what came of it
            self._step = step
            self._output.write(f"{seen.phase}: {step * STEP_PERCENT} %{_after_comma(seen.words)}")

    def line(self, text: str) -> None:
        self._output.write(text)


@contextmanager
def make_listener(kind: str, output: Output) -> Iterator[Listener]:
    """A bar on stderr when that is a terminal, else lines on ``output``."""
    if not sys.stderr.isatty():
        yield PlainListener(kind, output)
        return
    from pipeline.management.bars import make_bar  # rich takes a tenth of a second, and nobody would see it

    listener = make_bar(kind)
    with listener.bar:
        yield listener


def _after_comma(words: str) -> str:
    return f", {words}" if words else ""
