"""Toots per minute over an event's window. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.times import Window, format_z, parse_moment

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class MinuteSeries:
    """``counts``: one int per minute, oldest first; ``start`` is where the first minute begins.

    Minutes are counted from the start of the event, so the minute ``event_start`` is its first, and
    ``event_end`` the first one that begins when it is over. The first and the last minute may reach beyond the
    window when margin or duration are no whole minutes.
    """

    start: datetime
    event_start: int
    event_end: int
    counts: tuple[int, ...]

    def moment(self, index: int) -> datetime:
        return self.start + index * _MINUTE

    @property
    def during(self) -> tuple[int, ...]:
        return self.counts[self.event_start : self.event_end]

    @property
    def busiest(self) -> int | None:
        """Index of the minute with the most toots, the first of several; None without any toot."""
        most = max(self.counts, default=0)
        return self.counts.index(most) if most else None

    def as_dict(self) -> dict[str, Any]:
        return {
            "start": format_z(self.start),
            "event_start": self.event_start,
            "event_end": self.event_end,
            "counts": list(self.counts),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> MinuteSeries:
        start = parse_moment(stored["start"])
        if start is None:
            raise ValueError(f"per-minute series without a start: {stored['start']!r}")
        return cls(start, stored["event_start"], stored["event_end"], tuple(stored["counts"]))


@dataclass(frozen=True, slots=True)
class SeriesShape:
    """Where the minutes of a window lie, before any toot is counted."""

    start: datetime
    event_start: int
    event_end: int
    minutes: int

    @classmethod
    def of(cls, span: Window, window: Window) -> SeriesShape:
        before = _minutes_up(span.start - window.start)
        return cls(
            start=span.start - before * _MINUTE,
            event_start=before,
            event_end=before + _minutes_up(span.end - span.start),
            minutes=before + _minutes_up(window.end - span.start),
        )

    def filled(self, counts: list[int]) -> MinuteSeries:
        return MinuteSeries(self.start, self.event_start, self.event_end, tuple(counts))


def _minutes_up(duration: timedelta) -> int:
    return -(-duration // _MINUTE)
