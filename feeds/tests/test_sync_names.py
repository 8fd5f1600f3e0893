"""How apps name things, as tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feeds.sync.names import Kind, Stream, item_name, parse_item, parse_moment, parse_stream

LONG = "tag:google.com,2005:reader/item/"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (f"{LONG}000000000000048c", 0x48C),
        (f"{LONG}48c", 0x48C),
        (f"{LONG}1000", 0x1000),
        ("000000000000048c", 0x48C),
        ("0000000000001000", 0x1000),
        ("48c", 0x48C),
        ("48C", 0x48C),
        ("1000", 1000),
        ("9" * 19, 0),
        ("f" * 16, 0),
        ("9223372036854775807", 2**63 - 1),
        ("", None),
        (LONG, None),
        ("-5", None),
        ("zebra", None),
        ("1" * 40, None),
        ("١٢", None),
        (f"{LONG}{LONG}1", None),
    ],
)
def test_items_are_read_in_every_form(text: str, number: int | None) -> None:
    assert parse_item(text) == number


def test_item_is_told_in_sixteen_digits_and_read_again() -> None:
    assert item_name(1164) == f"{LONG}000000000000048c"
    assert [parse_item(item_name(number)) for number in (1, 10**9, 2**63 - 1)] == [1, 10**9, 2**63 - 1]


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        ("user/-/state/com.google/reading-list", Stream(Kind.ALL)),
        ("user/7/state/com.google/read", Stream(Kind.READ)),
        ("user/-/state/com.google/kept-unread", Stream(Kind.UNREAD)),
        ("user/-/state/com.google/starred", Stream(Kind.NOTHING)),
        ("user/-/label/Frogs / toads", Stream(Kind.LABEL, "Frogs / toads")),
        ("feed/12", Stream(Kind.FEED, "12")),
        ("feed/https://blog.example/feed", Stream(Kind.FEED, "https://blog.example/feed")),
        ("user/8/state/com.google/read", None),
        ("user/-/state/com.google/fresh", None),
        ("user/-/label/", None),
        ("feed/", None),
        ("", None),
    ],
)
def test_streams_are_those_of_the_user_who_asks(text: str, stream: Stream | None) -> None:
    assert parse_stream(text, 7) == stream


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9])
def test_moments_are_counted_in_whatever_apps_like(factor: int) -> None:
    assert parse_moment(str(int(NOON.timestamp()) * factor)) == NOON


def test_moments_have_fractions_and_bounds() -> None:
    moment = parse_moment(f"{NOON.timestamp() + 0.5}")
    assert moment is not None
    assert moment.microsecond == 500_000
    assert parse_moment("0") == datetime(1970, 1, 1, tzinfo=UTC)
    assert [parse_moment(text) for text in ("", "-1", "9" * 20, "1e9", "soon", "1.", "9" * 40)] == [None] * 7
