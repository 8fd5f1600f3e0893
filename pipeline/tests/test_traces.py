from __future__ import annotations

from typing import Any

import pytest

from pipeline.core.traces import Traces

ADA = Traces(
    "ada@a.example",
    handles=frozenset({"Ada@a.example"}),
    addresses=frozenset({"https://a.example/@Ada", "https://a.example/users/Ada/statuses/1"}),
    names=frozenset({"Ada L."}),
)


@pytest.mark.parametrize(
    ("text", "names_them"),
    [
        ("ada@a.example", True),
        ("by @Ada@A.Example: hello", True),
        ("(ADA@a.example)", True),
        ("ada@a.example.", True),
        ("see https://a.example/users/Ada/statuses/1", True),
        ("nada@a.example", False),
        ("ada@a.example.org", False),
        ("x-ada@a.example", False),
        ("ada", False),
        ("Ada L. wrote", False),
        ("", False),
    ],
)
def test_author_is_found_by_handle_and_addresses_and_not_in_others(text: str, names_them: bool) -> None:
    assert ADA.names_them(text) is names_them


def test_display_name_counts_only_where_asked_for() -> None:
    assert ADA.names_them("3 boosts: Ada L. wrote", also_names=True)


@pytest.mark.parametrize(
    ("text", "names_them"),
    [
        ("a.example", True),
        ("bo@a.example", True),
        ("https://A.example/x", True),
        ("b.a.example", False),
        ("aa.example", False),
    ],
)
def test_server_is_found_as_a_whole_host(text: str, names_them: bool) -> None:
    assert Traces("a.example").names_them(text) is names_them


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ([{"author": "ada@a.example", "text": "hi"}, {"author": "bo@b.example"}], [{"author": "bo@b.example"}]),
        ({"ada@a.example": 3, "bo@b.example": 2}, {"bo@b.example": 2}),
        ({"preview": "<p>@Ada@a.example</p>", "toots": 3}, {"preview": "", "toots": 3}),
        (["ada@a.example", "bo"], ["bo"]),
        ({"deep": [[{"x": {"y": "ada@a.example"}}]]}, {"deep": [[{"x": {"y": ""}}]]}),
        (None, None),
        (7, 7),
    ],
)
def test_scrubbed_value_tells_nothing_of_them_any_more(value: Any, left: Any) -> None:
    assert ADA.scrub(value) == left
    assert not ADA.is_in(ADA.scrub(value))
