"""Options of INI files: where they are found, what they mean, and what is said when they are wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import ini
from events.ini_options import KNOWN_SECTIONS, OPTIONS, PLACES, UNUSED_OPTIONS, write_server

BASE = {
    "hashtag": "monsterdon",
    "event_title": "Monsterdon",
    "event_start": "2026-02-22T21:00:00-05:00",
    "event_duration": "1:30:00",
    "timezone": "America/New_York",
}


def read(main: dict[str, str] | None = None, **sections: dict[str, str]) -> ini.Reading:
    return ini.read_sections({"mastoscore": {**BASE, **(main or {})}, **sections})


@pytest.mark.parametrize(
    ("section", "option", "text", "field", "value"),
    [
        ("mastoscore", "api_base_url", "https://Mastodon.Social/", "home_server", "mastodon.social"),
        ("mastoscore", "api_base_url", "mastodon.social", "home_server", "mastodon.social"),
        ("mastoscore", "api_base_url", "http://127.1.0.17:8000", "home_server", "127.1.0.17:8000"),
        ("mastoscore", "api_base_url", "", "home_server", ""),
        ("mastoscore", "botusername", "scores", "bot_username", "scores"),
        ("mastoscore", "top_n", "5", "top_n", 5),
        ("mastoscore", "episode_title", "100% %(x)s", "episode_title", "100% %(x)s"),
        ("mastoscore", "event_duration", "100:00:00", "duration", timedelta(hours=100)),
        ("mastoscore", "hours_margin", "1.5", "hours_margin", Decimal("1.5")),
        ("mastoscore", "hours_margin", "0", "hours_margin", Decimal(0)),
        ("mastoscore", "autoscore_delay", "0:00", "autoscore_delay", timedelta(0)),
        ("fetch", "max", "500", "max_toots", 500),
        ("fetch", "mode", "Quick", "fetch_mode", "quick"),
        ("mastoscore", "more_hashtags", "b, c", "more_hashtags", "b, c"),
        ("mastoscore", "excluded_hashtags", "nope", "excluded_hashtags", "nope"),
        ("fetch", "dry_run", "Yes", "fetch_dry_run", True),
        ("post", "dry_run", "0", "post_dry_run", False),
        ("post", "tag_users", "on", "tag_users", True),
        ("post", "api_base_url", "https://bots.example", "posting_server", "bots.example"),
        ("graph", "graph_title", "A graph", "graph_title", "A graph"),
        ("graph", "start_label", "", "start_label", ""),
        ("wordcloud", "graph_title", "A cloud", "wordcloud_title", "A cloud"),
        ("wordcloud", "font", "a.ttf", "wordcloud_font", "a.ttf"),
        ("wordcloud", "size_x", "800", "wordcloud_width", 800),
        ("wordcloud", "size_y", "600", "wordcloud_height", 600),
        ("wordcloud", "hashtag_fix", "Remove", "hashtag_fix", "remove"),
        ("wordcloud", "stop_words", "a, b", "stop_words", "a, b"),
        ("analyse", "consent", "strict", "consent", "strict"),
        ("analyse", "leave_out_bots", "true", "leave_out_bots", True),
        ("blog", "tags", "film", "blog_tags", "film"),
        # older spellings
        ("analyse", "top_n", "7", "top_n", 7),
        ("analyse", "timezone", "Europe/Berlin", "timezone", "Europe/Berlin"),
        ("analyse", "botusername", "old", "bot_username", "old"),
        ("analyse", "tag_users", "yes", "tag_users", True),
        ("graph", "start_time", "Film starts", "start_label", "Film starts"),
        ("graph", "end_time", "Film ends", "end_label", "Film ends"),
        ("wordcloud", "fonts", "b.ttf", "wordcloud_font", "b.ttf"),
        # in the default section instead of their own, and the other way round
        ("mastoscore", "max", "60", "max_toots", 60),
        ("mastoscore", "stop_words", "c", "stop_words", "c"),
        ("mastoscore", "start_time", "Film", "start_label", "Film"),
        ("fetch", "hours_margin", "2", "hours_margin", Decimal(2)),
        ("blog", "episode_title", "The Blob", "episode_title", "The Blob"),
        ("POST", "Dry_Run", "no", "post_dry_run", False),
    ],
)
def test_option_is_found_and_read(section: str, option: str, text: str, field: str, value: object) -> None:
    main = {option: text} if section == "mastoscore" else {}
    rest = {} if section == "mastoscore" else {section: {option: text}}
    reading = read(main, **rest)
    assert reading.problems == []
    assert reading.values[field] == value
    assert reading.warnings == []


def test_value_in_the_default_section_holds_where_no_section_says_otherwise() -> None:
    reading = read(
        {"dry_run": "yes", "graph_title": "Both", "top_n": "3"}, post={"dry_run": "no"}, analyse={"top_n": "5"}
    )
    assert (reading.values["fetch_dry_run"], reading.values["post_dry_run"]) == (True, False)
    assert (reading.values["graph_title"], reading.values["wordcloud_title"]) == ("Both", "Both")
    assert reading.values["top_n"] == 5
    assert (reading.kept, reading.warnings) == ({}, [])


def test_value_of_another_section_than_the_winning_one_is_kept_with_a_warning() -> None:
    reading = read({"hours_margin": "1"}, graph={"hours_margin": "5"})
    assert reading.values["hours_margin"] == 1
    assert reading.kept == {"graph": {"hours_margin": "5"}}
    assert reading.warnings == [
        "[graph] hours_margin is kept but not used; [mastoscore] hours_margin holds for the whole event."
    ]


def test_unknown_options_and_sections_are_kept_with_a_warning_each() -> None:
    reading = read({"colour": "50 % blue"}, odd={"a": "1", "b": "2"}, blog={"theme": "x"})
    assert reading.kept == {
        "mastoscore": {"colour": "50 % blue"},
        "odd": {"a": "1", "b": "2"},
        "blog": {"theme": "x"},
    }
    assert [warning.split(" is not")[0] for warning in reading.warnings] == [
        "[mastoscore] colour",
        "[odd]",
        "[blog] theme",
    ]


def test_options_for_other_programs_are_kept_in_silence() -> None:
    reading = read(dict.fromkeys(UNUSED_OPTIONS, "x"), post={"cred_file": "y"})
    assert reading.kept == {"mastoscore": dict.fromkeys(sorted(UNUSED_OPTIONS), "x"), "post": {"cred_file": "y"}}
    assert reading.warnings == []


def test_secrets_are_not_kept_and_not_repeated() -> None:
    reading = read({"access_token": "s3cret"})
    assert reading.kept == {}
    assert "access_token is not kept" in reading.warnings[0]
    assert "s3cret" not in str(reading.warnings)


def test_other_posting_account_takes_the_server_from_the_default_section() -> None:
    assert read({"api_base_url": "https://a.example"}, post={"account": "bot"}).values["posting_username"] == "bot"


@pytest.mark.parametrize(
    ("section", "option", "text", "complaint"),
    [
        ("mastoscore", "top_n", "three", "is not a whole number"),
        ("mastoscore", "top_n", "", "is not a whole number"),
        ("mastoscore", "top_n", "5 ; five", "(a comment needs a line of its own)"),
        ("fetch", "max", "1e3", "is not a whole number"),
        ("mastoscore", "hours_margin", "nan", "is not a number"),
        ("mastoscore", "hours_margin", "1,5", "is not a number"),
        ("mastoscore", "event_duration", "-1:30:00", "is not a duration above zero"),
        ("mastoscore", "event_duration", "0:00:00", "is not a duration above zero"),
        ("mastoscore", "event_duration", "90", "is not a duration above zero"),
        ("mastoscore", "timezone", "Mars/Olympus", "is not a time zone"),
        ("mastoscore", "timezone", "../etc/passwd", "is not a time zone"),
        ("mastoscore", "api_base_url", "http://", "is not the address of a server"),
        ("post", "dry_run", "maybe", "is neither yes nor no"),
        ("mastoscore", "event_start", "tonight", "is not a moment"),
        ("mastoscore", "event_start", "2026-02-22", "is a date without a time"),
        ("mastoscore", "event_start", "2026-02-30T21:00:00Z", "is not a moment"),
        ("mastoscore", "event_start", "1970-01-01T21:00:00Z", "is out of range"),
        ("mastoscore", "event_start", "0001-01-01T00:00:00+14:00", "is out of range"),
        ("mastoscore", "event_start", "2026-03-08T02:30:00", "leave out"),
        ("mastoscore", "event_start", "21:00", "event_year, event_month, event_day is missing"),
        ("mastoscore", "event_day", "23", "does not agree with event_day = 23"),
        ("mastoscore", "event_year", "MMXXVI", "is not a whole number"),
    ],
)
def test_wrong_value_names_section_option_and_value(section: str, option: str, text: str, complaint: str) -> None:
    reading = read({option: text}) if section == "mastoscore" else read(**{section: {option: text}})
    assert len(reading.problems) == 1
    problem = reading.problems[0]
    assert complaint in problem
    assert f"[{section}]" in problem
    assert option in problem
    assert text in problem


def test_all_wrong_values_are_told_at_once() -> None:
    reading = read({"top_n": "x", "timezone": "y", "event_duration": "z"}, fetch={"max": "w"})
    assert len(reading.problems) == 4


def test_missing_hashtag_and_start_are_told() -> None:
    problems = ini.read_sections({"mastoscore": {}}).problems
    assert problems == ["[mastoscore] event_start is missing.", "[mastoscore] hashtag is missing."]


NIGHT = datetime(2026, 2, 23, 2, tzinfo=UTC)


def parts(time: str, year: str, month: str, day: str) -> dict[str, str]:
    return {"event_start": time, "event_year": year, "event_month": month, "event_day": day}


START_CASES: list[tuple[dict[str, str], datetime]] = [
    ({"event_start": "2026-02-22T21:00:00-05:00"}, NIGHT),
    ({"event_start": "2026-02-23T02:00:00Z"}, NIGHT),
    ({"event_start": "2026-02-22 21:00"}, NIGHT),
    (parts("21:00", "2026", "02", "22"), NIGHT),
    (parts("9:05:07", "2026", "7", "1"), datetime(2026, 7, 1, 13, 5, 7, tzinfo=UTC)),
    # the date may be the zone's or that of the moment as written
    ({"event_start": "2026-02-23T02:00:00Z", "event_day": "22"}, NIGHT),
    ({"event_start": "2026-02-23T02:00:00Z", "event_day": "23"}, NIGHT),
]


@pytest.mark.parametrize(("options", "moment"), START_CASES)
def test_start_is_put_together(options: dict[str, str], moment: datetime) -> None:
    reading = read(options)
    assert reading.problems == []
    assert reading.values["start"] == moment


def test_wrong_date_is_told_with_its_parts() -> None:
    reading = read(parts("21:00", "2026", "2", "30"))
    assert reading.problems == [
        "[mastoscore] event_day: “30” makes no date: there is no 2026-2-30 (event_year, event_month, event_day)."
    ]


def test_same_section_in_two_spellings_is_refused() -> None:
    reading = ini.read_sections({"mastoscore": BASE, "Post": {"dry_run": "no"}, "POST": {"dry_run": "yes"}})
    assert reading.problems == ["[POST] is there twice, also as [post]."]


@pytest.mark.parametrize("name", ["a=b", "a\nb", "#a", "[a", "", " a"])
def test_names_that_no_file_can_hold_are_refused(name: str) -> None:
    assert len(read(odd={name: "1"}).problems) == 1


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_characters_that_no_database_holds_are_refused(text: str) -> None:
    assert read({"event_title": text}).problems == ["[mastoscore] event_title has characters that cannot be stored."]


def test_known_values_over_several_lines_become_one_line() -> None:
    sections = ini.parse("[mastoscore]\nepisode_title = The\n  Blob\n[wordcloud]\nstop_words = a, b,\n  c\n  d, e,\n")
    assert sections["mastoscore"]["episode_title"] == "The Blob"
    assert sections["wordcloud"]["stop_words"] == "a, b, c, d, e"


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("mastodon.social", "https://mastodon.social"),
        ("mastodon.social:8443", "https://mastodon.social:8443"),
        ("127.1.0.17:8000", "http://127.1.0.17:8000"),
        ("[::1]:3000", "http://[::1]:3000"),
        ("9.9.9.9", "https://9.9.9.9"),
    ],
)
def test_address_of_a_server_is_written_and_read_again(server: str, address: str) -> None:
    assert write_server(server) == address
    assert read({"api_base_url": address}).values["home_server"] == server


def storable(max_size: int = 40) -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=max_size)


moments = st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))
spans = st.integers(1, 24 * 3600 * 60).map(lambda seconds: timedelta(seconds=seconds))
BOOLEANS = ("is_published", "autoscore", "fetch_dry_run", "leave_out_bots", "post_dry_run", "tag_users")
BOOLEANS += ("post_auto_approve", "post_allow_changes")
SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "start": moments,
    "duration": spans,
    "autoscore_delay": spans | st.just(timedelta(0)),
    "hours_margin": st.decimals(0, 168, places=2),
    "timezone": st.sampled_from(
        ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]
    ),
    "home_server": st.sampled_from(["", "mastodon.social", "127.1.0.17:8000", "[::1]:3000"]),
    "posting_server": st.sampled_from(["", "mastodon.social", "xn--bcher-kva.example"]),
    "hashtag_fix": st.sampled_from(["as-is", "remove", "reduce"]),
    "consent": st.sampled_from(["explicit", "strict"]),
    "fetch_mode": st.sampled_from(["thorough", "quick"]),
    "post_visibility": st.sampled_from(["public", "unlisted", "private", "direct"]),
    "post_language": st.sampled_from(["", "en", "pt-BR"]),
    **{name: st.integers(1, 4000) for name in ("top_n", "max_toots", "wordcloud_width", "wordcloud_height")},
    **{name: st.booleans() for name in BOOLEANS},
}
tricky = st.sampled_from(
    ["; x", "# x", " lead", "trail ", "a = b", "%(x)s", "100%", "a\nb", "\n", '" x"', '"x"', "[x]", "\x85"]
)
all_values = st.fixed_dictionaries(
    {"start": moments, **{o.field: SPECIAL.get(o.field, storable() | tricky) for o in OPTIONS}}
)
unknown_names = storable(8).map(str.lower).filter(ini.is_writable_option).filter(
    lambda name: not ini.looks_secret(name) and all((section, name) not in PLACES for section in KNOWN_SECTIONS)
)  # fmt: skip
unknown_sections = st.sampled_from(KNOWN_SECTIONS) | storable(8).filter(ini.is_writable_section).filter(
    lambda name: name.casefold() not in KNOWN_SECTIONS
)
kept_options = st.dictionaries(
    unknown_sections, st.dictionaries(unknown_names, storable() | tricky, min_size=1, max_size=3), max_size=3
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(all_values, kept_options)
def test_export_then_import_gives_the_same_values(values: dict[str, Any], kept: dict[str, dict[str, str]]) -> None:
    text = ini.format_sections(ini.sections_of(values, kept))
    reading = ini.read_sections(ini.parse(text))
    assert reading.problems == []
    left_out = {name for name in ("home_username", "posting_username", "posting_server") if not values[name]}
    assert reading.values == {name: value for name, value in values.items() if name not in left_out}
    assert reading.kept == kept


def test_export_drops_kept_options_that_would_speak_louder_than_the_event() -> None:
    values = {**read().values, **{o.field: "" for o in OPTIONS if o.field not in BASE}}
    values.update(
        dict.fromkeys(("top_n", "hours_margin"), 1), duration=timedelta(1), autoscore_delay=timedelta(0),
        hashtag="x", timezone="UTC",
    )  # fmt: skip
    kept = {"analyse": {"top_n": "99", "odd": "1"}, "mastoscore": {"max": "5"}, "graph": {"hours_margin": "7"}}
    sections = ini.sections_of(values, kept)
    assert "top_n" not in sections["analyse"]
    assert "max" not in sections["mastoscore"]
    assert (sections["analyse"]["odd"], sections["graph"]["hours_margin"]) == ("1", "7")


def test_every_option_is_documented() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "ini.md").read_text()
    missing = {name for _, name in PLACES if f"`{name}`" not in text}
    assert missing == set()
