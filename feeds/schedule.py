"""When a feed is asked again, and how well it does. Pure; all moments are aware UTC."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

MIN_INTERVAL_MINUTES = 15
MAX_INTERVAL_MINUTES = 1440
DEFAULT_INTERVAL_MINUTES = 60
PUSHED_INTERVAL_MINUTES = 1300  # once a day, with the tenth that is added
MAX_BACKOFF_MINUTES = 1440
FAILURES_UNTIL_FAILED = 5

# How many of the latest entries tell the rhythm, and how many askings fit between two of them.
_RHYTHM_ENTRIES = 20
_ASKINGS_PER_ENTRY = 4


def next_interval_minutes(
    published: Sequence[datetime],
    *,
    now: datetime,
    ttl_minutes: int | None = None,
    max_age_seconds: int | None = None,
    override_minutes: int | None = None,
    is_pushed: bool = False,
) -> int:
    """How long to wait before asking again, 15 minutes to 24 hours.

    By the rhythm of the entries: a quarter of the usual gap between the latest 20 (in any order), or of the silence
    since the last if that is longer; an hour if none has a date. Never more often than the feed (``ttl``) or its
    server (``max-age``) ask for. ``override_minutes``, a person's choice, goes before the rhythm and the ``ttl``, but
    not before what the server asks. ``is_pushed``: news come by themselves, so once a day is enough.
    """
    floor = MIN_INTERVAL_MINUTES
    if max_age_seconds:
        floor = max(floor, -(-max_age_seconds // 60))
    if override_minutes is not None:
        return _bounded(max(override_minutes, floor))
    if is_pushed:
        floor = max(floor, PUSHED_INTERVAL_MINUTES)
    if ttl_minutes:
        floor = max(floor, ttl_minutes)
    return _bounded(max(_by_rhythm(published, now), floor))


def next_due_at(
    now: datetime,
    interval_minutes: int,
    *,
    seed: str = "",
    not_before: datetime | None = None,
    skip_hours: Collection[int] = (),
    skip_days: Collection[int] = (),
) -> datetime:
    """The moment to ask again: after the interval, up to a tenth later, so that feeds do not all come due together.

    The tenth depends on ``seed`` (the feed's address) and the hour. Not before ``not_before``; past the hours (UTC)
    and weekdays (Monday is 0) in which the feed says it never changes, unless those are all there are.
    """
    spread = _share(f"{seed} {now:%Y%m%d%H}") * interval_minutes / 10
    due = now + timedelta(minutes=interval_minutes + spread)
    if not_before is not None and not_before > due:
        # Not all at the very second a server named.
        due = not_before + timedelta(seconds=60 * _share(seed))
    return _past_skipped(due, skip_hours, skip_days)


def first_due_at(now: datetime, *, seed: str) -> datetime:
    """When to ask a feed that was just imported with many others: within the next five minutes."""
    return now + timedelta(seconds=300 * _share(seed))


def backoff_minutes(failures: int) -> int:
    """2, 4, 8, 16, then 24 hours after so many failures in a row; 0 without."""
    if failures <= 0:
        return 0
    return min(60 << min(failures, 10), MAX_BACKOFF_MINUTES)


def next_attempt_at(last_error_at: datetime | None, failures: int) -> datetime | None:
    """Until when a failing feed is left alone; None if it is not failing."""
    if last_error_at is None or failures <= 0:
        return None
    return last_error_at + timedelta(minutes=backoff_minutes(failures))


def should_skip_backoff(last_error_at: datetime | None, failures: int, *, now: datetime) -> bool:
    """Whether the moment to try again is still ahead; only the clock obeys, a person's wish does not."""
    moment = next_attempt_at(last_error_at, failures)
    return moment is not None and moment > now


def health_of(failures: int) -> str:
    """``active``, ``warning``, and from the fifth failure in a row ``failed``."""
    if failures <= 0:
        return "active"
    return "failed" if failures >= FAILURES_UNTIL_FAILED else "warning"


def status_description(health: str, failures: int) -> str:
    """What that means, in the words of the API."""
    texts = {
        "active": "Working normally",
        "warning": f"Issues detected ({failures} recent failures)",
        "failed": f"Not working ({failures} consecutive failures)",
    }
    return texts.get(health, "Unknown status")


def _by_rhythm(published: Sequence[datetime], now: datetime) -> int:
    moments = sorted({moment for moment in published if moment <= now}, reverse=True)[:_RHYTHM_ENTRIES]
    if not moments:
        return DEFAULT_INTERVAL_MINUTES
    gaps = [(newer - older).total_seconds() / 60 for newer, older in pairwise(moments)]
    silence = (now - moments[0]).total_seconds() / 60
    usual = median(gaps) if gaps else silence
    return int(max(usual, silence) / _ASKINGS_PER_ENTRY)


def _bounded(minutes: int) -> int:
    return max(MIN_INTERVAL_MINUTES, min(minutes, MAX_INTERVAL_MINUTES))


def _share(seed: str) -> float:
    """A number from 0 to 1 that is always the same for the same text."""
    return int.from_bytes(hashlib.blake2b(seed.encode("utf-8", "replace"), digest_size=6).digest(), "big") / 2**48


def _past_skipped(due: datetime, hours: Collection[int], days: Collection[int]) -> datetime:
    if not hours and not days:
        return due
    moment = due
    for _ in range(24 * 8):
        if moment.hour not in hours and moment.weekday() not in days:
            return moment
        moment = moment.replace(minute=due.minute // 4, second=due.second) + timedelta(hours=1)
    return due
