"""Dates as feeds write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dates import parse_date, posting_moment

SEEN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sat, 20 Apr 2024 10:00:00 GMT", "2024-04-20T10:00:00"),
        ("Sat, 20 Apr 24 10:00 EST", "2024-04-20T15:00:00"),
        ("20 Apr 2024 10:00:00 +0530", "2024-04-20T04:30:00"),
        ("Fri, 5 May 17 9:00:00 -0400", "2017-05-05T13:00:00"),
        ("Mon, 20-Apr-09 10:00:00 GMT", "2009-04-20T10:00:00"),
        ("Sat, 20 Apr 1996 10:00:00 GMT", "1996-04-20T10:00:00"),
        ("Sat, Dec 16 2023 02:02:33 PM", "2023-12-16T14:02:33"),
        ("April 20, 2024 12:05 AM PDT", "2024-04-20T07:05:00"),
        ("Wed, 18 Apr 2007 24:00:00 +0000", "2007-04-19T00:00:00"),
        ("Sat Apr 20 10:00:00 2024", "2024-04-20T10:00:00"),
        ("Sun Jan  4 16:29:06 PST 2004", "2004-01-05T00:29:06"),
        ("2024-04-20T10:00:00+02:00", "2024-04-20T08:00:00"),
        ("2024-04-20T10:00:00.123456789Z", "2024-04-20T10:00:00"),
        ("2024-04-20 10:00:00 -0500", "2024-04-20T15:00:00"),
        ("2024-04-20T10:00Z", "2024-04-20T10:00:00"),
        ("2024-04-20", "2024-04-20T00:00:00"),
        ("20240420T101112Z", "2024-04-20T10:11:12"),
        ("2024-04", "2024-04-01T00:00:00"),
        ("20.04.2024 10:00", "2024-04-20T10:00:00"),
        ("04/20/2024", "2024-04-20T00:00:00"),
        ("13/04/2024 10:00:11 +0100", "2024-04-13T09:00:11"),
        ("3. März 2019 10:11", "2019-03-03T10:11:00"),
        ("Sam, 20 Avr 2024 10:00:00 +0200", "2024-04-20T08:00:00"),
        ("mer, 16 nov 2022 00:38:15 +0100", "2022-11-15T23:38:15"),
        ("20 апреля 2024 10:00", "2024-04-20T10:00:00"),
        ("1713607200", "2024-04-20T10:00:00"),
        ("1713607200000", "2024-04-20T10:00:00"),
        (1713607200, "2024-04-20T10:00:00"),
    ],
)
def test_date_is_understood(text: object, moment: str) -> None:
    assert parse_date(text) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "not a date 7", "Sat, 30 Feb 2024 10:00:00 GMT", "2024", "42", "Thu, 01 Jan 1970 00:00:00 GMT",
        "0001-01-01T00:00:00Z", "Fri, 31 Dec 9999 23:59:59 GMT", "0000-00-00 00:00:00", "2024-13-01", None, True, [],
        1e300, float("nan"), "9" * 300,
    ],
)  # fmt: skip
def test_what_is_no_date_is_none(text: object) -> None:
    assert parse_date(text) is None


@given(
    st.text() | st.from_regex(r"[A-Za-z]{3}, \d{1,4}[ /.-]\w{2,9}[ /.-]\d{1,6}( \d{1,3}:\d{1,3}){0,2}( [+-]\d{1,6})?")
)
def test_any_text_is_a_moment_in_utc_or_none(text: str) -> None:
    moment = parse_date(text)
    assert moment is None or moment.utcoffset() == timedelta()


@given(
    st.datetimes(datetime(1972, 1, 1), datetime(2190, 1, 1), timezones=st.just(UTC)).map(
        lambda m: m.replace(microsecond=0)
    )
)
def test_dates_of_both_standards_come_back(moment: datetime) -> None:
    assert parse_date(moment.isoformat()) == moment
    assert parse_date(moment.strftime("%a, %d %b %Y %H:%M:%S +0000")) == moment


def test_posts_are_not_of_the_future_and_undated_ones_are_of_now() -> None:
    past, future = SEEN - timedelta(days=1), SEEN + timedelta(days=1)
    assert posting_moment(past, SEEN, seen_at=SEEN) == past
    assert posting_moment(None, past, seen_at=SEEN) == past
    assert posting_moment(future, past, seen_at=SEEN) == SEEN
    assert posting_moment(None, None, seen_at=SEEN) == SEEN
