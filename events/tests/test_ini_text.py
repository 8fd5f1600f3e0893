"""The grammar of INI files: the same as configparser's, but every wrong line is named."""

from __future__ import annotations

import configparser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.ini_text import (
    MAX_BYTES,
    IniError,
    decode,
    format_text,
    is_writable_option,
    is_writable_section,
    parse_text,
    unquoted,
)

quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("[a]\nx = 1\n", {"a": {"x": "1"}}),
        ("\ufeff[a]\r\nx = 1\r\ny=2", {"a": {"x": "1", "y": "2"}}),
        ("[a]\rx = 1\r", {"a": {"x": "1"}}),
        ("[a]\nX: 1\n", {"a": {"x": "1"}}),
        ("[a]\nx = b = c : d\n", {"a": {"x": "b = c : d"}}),
        ("[a]\nx = https://home.example/\n", {"a": {"x": "https://home.example/"}}),
        ("[a]\nx =\ny:\n", {"a": {"x": "", "y": ""}}),
        ("[a]\nx = 100%\ny = %(x)s %%\n", {"a": {"x": "100%", "y": "%(x)s %%"}}),
        ("# c\n; d\n[a]\n  # e\nx = ;1 # 2\n", {"a": {"x": ";1 # 2"}}),
        ("[a]\nx = 1\n  2\n\n  3\n\ny = 4\n", {"a": {"x": "1\n2\n\n3", "y": "4"}}),
        ("[a]\n  x = 1\n  y = 2\n", {"a": {"x": "1", "y": "2"}}),
        ("[ a ]\nx = Grüße, 日本\n[b]\n", {"a": {"x": "Grüße, 日本"}, "b": {}}),
        ('[a]\nx = "The Blob"\n', {"a": {"x": '"The Blob"'}}),
    ],
)
def test_text_becomes_sections(text: str, sections: object) -> None:
    assert parse_text(text) == sections


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no section"),
        ("hello", "Line 1 stands before any section"),
        ("x = 1\n[a]\n", "Line 1 stands before any section"),
        ("[a]\nx = 1\nX = 2\n", "Line 3: option x is there twice in [a]"),
        ("[a]\n[b]\n[a]\n", "Line 3: section [a] is there twice"),
        ("[a]\nnonsense\n", "Line 2 is not of the form option = value: “nonsense”"),
        ("[a]\n= 1\n", "Line 2 is not of the form"),
        ("x" * (MAX_BYTES + 1), "too large"),
    ],
)
def test_wrong_text_is_refused_by_line(text: str, problem: str) -> None:
    with pytest.raises(IniError) as caught:
        parse_text(text)
    assert problem in caught.value.user_message


def test_all_wrong_lines_are_named_at_once() -> None:
    with pytest.raises(IniError) as caught:
        parse_text("[a]\nfirst\nx=1\nx=2\nsecond\n")
    assert [problem.split(" ")[1].rstrip(":") for problem in caught.value.problems] == ["2", "4", "5"]


def test_no_more_problems_are_told_than_a_person_reads() -> None:
    with pytest.raises(IniError) as caught:
        parse_text("[a]\n" + "wrong\n" * 1000)
    assert len(caught.value.problems) == 51
    assert caught.value.problems[-1] == "And 950 more of the kind."


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x7fELF\0\0", "not a text file"),
        ("[a]\nx = Grüße".encode("utf-16"), "not a text file"),
        ("[a]\nx = Grüße".encode("latin-1"), "Line 2 is not UTF-8"),
        (b"#" * (MAX_BYTES + 1), "too large"),
    ],
)
def test_bytes_that_are_no_text_are_refused(content: bytes, problem: str) -> None:
    with pytest.raises(IniError) as caught:
        decode(content)
    assert problem in caught.value.user_message


def test_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode("[a]\n".encode("utf-8-sig")) == "[a]\n"


@quick
@given(st.lists(st.sampled_from(["[a]", "[b", "x=1", " x: 2", "  y = 3 ", "", " ", "# c", ";d", "\tz", "=", "w"])))
def test_grammar_is_that_of_configparser(lines: list[str]) -> None:
    text = "\n".join(["[first]", *lines])
    standard = configparser.RawConfigParser(default_section="\n")
    try:
        standard.read_string(text)
    except configparser.Error:
        with pytest.raises(IniError):
            parse_text(text)
    else:
        assert parse_text(text) == {name: dict(standard[name]) for name in standard.sections()}


@quick
@given(
    st.dictionaries(
        st.text(max_size=8).filter(is_writable_section),
        st.dictionaries(st.text(max_size=8).filter(is_writable_option), storable, min_size=1),
        min_size=1,
    ),
    st.booleans(),
)
def test_any_values_survive_being_written(sections: dict[str, dict[str, str]], may_span: bool) -> None:
    text = format_text(sections, may_span_lines=lambda section, option: may_span)
    raw = parse_text(text)
    read = {
        section: {option: value if (meant := unquoted(value)) is None else meant for option, value in options.items()}
        for section, options in raw.items()
    }
    assert read == sections


def test_values_of_many_lines_stay_lines_where_they_may() -> None:
    text = format_text({"a": {"x": "1\n2"}}, may_span_lines=lambda section, option: True)
    assert text == "[a]\nx = 1\n\t2\n"


def test_plain_values_are_written_as_they_are() -> None:
    values = {"x": "100% ;#= “ü” [a] \\n", "empty": "", "quoted": '"The Blob"'}
    text = format_text({"a": values}, may_span_lines=lambda section, option: False)
    assert text == '[a]\nx = 100% ;#= “ü” [a] \\n\nempty =\nquoted = "The Blob"\n'
