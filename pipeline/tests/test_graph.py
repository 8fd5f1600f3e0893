from __future__ import annotations

import io
import logging
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import etree
from PIL import Image, ImageColor

from common.times import Window, zone
from pipeline.core.graph import DARK, LIGHT, GraphData, Theme, describe_graph, draw_png, draw_svg
from pipeline.core.graph_scale import TimeScale, bin_counts, choose_bin_minutes, choose_ticks, nice_top
from pipeline.core.graph_text import spread
from pipeline.core.series import SeriesShape
from pipeline.tests.numbers_help import START


def make_data(counts: dict[int, int] | None = None, **values: Any) -> GraphData:
    """``counts``: minutes after the event's start -> toots; else a steady evening."""
    start = values.pop("start", START)
    minutes, margin = values.pop("minutes", 90), values.pop("margin", 60)
    span = Window(start, start + timedelta(minutes=minutes))
    shape = SeriesShape.of(span, span.widened(timedelta(minutes=margin)))
    if counts is None:
        counts = {n: (9 if 0 <= n < minutes else 3) for n in range(-margin, minutes + margin)}
    filled = [0] * shape.minutes
    for minute, count in counts.items():
        filled[minute + shape.event_start] += count
    defaults: dict[str, Any] = {
        "title": "Monsterdon: The Blob (1958)",
        "hashtag": "monsterdon",
        "zone": zone("America/New_York"),
        "start": span.start,
        "end": span.end,
        "start_label": "Start",
        "end_label": "End",
        "series": shape.filled(filled),
        "before": sum(filled[: shape.event_start]),
        "during": sum(filled[shape.event_start : shape.event_end]),
        "after": sum(filled[shape.event_end :]),
        "authors": 40,
        "servers": 12,
    }
    return GraphData(**{**defaults, **values})


def open_png(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    assert picture.format == "PNG"
    return picture.convert("RGB")


def share_of(picture: Image.Image, color: str) -> float:
    wanted = ImageColor.getrgb(color)
    colors = picture.getcolors(maxcolors=picture.width * picture.height) or []
    return sum(count for count, found in colors if found == wanted) / (picture.width * picture.height)


# --- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_picture_has_its_size_and_the_colour_of_each_phase(theme: Theme) -> None:
    picture = open_png(draw_png(make_data(), theme))
    assert picture.size == (1200, 675)
    assert picture.getpixel((2, 2)) == ImageColor.getrgb(theme.background)
    assert 0.4 < share_of(picture, theme.background) < 0.85
    assert share_of(picture, theme.during) > 0.1
    assert share_of(picture, theme.before) > 0.02
    assert share_of(picture, theme.after) > 0.02


def test_phases_follow_each_other_from_left_to_right() -> None:
    picture = open_png(draw_png(make_data(), LIGHT))
    row = [picture.getpixel((x, 575)) for x in range(picture.width)]
    places = [row.index(ImageColor.getrgb(color)) for color in (LIGHT.before, LIGHT.during, LIGHT.after)]
    assert places == sorted(places)


def test_same_numbers_give_the_same_bytes() -> None:
    assert draw_png(make_data()) == draw_png(make_data())
    assert draw_svg(make_data()) == draw_svg(make_data())
    assert draw_png(make_data()) != draw_png(make_data({0: 1}))


def test_svg_is_well_formed_and_carries_no_date() -> None:
    content = draw_svg(make_data())
    root = etree.fromstring(content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert b"dc:date" not in content
    assert LIGHT.during.encode() in content.lower()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"counts": {}}, id="no toots"),
        pytest.param({"counts": {}, "minutes": 1, "margin": 0}, id="one empty minute"),
        pytest.param({"minutes": 1, "margin": 0}, id="one minute"),
        pytest.param({"minutes": 1, "margin": 4000}, id="one minute in days"),
        pytest.param({"minutes": 3 * 1440, "margin": 1440}, id="three days"),
        pytest.param({"minutes": 60 * 1440, "margin": 7 * 1440}, id="two months"),
        pytest.param({"counts": {5: 123_456}}, id="a very busy minute"),
        pytest.param({"counts": {-60: 9}, "margin": 60}, id="busiest at the left edge"),
        pytest.param({"title": "Pay $5 or $x^2_{3}$ \\alpha %d {0}"}, id="signs of mathematics"),
        pytest.param({"title": "怪獣映画の夜 фильм ليلة الوحوش 영화 คืนหนัง रात 🎬 🦖"}, id="many scripts"),
        pytest.param({"title": "word " * 80}, id="long title"),
        pytest.param({"title": "W" * 200, "start_label": "W" * 100, "end_label": "i" * 100}, id="no spaces"),
        pytest.param({"title": "", "start_label": "", "end_label": ""}, id="no words"),
        pytest.param({"title": "\U0010ffff\ue000", "start_label": "\x00\n\u202e"}, id="nothing to draw"),
        pytest.param({"title": '<b>&amp;</b> "quoted"\nsecond line'}, id="markup"),
    ],
)
def test_odd_input_draws_without_a_warning(values: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        picture = open_png(draw_png(make_data(**values)))
        svg = draw_svg(make_data(**values))
    assert picture.size == (1200, 675)
    assert etree.fromstring(svg).tag.endswith("svg")
    assert caplog.records == []
    assert share_of(picture, LIGHT.background) < 0.995


def test_title_is_drawn_as_it_is_written() -> None:
    """With mathematics read into it, the dollar signs would be gone and both titles the same."""
    assert draw_png(make_data(title="$a$")) != draw_png(make_data(title="a"))


def test_long_title_keeps_clear_of_the_right_edge() -> None:
    picture = open_png(draw_png(make_data(title="Incredible " * 40)))
    edge = picture.crop((1185, 0, 1200, 140))
    assert edge.getcolors() == [(15 * 140, ImageColor.getrgb(LIGHT.background))]


# --- scale ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "width"),
    [(1, 1), (210, 1), (360, 1), (480, 5), (1440, 5), (4320, 15), (7 * 1440, 60), (60 * 1440, 360)],
)
def test_bars_get_wider_with_the_window(minutes: int, width: int) -> None:
    assert choose_bin_minutes(minutes) == width


def test_bars_start_with_the_event_and_lose_no_toot() -> None:
    counts = [1] * 23
    bins = bin_counts(counts, 5, anchor=7)
    assert bins == [(0, 2, 2), (2, 7, 5), (7, 12, 5), (12, 17, 5), (17, 22, 5), (22, 23, 1)]


@pytest.mark.parametrize(
    ("zone_name", "start", "minutes", "labels"),
    [
        ("America/New_York", datetime(2026, 2, 23, 1, 0, tzinfo=UTC), 120, ["20:00", "20:15", "20:30"]),
        ("Asia/Kathmandu", datetime(2026, 2, 23, 1, 0, tzinfo=UTC), 120, ["06:45", "07:00", "07:15"]),
        ("Europe/Berlin", datetime(2026, 3, 29, 0, 0, tzinfo=UTC), 240, ["01:00", "01:30", "03:00"]),
        (
            "Europe/Berlin",
            datetime(2026, 2, 22, 22, 30, tzinfo=UTC),
            60,
            ["23:30", "23:40", "23:50", "00:00\nMon 23 Feb"],
        ),
        (
            "UTC",
            datetime(2026, 2, 22, 12, 0, tzinfo=UTC),
            5 * 1440,
            ["12:00", "00:00\nMon 23 Feb", "12:00"],
        ),
        ("UTC", datetime(2026, 2, 22, 12, 0, tzinfo=UTC), 8 * 1440, ["Mon 23 Feb", "Tue 24 Feb", "Wed 25 Feb"]),
    ],
)
def test_ticks_are_round_times_in_the_zone_of_the_event(
    zone_name: str, start: datetime, minutes: int, labels: list[str]
) -> None:
    ticks = choose_ticks(TimeScale(start, zone(zone_name)), minutes)
    assert [tick.label for tick in ticks][: len(labels)] == labels
    assert 2 <= len(ticks) <= 11


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [(0, (0, 1)), (1, (0, 1)), (3, (0, 1, 2, 3)), (18, (0, 5, 10, 15, 20)), (2503, (0, 500, 1000, 1500, 2000, 2500))],
)
def test_marks_of_the_upright_axis_are_round_whole_numbers(highest: int, ticks: tuple[int, ...]) -> None:
    assert nice_top(highest).ticks == ticks
    assert nice_top(highest).limit > highest


@pytest.mark.parametrize(
    ("centres", "expected"),
    [
        ([20, 50, 80], [20, 50, 80]),
        ([50, 50], [44, 56]),
        ([0, 100], [5, 95]),
        ([0, 0], [5, 17]),
        ([100, 100], [83, 95]),
        ([], []),
    ],
)
def test_labels_make_room_for_each_other(centres: list[float], expected: list[float]) -> None:
    assert spread(centres, [10] * len(centres), 0, 100, gap=2) == expected


# --- alternative text -----------------------------------------------------------------------------------------------


def test_alternative_text_says_what_the_picture_shows() -> None:
    data = make_data({-5: 4, 0: 2, 14: 31, 20: 1, 95: 3}, minutes=90)
    assert describe_graph(data) == (
        "Graph of toots per minute with the hashtag #monsterdon on 22 February 2026. "
        "The event lasted 90 minutes, from 21:00 to 22:30 EST. "
        "34 toots came during the event, 4 before and 3 after it. "
        "The busiest minute of the event was 21:14 with 31 toots, the quietest minute had 0; "
        "the mean was 0.4 per minute."
    )


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"counts": {}}, "No toots were found."),
        ({"counts": {0: 1}, "minutes": 1}, "The event lasted 1 minute, from 21:00 to 21:01 EST. 1 toot came during"),
        ({"counts": {-3: 9, 1: 2}}, "The busiest minute of all came before the event: 20:57 with 9 toots."),
        ({"counts": {99: 9}}, "The busiest minute of all came after the event: 22:39 with 9 toots."),
        ({"counts": dict.fromkeys(range(10), 1200), "minutes": 10}, "the mean was 1,200.0 per minute."),
        ({"minutes": 4320}, "lasted 4,320 minutes, from 21:00 to 21:00 EST on 25 February 2026."),
        (
            {"start": datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "zone": zone("Europe/Berlin"), "minutes": 180},
            "from 00:30 CET to 04:30 CEST.",
        ),
    ],
)
def test_alternative_text_in_special_cases(values: dict[str, Any], part: str) -> None:
    assert part in describe_graph(make_data(**values))
