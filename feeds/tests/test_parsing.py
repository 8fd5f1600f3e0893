"""Parsing: identity, titles, links, dates, and whatever strangers may send instead of a feed."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.data import FeedData, FeedError
from feeds.parsing import MAX_BODY_BYTES, MAX_ENTRIES, parse_feed

URL = "https://feeds.example/blog/feed.xml"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
# Far above what is measured (under 4 s for 5 MB on a slow machine), far below what a quadratic parser needs.
PATIENCE_SECONDS = 60


def parse(body: str | bytes, content_type: str = "", url: str = URL) -> FeedData:
    return parse_feed(body.encode() if isinstance(body, str) else body, url=url, content_type=content_type, now=NOW)


def rss(items: str, head: str = "<title>Blog</title><link>https://blog.example/</link>") -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'


def atom(entries: str, head: str = "<title>Blog</title>") -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{head}{entries}</feed>'


# --- identity ---
def test_entries_are_known_by_guid_then_link_then_content() -> None:
    feed = parse(
        rss(
            "<item><guid>a1</guid><link>https://blog.example/1</link><title>1</title></item>"
            "<item><link>https://blog.example/2</link><title>2</title></item>"
            "<item><title>3</title></item>"
        )
    )
    kinds = [entry.uid.partition(":")[0] for entry in feed.entries]
    assert kinds == ["guid", "link", "hash"]
    assert feed.entries[0].uid == "guid:a1"
    assert feed.entries[1].uid == "link:https://blog.example/2"


def test_guid_stays_as_written_wherever_the_feed_moves() -> None:
    body = rss("<item><guid>7</guid><title>x</title></item><item><guid>/posts/8</guid><title>y</title></item>")
    here, there = parse(body), parse(body, url="http://elsewhere.example/rss")
    assert (
        [entry.uid for entry in here.entries] == [entry.uid for entry in there.entries] == ["guid:7", "guid:/posts/8"]
    )
    assert here.entries[0].url == ""
    assert here.entries[1].url == "https://feeds.example/posts/8"


@pytest.mark.parametrize(
    ("guid", "url"),
    [
        ("<guid>https://blog.example/5</guid>", "https://blog.example/5"),
        ('<guid isPermaLink="true">https://blog.example/5</guid>', "https://blog.example/5"),
        ('<guid isPermaLink="false">https://blog.example/5</guid>', ""),
        ('<guid isPermaLink="False">https://blog.example/5</guid>', ""),
        ("<guid>tag:blog.example,2026:5</guid>", ""),
        ("<guid>javascript:alert(1)</guid>", ""),
    ],
)
def test_guid_stands_in_for_a_missing_link_if_it_is_one(guid: str, url: str) -> None:
    assert parse(rss(f"<item>{guid}<title>x</title></item>")).entries[0].url == url


def test_guid_shared_by_different_pages_identifies_none_of_them() -> None:
    items = "".join(
        f"<item><guid>1</guid><link>https://blog.example/{n}</link><title>{n}</title></item>" for n in range(3)
    )
    assert {entry.uid for entry in parse(rss(items)).entries} == {f"link:https://blog.example/{n}" for n in range(3)}


def test_link_shared_by_different_entries_identifies_none_of_them() -> None:
    items = "".join(f"<item><link>https://blog.example/</link><title>{n}</title></item>" for n in range(3))
    feed = parse(rss(items))
    assert len({entry.uid for entry in feed.entries}) == 3
    assert all(entry.uid.startswith("hash:") for entry in feed.entries)


def test_entry_listed_twice_is_counted() -> None:
    item = "<item><guid>1</guid><title>x</title></item>"
    assert [entry.uid for entry in parse(rss(item + item)).entries] == ["guid:1", "guid:1#2"]


def test_very_long_guid_is_told_apart_by_its_end() -> None:
    first, second = (
        parse(rss(f"<item><guid>{'x' * 400}{n}</guid><title>x</title></item>")).entries[0].uid for n in (1, 2)
    )
    assert first != second
    assert max(len(first), len(second)) <= 255


def test_edited_entry_keeps_its_uid_and_changes_its_hash() -> None:
    before, after = (
        parse(rss(f"<item><guid>1</guid><title>x</title><description>{text}</description></item>")).entries[0]
        for text in ("old", "new")
    )
    assert before.uid == after.uid
    assert before.content_hash != after.content_hash


# --- titles and texts ---
@pytest.mark.parametrize(
    ("item", "title"),
    [
        ("<title>Tom &amp;amp; &lt;b&gt;Jerry&lt;/b&gt;</title>", "Tom & Jerry"),
        ("<title>  two\n lines </title>", "two lines"),
        ("<title>5 &lt; 6</title>", "5 < 6"),
        ("<title><![CDATA[A <em>b</em>]]></title>", "A b"),
        (
            "<description>&lt;p&gt;What a day. It rained.&lt;/p&gt;&lt;p&gt;More&lt;/p&gt;</description>",
            "What a day. It rained.",
        ),
        ("<description>&lt;p&gt;#tag only&lt;/p&gt;</description>", "#tag only"),
        ("<title></title><link>https://blog.example/photos/sunset.jpg</link>", "sunset.jpg"),
        ("<description>&lt;img src='https://e.example/a.png'&gt;</description>", "Untitled"),
        (f"<description>{'word ' * 60}</description>", None),
    ],
)
def test_title_is_plain_text_and_made_from_the_text_if_there_is_none(item: str, title: str | None) -> None:
    found = parse(rss(f"<item>{item}</item>")).entries[0].title
    if title is None:
        assert len(found) <= 100 and found.endswith("word…")
    else:
        assert found == title


def test_mastodon_feed_has_titles_from_its_toots() -> None:
    feed = parse(
        rss(
            "<item><guid isPermaLink='true'>https://fedi.example/@ann/1</guid>"
            "<link>https://fedi.example/@ann/1</link><pubDate>Sun, 22 Feb 2026 20:00:00 +0000</pubDate>"
            "<description>&lt;p&gt;Watching &lt;a href='https://fedi.example/tags/monsterdon'&gt;#&lt;span&gt;monsterdon"
            "&lt;/span&gt;&lt;/a&gt; tonight&lt;/p&gt;</description>"
            "<media:content xmlns:media='http://search.yahoo.com/mrss/'"
            " url='https://fedi.example/m.png' medium='image'"
            " type='image/png' fileSize='1234'><media:description type='plain'>A blob</media:description>"
            "</media:content>"
            "<category>monsterdon</category></item>"
        )
    )
    entry = feed.entries[0]
    assert entry.title == "Watching #monsterdon tonight"
    assert entry.published_at == datetime(2026, 2, 22, 20, tzinfo=UTC)
    assert [(file.url, file.media_type, file.length) for file in entry.enclosures] == [
        ("https://fedi.example/m.png", "image/png", 1234)
    ]
    assert entry.tags == ("monsterdon",)


def test_content_goes_before_summary() -> None:
    item = (
        "<item><title>x</title><description>short</description><content:encoded xmlns:content="
        "'http://purl.org/rss/1.0/modules/content/'>&lt;p&gt;long&lt;/p&gt;</content:encoded></item>"
    )
    entry = parse(rss(item)).entries[0]
    assert (entry.content_html, entry.summary_html) == ("<p>long</p>", "short")


def test_summary_alone_is_the_content() -> None:
    entry = parse(atom("<entry><id>1</id><title>x</title><summary>a &lt; b</summary></entry>")).entries[0]
    assert (entry.content_html, entry.summary_html) == ("<p>a &lt; b</p>", "")


@pytest.mark.parametrize(
    "content",
    [
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>a<br/>b</p></div></content>',
        '<content type="xhtml" xmlns:h="http://www.w3.org/1999/xhtml"><h:div><h:p>a<h:br/>b</h:p></h:div></content>',
        '<content type="html">&lt;p&gt;a&lt;br&gt;b&lt;/p&gt;</content>',
        '<content type="html"><![CDATA[<p>a<br>b</p>]]></content>',
        '<content type="text/html" mode="xml"><p>a<br/>b</p></content>',
    ],
)
def test_inline_and_escaped_content_become_the_same_html(content: str) -> None:
    assert parse(atom(f"<entry><id>1</id>{content}</entry>")).entries[0].content_html == "<p>a<br>b</p>"


def test_podcast_and_video_texts_are_used_only_when_there_is_no_other() -> None:
    media = "xmlns:media='http://search.yahoo.com/mrss/'"
    film = "<media:title>no</media:title><media:description>Line 1\nLine &lt;2</media:description>"
    alone = parse(atom(f"<entry><id>1</id><title>t</title><media:group {media}>{film}</media:group></entry>"))
    assert alone.entries[0].content_html == "<p>Line 1<br>Line &lt;2</p>"
    both = parse(rss(f"<item {media}><title>t</title>{film}<description>yes</description></item>"))
    assert both.entries[0].content_html == "yes"
    assert both.entries[0].title == "t"


# --- addresses ---
def test_relative_links_are_resolved_by_base_then_page_then_feed() -> None:
    described = "&lt;img src='pic.png'&gt;&lt;a href='#x'&gt;n&lt;/a&gt;"
    plain = parse(rss(f"<item><link>/2026/post/</link><description>{described}</description></item>")).entries[0]
    assert plain.url == "https://feeds.example/2026/post/"
    assert 'src="https://feeds.example/2026/post/pic.png"' in plain.content_html
    assert "href='#x'" in plain.content_html
    based = parse(
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example/x/"><entry xml:base="y/"><id>1</id>'
        f'<link href="z"/><content type="html">{described}</content></entry></feed>'
    ).entries[0]
    assert based.url == "https://b.example/x/y/z"
    assert 'src="https://b.example/x/y/pic.png"' in based.content_html


def test_only_addresses_of_the_web_are_taken() -> None:
    feed = parse(
        rss(
            "<item><title>x</title><link>javascript:alert(1)</link>"
            "<enclosure url='file:///etc/passwd' type='audio/mpeg' length='9'/>"
            "<enclosure url='https://e.example/a.mp3' type='AUDIO/MPEG' length='nine'/></item>",
            "<title>B</title><link>data:text/html,x</link><image><url>javascript:1</url></image>",
        )
    )
    assert (feed.site_url, feed.icon_url, feed.entries[0].url) == ("", "", "")
    assert [(file.url, file.media_type, file.length) for file in feed.entries[0].enclosures] == [
        ("https://e.example/a.mp3", "audio/mpeg", None)
    ]


def test_feed_tells_its_hubs_address_rhythm_and_rest() -> None:
    feed = parse(
        rss(
            "",
            "<title>B</title><ttl>90</ttl><skipHours><hour>0</hour><hour>24</hour><hour>5</hour></skipHours>"
            "<skipDays><day>Sunday</day><day>Noday</day></skipDays><language>de-AT</language>"
            "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='hub' href='https://hub.example/'/>"
            "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='/feed.xml'/>"
            "<image><url>/logo.png</url><title>no title</title></image><description>D &amp;amp; d</description>",
        )
    )
    assert (feed.kind, feed.title, feed.description, feed.language) == ("rss20", "B", "D & d", "de-AT")
    assert (feed.ttl_minutes, feed.skip_hours, feed.skip_days) == (90, (0, 5), (6,))
    assert (feed.hub_urls, feed.self_url) == (("https://hub.example/",), "https://feeds.example/feed.xml")
    assert feed.icon_url == "https://feeds.example/logo.png"


def test_syndication_module_tells_the_rhythm() -> None:
    head = (
        "<sy:updatePeriod xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>daily</sy:updatePeriod>"
        "<sy:updateFrequency xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>4</sy:updateFrequency>"
    )
    assert parse(rss("", head)).ttl_minutes == 360


@pytest.mark.parametrize(
    ("author", "shown"),
    [
        ("<author>jonas@insanity.industries (Jonas Große)</author>", "Jonas Große"),
        ("<author>Ann</author>", "Ann"),
        ("<dc:creator xmlns:dc='http://purl.org/dc/elements/1.1/'>Bo &amp; Cy</dc:creator>", "Bo & Cy"),
    ],
)
def test_author_is_a_name(author: str, shown: str) -> None:
    assert parse(rss(f"<item><title>x</title>{author}</item>")).entries[0].author == shown


def test_dates_missing_or_nonsense_are_none_and_future_ones_stay() -> None:
    items = "".join(
        f"<item><title>{n}</title><pubDate>{date}</pubDate></item>"
        for n, date in enumerate(["", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "Sat, 20 Apr 2030 10:00:00 GMT"])
    )
    dates = [entry.published_at for entry in parse(rss(items)).entries]
    assert dates == [None, None, None, datetime(2030, 4, 20, 10, tzinfo=UTC)]


# --- JSON Feed ---
def test_json_feed_is_read_whole() -> None:
    value = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "J &#8211; F",
        "home_page_url": "https://j.example/",
        "feed_url": "https://j.example/feed.json",
        "favicon": "/favicon.png",
        "language": "en",
        "expired": True,
        "authors": [{"name": "Ann"}, {"name": "Bo"}],
        "hubs": [
            {"type": "WebSub", "url": "https://hub.example/"},
            {"type": "rssCloud", "url": "https://x.example/"},
        ],
        "items": [
            {
                "id": 17,
                "url": "posts/17",
                "content_html": "<img src=/a.png>",
                "summary": "S",
                "date_published": "2026-01-02T03:04:05+01:00",
                "tags": ["#One", "one", 3],
                "attachments": [{"url": "https://j.example/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 5}, 1],
            },
            {"id": "18", "content_text": "Line one\n\nLine <two>", "author": {"name": "Cy"}},
            "no item",
        ],
    }
    feed = parse(json.dumps(value))
    assert (feed.kind, feed.title, feed.author, feed.is_expired) == ("json11", "J – F", "Ann, Bo", True)
    assert (feed.icon_url, feed.hub_urls) == ("https://feeds.example/favicon.png", ("https://hub.example/",))
    first, second = feed.entries
    assert (first.uid, first.url, first.author) == ("guid:17", "https://j.example/posts/17", "Ann, Bo")
    assert first.content_html == '<img src="https://j.example/a.png">'
    assert first.published_at == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert first.tags == ("one",) and first.enclosures[0].length == 5
    assert (second.title, second.author) == ("Line one", "Cy")
    assert second.content_html == "<p>Line one</p><p>Line &lt;two&gt;</p>"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "id",
    "url",
    "title",
    "content_html",
    "content_text",
    "date_published",
    "tags",
    "attachments",
    "author",
    "authors",
]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*KEYS, "items", "hubs", "home_page_url"]), json_values), st.data())
def test_json_feed_with_wrong_types_is_read_or_refused(head: dict[str, Any], data: Any) -> None:
    items = data.draw(st.lists(st.dictionaries(st.sampled_from(KEYS), json_values) | json_values, max_size=4))
    value = {"version": "https://jsonfeed.org/version/1", "items": items, **head}
    try:
        feed = parse(json.dumps(value))
    except FeedError:
        return
    assert all(entry.title and entry.uid for entry in feed.entries)


# --- what is no feed ---
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The answer is empty, not a feed."),
        (b"   \n", "The answer is empty, not a feed."),
        (b"hello", "The answer is not a feed."),
        (b"\x00\x01\x02\xff\xfe" * 50, "The answer is not a feed."),
        (b"<!DOCTYPE html><html><body>Hi <rss></body></html>", "The answer is a web page, not a feed."),
        (b"<html><head><title>Log in</title></head></html>", "The answer is a web page, not a feed."),
        (b'<opml version="2.0"><body/></opml>', "This is a list of feeds (OPML), not a feed; it can be imported."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "The answer is not a feed."),
        (b"[1, 2]", "The answer is JSON, but not a feed."),
        (b'{"error": "no"}', "The answer is JSON, but not a feed."),
        (
            b'{"version": "https://jsonfeed.org/version/1", "items": ',
            "The feed is too broken to be read (it is not JSON).",
        ),
        (b"<rss>" + b" " * MAX_BODY_BYTES, "The feed is too big: more than 5 megabytes cannot be read."),
        (gzip.compress(b"<rss>" + b" " * 50_000_000), "The feed is too big: more than 5 megabytes cannot be read."),
        (b"\x1f\x8b\x08 broken", "The answer is compressed, and broken."),
        (b"<rss>" + b"<a/>" * 600_000, "The feed has more parts than can be read."),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_what_is_no_feed_is_refused_with_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(FeedError) as caught:
        parse(body)
    assert caught.value.user_message == sentence


# --- broken feeds ---
@pytest.mark.parametrize(
    ("body", "titles"),
    [
        ("\ufeff\n\n" + rss("<item><title>x</title></item>"), ["x"]),
        ("<br />\n<b>Warning</b>: no\n" + rss("<item><title>x</title></item>"), ["x"]),
        (rss("<item><title>caf&eacute; &nbsp;&undefined; &amp; R&D</title></item>"), ["café &undefined; & R&D"]),
        (rss("<item><title>a\x0bb\x00</title></item>"), ["ab"]),
        (rss("<item><title>x</title></item>") + "<!-- made by a cache -->\n<rss>", ["x"]),
        (rss("<item><title>x</title></item><item><title>y</title></item>")[:-25], ["x", "y"]),
        (rss("<item><title>x</title><nope:tag>1</nope:tag><itunes:author>A</itunes:author></item>"), ["x"]),
        (
            rss("<item><title>x</title><description><p>one<br>two</description></item><item><title>y</title></item>"),
            ["x", "y"],
        ),
        (rss("<item><title>1 < 2 & so on</title></item>"), ["1 < 2 & so on"]),
        (rss("<ITEM><TITLE>x</TITLE></ITEM>"), ["x"]),
        (rss("<item><title>x</title><item/></item>"), ["x"]),
        ('<?xml version="1.0" encoding="bogus-8"?>' + rss("<item><title>é</title></item>")[21:], ["é"]),
        ("<!DOCTYPE rss [<!ENTITY me 'Ann'>]>" + rss("<item><title>&me;</title></item>")[21:], ["Ann"]),
    ],
    ids=range(13),
)
def test_broken_feed_is_mended(body: str, titles: list[str]) -> None:
    assert [entry.title for entry in parse(body).entries] == titles


# --- hostile feeds ---
def test_entities_are_neither_expanded_nor_fetched() -> None:
    bomb = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "&a{n - 1};&a{n - 1};">' for n in range(1, 40))
    feed = parse(
        f"<!DOCTYPE rss [{bomb}<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
        + rss("<item><title>&a39;&f;</title></item>")[21:]
    )
    assert feed.entries[0].title == "&a39;&f;"


def test_no_more_than_a_thousand_entries_are_taken() -> None:
    items = "".join(f"<item><guid>{n}</guid><title>{n}</title></item>" for n in range(3000))
    feed = parse(rss(items))
    assert len(feed.entries) == MAX_ENTRIES
    assert feed.entries[-1].title == "999"
    rows = [{"id": str(n)} for n in range(3000)]
    assert len(parse(json.dumps({"version": "https://jsonfeed.org/version/1", "items": rows})).entries) == MAX_ENTRIES


SIZE = 1_500_000
OPEN = '<rss version="2.0"><channel><title>x</title>'
HOSTILE = {
    "deep": OPEN + "<a>" * (SIZE // 3),
    "deep items": OPEN + "<item>" * (SIZE // 6),
    "deep xhtml": '<feed xmlns="http://www.w3.org/2005/Atom"><entry><content type="xhtml">' + "<b>" * (SIZE // 3),
    "one huge attribute": OPEN + f'<item a="{"x" * SIZE}"/>',
    "many attributes": OPEN + "<item " + " ".join(f'a{n}="1"' for n in range(SIZE // 12)) + "/></channel></rss>",
    "long author": OPEN + f"<item><author>{'a' * SIZE}</author></item></channel></rss>",
    "long authors": OPEN + f"<item><author>{'a' * 3000}</author></item>" * (SIZE // 3030) + "</channel></rss>",
    "many categories": OPEN + "<item>" + "".join(f"<category>{n}</category>" for n in range(SIZE // 25)) + "</item>",
    "stray signs": OPEN + "<&" * (SIZE // 2),
    "open tags": OPEN + "<a " * (SIZE // 4),
    "open quotes": OPEN + '<a b="' * (SIZE // 6),
    "open comments": OPEN + "<!-- " * (SIZE // 5),
    "open descriptions": OPEN + "<item><description>" * (SIZE // 25) + "<b>x</description>",
    "empty sections": OPEN + "<!----><![CDATA[]]>" * (SIZE // 30),
    "prefixes": OPEN + "".join(f"<a{n}:b>" for n in range(SIZE // 9)),
    "long date": OPEN + f"<item><pubDate>{'jan 1 ' * (SIZE // 6)}</pubDate></item></channel></rss>",
    "tags in text": OPEN
    + "<item><description>"
    + "&lt;a href=x " * (SIZE // 13)
    + "</description></item></channel></rss>",
    "stray text": OPEN + "<item/>x" * (SIZE // 8) + "</channel></rss>",
    "json": '{"version":"https://jsonfeed.org/version/1","items":' + "[" * SIZE,
    "escapes": OPEN + "<item><title>" + "&amp;lt;a " * (SIZE // 10) + "</title></item></channel></rss>",
    "letters of no charset": (OPEN + "<item><title>").encode() + bytes(0x80 + n % 120 for n in range(SIZE)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_feed_takes_no_longer_than_its_size_allows(name: str) -> None:
    body = HOSTILE[name]
    started = time.process_time()
    try:
        feed = parse(body)
    except FeedError as error:
        assert error.user_message
    else:
        assert len(feed.entries) <= MAX_ENTRIES
        assert all(len(entry.title) <= 500 for entry in feed.entries)
    assert time.process_time() - started < PATIENCE_SECONDS


PIECES = [
    "<rss version='2.0'>", "<channel>", "<item>", "</item>", "</channel>", "</rss>", "<title>", "</title>",
    "<description>", "</description>", "<feed xmlns='http://www.w3.org/2005/Atom'>", "<entry>", "</entry>",
    "</feed>", "<content type='xhtml'>", "<content type='html'>", "</content>",
    "<div xmlns='http://www.w3.org/1999/xhtml'>", "</div>", "<guid>", "</guid>", "<link>",
    "<link href='x' rel='enclosure'/>", "</link>", "<![CDATA[", "]]>", "<!--", "-->", "&", "&amp;", "&lt;", "&#x0;",
    "&#1114112;", "&nbsp;", "<", ">", "'", '"', "<a:b>", "</a:b>", "xml:base='http://[bad'", "<media:group>",
    "<author>", "</author>", "<?xml", "?>", "<!DOCTYPE rss [", "<!ENTITY a 'b'>", "]>", '\x00', "é", "text", " ",
    '\n', "<pubDate>", "</pubDate>", "<ttl>9</ttl>", "<source url='x'>", "</source>", "<image>", "</image>",
    "<category term='x'/>", "<svg>", "<item rdf:about='x'>", "<textinput>",
]  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_heap_of_pieces_of_feeds_is_read_or_refused(pieces: str) -> None:
    for start in ("", "<rss version='2.0'><channel>", "<feed xmlns='http://www.w3.org/2005/Atom'><entry>"):
        try:
            feed = parse(start + pieces)
        except FeedError as error:
            assert error.user_message
        else:
            assert len({entry.uid for entry in feed.entries}) == len(feed.entries)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    for start in (b"", b"<rss><channel><item><title>", b'{"version": "https://jsonfeed.org/version/1", "title": "'):
        try:
            parse(start + body, content_type)
        except FeedError as error:
            assert error.user_message
