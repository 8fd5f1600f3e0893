"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/) to FeedData. Pure; wrong types are as if missing."""

from __future__ import annotations

from typing import Any

from common.json_reading import NotJson, read_json
from common.text import clean_text
from feeds.data import Enclosure, FeedData, FeedError
from feeds.dates import parse_date
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
from feeds.feed_tree import MAX_ENTRIES
from feeds.links import absolute_links, absolute_url

_MAX_CONTENT_CHARS = 1_000_000


def parse_json_feed(text: str, *, url: str) -> FeedData:
    """FeedError if the text is no JSON or JSON of another kind."""
    try:
        value = read_json(text.encode("utf-8", "replace"))
    except NotJson as error:
        raise FeedError(
            f"JSON: {error}", user_message="The feed is too broken to be read (it is not JSON)."
        ) from error
    if not isinstance(value, dict) or not _is_feed(value):
        raise FeedError("JSON of another kind", user_message="The answer is JSON, but not a feed.")
    site_url = absolute_url(value.get("home_page_url"), url)
    items = [item for item in _rows(value.get("items"))[:MAX_ENTRIES] if isinstance(item, dict)]
    return FeedData(
        kind="json10" if _version(value).endswith(("/1", "/1.0", "version/1")) else "json11",
        title=plain_line(_text(value.get("title")), MAX_TITLE_CHARS),
        site_url=site_url,
        self_url=absolute_url(value.get("feed_url"), url),
        description=plain_line(_text(value.get("description")), 5000),
        author=_author(value),
        language=plain_line(_text(value.get("language")), 50),
        icon_url=absolute_url(value.get("favicon") or value.get("icon"), url),
        hub_urls=_hubs(value.get("hubs"), url),
        ttl_minutes=None,
        skip_hours=(),
        skip_days=(),
        is_expired=value.get("expired") is True,
        entries=finish_entries([_entry(item, site_url or url, _author(value)) for item in items]),
    )


def _is_feed(value: dict[Any, Any]) -> bool:
    if "jsonfeed.org/version/" in _version(value):
        return True
    return isinstance(value.get("items"), list) and isinstance(value.get("title"), str)


def _version(value: dict[Any, Any]) -> str:
    return _text(value.get("version")).strip().lower().rstrip("/")


def _entry(item: dict[Any, Any], base: str, feed_author: str) -> RawEntry:
    link = absolute_url(item.get("url"), base)
    url = link or absolute_url(item.get("external_url"), base)
    title = plain_line(_text(item.get("title")), MAX_TITLE_CHARS)
    content = absolute_links(_text(item.get("content_html"))[:_MAX_CONTENT_CHARS], url or base)
    if not content.strip():
        content = text_as_html(_text(item.get("content_text"))[:_MAX_CONTENT_CHARS])
    return RawEntry(
        guid=_identity(item.get("id")),
        url=url,
        title=title,
        author=_author(item) or feed_author,
        content_html=content,
        summary_html=text_as_html(_text(item.get("summary"))[:20_000]),
        published_at=parse_date(item.get("date_published")),
        updated_at=parse_date(item.get("date_modified")),
        enclosures=_enclosures(item, base),
        tags=plain_tags([_text(tag) for tag in _rows(item.get("tags"))]),
    )


def _identity(value: object) -> str:
    """The id as text: the format asks for a string, and wants numbers read as one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return clean_text(str(value)).strip()


def _author(owner: dict[Any, Any]) -> str:
    people = [*_rows(owner.get("authors")), owner.get("author")]
    names = [_text(person.get("name")) if isinstance(person, dict) else _text(person) for person in people[:20]]
    lines = dict.fromkeys(plain_line(name, MAX_AUTHOR_CHARS) for name in names)
    return plain_line(", ".join(filter(None, lines)), MAX_AUTHOR_CHARS)


def _enclosures(item: dict[Any, Any], base: str) -> tuple[Enclosure, ...]:
    found = []
    for row in _rows(item.get("attachments"))[:MAX_ENCLOSURES]:
        if isinstance(row, dict) and (address := absolute_url(row.get("url"), base)):
            size = row.get("size_in_bytes")
            length = int(size) if isinstance(size, int) and 0 <= size < 2**53 else None
            found.append(Enclosure(address, plain_line(_text(row.get("mime_type")), 100).lower(), length))
    if image := absolute_url(item.get("image") or item.get("banner_image"), base):
        found.append(Enclosure(image, "image/*", None))
    return tuple(found)


def _hubs(value: object, url: str) -> tuple[str, ...]:
    hubs = [row for row in _rows(value)[:10] if isinstance(row, dict)]
    addresses = (absolute_url(row.get("url"), url) for row in hubs if _text(row.get("type")).lower() == "websub")
    return tuple(dict.fromkeys(filter(None, addresses)))


def _rows(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
