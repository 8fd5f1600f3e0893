from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from common import VERSION
from pipeline.core.analyse import analyse
from pipeline.core.analysis_texts import speakable_name
from pipeline.core.rows import ScoredToot
from pipeline.tests.numbers_help import START, make_options, make_toot

CONTRACT_KEYS = {
    *("preamble", "num_toots", "most_toots", "unique_ids", "max_boosts", "max_faves", "max_replies", "top_n"),
    *("hashtag", "generated", "total_toots", "total_servers", "per_minute", "left_out", "parameters", "code_version"),
}
LISTED_KEYS = {
    *("uri", "url", "server", "author", "display_name", "created_at", "text", "boosts", "favourites", "replies"),
    "is_authoritative",
}


def results_of(*toots: ScoredToot, **options: Any) -> dict[str, Any]:
    return analyse(toots, make_options(**options)).as_results()


def test_results_hold_every_key_of_the_contract_and_are_json() -> None:
    results = results_of(make_toot(boosts=1))
    assert set(results) >= CONTRACT_KEYS
    assert set(results["max_boosts"][0]) >= LISTED_KEYS
    assert orjson.loads(orjson.dumps(results)) == results
    assert results["generated"] == "2026-02-24T12:00:00Z"
    assert results["code_version"] == VERSION
    assert results["hashtag"] == "monsterdon"
    assert results["parameters"]["top_n"] == results["top_n"] == 3


def test_totals_are_sums_over_all_toots() -> None:
    results = results_of(
        make_toot(1, boosts=1, favourites=10, replies=100, media_count=2, language="en-GB"),
        make_toot(2, boosts=2, favourites=20, replies=200, media_count=1, language="en"),
        make_toot(3, author="bob@two.example", server="two.example", language="de"),
        make_toot(4, author="eve@two.example", server="two.example", language=""),
    )
    assert results["total_toots"] == 4
    assert results["unique_ids"] == 3
    assert results["total_servers"] == 2
    assert (results["boosts"], results["favourites"], results["replies"]) == (3, 30, 300)
    assert (results["media"], results["toots_with_media"]) == (3, 2)
    assert list(results["languages"].items()) == [("en", 2), ("de", 1), ("und", 1)]
    assert results["servers"] == [
        {"server": "two.example", "toots": 2, "authors": 2},
        {"server": "one.example", "toots": 2, "authors": 1},
    ]


@pytest.mark.parametrize(
    ("seconds", "phase", "minute"),
    [
        (-3600, "before", 0),
        (-1, "before", 59),
        (0, "during", 60),
        (59, "during", 60),
        (60, "during", 61),
        (90 * 60 - 1, "during", 149),
        (90 * 60, "after", 150),
        (150 * 60 - 1, "after", 209),
    ],
)
def test_toot_counts_in_its_minute_and_phase(seconds: int, phase: str, minute: int) -> None:
    results = results_of(make_toot(created_at=START + timedelta(seconds=seconds)))
    series = results["per_minute"]
    assert results[f"toots_{phase}"] == 1
    assert sum(results[f"toots_{name}"] for name in ("before", "during", "after")) == 1
    assert len(series["counts"]) == 210
    assert series["counts"].index(1) == minute
    assert (series["start"], series["event_start"], series["event_end"]) == ("2026-02-23T01:00:00Z", 60, 150)


def test_minutes_are_counted_from_the_start_of_the_event_when_margins_are_odd() -> None:
    first, last = START - timedelta(seconds=90), START + timedelta(seconds=60 * 10 + 89)
    results = results_of(make_toot(1, created_at=first), make_toot(2, created_at=last), minutes=10, margin=1.5)
    assert results["per_minute"] == {
        "start": "2026-02-23T01:58:00Z",
        "event_start": 2,
        "event_end": 12,
        "counts": [1, *[0] * 12, 1],
    }


def test_first_of_several_busiest_minutes_is_named() -> None:
    toots = [make_toot(n, created_at=START + timedelta(minutes=m)) for n, m in enumerate([3, 5, 5, 9, 9])]
    assert results_of(*toots)["busiest_minute"] == {"at": "2026-02-23T02:05:00Z", "toots": 2}


def test_event_without_toots_is_a_valid_analysis() -> None:
    results = results_of()
    assert results["total_toots"] == 0
    assert results["busiest_minute"] is None
    assert results["most_active_author"] is None
    assert results["max_boosts"] == results["max_faves"] == results["max_replies"] == []
    assert results["num_toots"] == "There were no toots to count."
    assert "No public toots with #monsterdon were found." in results["preamble"]


# --- consent --------------------------------------------------------------------------------------------------------


def test_author_who_must_not_be_quoted_counts_in_totals_and_appears_nowhere() -> None:
    shy = [
        make_toot(n, author="shy@own.example", server="own.example", boosts=99, favourites=9, is_quotable=False)
        for n in range(5)
    ]
    results = results_of(*shy, make_toot(9, boosts=1))
    assert results["total_toots"] == 6
    assert results["boosts"] == 5 * 99 + 1
    assert results["unique_ids"] == results["total_servers"] == 2
    assert results["left_out"] == {"authors": 1, "toots": 5, "bots": 0, "bot_toots": 0}
    assert [toot["author"] for toot in results["max_boosts"]] == ["ann@one.example"]
    assert results["most_active_author"]["author"] == "ann@one.example"
    assert "own.example" not in orjson.dumps(results).decode()


def test_author_is_not_called_most_active_when_somebody_unnamed_wrote_more() -> None:
    shy = [make_toot(n, author="shy@own.example", is_quotable=False) for n in range(2)]
    assert "Among the most active was Ann" in results_of(*shy, make_toot(9))["most_toots"]


def test_bots_count_in_nothing_when_they_are_left_out() -> None:
    bots = [
        make_toot(n, author=f"bot{n % 2}@bots.example", server="bots.example", is_bot=True, boosts=9)
        for n in range(3)
    ]
    human = make_toot(9, boosts=1)
    results = results_of(*bots, human, leave_out_bots=True)
    assert results["total_toots"] == results["unique_ids"] == results["total_servers"] == results["boosts"] == 1
    assert sum(results["per_minute"]["counts"]) == 1
    assert results["left_out"] == {"authors": 0, "toots": 0, "bots": 2, "bot_toots": 3}
    assert results_of(*bots, human)["total_toots"] == 4


def test_content_warning_stands_beside_the_text() -> None:
    listed = results_of(make_toot(boosts=1, text="He did it", spoiler_text="The ending"))["max_boosts"][0]
    assert (listed["text"], listed["spoiler_text"]) == ("He did it", "The ending")


# --- authors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toots", "expected"),
    [
        ([(1, "ann@a.example"), (2, "bob@b.example"), (3, "bob@b.example")], "bob@b.example"),
        ([(2, "ann@a.example"), (1, "bob@b.example")], "bob@b.example"),
        ([(1, "bob@b.example"), (1, "ann@a.example")], "ann@a.example"),
    ],
    ids=["most toots", "equal: the earlier first toot", "equal in that too: by handle"],
)
def test_most_active_author(toots: list[tuple[int, str]], expected: str) -> None:
    made = [
        make_toot(number, author=author, created_at=START + timedelta(seconds=second))
        for number, (second, author) in enumerate(toots)
    ]
    assert results_of(*made)["most_active_author"]["author"] == expected


def test_first_timers_are_those_not_known_from_earlier_events() -> None:
    toots = [make_toot(n, author=f"{name}@one.example") for n, name in enumerate(["ann", "bob", "eve", "eve"])]
    assert results_of(*toots, known_authors=frozenset({"ann@one.example"}))["first_timers"] == 2
    assert results_of(*toots, known_authors=frozenset())["first_timers"] == 3
    assert results_of(*toots)["first_timers"] is None


# --- texts ----------------------------------------------------------------------------------------------------------


def test_texts_of_one_toot_are_in_the_singular() -> None:
    results = results_of(make_toot(boosts=1, favourites=1, replies=1), known_authors=frozenset())
    assert results["num_toots"] == (
        "There was 1 toot by 1 author on 1 server: 1 during the event, 0 before and 0 after. "
        "Together they got 1 boost, 1 favourite and 1 reply. "
        "The busiest minute was 21:00 EST with 1 toot."
    )
    assert results["most_toots"] == (
        "Most active was Ann from one.example with 1 toot. 1 author was here for the first time."
    )
    assert results["preamble"] == "Monsterdon: The Blob (1958), 22 February 2026. Here is how #monsterdon went."


def test_texts_of_many_toots_have_thousands_separators_and_plurals() -> None:
    toots = [
        make_toot(n, author=f"u{n % 2}@s{n % 2}.example", server=f"s{n % 2}.example", boosts=2, created_at=START)
        for n in range(1200)
    ]
    text = results_of(*toots)["num_toots"]
    assert "There were 1,200 toots by 2 authors on 2 servers: 1,200 during" in text
    assert "2,400 boosts, 0 favourites and 0 replies" in text
    assert "with 1,200 toots." in text


def test_preamble_says_which_ties_were_cut() -> None:
    single = results_of(make_toot(1, boosts=4), make_toot(2, boosts=4), top_n=1)
    assert single["ties_cut"] == {"boosts": 4}
    assert single["preamble"].endswith("Ties for the last place were cut: there are more toots with 4 boosts.")
    toots = [make_toot(n, boosts=4) for n in (1, 2)] + [make_toot(n, favourites=1) for n in (3, 4)]
    several = results_of(*toots, make_toot(5, replies=1), make_toot(6, replies=1), top_n=1)
    assert several["ties_cut"] == {"boosts": 4, "favourites": 1, "replies": 1}
    assert several["preamble"].endswith(
        "Ties for the last places were cut: there are more toots with 4 boosts, 1 favourite and 1 reply."
    )


@pytest.mark.parametrize(
    ("display_name", "spoken"),
    [
        ("Ann", "Ann"),
        ("Ann :verified: Lee", "Ann Lee"),
        ("  two\nlines ", "two lines"),
        ("call @bob@evil.example now", "call ＠bob＠evil.example now"),
        ("#ad https://evil.example", "＃ad evil.example"),
        (":blob:", "ann"),
        ("", "ann"),
        ("x" * 100, "x" * 59 + "…"),
    ],
)
def test_name_of_an_author_is_harmless_in_a_toot(display_name: str, spoken: str) -> None:
    assert speakable_name(display_name, "ann@one.example") == spoken


def test_nobody_is_mentioned_in_the_texts() -> None:
    results = results_of(make_toot(display_name="Ann @everyone", boosts=1))
    assert "@" not in results["preamble"] + results["num_toots"] + results["most_toots"]
