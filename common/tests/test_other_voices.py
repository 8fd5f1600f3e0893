"""Notes of the Misskey family, feeds of hashtags, NodeInfo: read from whatever servers send."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.http import Gate, GatePolicy, InvalidAnswer, parse_private_hosts
from common.mastodon import NotFound
from common.misskey import parse_note
from common.nodeinfo import Software, fetch_software
from common.tag_feed import feed_path, fetch_tag_feed, parse_item, read_items
from tests.remote.fediverse import Fediverse, RemoteServer, Reply, always

NOTE: dict[str, Any] = {
    "id": "9abc",
    "createdAt": "2026-02-23T12:00:00.123Z",
    "text": "A <jelly>!\nRun\n\n#monsterdon",
    "cw": "goo",
    "user": {"username": "emi", "host": None, "name": "Emi", "isBot": True},
    "visibility": "public",
    "renoteCount": 3,
    "repliesCount": 2,
    "reactions": {"❤": 4, ":goo@.:": 1},
    "tags": ["MonsterDon"],
    "files": [{"type": "image/png"}],
    "replyId": "8aaa",
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def note(**values: Any) -> dict[str, Any]:
    return {**NOTE, **values}


def test_local_note_becomes_a_toot_of_its_server() -> None:
    toot = parse_note(NOTE, server="film.example")

    assert toot is not None
    assert (toot.uri, toot.origin, toot.local_id) == ("https://film.example/notes/9abc", "film.example", "9abc")
    assert (toot.author.handle, toot.author.display_name, toot.author.is_bot) == ("emi@film.example", "Emi", True)
    assert toot.created_at == datetime(2026, 2, 23, 12, 0, 0, 123000, tzinfo=UTC)
    assert toot.text == "A <jelly>!\nRun\n\n#monsterdon"
    assert (toot.boosts, toot.favourites, toot.replies) == (3, 5, 2)
    assert (toot.spoiler_text, toot.visibility, toot.hashtags) == ("goo", "public", ("monsterdon",))
    assert (toot.media_count, toot.is_reply, toot.is_authoritative) == (1, True, True)


def test_note_of_another_server_keeps_its_uri() -> None:
    raw = note(uri="https://else.example/users/x/statuses/1", user={"username": "x", "host": "else.example"})
    toot = parse_note(raw, server="film.example")

    assert toot is not None
    assert (toot.uri, toot.origin) == ("https://else.example/users/x/statuses/1", "else.example")
    assert (toot.author.handle, toot.is_authoritative) == ("x@else.example", False)


@pytest.mark.parametrize(
    ("told", "meant"),
    [("public", "public"), ("home", "unlisted"), ("followers", "private"), ("specified", "direct"), (None, "")],
)
def test_visibility_is_translated(told: str | None, meant: str) -> None:
    toot = parse_note(note(visibility=told), server="film.example")
    assert toot is not None and toot.visibility == meant


def test_bare_renote_is_no_toot_and_a_quote_is_one() -> None:
    assert parse_note(note(renoteId="7", text=None, cw=None, files=[]), server="film.example") is None
    assert parse_note(note(renoteId="7"), server="film.example") is not None


def test_author_who_wants_readers_to_sign_in_is_not_to_be_quoted() -> None:
    raw = note(user={"username": "emi", "requireSigninToViewContents": True})
    toot = parse_note(raw, server="film.example")
    assert toot is not None and toot.author.wishes == ("account-noindex",)


@given(st.dictionaries(st.sampled_from([*NOTE, "uri", "renoteId", "reactionCount", "url"]), JSON) | JSON)
def test_any_note_is_read_or_passed_over(raw: Any) -> None:
    toot = parse_note(raw, server="film.example")
    assert toot is None or min(toot.boosts, toot.favourites, toot.replies) >= 0
    if isinstance(raw, dict):
        parse_note({**NOTE, **raw}, server="film.example")


ITEM = {
    "link": ["https://film.example/@ada/17"],
    "pubDate": ["Mon, 23 Feb 2026 12:00:00 +0000"],
    "description": ["<p>boo #MonsterDon</p>"],
    "category": ["monsterdon"],
}


def test_item_of_a_feed_stands_for_a_toot_without_counts() -> None:
    toot = parse_item(ITEM, server="film.example", hashtag="monsterdon")

    assert toot is not None
    assert (toot.uri, toot.author.handle) == ("https://film.example/users/ada/statuses/17", "ada@film.example")
    assert (toot.created_at, toot.text) == (datetime(2026, 2, 23, 12, tzinfo=UTC), "boo #MonsterDon")
    assert (toot.boosts, toot.is_bare, toot.is_authoritative, toot.visibility) == (0, True, False, "public")


@pytest.mark.parametrize(
    "item",
    [
        {**ITEM, "link": ["https://else.example/@ada/17"]},
        {**ITEM, "link": ["javascript:alert(1)"]},
        {**ITEM, "link": [], "guid": []},
        {**ITEM, "pubDate": ["yesterday"]},
        {**ITEM, "pubDate": []},
    ],
)
def test_item_that_is_no_toot_of_the_server_is_passed_over(item: dict[str, list[str]]) -> None:
    assert parse_item(item, server="film.example", hashtag="monsterdon") is None


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"\xff\xfe\x00", b"[]", b"<rss"])
def test_what_is_no_rss_has_no_items(body: bytes) -> None:
    assert not read_items(body)


def test_entities_of_a_feed_are_not_followed() -> None:
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY file SYSTEM "file:///etc/passwd">]>'
        b"<rss><channel><item><link>&file;&b;</link></item></channel></rss>"
    )
    texts = [text for item in read_items(bomb) or [] for text in item.get("link", [])]
    assert all("root" not in text and "aaa" not in text for text in texts)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_as_a_feed_without_harm(body: bytes) -> None:
    read_items(body)
    read_items(b"<rss><channel><item><link>" + body + b"</link></item></channel></rss>")


@pytest.fixture
def server() -> Any:
    with Fediverse() as fediverse:
        yield fediverse.add()


@pytest.fixture
def gate(server: RemoteServer) -> Any:
    with Gate(GatePolicy("Test/1", private_hosts=parse_private_hosts([server.name]))) as opened:
        yield opened


def nodeinfo(server: RemoteServer, **more: Any) -> list[dict[str, Any]]:
    schema = "http://nodeinfo.diaspora.software/ns/schema/"
    return [{"rel": f"{schema}2.0", "href": f"http://{server.name}/nodeinfo/2.0", **more}]


def test_software_is_what_nodeinfo_says(gate: Gate, server: RemoteServer) -> None:
    links = [
        *nodeinfo(server),
        {"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": "http://x.example/"},
    ]
    server.others["/.well-known/nodeinfo"] = always(lambda: Reply({"links": [None, 7, *links]}))
    server.others["/nodeinfo/2.0"] = always(lambda: Reply({"software": {"name": "Sharkey", "version": "2025.4"}}))

    assert fetch_software(gate, server.name) == Software("sharkey", "2025.4")


@pytest.mark.parametrize(
    "index", [{"links": None}, [], {"links": [{"rel": "x", "href": "y"}]}, {"links": [{"rel": 1, "href": None}]}]
)
def test_nodeinfo_that_makes_no_sense_is_none(gate: Gate, server: RemoteServer, index: Any) -> None:
    server.others["/.well-known/nodeinfo"] = always(lambda: Reply(index))
    assert fetch_software(gate, server.name) == Software()


def test_missing_nodeinfo_is_none_and_names_nobody_else(gate: Gate, server: RemoteServer) -> None:
    assert fetch_software(gate, server.name) == Software()
    elsewhere = nodeinfo(server, href="http://127.66.6.6/nodeinfo")
    server.others["/.well-known/nodeinfo"] = always(lambda: Reply({"links": elsewhere}))
    assert fetch_software(gate, server.name) == Software()


def test_feed_is_fetched_from_its_path(gate: Gate, server: RemoteServer) -> None:
    assert feed_path("café") == "/tags/caf%C3%A9.rss"
    with pytest.raises(NotFound):
        fetch_tag_feed(gate, server.name, "monsterdon")
    server.others["/tags/monsterdon.rss"] = always(lambda: Reply(b"<html></html>"))
    with pytest.raises(InvalidAnswer):
        fetch_tag_feed(gate, server.name, "monsterdon")
