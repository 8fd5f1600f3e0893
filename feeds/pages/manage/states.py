"""How a source is, in words for its reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from feeds.api.shapes import time_ago
from feeds.models import Feed, Post, Source
from feeds.refresh import feed_key
from jobs.models import Job

# A job that waits longer has no worker to do it; the page does not ask about it for ever.
WATCHED = timedelta(minutes=10)
Health = Feed.Health

CONDITIONS = {
    "working": Q(active=True, feed__health=Health.ACTIVE),
    "issues": Q(active=True, feed__health=Health.WARNING),
    "failed": Q(active=True, feed__health=Health.FAILED),
    "off": Q(active=False),
}


@dataclass(frozen=True, slots=True)
class State:
    """``key`` is one of working, issues, failed, off, new; ``words`` say it, ``trouble`` is the last error."""

    key: str
    words: str
    trouble: str = ""


@dataclass(slots=True)
class SourceRow:
    """A source as lists show it. ``next_at`` None: not planned; ``is_due``: any moment now."""

    source: Source
    state: State
    next_at: datetime | None
    is_due: bool
    posts: int = 0
    unread: int = 0
    job: Job | None = None
    is_watched: bool = field(default=False)
    said: str = ""
    fetched_ago: str = ""
    next_in: str = ""


def state_of(source: Source) -> State:
    feed = source.feed
    if not source.active:
        return State("off", "Switched off", source.deactivation_reason)
    if feed.failures:
        times = "once" if feed.failures == 1 else f"{feed.failures} times in a row"
        word, key = ("Not working", "failed") if feed.health == Health.FAILED else ("Issues", "issues")
        return State(key, f"{word}: failed {times}", feed.last_error)
    if feed.attempted_at is None:
        return State("new", "Not asked yet")
    return State("working", "Working")


def next_ask(source: Source) -> datetime | None:
    """When the clock asks the feed again; None for one that is not asked."""
    feed = source.feed
    if not source.active or feed.is_gone:
        return None
    return max(feed.next_due_at, feed.not_before) if feed.not_before else feed.next_due_at


def time_until(moment: datetime, now: datetime) -> str:
    """“in 25 minutes”, “in 3 hours”."""
    minutes = max(1, round((moment - now) / timedelta(minutes=1)))
    count, unit = (minutes, "minute") if minutes < 90 else (round(minutes / 60), "hour")
    if unit == "hour" and count >= 48:
        count, unit = round(count / 24), "day"
    return f"in {count} {unit}{'' if count == 1 else 's'}"


def with_feeds(sources: QuerySet[Source]) -> QuerySet[Source]:
    """Rows with what lists show, and without the validators."""
    return sources.select_related("feed", "category").defer("feed__etag", "feed__last_modified", "feed__description")


def as_rows(sources: Sequence[Source], now: datetime) -> list[SourceRow]:
    """Numbers and jobs for all of them at once: three queries."""
    ids = [source.pk for source in sources]
    posts, unread = _count(Post.objects.filter(source__in=ids)), _count(_unread(ids))
    keys = {feed_key(source.feed_id) for source in sources}
    active = {job.exclusive_key: job for job in Job.objects.filter(exclusive_key__in=keys, status__in=Job.ACTIVE)}
    rows = []
    for source in sources:
        moment, job = next_ask(source), active.get(feed_key(source.feed_id))
        row = SourceRow(source, state_of(source), moment, moment is not None and moment <= now)
        row.posts, row.unread, row.job = posts.get(source.pk, 0), unread.get(source.pk, 0), job
        row.is_watched = job is not None and now - job.created_at < WATCHED
        if source.feed.fetched_at is not None:
            row.fetched_ago = time_ago(source.feed.fetched_at, now)
        if moment is not None and not row.is_due:
            row.next_in = time_until(moment, now)
        rows.append(row)
    return rows


def _unread(ids: Sequence[int]) -> QuerySet[Post]:
    return Post.objects.filter(source__in=ids, is_read=False)


def _count(posts: QuerySet[Post]) -> dict[int, int]:
    return dict(posts.order_by().values_list("source").annotate(count=Count("pk")))
