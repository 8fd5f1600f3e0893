"""The bar that a person at a terminal sees."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipeline.progress_words import read_progress


class BarListener:
    """One bar that turns over to the next phase; lines scroll by above it."""

    def __init__(self, kind: str, console: Console) -> None:
        self._kind = kind
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24, finished_style="green"),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self.bar.add_task(kind, total=None, words="")

    def progress(self, snapshot: dict[str, Any]) -> None:
        seen = read_progress(self._kind, snapshot)
        self.bar.update(
            self._task,
            description=seen.phase,
            total=None if seen.percent is None else 100,
            completed=seen.percent or 0,
            words=_escape(seen.words),
        )

    def line(self, text: str) -> None:
        self.bar.console.print(text, markup=False, highlight=False)


def make_bar(kind: str) -> BarListener:
    """On stderr, as stdout may be for the answer alone."""
    return BarListener(kind, Console(stderr=True))


def _escape(words: str) -> str:
    """Square brackets mean markup to rich; a server's name may hold an IPv6 address in them."""
    return words.replace("[", "\\[")
