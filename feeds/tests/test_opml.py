"""OPML: every sample, lists as programs write them, and what we write ourselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.opml import OpmlData, OpmlError, OpmlFeed, OpmlFolder, read_opml, write_opml

SAMPLES = Path(__file__).resolve().parents[2] / "tests" / "samples" / "feeds"
EXPECTED: dict[str, Any] = json.loads((SAMPLES / "expected.json").read_text())["opml"]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

# The other reader takes addresses that are none of the web.
FEWER = {"opml/own--xmlurl-odd.opml": 3}


def all_feeds(data: OpmlData) -> list[OpmlFeed]:
    """Every feed of the list, those in folders first."""
    return [*(feed for folder in data.folders for feed in folder.feeds), *data.loose]


def read(text: str) -> OpmlData:
    return read_opml(text.encode())


def opml(outlines: str) -> str:
    return f'<?xml version="1.0"?><opml version="2.0"><head><title>T</title></head><body>{outlines}</body></opml>'


@pytest.mark.parametrize("name", EXPECTED)
def test_sample_is_read_as_expected(name: str) -> None:
    expected = EXPECTED[name]["listparser"]
    data = read_opml((SAMPLES / name).read_bytes())
    feeds = all_feeds(data)
    assert data.title == (expected["title"] or "")
    assert len(feeds) == FEWER.get(name, expected["feeds"])
    if expected["first"] and name not in FEWER:
        assert (expected["first"]["url"], expected["first"]["title"]) in [(feed.url, feed.name) for feed in feeds]


def test_every_sample_is_looked_at() -> None:
    assert {f"opml/{path.name}" for path in (SAMPLES / "opml").iterdir()} == set(EXPECTED)


def test_nested_folders_are_kept_in_their_names() -> None:
    data = read(
        opml(
            '<outline text="News"><outline text="A" xmlUrl="https://a.example/f"/><outline title="World">'
            '<outline text="B" xmlUrl="https://b.example/f"/></outline></outline><outline text="C" xmlUrl="https://c.example/f"/>'
        )
    )
    assert [(folder.name, [feed.name for feed in folder.feeds]) for folder in data.folders] == [
        ("News", ["A"]),
        ("News / World", ["B"]),
    ]
    assert [feed.name for feed in data.loose] == ["C"]


def test_single_outline_and_folder_without_title_are_read() -> None:
    assert [feed.url for feed in read(opml('<outline text="A" xmlUrl="https://a.example/"/>')).loose] == [
        "https://a.example/"
    ]
    data = read(opml('<outline><outline text="A" xmlUrl="https://a.example/"/></outline>'))
    assert [folder.name for folder in data.folders] == ["Unnamed Category"]


@pytest.mark.parametrize(
    "outline",
    [
        '<outline TEXT="A" XMLURL="https://a.example/f" HtmlURL="https://a.example/"/>',
        '<OUTLINE text="A" xmlUrl=" https://a.example/f\n" htmlUrl="https://a.example/" type="RSS"/>',
        '<outline text="A" type="rss" url="https://a.example/f" htmlUrl="/"/>',
        '<outline text="A" xmlUrl="feed:https://a.example/f" htmlUrl="https://a.example/"/>',
    ],
)
def test_odd_spellings_are_read(outline: str) -> None:
    assert read(opml(outline)).loose == (OpmlFeed("A", "https://a.example/f", "https://a.example/"),)


def test_what_cannot_be_taken_is_reported() -> None:
    data = read(
        opml(
            '<outline text="No address" type="rss"/><outline text="Bad" xmlUrl="javascript:alert(1)"/>'
            '<outline text="List" type="include" url="https://a.example/list.opml"/>'
            '<outline text="One" xmlUrl="https://a.example/f"/><outline text="Two" xmlUrl="https://a.example/f"/>'
        )
    )
    assert data.skipped == (
        "Skipping source 'No address': no RSS URL provided",
        "Skipping source 'Bad': its address is not one of the web",
        "Skipping 'List': it is a link to another list or page, not a feed",
        "Skipping source 'Two': the file lists its feed before",
    )
    assert [feed.name for feed in all_feeds(data)] == ["One"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The file is empty."),
        (b"hello", "The file is not a list of feeds (OPML)."),
        (b"<html><body/></html>", "The file is a web page, not a list of feeds (OPML)."),
        (b"<rss version='2.0'><channel/></rss>", "The file is a feed, not a list of feeds (OPML)."),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "The file is not a list of feeds (OPML)."),
        (opml("<outline/>" * 20_001).encode(), "The file lists more than 20000 feeds."),
        (b"<opml>" + b"<a/>" * 600_000, "The file has more in it than can be read."),
    ],
)
def test_other_files_are_refused_with_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(OpmlError) as caught:
        read_opml(body)
    assert caught.value.user_message == sentence


def test_entities_are_neither_expanded_nor_fetched() -> None:
    text = '<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY a "b">]>' + opml(
        '<outline text="&x;&a;&eacute;" xmlUrl="https://a.example/f"/>'
    ).removeprefix('<?xml version="1.0"?>')
    assert read(text).loose[0].name == "&x;&a;é"


def test_written_list_has_the_form_of_the_contract() -> None:
    text = write_opml(
        [OpmlFolder("News & more", (OpmlFeed('A "1"', "https://a.example/f?a=1&b=2", "https://a.example/"),))],
        [OpmlFeed("B\x00", "https://b.example/f")],
        created_at=NOW,
        title="Feeds",
    )
    assert text.startswith("<?xml version='1.0' encoding='UTF-8'?>\n<opml version=\"2.0\">")
    assert "<dateCreated>Sat, 21 Nov 2026 12:00:00 +0000</dateCreated>" in text
    assert '<outline text="News &amp; more" title="News &amp; more">' in text
    assert (
        '<outline type="rss" text="A &quot;1&quot;" title="A &quot;1&quot;" xmlUrl="https://a.example/f?a=1&amp;b=2"'
        ' htmlUrl="https://a.example/"/>'
    ) in text
    assert '<outline type="rss" text="B" title="B" xmlUrl="https://b.example/f" htmlUrl=""/>' in text


names = (
    st.text("abcXYZ 01ä漢\"'<>;#", min_size=1, max_size=30)
    .map(lambda text: "n " + " ".join(text.split()))
    .map(str.strip)
)
feeds = st.builds(
    OpmlFeed,
    name=names,
    url=st.integers(0, 10**6).map(lambda number: f"https://f{number}.example/feed?a={number}&b=x"),
    site_url=st.just("https://s.example/"),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(feeds, max_size=8, unique_by=lambda feed: feed.url), names)
def test_written_list_is_read_back(rows: list[OpmlFeed], folder: str) -> None:
    half = len(rows) // 2
    folders = (OpmlFolder(folder, tuple(rows[:half])),) if half else ()
    data = read(write_opml(folders, rows[half:], created_at=NOW))
    assert (data.folders, data.loose, data.skipped) == (folders, tuple(rows[half:]), ())


def test_a_thousand_feeds_are_read_and_written() -> None:
    rows = tuple(OpmlFeed(f"Feed {n}", f"https://f{n}.example/feed", f"https://f{n}.example/") for n in range(1000))
    assert read(write_opml([OpmlFolder("All", rows)], (), created_at=NOW)).folders[0].feeds == rows


PIECES = [
    "<opml>", "<body>", "<outline text='a' xmlUrl='http://a.example/'>", "</outline>", "</body>", "</opml>",
    "<outline ", "/>", "&x;", "<![CDATA[", "]]>", "<!--", "-->", "'", '"', "<", "x:y='1'", "\x00", "<head><title>",
]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_heap_of_pieces_of_opml_is_read_or_refused(text: str) -> None:
    try:
        data = read("<opml version='1.0'>" + text)
    except OpmlError as error:
        assert error.user_message
    else:
        assert all(feed.name and feed.url for feed in all_feeds(data))
