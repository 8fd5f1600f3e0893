"""Whether feeds are asked as often as they should be, in words and numbers. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from common.times import format_z

# The crawl is a matter of concern from the first on, and not recent any more from the second on.
ATTENTION_MINUTES = 80
WARNING_MINUTES = 120


def describe(last_crawl_at: datetime | None, now: datetime) -> dict[str, Any]:
    """The documented keys and those of the program in one; ``status`` is ok, warning or no_data."""
    if last_crawl_at is None:
        return _answer("no_data", "No crawl has been completed yet.", None, None, "never")
    minutes = max(0, int((now - last_crawl_at) / timedelta(minutes=1)))
    ago = _in_words(minutes)
    if minutes > WARNING_MINUTES:
        return _answer("warning", f"Feeds were last asked {ago}.", last_crawl_at, minutes, ago)
    return _answer("ok", "Feeds are asked as planned.", last_crawl_at, minutes, ago)


def _answer(status: str, message: str, moment: datetime | None, minutes: int | None, in_words: str) -> dict[str, Any]:
    shown = None if moment is None else format_z(moment)
    is_late = minutes is not None and minutes > WARNING_MINUTES
    return {
        "status": status,
        "message": message,
        "last_successful_crawl": shown,
        "last_crawl_at": shown,
        "minutes_since_last_crawl": minutes,
        "minutes_ago": minutes,
        "is_recent": minutes is not None and not is_late,
        "warning_threshold_minutes": WARNING_MINUTES,
        "threshold_minutes": ATTENTION_MINUTES,
        "needs_attention": minutes is not None and minutes > ATTENTION_MINUTES,
        "should_show_warning": is_late,
        "human_readable": in_words,
    }


def _in_words(minutes: int) -> str:
    if minutes < 1:
        return "just now"
    count, unit = (minutes, "minute") if minutes < 60 else (minutes // 60, "hour")
    if unit == "hour" and count >= 48:
        count, unit = count // 24, "day"
    return f"{count} {unit}{'' if count == 1 else 's'} ago"
