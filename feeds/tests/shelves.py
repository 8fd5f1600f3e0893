"""Sources and posts for tests of pages, written straight into the tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from feeds.categories import find_or_create_category
from feeds.models import Entry, Feed, Post, Source

from .conftest import NOW


def make_source(user: Any, name: str, *, category: str = "Blogs") -> Source:
    url = f"https://{name.lower().replace(' ', '-')}.example/feed"
    feed, _ = Feed.objects.get_or_create(url=url, defaults={"host": "blog.example", "next_due_at": NOW})
    drawer, _ = find_or_create_category(user, category)
    return Source.objects.create(user=user, feed=feed, category=drawer, name=name)


def make_posts(source: Source, count: int, *, first: int = 1, is_read: bool = False, **values: Any) -> list[Post]:
    """Post 1, Post 2 …, an hour apart, the oldest first; ``values`` are for their entries."""
    entries = Entry.objects.bulk_create(_entry(source, number, values) for number in range(first, first + count))
    moments = [NOW - timedelta(days=60) + timedelta(hours=number) for number in range(first, first + count)]
    return _posts(source, entries, moments, is_read)


def _posts(source: Source, entries: Sequence[Entry], moments: Sequence[Any], is_read: bool) -> list[Post]:
    return Post.objects.bulk_create(
        Post(
            user_id=source.user_id,
            source=source,
            entry=entry,
            posted_at=moment,
            created_at=moment,
            is_read=is_read,
            read_at=NOW if is_read else None,
        )
        for entry, moment in zip(entries, moments, strict=True)
    )


def _entry(source: Source, number: int, values: dict[str, Any]) -> Entry:
    shown = {
        "url": f"https://blog.example/{source.pk}/{number}",
        "title": f"Post {number}",
        "content": f"<p>Text of post {number}.</p>",
        "text": f"Text of post {number}.",
        "excerpt": f"Excerpt of post {number}.",
        **values,
    }
    return Entry(
        feed_id=source.feed_id,
        uid=f"guid:{source.pk}-{number}",
        content_hash=f"{number}",
        published_at=NOW,
        created_at=NOW,
        seen_at=NOW,
        **shown,
    )
