"""When a feed is asked again, and what its server says about that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds import schedule
from feeds.caching import freshness, retry_after

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)  # a Saturday


def every(gap: timedelta, count: int = 10, last: timedelta = timedelta()) -> list[datetime]:
    return [NOW - last - number * gap for number in range(count)]


@pytest.mark.parametrize(
    ("published", "minutes"),
    [
        ([], 60),
        ([NOW + timedelta(days=1)], 60),
        (every(timedelta(minutes=10)), 15),
        (every(timedelta(hours=4)), 60),
        (every(timedelta(days=1)), 360),
        (every(timedelta(days=30)), 1440),
        (every(timedelta(minutes=10), last=timedelta(hours=8)), 120),
        (every(timedelta(minutes=10), last=timedelta(days=400)), 1440),
        ([NOW - timedelta(hours=12)], 180),
        ([*every(timedelta(days=9), 15), *every(timedelta(minutes=1), 60)], 15),
    ],
)
def test_interval_follows_the_rhythm_of_the_entries(published: list[datetime], minutes: int) -> None:
    assert schedule.next_interval_minutes(published, now=NOW) == minutes


@pytest.mark.parametrize(
    ("wishes", "minutes"),
    [
        ({"ttl_minutes": 90}, 90),
        ({"ttl_minutes": 5}, 15),
        ({"ttl_minutes": 10**9}, 1440),
        ({"max_age_seconds": 3601}, 61),
        ({"max_age_seconds": 0}, 15),
        ({"ttl_minutes": 90, "override_minutes": 20}, 20),
        ({"max_age_seconds": 7200, "override_minutes": 20}, 120),
        ({"override_minutes": 1}, 15),
        ({"override_minutes": 99_999}, 1440),
    ],
)
def test_interval_obeys_feed_server_and_person(wishes: dict[str, int], minutes: int) -> None:
    assert schedule.next_interval_minutes(every(timedelta(minutes=5)), now=NOW, **wishes) == minutes


def test_feeds_due_together_are_spread() -> None:
    moments = {schedule.next_due_at(NOW, 60, seed=f"https://f{number}.example/") for number in range(200)}
    assert min(moments) >= NOW + timedelta(minutes=60)
    assert max(moments) <= NOW + timedelta(minutes=66)
    assert len(moments) > 190
    assert schedule.next_due_at(NOW, 60, seed="a") == schedule.next_due_at(NOW, 60, seed="a")
    first = {schedule.first_due_at(NOW, seed=str(number)) for number in range(200)}
    assert min(first) >= NOW and max(first) <= NOW + timedelta(minutes=5) and len(first) > 190


def test_server_that_asks_for_patience_gets_it() -> None:
    until = NOW + timedelta(hours=5)
    assert until <= schedule.next_due_at(NOW, 60, not_before=until) <= until + timedelta(minutes=1)
    assert schedule.next_due_at(NOW, 60, not_before=NOW) < NOW + timedelta(minutes=67)


def test_hours_and_days_without_news_are_skipped() -> None:
    due = schedule.next_due_at(NOW, 60, skip_hours=(13, 14, 15))
    assert (due.hour, due.date()) == (16, NOW.date())
    assert schedule.next_due_at(NOW, 60, skip_days=(5, 6)).weekday() == 0
    always = schedule.next_due_at(NOW, 60, skip_hours=range(24))
    assert NOW < always < NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("failures", "hours"), [(0, 0), (-1, 0), (1, 2), (2, 4), (3, 8), (4, 16), (5, 24), (6, 24), (10**6, 24)]
)
def test_pauses_after_failures_are_those_of_the_contract(failures: int, hours: int) -> None:
    assert schedule.backoff_minutes(failures) == 60 * hours
    expected = NOW + timedelta(hours=hours) if failures > 0 else None
    assert schedule.next_attempt_at(NOW, failures) == expected
    assert schedule.next_attempt_at(None, failures) is None


def test_backoff_ends_when_its_moment_has_come() -> None:
    assert schedule.should_skip_backoff(NOW - timedelta(minutes=119), 1, now=NOW)
    assert not schedule.should_skip_backoff(NOW - timedelta(minutes=120), 1, now=NOW)
    assert not schedule.should_skip_backoff(None, 0, now=NOW)


@pytest.mark.parametrize(
    ("failures", "health", "text"),
    [
        (0, "active", "Working normally"),
        (1, "warning", "Issues detected (1 recent failures)"),
        (4, "warning", "Issues detected (4 recent failures)"),
        (5, "failed", "Not working (5 consecutive failures)"),
    ],
)
def test_health_is_told_in_the_words_of_the_contract(failures: int, health: str, text: str) -> None:
    assert schedule.health_of(failures) == health
    assert schedule.status_description(health, failures) == text
    assert schedule.status_description("odd", failures) == "Unknown status"


@pytest.mark.parametrize(
    ("headers", "max_age", "is_uncacheable"),
    [
        ({}, None, False),
        ({"Cache-Control": "public, max-age=600"}, 600, False),
        ({"Cache-Control": 'MAX-AGE="600"', "Age": "100"}, 500, False),
        ({"Cache-Control": "max-age=600", "Age": "900"}, 0, False),
        ({"Cache-Control": "max-age=10, max-age=20"}, 10, False),
        ({"Cache-Control": "no-cache"}, None, True),
        ({"Cache-Control": "max-age=600, no-store"}, None, True),
        ({"Cache-Control": "max-age=soon"}, None, False),
        ({"Cache-Control": "max-age=999999999999"}, 7 * 86400, False),
        ({"Expires": "Sat, 21 Nov 2026 13:00:00 GMT"}, 1800, False),
        ({"Expires": "Sat, 21 Nov 2026 13:00:00 GMT", "Date": "Sat, 21 Nov 2026 12:50:00 GMT"}, 600, False),
        ({"Expires": "Sat, 21 Nov 2020 13:00:00 GMT"}, 0, False),
        ({"Expires": "0"}, 0, False),
        ({"Expires": "-1"}, 0, False),
        ({"Expires": "Sat, 21 Nov 2026 13:00:00 GMT", "Cache-Control": "max-age=60"}, 60, False),
    ],
)
def test_freshness_is_read_from_headers(headers: dict[str, str], max_age: int | None, is_uncacheable: bool) -> None:
    found = freshness(headers, now=NOW)
    assert (found.max_age_seconds, found.is_uncacheable) == (max_age, is_uncacheable)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("99999999", 7 * 86400),
        ("Sat, 21 Nov 2026 12:40:00 GMT", 600),
        ("Sat, 21 Nov 2020 12:40:00 GMT", 0),
        ("Sat, 21 Nov 2037 12:40:00 GMT", 7 * 86400),
        ("later", None),
        ("-5", None),
        ("", None),
    ],
)
def test_patience_is_read_in_seconds_and_as_a_date(value: str, seconds: float | None) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert retry_after({"Retry-After": value}, now=NOW) == expected
    assert retry_after({}, now=NOW) is None


@given(
    st.dictionaries(st.sampled_from(["Cache-Control", "Expires", "Age", "Date", "Retry-After"]), st.text(max_size=40))
)
def test_any_headers_are_read(headers: dict[str, str]) -> None:
    seconds = freshness(headers, now=NOW).max_age_seconds
    assert seconds is None or 0 <= seconds <= 7 * 86400
    moment = retry_after(headers, now=NOW)
    assert moment is None or NOW <= moment <= NOW + timedelta(days=7)
