"""Every sample feed, against what its origin and three other parsers make of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from feeds.data import FeedData, FeedError
from feeds.parsing import parse_feed
from feeds.texts import to_text

SAMPLES = Path(__file__).resolve().parents[2] / "tests" / "samples" / "feeds"
EXPECTED: dict[str, Any] = json.loads((SAMPLES / "expected.json").read_text())["feeds"]
TRUSTED = sorted(name for name, row in EXPECTED.items() if row["trust"] in ("high", "upstream"))
URL = "https://feeds.example/dir/feed.xml"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

# Where the other parsers saw wrong letters, as they did not look at the bytes.
BETTER_TITLES = {
    "feedparser--chardet_big5.xml": "我希望??很容易?其翻?成中文，并有助于改??件。 感?您??本文。",
    "feedparser--eucjp.xml": "ゲーム三昧な正月",
    "feedparser--euckr.xml": "EUC-KR 에서 TypeKey 한글닉네임 표시하기",
}
# Their "link" is no address of the web (an id), or that of the replies.
NO_PAGE = {"rssparser--missing-fields.atom", "feedsmith--atom-ns.xml"}
# They read 02:02:33 PM as if it were AM.
BETTER_DATES = {"feedrs--rss_2.0_nbcny.xml": "2023-12-16T14:02:33Z"}

# Not trusted, so decided by us: number of entries, or the sentence for the owner.
OURS: dict[str, int | str] = {
    "feedjira--DuplicateContentAtomFeed.xml": 10,
    "feedjira--json_feed.json": 20,
    "feedjira--json_feed_with_escaped_uris.json": 30,
    "feedparser--aaa_illformed.xml": 0,
    "feedparser--big5.xml": 0,
    "feedparser--bozo_bogus_encoding.xml": 0,
    "feedparser--bozo_encoding_mismatch_crash.xml": 1,
    "feedparser--doctype_contains_entity_decl.xml": 0,
    "feedparser--example.json": 2,
    "feedparser--georss_polygon_insufficient_coords.xml": 1,
    "feedparser--item_title.xml": 1,
    "feedparser--rdf_channel_empty_textinput.xml": 1,
    "feedparser--rss_empty_document.xml": "The answer is not a feed.",
    "feedparser--rss_item_link_corrupted_ampersands.xml": 1,
    "gofeed--empty_feed.xml": "The answer is empty, not a feed.",
    "gofeed--invalid.json": "The feed is too broken to be read (it is not JSON).",
    "gofeed--version_json_10.json": 1,
    "gofeed--version_json_11_deprecated_author.json": 1,
    "lemon24--10.json": 0,
    "lemon24--empty.json": 1,
    "lemon24--unknown.json": 0,
    "miniflux--iso88591.xml": "The answer is not a feed.",
    "nnw--3960.json": 20,
    "nnw--curt.json": 26,
    "nnw--inessential.json": 20,
    "nnw--pxlnv.json": 20,
    "nodefp--compressed.xml": 10,
    "nodefp--illegally-nested.xml": 10,
    "nodefp--invalid-characters-gzipped.xml": 25,
    "own--html-page.html": "The answer is a web page, not a feed.",
    "own--json-not-feed.json": "The answer is JSON, but not a feed.",
    "own--no-guid-no-link.xml": 3,
    "rssparser--unrecognized.rss": "The answer is not a feed.",
    "simplepie--feed-utf16be.xml": 1,
    "simplepie--feed-utf16le.xml": 1,
    "w3c--invalid_namespace_prefix_attribute.xml": 0,
    "w3c--neg-wrongns.xml": "The answer is not a feed.",
    "w3c--xml_declares_unknown_encoding.xml": 0,
}


@cache
def read(name: str) -> FeedData:
    return parse_feed((SAMPLES / name).read_bytes(), url=URL, content_type="", now=NOW)


def answers(row: dict[str, Any]) -> list[dict[str, Any]]:
    parsers = ("upstream", "feedparser", "feedsmith", "rowanmanning", "plain_json")
    return [row[parser] for parser in parsers if row.get(parser)]


def plain(text: str | None) -> str:
    return " ".join(to_text(text or "").split())


def first_values(row: dict[str, Any], key: str, flat_key: str = "") -> set[str]:
    """What the others say of the first entry."""
    found = {(answer.get("first") or {}).get(key) or answer.get(flat_key) for answer in answers(row)}
    return {value for value in found if value}


@pytest.mark.parametrize("name", TRUSTED)
def test_sample_has_the_expected_entries_titles_and_links(name: str) -> None:
    row = EXPECTED[name]
    feed = read(name)
    assert len(feed.entries) == row["agreement"]["entries"]
    assert len({entry.uid for entry in feed.entries}) == len(feed.entries)
    titles = {plain(answer.get("title")) for answer in answers(row) if answer.get("title")}
    if titles and name not in BETTER_TITLES:
        assert plain(feed.title) in titles
    if not feed.entries:
        return
    first = feed.entries[0]
    entry_titles = {plain(title) for title in first_values(row, "title", "first_title")}
    if entry_titles and name not in BETTER_TITLES:
        assert plain(first.title) in entry_titles
    links = {urljoin(URL, link) for link in first_values(row, "link")}
    if links and name not in NO_PAGE:
        assert first.url in links


@pytest.mark.parametrize("name", [name for name in TRUSTED if EXPECTED[name]["feedparser"]["first"]])
def test_sample_has_the_expected_date(name: str) -> None:
    date = BETTER_DATES.get(name) or EXPECTED[name]["feedparser"]["first"].get("date")
    first = read(name).entries[0]
    if date:
        moment = datetime.fromisoformat(date)
        assert moment in (first.published_at, first.updated_at)


@pytest.mark.parametrize(("name", "title"), BETTER_TITLES.items())
def test_sample_without_charset_is_read_by_its_bytes(name: str, title: str) -> None:
    feed = read(name)
    assert (feed.entries[0].title if feed.entries else feed.title) == title


@pytest.mark.parametrize(("name", "outcome"), OURS.items())
def test_doubtful_sample_is_read_or_refused_with_a_sentence(name: str, outcome: int | str) -> None:
    if isinstance(outcome, int):
        assert len(read(name).entries) == outcome
        return
    with pytest.raises(FeedError) as caught:
        read(name)
    assert caught.value.user_message == outcome


def test_every_sample_is_looked_at() -> None:
    assert sorted([*TRUSTED, *OURS]) == sorted(EXPECTED)
    assert {path.name for path in SAMPLES.iterdir() if path.is_file()} == {
        *EXPECTED,
        "README.md",
        "expected.json",
        "LICENSE-Apache-2.0.txt",
    }


@pytest.mark.parametrize("name", TRUSTED[::6])
def test_sample_cut_short_gives_the_entries_before_the_cut(name: str) -> None:
    body = (SAMPLES / name).read_bytes()
    try:
        feed = parse_feed(body[: len(body) * 7 // 10], url=URL, content_type="", now=NOW)
    except FeedError as error:
        # JSON has no usable parts; one sample is nothing but a document type until close to its end.
        assert name.endswith(".json") or name == "own--billion-laughs.xml", error
    else:
        whole = [entry.uid for entry in read(name).entries]
        assert {entry.uid for entry in feed.entries[:-1]} <= set(whole)


def test_sample_titles_are_plain_text_and_addresses_absolute() -> None:
    for name in TRUSTED:
        feed = read(name)
        for entry in feed.entries:
            assert entry.title and "\n" not in entry.title and len(entry.title) <= 500
            assert entry.url == "" or entry.url.startswith(("http://", "https://"))
            assert len(entry.uid) <= 255 and len(entry.content_hash) == 64
