"""The quick way through a page's JSON reads the same as the forgiving one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.json_reading import NotJson, read_json
from common.statuses import Status, as_status, read_statuses
from common.tests.test_samples import FILES, SAMPLES
from common.toots import Glimpse, glance

ROW: dict[str, Any] = {
    "id": "114095004322748889",
    "uri": "https://toots.example/users/ada/statuses/1",
    "url": "https://toots.example/@ada/1",
    "created_at": "2025-03-02T21:39:50.006Z",
    "visibility": "public",
    "content": "<p>Grüße an alle</p>",
    "account": {
        "acct": "ada",
        "note": "about",
        "fields": [{"name": "town", "value": "Turin", "verified_at": None}],
        "emojis": [{"shortcode": "cat", "url": "https://toots.example/cat.png"}],
    },
    "tags": [{"name": "monsterdon", "url": "https://toots.example/tags/monsterdon"}],
    "media_attachments": [{"id": "1", "meta": {"focus": {"x": 0.5}}}, {"id": "2"}],
    "reblogs_count": 2,
    "card": {"title": "A film", "authors": []},
}


def read_slowly(body: bytes) -> list[Status | None] | None:
    rows = read_json(body)
    return [as_status(row) for row in rows] if isinstance(rows, list) else None


@pytest.mark.parametrize("name", FILES)
def test_samples_read_the_same_in_both_ways(name: str) -> None:
    body = (SAMPLES / name).read_bytes()
    try:
        slowly = read_slowly(body)
    except NotJson:
        with pytest.raises(NotJson):
            read_statuses(body)
    else:
        assert read_statuses(body) == slowly


# Whatever may stand where a part of a status should.
ODD = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5) | st.floats(allow_nan=False)
ODD |= st.lists(ODD, max_size=2) | st.dictionaries(st.sampled_from(["name", "value", "acct"]), ODD, max_size=2)


@given(
    st.dictionaries(st.sampled_from(sorted(ROW)), ODD, max_size=4),
    st.dictionaries(st.sampled_from(["acct", "fields", "bot"]), ODD),
)
@settings(max_examples=300, deadline=None)
def test_parts_of_any_type_read_the_same_in_both_ways(changes: dict[str, Any], account: dict[str, Any]) -> None:
    row = ROW | {"account": ROW["account"] | account} | changes
    body = json.dumps([row, ROW]).encode()

    assert read_statuses(body) == read_slowly(body)
    assert glances(body) == [glance(as_status(each), server="a.example") for each in json.loads(body)]


def glances(body: bytes) -> list[Glimpse | None]:
    return [glance(row, server="a.example") for row in read_statuses(body) or ()]


def test_of_a_row_only_what_is_read_is_kept() -> None:
    (status,) = read_statuses(json.dumps([ROW]).encode()) or ()

    assert status is not None and status.account is not None and status.account.fields is not None
    assert (status.id, status.content, status.reblogs_count) == (ROW["id"], ROW["content"], 2)
    assert (status.account.acct, status.account.fields[0].value) == ("ada", "Turin")
    assert [tag.name for tag in status.tags or ()] == ["monsterdon"]
    assert len(status.media_attachments or ()) == 2
    assert not hasattr(status, "card") and not hasattr(status.account, "emojis")


@pytest.mark.parametrize("row", [None, 3, "text", [ROW], True])
def test_row_that_is_no_object_is_none_and_does_not_spoil_the_others(row: object) -> None:
    rows = read_statuses(json.dumps([ROW, row, ROW]).encode())

    assert rows is not None and rows[1] is None
    assert rows[0] == rows[2] == as_status(ROW)


@pytest.mark.parametrize(
    "tags", [["Monsterdon", {"name": "film"}], [{"name": "Monsterdon"}, {"name": "film"}, 3, None]]
)
def test_hashtags_may_be_texts_or_objects(tags: list[Any]) -> None:
    (seen,) = glances(json.dumps([ROW | {"tags": tags}]).encode())

    assert seen is not None and seen.hashtags == ("monsterdon", "film")


@pytest.mark.parametrize("body", [b"{}", b'"text"', b"3", b"null", json.dumps(ROW).encode()])
def test_anything_but_a_list_is_none(body: bytes) -> None:
    assert read_statuses(body) is None


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"[", b"<html>", b"[" * 100_000, b'[{"card":' + b"[" * 100_000, b'[{"card": ' + b'{"a":' * 100_000],
)
def test_what_is_no_json_or_nests_without_end_is_said_to_be_so(body: bytes) -> None:
    with pytest.raises(NotJson):
        read_statuses(body)


@pytest.mark.parametrize("broken", [b"\xff\xfe", b"\\ud800", b"\xc3"])
def test_broken_text_spoils_itself_alone(broken: bytes) -> None:
    body = json.dumps([ROW, ROW | {"content": "MARK"}, ROW]).encode().replace(b"MARK", broken)

    rows = read_statuses(body)

    assert rows is not None and [row is not None for row in rows] == [True] * 3
    assert rows[0] == rows[2] == as_status(ROW)
