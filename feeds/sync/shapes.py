"""Posts and sources as Google Reader told them. Nothing is asked of the database: rows come with all that is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feeds.content import content_of
from feeds.models import Post, Source
from feeds.sync.names import READ, READING_LIST, feed_stream, item_name, label_stream, microseconds, seconds


def site_of(source: Source) -> str:
    return source.url or source.feed.site_url or source.feed.url


def subscription(source: Source, icon_url: str) -> dict[str, Any]:
    label = source.category.description
    return {
        "id": feed_stream(source.pk),
        "title": source.name,
        "categories": [{"id": label_stream(label), "label": label, "type": "folder"}],
        "url": source.feed.url,
        "htmlUrl": site_of(source),
        "iconUrl": icon_url,
        "firstitemmsec": str(seconds(source.created_at) * 1000),
    }


def item(post: Post) -> dict[str, Any]:
    """Apps rely on an address being there, and on ``crawlTimeMsec`` and ``timestampUsec`` being texts."""
    entry, source = post.entry, post.source
    came = microseconds(post.created_at)
    href = entry.url or site_of(source)
    return {
        "id": item_name(post.pk),
        "crawlTimeMsec": str(came // 1000),
        "timestampUsec": str(came),
        "published": seconds(post.posted_at),
        "updated": seconds(entry.updated_at or post.posted_at),
        "title": entry.title,
        "author": entry.author,
        "canonical": [{"href": href}],
        "alternate": [{"href": href, "type": "text/html"}],
        "summary": {"direction": "ltr", "content": content_of(post)},
        "categories": [
            READING_LIST,
            label_stream(source.category.description),
            *([READ] if post.is_read else []),
        ],
        "origin": {"streamId": feed_stream(source.pk), "title": source.name, "htmlUrl": site_of(source)},
        "enclosure": [_enclosure(one) for one in entry.enclosures],
    }


def _enclosure(stored: Mapping[str, Any]) -> dict[str, Any]:
    told = {"href": stored.get("url") or "", "type": stored.get("media_type") or ""}
    length = stored.get("length")
    return {**told, **({"length": str(length)} if length else {})}
