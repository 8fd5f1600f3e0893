from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.times import Window
from common.toots import Toot
from pipeline.core.fetch import (
    MOST_BLANK_PAGES,
    Aim,
    Cursor,
    End,
    Jump,
    Page,
    View,
    after_failed_jump,
    after_refusal,
    ids_carry_time,
    is_counted,
    jump_id,
    take_page,
)
from pipeline.tests.toot_samples import NOON, make_copy, mastodon_id

WINDOW = Window(NOON, NOON + timedelta(hours=2))
AIM = Aim(frozenset({"monsterdon"}), WINDOW, max_toots=2000)
NOW = NOON + timedelta(days=3)


def toot_at(minutes: float, local_id: str | None = None, **values: Any) -> Toot:
    moment = NOON + timedelta(minutes=minutes)
    local_id = local_id if local_id is not None else mastodon_id(moment)
    return make_copy(local_id, uri=f"https://one.example/{local_id}", created_at=moment, **values)


def page_of(toots: Sequence[Toot], unreadable: int = 0) -> Page:
    return Page(toots, len(toots) + unreadable, toots[-1].local_id if toots else None)


def walk(server: Callable[[Cursor], Page], aim: Aim = AIM) -> tuple[list[Cursor], list[Toot], End]:
    """Every cursor asked, every toot counted, and how it ended."""
    cursor, asked, counted = Cursor(), [], []
    while True:
        asked.append(cursor)
        step = take_page(cursor, server(cursor), aim, now=NOW)
        counted += step.counted
        if step.end is not None:
            return asked, counted, step.end
        cursor = Cursor.from_json(step.cursor.as_json())  # as after a restart


def honest_server(rows: Sequence[Toot], page_rows: int = 40) -> Callable[[Cursor], Page]:
    """Pages by ``max_id``; decimal ids by value, others by their place in the list."""

    def answer(cursor: Cursor) -> Page:
        if cursor.max_id is None:
            older = list(rows)
        elif cursor.max_id.isdigit():
            older = [toot for toot in rows if int(toot.local_id) < int(cursor.max_id)]
        else:
            place = [toot.local_id for toot in rows].index(cursor.max_id)
            older = list(rows[place + 1 :])
        return page_of(older[:page_rows])

    return answer


@pytest.mark.parametrize(
    ("toot", "counts"),
    [
        (toot_at(0), True),
        (toot_at(119.99), True),
        (toot_at(120), False),
        (toot_at(-0.01), False),
        (toot_at(5, visibility="unlisted"), False),
        (toot_at(5, visibility="direct"), False),
        (toot_at(5, hashtags=("blobfest",)), False),
        (toot_at(5, hashtags=("blobfest", "monsterdon")), True),
    ],
)
def test_toot_counts_when_public_tagged_and_in_window(toot: Toot, counts: bool) -> None:
    assert is_counted(toot, AIM) is counts


def test_walk_stops_at_first_page_wholly_before_the_window() -> None:
    rows = [toot_at(minutes) for minutes in range(119, -600, -1)]

    asked, counted, end = walk(honest_server(rows))

    assert (len(counted), end) == (120, End.WINDOW_PASSED)
    assert len(asked) == 4


def test_walk_jumps_over_weeks_of_newer_toots_where_ids_carry_time() -> None:
    rows = [toot_at(minutes) for minutes in range(3 * 24 * 60, -100, -1)]

    asked, counted, end = walk(honest_server(rows))

    assert len(counted) == 120
    assert asked[1].max_id == jump_id(WINDOW)
    assert (len(asked), end) == (6, End.WINDOW_PASSED)


@pytest.mark.parametrize("kind", ["page 1 again", "empty", "newer rows"])
def test_failed_jump_falls_back_to_ordinary_paging(kind: str) -> None:
    rows = [toot_at(minutes) for minutes in range(400, -100, -1)]
    ordinary = honest_server(rows)
    strange = {"page 1 again": page_of(rows[:40]), "empty": page_of([]), "newer rows": page_of(rows[100:140])}[kind]

    def server(cursor: Cursor) -> Page:
        return strange if cursor.jump is Jump.ASKED else ordinary(cursor)

    asked, counted, end = walk(server)

    assert {toot.uri for toot in counted} == {toot.uri for toot in rows if WINDOW.holds(toot.created_at)}
    assert (asked[2].max_id, end) == (rows[39].local_id, End.WINDOW_PASSED)


def test_refused_jump_goes_back_to_the_first_pages_end() -> None:
    rows = [toot_at(minutes) for minutes in range(400, 300, -1)]
    jumping = take_page(Cursor(), page_of(rows[:40]), AIM, now=NOW).cursor
    assert jumping.jump is Jump.ASKED

    cursor = after_failed_jump(jumping)

    assert (cursor.max_id, cursor.jump) == (rows[39].local_id, Jump.SETTLED)


@pytest.mark.parametrize("id_kind", ["ulid", "short decimal", "decimal without time"])
def test_walk_never_jumps_where_ids_do_not_carry_time(id_kind: str) -> None:
    rows = [
        toot_at(
            minutes,
            {
                "ulid": f"01J{minutes + 5000:023}",
                "short decimal": str(minutes + 5000),
                "decimal without time": str(10**17 + minutes),
            }[id_kind],
        )
        for minutes in range(400, -100, -1)
    ]

    asked, counted, end = walk(honest_server(rows))

    assert all(cursor.jump is not Jump.ASKED for cursor in asked)
    assert (len(counted), end) == (120, End.WINDOW_PASSED)


def test_ids_of_most_rows_decide_whether_they_carry_time() -> None:
    good = [toot_at(minute) for minute in range(9)]

    assert ids_carry_time([*good, toot_at(1, "1")])
    assert not ids_carry_time([*good[:2], toot_at(1, "1"), toot_at(2, "2")])
    assert not ids_carry_time([])


def test_walk_takes_at_most_max_toots() -> None:
    rows = [toot_at(minutes) for minutes in range(119, -1, -1)]

    asked, counted, end = walk(honest_server(rows), replace(AIM, max_toots=50))

    assert (len(counted), len(asked), end) == (50, 2, End.REACHED_MAX)


@pytest.mark.parametrize("ids", ["decimal", "opaque"])
def test_server_that_repeats_its_first_page_is_left(ids: str) -> None:
    rows = [toot_at(minutes, None if ids == "decimal" else f"x{minutes}") for minutes in range(60, 20, -1)]

    asked, counted, end = walk(lambda cursor: page_of(rows))

    assert (len(asked), len(counted), end) == (2, 40, End.STUCK)


def test_server_that_goes_round_in_a_long_circle_is_left() -> None:
    rows = [toot_at(60, f"x{number}") for number in range(40 * 12)]
    pages = [rows[start : start + 40] for start in range(0, len(rows), 40)]

    asked, counted, end = walk(lambda cursor: page_of(pages[cursor.pages % len(pages)]))

    assert (len(asked), end) == (13, End.STUCK)
    assert len({toot.uri for toot in counted}) == 480


def test_server_whose_ids_grow_is_left() -> None:
    asked, _, end = walk(lambda cursor: page_of([toot_at(60, str(10**5 + cursor.pages))]))

    assert (len(asked), end) == (2, End.STUCK)


def test_server_that_counts_max_id_in_ends_well() -> None:
    rows = [toot_at(minutes, f"x{minutes}") for minutes in range(100, 0, -1)]

    def server(cursor: Cursor) -> Page:
        start = 0 if cursor.max_id is None else [toot.local_id for toot in rows].index(cursor.max_id)
        return page_of(rows[start : start + 40])

    _, counted, end = walk(server)

    assert (len(counted), end) == (100, End.NO_MORE)


def test_server_without_end_is_left_after_the_most_pages() -> None:
    aim = replace(AIM, max_toots=40)
    asked, _, end = walk(lambda cursor: page_of([toot_at(500, f"x{cursor.pages}")]), aim)

    assert (len(asked), end) == (aim.max_pages, End.ENDLESS)


@pytest.mark.parametrize("absurd", [datetime(2002, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)])
def test_absurd_dates_neither_end_nor_prolong_a_walk(absurd: datetime) -> None:
    odd = make_copy("odd", created_at=absurd)
    inside = [*(toot_at(minutes, f"a{minutes}") for minutes in range(10)), odd]
    before = [*(toot_at(-minutes, f"b{minutes}") for minutes in range(1, 10)), odd]
    pages = [page_of(inside), page_of(before), page_of([])]

    asked, counted, end = walk(lambda cursor: pages[cursor.pages])

    assert (len(asked), len(counted), end) == (2, 10, End.WINDOW_PASSED)


def test_few_pages_of_nonsense_are_borne_then_the_server_is_left() -> None:
    asked, _, end = walk(lambda cursor: Page((), 40, f"x{cursor.pages}"))

    assert (len(asked), end) == (MOST_BLANK_PAGES, End.UNREADABLE)


def test_one_page_of_nonsense_does_not_lose_the_toots_behind_it() -> None:
    pages = [Page((), 40, "x1"), page_of([toot_at(5, "x2")]), page_of([])]

    _, counted, end = walk(lambda cursor: pages[cursor.pages])

    assert (len(counted), end) == (1, End.NO_MORE)


def test_rows_without_any_id_end_the_walk() -> None:
    assert walk(lambda cursor: Page((), 3, None))[2] is End.UNREADABLE


@pytest.mark.parametrize(
    ("first", "speaks_notes", "has_feed", "views"),
    [
        (View.WHOLE, False, True, [View.LOCAL, View.FEED]),
        (View.WHOLE, False, False, [View.LOCAL]),
        (View.WHOLE, True, True, [View.LOCAL, View.NOTES]),
        (View.LOCAL, False, True, [View.WHOLE, View.FEED]),
    ],
)
def test_after_a_refusal_each_other_view_is_asked_for_once(
    first: View, speaks_notes: bool, has_feed: bool, views: list[View]
) -> None:
    asked = []
    cursor = after_refusal(Cursor(view=first), speaks_notes=speaks_notes, has_feed=has_feed)
    while cursor is not None:
        asked.append(cursor.view)
        cursor = after_refusal(Cursor.from_json(cursor.as_json()), speaks_notes=speaks_notes, has_feed=has_feed)

    assert asked == views
    assert after_refusal(Cursor(view=first, pages=2)) is None


def test_passed_over_rows_are_told() -> None:
    page = page_of([toot_at(5, "x1"), toot_at(6, "x2", visibility="private")], unreadable=3)

    step = take_page(Cursor(), page, AIM, now=NOW)

    assert (len(step.counted), step.passed_over) == (1, 4)


@given(
    st.lists(st.integers(-400, 600), max_size=120, unique=True).map(lambda minutes: sorted(minutes, reverse=True)),
    st.integers(2, 45),
    st.sampled_from(["mastodon", "opaque"]),
)
def test_walk_finds_every_toot_of_an_honest_server(minutes: list[int], page_rows: int, ids: str) -> None:
    rows = [toot_at(minute, None if ids == "mastodon" else f"x{minute}") for minute in minutes]

    asked, counted, end = walk(honest_server(rows, page_rows))

    assert [toot.uri for toot in counted] == [toot.uri for toot in rows if WINDOW.holds(toot.created_at)]
    assert end in (End.WINDOW_PASSED, End.NO_MORE)
    assert len(asked) <= len(rows) // page_rows + 3
