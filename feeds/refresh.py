"""Feeds asked anew: the due ones each minute in one job with threads, or one because somebody wants it now.

Threads wait for the network and parse; the thread of the job alone reads and writes the database. One feed per host
at a time, with a pause before the next; a slow or hostile feed holds up its own host and one thread, nobody else.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from common.times import now_utc
from feeds import crawl
from feeds.metrics import CRAWL_BEAT
from feeds.models import Feed, Source
from jobs.context import JobContext
from jobs.models import Beat, Job
from jobs.services import AlreadyActive, enqueue, request_cancel

JOB_KEY = "refresh_feeds"
# A crawl begins nothing new after so long: what became due meanwhile on other hosts gets its turn in the next one.
SLICE_SECONDS = 50.0
MAX_FEEDS = 5000
# How long a refresh of one feed waits for its host to be free.
PATIENCE_SECONDS = 60.0


def due_feeds(now: datetime) -> QuerySet[Feed]:
    """Feeds that somebody reads and whose time has come, the longest due first."""
    return _wanted_feeds().filter(next_due_at__lte=now).exclude(not_before__gt=now).order_by("next_due_at")


def queue_refresh() -> int:
    """The plan of each minute. Returns how many jobs were queued: none when nothing is due, or one is under way."""
    now = now_utc()
    if not due_feeds(now).exists():
        if _wanted_feeds().exists():
            note_crawl(now)
        return 0
    try:
        enqueue("refresh_feeds", exclusive_key=JOB_KEY)
    except AlreadyActive:
        return 0
    return 1


def queue_source(source: Source, *, asked_by: Any = None) -> Job:
    """A refresh of the source's feed now; the one that is waiting or running already, if there is one."""
    try:
        return enqueue(
            "refresh_feed",
            subject=source.name[:300],
            params={"feed_id": source.feed_id},
            exclusive_key=feed_key(source.feed_id),
            asked_by=asked_by,
        )
    except AlreadyActive as error:
        return error.job


def queue_due(*, asked_by: Any = None) -> None:
    """Have due feeds asked soon, such as those of an import."""
    try:
        enqueue("refresh_feeds", exclusive_key=JOB_KEY, asked_by=asked_by)
    except AlreadyActive:
        return  # the plan of the next minute sees to the rest


def drop_waiting() -> None:
    """Cancel a refresh of the due feeds that waits for a worker, as one of all feeds does its work as well."""
    waiting = Job.objects.filter(exclusive_key=JOB_KEY, kind="refresh_feeds", status=Job.Status.QUEUED)
    for job in waiting:
        if not job.params.get("all"):
            request_cancel(job.pk)


def feed_key(feed_id: int) -> str:
    return f"feed:{feed_id}"


def note_crawl(now: datetime) -> None:
    Beat.objects.update_or_create(name=CRAWL_BEAT, defaults={"at": now})


def refresh_feeds(ctx: JobContext) -> dict[str, Any]:
    """The job over the due feeds; ``all`` in the params: over every feed that somebody reads, due or not."""
    now = now_utc()
    is_all = bool(ctx.params.get("all"))
    feeds = _wanted_feeds().exclude(not_before__gt=now).order_by("next_due_at") if is_all else due_feeds(now)
    chosen = sorted(feeds.values_list("failures", "pk", "host")[:MAX_FEEDS], key=lambda row: row[0] > 0)
    rows = [(pk, host) for _, pk, host in chosen]  # those that failed last time keep no thread from the others
    done = crawl.crawl(ctx, rows, slice_seconds=None if is_all else SLICE_SECONDS, patience_seconds=0)
    if not rows or done.succeeded:
        note_crawl(timezone.now())
    return done.as_result()


def refresh_feed(ctx: JobContext) -> dict[str, Any]:
    """The job for one feed, whatever its schedule and back-off; a server that asked us to wait is not asked."""
    now = now_utc()
    feed = Feed.objects.filter(pk=ctx.params["feed_id"]).first()
    if feed is None:
        return {"success": False, "error": "Nobody subscribes to this feed any more."}
    if feed.not_before is not None and feed.not_before > now:
        minutes = max(1, int((feed.not_before - now) / timedelta(minutes=1)))
        sentence = f"{feed.host} asked us to wait; it will be asked again in {minutes} min."
        return {"success": False, "error": sentence}
    done = crawl.crawl(ctx, [(feed.pk, feed.host)], slice_seconds=None, patience_seconds=PATIENCE_SECONDS)
    return {**done.as_result(), "success": done.succeeded > 0, "error": done.last_error}


def _wanted_feeds() -> QuerySet[Feed]:
    readers = Source.objects.filter(feed=OuterRef("pk"), active=True)
    return Feed.objects.filter(Exists(readers), is_gone=False)
