from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from common.rates import RateFacts, asked_pause, pause_seconds, read_rate

NOW = datetime(2026, 2, 23, 12, 0, tzinfo=UTC)
IN_5_MINUTES = "2026-02-23T12:05:00.000000Z"


def headers(**values: str) -> dict[str, str]:
    return {f"x-ratelimit-{name}": value for name, value in values.items()}


@pytest.mark.parametrize(
    ("limit", "remaining", "seconds_left", "pause"),
    [
        (300, 299, 300, 0),
        (300, 76, 300, 0),
        (300, 75, 300, 4),
        (300, 10, 100, 10),
        (300, 1, 300, 30),
        (300, 0, 300, 300),
        (300, 0, -5, 0),
        (300, 5, -5, 0),
        (None, 26, 300, 0),
        (None, 25, 100, 4),
        (300, 0, 10**9, 3600),
        (300, 2, 10**9, 30),
    ],
)
def test_what_is_left_is_spread_over_the_rest_of_the_period(
    limit: int | None, remaining: int, seconds_left: float, pause: float
) -> None:
    facts = RateFacts(limit, remaining, NOW + timedelta(seconds=seconds_left))

    assert pause_seconds(facts, now=NOW) == pause


def test_headers_are_read_with_and_without_a_limit() -> None:
    told = headers(limit="300", remaining="12", reset=IN_5_MINUTES)

    assert read_rate(told, now=NOW) == RateFacts(300, 12, NOW + timedelta(minutes=5))
    assert read_rate(headers(remaining="12", reset="60"), now=NOW) == RateFacts(None, 12, NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    "odd",
    [
        {},
        headers(remaining="12"),
        headers(reset="60"),
        headers(remaining="many", reset="60"),
        headers(remaining="-1", reset="60"),
        headers(remaining="12", reset="soon"),
    ],
)
def test_headers_that_say_nothing_are_no_facts(odd: dict[str, str]) -> None:
    assert read_rate(odd, now=NOW) is None
    assert asked_pause(200, odd, now=NOW) == 0


@pytest.mark.parametrize(
    ("status_code", "retry_after", "pause"),
    [
        (429, "7", 7),
        (503, "Mon, 23 Feb 2026 12:02:00 GMT", 120),
        (429, "30, Mon, 23 Feb 2026 12:01:00 GMT", 60),
        (429, "9" * 60, 3600),
        (429, "Mon, 23 Feb 2099 12:02:00 GMT", 3600),
        (429, "-5", 0),
        (429, "soon", 0),
        (200, "50", 0),
    ],
)
def test_retry_after_counts_in_both_spellings_together_and_within_reason(
    status_code: int, retry_after: str, pause: float
) -> None:
    assert asked_pause(status_code, {"retry-after": retry_after}, now=NOW) == pause
