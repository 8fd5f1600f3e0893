"""Rows for tests, made by the services."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from feeds import crawl
from feeds.categories import find_or_create_category
from feeds.models import Feed, Source
from feeds.sources import NewSource, add_source
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
