"""Moments are aware and in UTC; an event's own zone is for showing only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from common.errors import ConfigurationError

# Servers send dates far outside any event (1970, 9999); outside this span a date is not believed.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open span ``start <= moment < end`` of aware UTC moments."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def widened(self, margin: timedelta) -> Window:
        return Window(self.start - margin, self.end + margin)


def now_utc() -> datetime:
    return datetime.now(UTC)


def parse_moment(text: object) -> datetime | None:
    """An ISO 8601 text as aware UTC, or None if it is none (wrong type, no such date, out of range).

    Takes fractions of any length (servers send none, 3, 6 or 9 digits) and reads a missing zone as UTC.
    """
    if not isinstance(text, str) or not 8 <= len(text) <= 40:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    elif moment.tzinfo is not UTC:
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            return None
    return moment if EARLIEST <= moment < LATEST else None


def format_z(moment: datetime) -> str:
    """ISO 8601 in UTC with ``Z``, whole seconds: ``2026-02-22T20:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; ConfigurationError if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"unknown time zone {name!r}",
            user_message=f"“{name}” is not a time zone; use a name like Europe/Berlin or America/New_York.",
        ) from error


def parse_duration(text: str) -> timedelta:
    """``H:MM:SS`` or ``H:MM`` as a positive timedelta; ConfigurationError otherwise."""
    parts = text.strip().split(":")
    complaint = ConfigurationError(f"{text!r} is not a duration above zero of the form H:MM:SS")
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise complaint
    hours, minutes, seconds = (*map(int, parts), 0)[:3]
    if minutes > 59 or seconds > 59 or hours > 24 * 60:
        raise complaint
    duration = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not duration:
        raise complaint
    return duration


def format_duration(duration: timedelta) -> str:
    """``H:MM:SS`` with as many hours as it takes."""
    total_seconds = int(duration.total_seconds())
    hours, rest = divmod(total_seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
