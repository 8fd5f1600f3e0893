"""What a server says about asking again: ``Cache-Control``, ``Expires``, ``Retry-After``. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.dates import parse_date

# A server may ask for patience, not for ever.
MAX_AGE_SECONDS = 7 * 24 * 3600
MAX_RETRY_AFTER = timedelta(days=7)

_DIRECTIVE = re.compile(r"([A-Za-z\-]{3,40})(?:\s*=\s*(?:\"([^\"]*+)\"|([^\s,;\"]+)))?")


@dataclass(frozen=True, slots=True)
class Freshness:
    """``max_age_seconds``: how long the answer counts as fresh, None if the server did not say.

    ``is_uncacheable``: it said ``no-store`` or ``no-cache``: nothing to be learnt about its rhythm.
    """

    max_age_seconds: int | None
    is_uncacheable: bool


def freshness(headers: Mapping[str, str], *, now: datetime) -> Freshness:
    """How long an answer stays fresh by RFC 9111: ``max-age`` less ``Age``, else ``Expires`` counted from ``Date``.

    ``headers`` finds names whatever their case. Nothing a server sends raises.
    """
    directives = _directives(headers.get("Cache-Control", "") or "")
    if "no-store" in directives or "no-cache" in directives:
        return Freshness(None, True)
    seconds = _number(directives.get("max-age", ""))
    if seconds is None:
        seconds = _seconds_to_expiry(headers, now)
    else:
        seconds -= _number(headers.get("Age", "") or "") or 0
    return Freshness(None if seconds is None else max(0, min(seconds, MAX_AGE_SECONDS)), False)


def retry_after(headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """Until when the server asks to be left alone (seconds or a date), at most a week ahead; None if it does not."""
    value = (headers.get("Retry-After", "") or "").strip()
    if re.fullmatch(r"\d{1,12}(?:\.\d+)?", value):
        return now + min(timedelta(seconds=float(value)), MAX_RETRY_AFTER)
    moment = parse_date(value)
    if moment is None:
        return None
    return max(now, min(moment, now + MAX_RETRY_AFTER))


def _directives(header: str) -> dict[str, str]:
    found = _DIRECTIVE.findall(header[:2000])
    return {name.lower(): quoted or bare for name, quoted, bare in reversed(found)}


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _seconds_to_expiry(headers: Mapping[str, str], now: datetime) -> int | None:
    value = (headers.get("Expires", "") or "").strip()
    if not value:
        return None
    expires = parse_date(value)
    if expires is None or value == "0":
        return 0  # RFC 9111, 5.3: an invalid date means it has expired
    sent = parse_date(headers.get("Date", "") or "") or now
    return int((expires - sent).total_seconds())
