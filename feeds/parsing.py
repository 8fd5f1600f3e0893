"""Bytes of a feed to FeedData: RSS, RDF, Atom and CDF by feedparser, JSON Feed by our own reader. Pure.

feedparser gets a document that was mended and cut down before (``markup``, ``feed_tree``), so it never falls back to
its slow parser and never meets more than it can handle; its sanitising and resolving of links are off.
"""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import Any

import feedparser

from feeds.data import Enclosure, FeedData, FeedError
from feeds.dates import parse_date
from feeds.decoding import MAX_BODY_BYTES, decode_body
from feeds.entries import (
    MAX_AUTHOR_CHARS,
    MAX_ENCLOSURES,
    MAX_TITLE_CHARS,
    RawEntry,
    finish_entries,
    plain_line,
    plain_tags,
    text_as_html,
)
from feeds.feed_tree import MAX_ENTRIES, FeedNotes, read_notes, trim
from feeds.json_feed import parse_json_feed
from feeds.links import absolute_links, absolute_url
from feeds.markup import NOT_A_FEED, parse_markup

__all__ = ["MAX_BODY_BYTES", "MAX_ENTRIES", "parse_feed"]

# What RSS asks for in ``author``: somebody@example.org (Somebody)
_ADDRESS_AND_NAME = re.compile(r"[^\s@()]+@[^\s@()]+\s*\(([^()]+)\)")
_HTML_TYPES = ("text/html", "application/xhtml+xml")


def parse_feed(body: bytes, *, url: str, content_type: str = "", now: datetime | None = None) -> FeedData:
    """The feed in a body received from ``url``; FeedError with a sentence for the owner if there is none.

    Takes at most 5 MB and 1,000 entries, and time in proportion to the size whatever is sent. ``now`` is only needed
    by readers of dates that know no year; none of today's formats is one.
    """
    text = decode_body(body, content_type)
    start = text[:200].lstrip("\ufeff \t\r\n)]}',")[:1]
    if start in ("{", "[") and "<" not in text[:200].partition(start)[0]:
        return parse_json_feed(text.lstrip("\ufeff \t\r\n"), url=url)
    return _parse_xml(text, url)


def _parse_xml(text: str, url: str) -> FeedData:
    root = parse_markup(text)
    notes = read_notes(root)
    document = trim(root)
    headers = {"content-type": "application/xml; charset=utf-8"}
    if b"base=" in document:  # else feedparser would join addresses at every element, and we do so with what we take
        headers["content-location"] = url
    parsed = feedparser.parse(
        io.BytesIO(document), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )
    feed = parsed.get("feed", {})
    kind = parsed.get("version") or ("cdf" if root.tag.lower() == "channel" else "")
    if not kind and not parsed.get("entries"):
        raise FeedError("no known format", user_message=NOT_A_FEED)
    site_url = absolute_url(feed.get("link"), url)
    rows = parsed.get("entries", [])[:MAX_ENTRIES]
    return FeedData(
        kind=kind or "xml",
        title=_plain(feed, "title", MAX_TITLE_CHARS),
        site_url=site_url,
        self_url=next((found for found in _linked(notes, "self", url)), ""),
        description=_plain(feed, "subtitle", 5000),
        author=_author(feed),
        language=plain_line(_text(feed.get("language")), 50),
        icon_url=_icon(feed, url),
        hub_urls=tuple(dict.fromkeys(_linked(notes, "hub", url))),
        ttl_minutes=notes.ttl_minutes,
        skip_hours=notes.skip_hours,
        skip_days=notes.skip_days,
        is_expired=False,
        entries=finish_entries([_entry(row, kind, url, site_url) for row in rows]),
    )


def _entry(row: Any, kind: str, feed_url: str, site_url: str) -> RawEntry:
    url = _entry_url(row, feed_url)
    content_base = "" if kind.startswith("atom") else url or site_url
    content, summary = _contents(row, feed_url, content_base or feed_url)
    return RawEntry(
        guid=_text(row.get("id")).strip(),
        url=url,
        title=_plain(row, "title", MAX_TITLE_CHARS),
        author=_author(row),
        content_html=content,
        summary_html=summary,
        published_at=_moment(row, "published", "created"),
        updated_at=_moment(row, "updated"),
        enclosures=_enclosures(row, url or feed_url),
        tags=plain_tags([_text(tag.get("label") or tag.get("term")) for tag in row.get("tags", [])]),
    )


def _entry_url(row: Any, base: str) -> str:
    """The page of the entry: its link, else its first link that is neither file nor hub."""
    if url := absolute_url(row.get("link"), base):
        return url
    others = (
        link for link in row.get("links", []) if link.get("rel", "alternate") in ("alternate", "related", "via")
    )
    return next((url for link in others if (url := absolute_url(link.get("href"), base))), "")


def _contents(row: Any, feed_url: str, base: str) -> tuple[str, str]:
    """Content and summary as HTML with absolute links."""
    contents = row.get("content", [])
    chosen = next((part for part in contents if part.get("type") in _HTML_TYPES), contents[0] if contents else None)
    summary = {**row.get("summary_detail", {}), "value": row.get("summary", "")}
    texts = []
    for part in (chosen or {}, summary):
        value = _text(part.get("value"))
        markup = value if part.get("type", "text/html") in _HTML_TYPES else text_as_html(value)
        own_base = _text(part.get("base"))
        texts.append(absolute_links(markup, own_base if own_base and own_base != feed_url else base))
    return texts[0], texts[1]


def _enclosures(row: Any, base: str) -> tuple[Enclosure, ...]:
    found: dict[str, Enclosure] = {}
    attached = [link for link in row.get("links", []) if link.get("rel") == "enclosure"]
    for link in [*attached, *row.get("media_content", [])][: 2 * MAX_ENCLOSURES]:
        address = absolute_url(link.get("href") or link.get("url"), base)
        if not address or address == base or "flash" in _text(link.get("type")):
            continue
        kind = plain_line(_text(link.get("type")), 100).lower().replace("text/html", "") or _medium(
            link.get("medium")
        )
        length = _text(link.get("length") or link.get("filesize")).strip()
        size = int(length) if length.isdecimal() and 0 < len(length) < 16 else None
        found.setdefault(address, Enclosure(address, kind, size or None))
    return tuple(found.values())[:MAX_ENCLOSURES]


def _medium(value: object) -> str:
    return f"{value}/*" if value in ("image", "audio", "video") else ""


def _plain(owner: Any, key: str, limit: int) -> str:
    detail = owner.get(f"{key}_detail", {})
    return plain_line(_text(owner.get(key)), limit, is_html=detail.get("type") in _HTML_TYPES)


def _author(owner: Any) -> str:
    whole = _text(owner.get("author"))
    people = owner.get("authors", [])
    if len(people) < 2 and (found := _ADDRESS_AND_NAME.fullmatch(whole)):
        return plain_line(found[1], MAX_AUTHOR_CHARS)
    names = (_text(person.get("name")) for person in people)
    lines = dict.fromkeys(plain_line(name, MAX_AUTHOR_CHARS, is_html="<" in name) for name in names)
    return plain_line(", ".join(filter(None, lines)) or whole, MAX_AUTHOR_CHARS)


def _icon(feed: Any, url: str) -> str:
    image = feed.get("image", {})
    candidates = (feed.get("icon"), feed.get("logo"), image.get("href") if hasattr(image, "get") else None)
    return next((found for value in candidates if (found := absolute_url(value, url))), "")


def _linked(notes: FeedNotes, rel: str, url: str) -> list[str]:
    addresses = (absolute_url(href, url) for name, href in notes.links if name == rel)
    return [address for address in addresses if address]


def _moment(row: Any, *keys: str) -> datetime | None:
    # feedparser's own get() answers a wish for "updated" with "published".
    return next((moment for key in keys if (moment := parse_date(dict.get(row, key))) is not None), None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
