"""Old read posts go, for users who want that; off by default."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef

from common.times import now_utc
from feeds.models import Article, Entry, Feed, Post, ReaderOptions, Source
from feeds.sources import drop_unread_feeds
from jobs.context import JobContext
from jobs.services import AlreadyActive, enqueue

JOB_KEY = "purge_posts"
MAX_DAYS = 36_500
_BATCH = 500
# A place without content is kept as long as its feed names it, and a while longer: feeds lose and regain entries.
_KEEP_PLACES = timedelta(days=90)


def queue_purge() -> int:
    """The daily plan. Returns how many jobs were queued: none when one is waiting or running."""
    try:
        enqueue("purge_posts", exclusive_key=JOB_KEY)
    except AlreadyActive:
        return 0
    return 1


def purge_posts(ctx: JobContext) -> dict[str, Any]:
    """The job: by the options of every user, or by ``user_id`` and ``days`` in the params."""
    now = now_utc()
    wishes = ReaderOptions.objects.filter(purge_after_days__isnull=False).order_by("pk")
    if "user_id" in ctx.params:
        plan = [(int(ctx.params["user_id"]), int(ctx.params["days"]))]
    else:
        plan = [(row.user_id, row.purge_after_days or 0) for row in wishes]
    removed = 0
    for done, (user_id, days) in enumerate(plan):
        ctx.check_cancelled()
        ctx.progress(done=done, total=len(plan), removed=removed)
        removed += _purge_user(ctx, user_id, now - timedelta(days=min(days, MAX_DAYS)))
    emptied = _empty_entries(ctx)
    places = _drop_places(ctx, now)
    feeds = _drop_feeds()
    ctx.progress(done=len(plan), total=len(plan), removed=removed)
    return {"posts": removed, "entries": emptied, "places": places, "feeds": feeds}


def _purge_user(ctx: JobContext, user_id: int, limit: datetime) -> int:
    """Posts that were read, and came, before ``limit``."""
    old = Post.objects.filter(user_id=user_id, is_read=True, posted_at__lt=limit, created_at__lt=limit)
    removed = 0
    while ids := list(old.values_list("pk", flat=True)[:_BATCH]):  # short transactions
        ctx.check_cancelled()
        Post.objects.filter(pk__in=ids).delete()
        removed += len(ids)
    return removed


def _empty_entries(ctx: JobContext) -> int:
    """Take the content out of entries that nobody has a post of, and nobody could get one of."""
    now = now_utc()
    unread = Entry.objects.filter(
        ~Exists(Post.objects.filter(entry=OuterRef("pk"))), is_purged=False, created_at__lt=now - timedelta(days=1)
    )
    emptied = 0
    while ids := list(unread.values_list("pk", flat=True)[:_BATCH]):
        ctx.check_cancelled()
        Article.objects.filter(entry__in=ids).delete()
        emptied += Entry.objects.filter(pk__in=ids).update(
            is_purged=True, content="", text="", excerpt="", enclosures=[], tags=[]
        )
    return emptied


def _drop_places(ctx: JobContext, now: datetime) -> int:
    old = Entry.objects.filter(is_purged=True, seen_at__lt=now - _KEEP_PLACES)
    gone = old.exclude(feed__changed_at__lt=now - _KEEP_PLACES)  # a feed at rest still names what it named last
    dropped = 0
    while ids := list(gone.values_list("pk", flat=True)[:_BATCH]):
        ctx.check_cancelled()
        Entry.objects.filter(pk__in=ids).delete()
        dropped += len(ids)
    return dropped


def _drop_feeds() -> int:
    """Feeds that lost their last reader with a deleted user."""
    lonely = Feed.objects.filter(~Exists(Source.objects.filter(feed=OuterRef("pk"))))
    return drop_unread_feeds(lonely.values_list("pk", flat=True))
