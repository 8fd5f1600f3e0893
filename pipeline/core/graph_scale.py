"""Bins, ticks and limits of the graph's two axes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

_MOST_BINS = 400
_BIN_MINUTES = (1, 5, 15, 60, 360, 1440)
_BIN_WORDS = {1: "minute", 5: "5 minutes", 15: "15 minutes", 60: "hour", 360: "6 hours", 1440: "24 hours"}
_DAY = 1440
_TICK_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY)
_MOST_TICKS = 10
# Zones differ from UTC by multiples of this at most finely; coarser ticks are looked for on its grid only.
_ZONE_GRAIN = 15
_HEADROOM = 1.18


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Minutes on the x axis to moments: minute 0 is ``start``."""

    start: datetime
    zone: ZoneInfo

    def moment(self, minute: float) -> datetime:
        return self.start + timedelta(minutes=minute)

    def local(self, minute: float) -> datetime:
        return self.moment(minute).astimezone(self.zone)

    def describe(self, minute: int, minutes: int) -> str:
        """``21:05``, and the day with it on an axis of more than a day."""
        local = self.local(minute)
        return f"{local:%H:%M}" if minutes <= _DAY else f"{_day(local)} {local:%H:%M}"


@dataclass(frozen=True, slots=True)
class Tick:
    minute: int
    label: str


@dataclass(frozen=True, slots=True)
class Top:
    """The y axis: its upper limit, with room for words above the highest bar, and whole numbers to mark."""

    limit: float
    ticks: tuple[int, ...]


def choose_bin_minutes(minutes: int) -> int:
    """Width of a bar: one minute up to 6 h 40, then as wide as it takes for no more than 400 bars."""
    return next((width for width in _BIN_MINUTES if minutes <= width * _MOST_BINS), _BIN_MINUTES[-1])


def describe_bin(width: int) -> str:
    return _BIN_WORDS[width]


def bin_counts(counts: Sequence[int], width: int, anchor: int) -> list[tuple[int, int, int]]:
    """(first minute, minute after the last, toots) per bar; bars are counted from minute ``anchor``, the event's
    first, so the first and last bar may be cut short."""
    edges = [0] if anchor % width else []
    edges += [*range(anchor % width, len(counts), width), len(counts)]
    return [(low, high, sum(counts[low:high])) for low, high in pairwise(edges)]


def choose_ticks(scale: TimeScale, minutes: int) -> list[Tick]:
    """At most ten round local times; midnights carry their date when the window holds more than one day."""
    step = next((step for step in _TICK_MINUTES if minutes <= step * _MOST_TICKS), _TICK_MINUTES[-1])
    is_dated = scale.local(0).date() != scale.local(minutes).date()
    ticks = []
    for minute in _whole_minutes(scale, minutes, 1 if step < _ZONE_GRAIN else _ZONE_GRAIN):
        local = scale.local(minute)
        if _falls_on(local, step):
            ticks.append(Tick(minute, _label(local, step, is_dated)))
    return ticks


def nice_top(highest: int) -> Top:
    """Three to six marks at 1, 2 or 5 times a power of ten, whole toots only."""
    limit = max(highest, 1) * _HEADROOM
    step = next(factor * 10**power for power in range(12) for factor in (1, 2, 5) if limit <= 6 * factor * 10**power)
    return Top(limit, tuple(range(0, int(limit) + 1, step)))


def _whole_minutes(scale: TimeScale, minutes: int, grain: int) -> range:
    """Minutes of the axis that are full quarters of an hour (or minutes) on the clock.

    A series that starts at 20:00:30 has its whole minutes half a minute off; the picture does not show that.
    """
    offset = -scale.start.minute % grain
    return range(offset, minutes + 1, grain)


def _falls_on(local: datetime, step: int) -> bool:
    if step < _DAY:
        return (local.hour * 60 + local.minute) % step == 0
    return local.hour == local.minute == 0 and local.toordinal() % (step // _DAY) == 0


def _label(local: datetime, step: int, is_dated: bool) -> str:
    is_midnight = local.hour == local.minute == 0
    if step >= _DAY:
        return _day(local)
    return f"{local:%H:%M}\n{_day(local)}" if is_dated and is_midnight else f"{local:%H:%M}"


def _day(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b}"
