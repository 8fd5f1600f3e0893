"""Rows for tests, made by the services."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from common.times import now_utc
from feeds import crawl
from feeds.categories import find_or_create_category
from feeds.models import Entry, Feed, Post, Source
from feeds.sources import NewSource, add_source
from feeds.storing import make_posts
from jobs.context import JobContext

from .conftest import NOW


def subscribe(user: Any, url: str, *, category: str = "Blogs", now: datetime = NOW, **values: Any) -> Source:
    drawer, _ = find_or_create_category(user, category)
    return add_source(user, NewSource(url, drawer, **values), now)


def ask_all(**options: Any) -> crawl.Outcome:
    """One pass over every feed there is."""
    rows = list(Feed.objects.order_by("pk").values_list("pk", "host"))
    values = {"slice_seconds": None, "patience_seconds": 0.0, **options}
    return crawl.crawl(JobContext.detached("refresh_feeds"), rows, **values)


def fill(source: Source, count: int, *, came_at: Any = None, first: int = 1) -> list[Post]:
    """So many entries in the source's feed, with their posts, an hour apart; the later the number, the newer."""
    now = came_at or now_utc() - timedelta(days=1)
    entries = Entry.objects.bulk_create(
        Entry(
            feed_id=source.feed_id,
            uid=f"guid:{number}",
            url=f"https://blog.example/{source.pk}/{number}",
            title=f"Post {number}",
            content=f"<p>Text {number}</p>",
            text=f"Text {number}",
            published_at=now - timedelta(hours=count - number),
            content_hash=str(number),
            created_at=now,
            seen_at=now,
        )
        for number in range(first, first + count)
    )
    make_posts([source], entries, now)
    return list(Post.objects.filter(source=source, entry__in=entries).order_by("pk"))
