"""From the address of any page to the feeds behind it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.discovery import common_places, find_in_headers, find_in_page, known_places, merge
from feeds.link_header import hub_links

URL = "https://blog.example/2026/post.html"


def urls(body: str, url: str = URL) -> list[str]:
    return [candidate.url for candidate in find_in_page(body.encode(), url=url).candidates]


def test_links_of_the_head_are_offered_in_their_order_comments_last() -> None:
    page = """<html><head><title>My &amp; Blog</title><meta name=description content=" About  it ">
        <meta name="author" content="Ann"><base href="/sub/"><link rel="shortcut icon" href="/i.png">
        <link rel="alternate" type="application/rss+xml" title="Comments on post" href="comments/feed">
        <LINK REL="Alternate" TYPE="application/atom+xml; charset=utf-8" TITLE="All" HREF="atom.xml">
        <link rel="feed" href="https://other.example/f">
        <link rel="alternate" type="application/feed+json" href="feed.json">
        <link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/1">
        <link rel="alternate" type="application/json+oembed" href="/oembed?x=1">
        <link rel="alternate" hreflang="de" href="/de/">
        <link rel="stylesheet" type="text/css" href="x.css">
        <link rel="alternate" type="application/rss+xml" href="javascript:alert(1)"></head><body></body></html>"""
    found = find_in_page(page.encode(), url=URL)
    assert [(candidate.url, candidate.title, candidate.kind) for candidate in found.candidates] == [
        ("https://blog.example/sub/atom.xml", "All", "atom"),
        ("https://other.example/f", "", ""),
        ("https://blog.example/sub/feed.json", "", "json"),
        ("https://blog.example/sub/comments/feed", "Comments on post", "rss"),
    ]
    assert (found.title, found.description, found.author) == ("My & Blog", "About it", "Ann")
    assert found.icon_urls[0] == "https://blog.example/i.png"
    assert found.icon_urls[-1] == "https://blog.example/favicon.ico"


def test_links_of_the_text_are_hints() -> None:
    page = """<body><a href="/about">About</a><a href="/rss.xml">Subscribe</a><a href="/x">RSS feed</a>
        <a href="https://feeds.example/blog">here</a><a href="/feeding-cats">Cats</a>
        <a href="https://elsewhere.example/page">RSS explained</a><a href="?feed=atom">Atom</a></body>"""
    assert urls(page) == [
        "https://blog.example/rss.xml",
        "https://blog.example/2026/post.html?feed=atom",
        "https://blog.example/x",
        "https://feeds.example/blog",
    ]


def test_pages_of_strangers_are_searched_in_bounds() -> None:
    many = "".join(f'<link rel="alternate" type="application/rss+xml" href="/f{n}">' for n in range(5000))
    assert len(urls(f"<head>{many}</head>")) == 30
    assert urls("<div>" * 100_000 + '<a href="/feed">x</a>') in ([], ["https://blog.example/feed"])
    assert find_in_page(b"\x1f\x8b broken", url=URL).candidates == ()
    assert find_in_page(b"", url=URL).candidates == ()


CHANNEL = "UCabcdefghijklmnopqrstuv"
YOUTUBE = "https://www.youtube.com/feeds/videos.xml"
GITLAB = ("releases.atom", "tags?format=atom")
TOOL = "https://github.com/ann/tool"


@pytest.mark.parametrize(
    ("page", "feeds"),
    [
        (f"https://www.youtube.com/channel/{CHANNEL}", [f"{YOUTUBE}?channel_id={CHANNEL}"]),
        ("https://m.youtube.com/user/ann/videos", [f"{YOUTUBE}?user=ann"]),
        ("https://www.youtube.com/watch?v=x&list=PLabcdefghijk", [f"{YOUTUBE}?playlist_id=PLabcdefghijk"]),
        ("https://www.youtube.com/@ann", []),
        ("https://github.com/ann", ["https://github.com/ann.atom"]),
        (TOOL, [f"{TOOL}/releases.atom", f"{TOOL}/commits.atom", f"{TOOL}/tags.atom"]),
        (f"{TOOL}/commits/dev", [f"{TOOL}/commits/dev.atom", f"{TOOL}/releases.atom", f"{TOOL}/tags.atom"]),
        ("https://gitlab.com/g/s/t/-/issues", [f"https://gitlab.com/g/s/t/-/{x}" for x in GITLAB]),
        ("https://old.reddit.com/r/python/top", ["https://www.reddit.com/r/python/.rss"]),
        ("https://fedi.example/@ann", ["https://fedi.example/@ann.rss"]),
        ("https://fedi.example/@ann.rss", ["https://fedi.example/@ann.rss"]),
        ("https://fedi.example/@ann/112233", ["https://fedi.example/@ann.rss"]),
        ("https://fedi.example/users/ann", ["https://fedi.example/@ann.rss"]),
        ("https://fedi.example/web/@ann@else.example", ["https://else.example/@ann.rss"]),
        ("https://fedi.example/@ann/tagged/cats", ["https://fedi.example/@ann/tagged/cats.rss"]),
        ("http://127.0.0.1:8080/tags/monsterdon", ["http://127.0.0.1:8080/tags/monsterdon.rss"]),
        ("https://medium.com/@ann", ["https://medium.com/feed/@ann"]),
        ("https://ann.substack.com/p/x", ["https://ann.substack.com/feed"]),
        ("https://bsky.app/profile/ann.example", ["https://bsky.app/profile/ann.example/rss"]),
        ("https://ann.tumblr.com/", ["https://ann.tumblr.com/rss"]),
        ("https://blog.example/about", []),
        ("https://blog.example/", []),
    ],
)
def test_services_are_known_by_their_addresses(page: str, feeds: list[str]) -> None:
    assert [candidate.url for candidate in known_places(page)] == feeds


def test_youtube_page_names_its_channel_inside() -> None:
    page = '<link rel="canonical" href="https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv"><title>Ann</title>'
    assert urls(page, "https://www.youtube.com/@ann") == [
        "https://www.youtube.com/feeds/videos.xml?channel_id=UCabcdefghijklmnopqrstuv"
    ]


def test_headers_name_feeds_and_hubs() -> None:
    header = (
        '<https://h.example/hub>; rel="hub", </feed>; rel=alternate; type="application/atom+xml"; title="A, b", '
        '<feed.xml>; rel="self", </x>; rel=alternate; type=text/html, <javascript:1>; rel=hub, broken'
    )
    assert [(found.url, found.title) for found in find_in_headers(header, url=URL)] == [
        ("https://blog.example/feed", "A, b")
    ]
    assert hub_links(header, url=URL) == (("https://h.example/hub",), "https://blog.example/2026/feed.xml")


def test_guesses_are_beside_the_page_and_at_the_root() -> None:
    places = [candidate.url for candidate in common_places("https://e.example/~ann/blog/")]
    assert places[:2] == ["https://e.example/~ann/blog/feed", "https://e.example/~ann/blog/rss"]
    assert "https://e.example/feed.xml" in places
    assert common_places("mailto:a@b.example") == []


def test_merged_candidates_stand_once_and_in_order() -> None:
    linked = find_in_page(b'<link rel=alternate type=application/rss+xml href="http://blog.example/feed">', url=URL)
    named = find_in_headers(
        '<https://blog.example/feed>; rel=alternate; type="application/rss+xml"; title=T', url=URL
    )
    merged = merge(common_places(URL), named, linked.candidates)
    assert (merged[0].url, merged[0].title, merged[0].how) == ("http://blog.example/feed", "T", "link")
    assert [candidate.rank for candidate in merged] == sorted(candidate.rank for candidate in merged)
    assert len([candidate for candidate in merged if candidate.url.endswith("blog.example/feed")]) == 1


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(max_size=200))
def test_any_address_and_page_are_searched(url: str, body: str) -> None:
    for address in (
        url,
        f"https://{url}",
        f"https://github.com/{url}",
        f"https://www.youtube.com/{url}",
        f"https://a.example/@{url}",
    ):
        found = [*known_places(address), *common_places(address), *find_in_headers(body, url=address)]
        assert all(candidate.url.startswith(("http://", "https://")) for candidate in found)
        find_in_page(body.encode("utf-8", "replace"), url=address)
