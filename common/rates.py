"""How fast a server wants to be asked, by the headers of its answers. Pure.

https://docs.joinmastodon.org/api/rate-limits/: so many requests per period, how many are left, when a new one begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from common.mastodon_errors import read_number, read_reset, retry_after_seconds

# A new period further away than this is not believed.
_MAX_PERIOD_SECONDS = 3600.0
# From this share of the limit on, what is left is spread over the rest of the period.
_SPREAD_FROM = 4
_SPREAD_FROM_WITHOUT_LIMIT = 25
_MAX_SPREAD_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class RateFacts:
    """What is left of a period; ``limit`` None: the server did not say how many there were."""

    limit: int | None
    remaining: int
    reset_at: datetime


def read_rate(headers: Mapping[str, str], *, now: datetime) -> RateFacts | None:
    """What the headers say; None unless they say how many requests are left and until when."""
    remaining = read_number(headers.get("x-ratelimit-remaining"))
    reset_at = read_reset(headers.get("x-ratelimit-reset"), now=now)
    if remaining is None or reset_at is None:
        return None
    return RateFacts(read_number(headers.get("x-ratelimit-limit")), remaining, reset_at)


def pause_seconds(facts: RateFacts, *, now: datetime) -> float:
    """How long to wait before the next request, so that the server never has to answer 429.

    Nothing while there is plenty; an even share of the time when a quarter is left; the rest of the period, an hour
    at most, when nothing is.
    """
    seconds_left = min(max(0.0, (facts.reset_at - now).total_seconds()), _MAX_PERIOD_SECONDS)
    if facts.remaining == 0:
        return seconds_left
    threshold = _SPREAD_FROM_WITHOUT_LIMIT if facts.limit is None else facts.limit // _SPREAD_FROM
    if facts.remaining > threshold:
        return 0.0
    return min(seconds_left / facts.remaining, _MAX_SPREAD_SECONDS)


def asked_pause(status_code: int, headers: Mapping[str, str], *, now: datetime) -> float:
    """Seconds a server wants to be left alone after this answer: by Retry-After, or as its rate limit goes."""
    told = retry_after_seconds(headers, now=now) if status_code in (429, 503) else None
    facts = read_rate(headers, now=now)
    return max(told or 0.0, pause_seconds(facts, now=now) if facts is not None else 0.0)
