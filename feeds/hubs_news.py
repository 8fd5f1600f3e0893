"""What hubs send: checked when it comes, kept, then read and stored by a job, on the path of every fetched document.

It is believed as far as the feed itself would be: entries of that feed, new or edited. What the feed is called, how
often it is asked and whether it is well stays the business of fetching. A document may hold only what is new.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import zlib
from datetime import datetime
from typing import Any

from django.db import DataError, transaction
from django.db.models import Max, Q

from common.times import now_utc
from feeds import hubs
from feeds.data import FeedData, FeedError
from feeds.decisions import rhythm_of
from feeds.models import Entry, Feed, HubNews, HubSubscription
from feeds.parsing import parse_feed
from feeds.retrieval import MAX_BYTES
from feeds.storing import prepare, write
from jobs.context import JobContext
from jobs.services import AlreadyActive, enqueue

logger = logging.getLogger(__name__)

JOB_KEY = "hub_news"
# Documents of one feed that may wait to be read; a hub that sends more is asked to come later.
MOST_WAITING = 20

_METHODS = {"sha1", "sha256", "sha384", "sha512"}


class Unreadable(Exception):
    """The body is compressed in a way that is not read here, or too large when it is unpacked."""


# --- when it comes --------------------------------------------------------------------------------------------------
def is_signed(header: str, secret: str, body: bytes) -> bool:
    """Whether ``X-Hub-Signature`` (``method=hex digits``) is that of the body under the secret."""
    method, _, given = header.strip().partition("=")
    if method.lower() not in _METHODS or not secret:
        return False
    made = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(made.encode(), given.strip().lower().encode("utf-8", "replace"))


def unpacked(body: bytes, encoding: str, most: int = MAX_BYTES) -> bytes:
    """The body without its Content-Encoding; Unreadable. Never more than ``most`` bytes are held."""
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable(coding)
    inflater = zlib.decompressobj(15 if coding == "deflate" else 31)
    try:
        plain = inflater.decompress(body, most + 1)
    except zlib.error as error:
        raise Unreadable(coding) from error
    if len(plain) > most or not inflater.eof:
        raise Unreadable("too large, or cut off")
    return plain


def find_active(key: str) -> HubSubscription | None:
    """The subscription that news under this key belong to."""
    return HubSubscription.objects.filter(key=key, state=HubSubscription.State.ACTIVE).first()


def keep(row: HubSubscription, body: bytes, content_type: str, now: datetime) -> bool:
    """Keep a document until the job reads it; the same one once. False: too many wait."""
    waiting = HubNews.objects.filter(feed=row.feed_id)
    digest = hashlib.sha256(body).hexdigest()
    if waiting.count() >= MOST_WAITING and not waiting.filter(digest=digest).exists():
        return False
    news = HubNews(
        feed_id=row.feed_id,
        digest=digest,
        body=zlib.compress(body),
        content_type=content_type[:200],
        came_at=now,
    )
    with transaction.atomic():
        HubNews.objects.bulk_create([news], ignore_conflicts=True)
        queue_news()
    return True


# --- when it is read ------------------------------------------------------------------------------------------------
def queue_news() -> int:
    """Have what waits read. Returns how many jobs were queued."""
    if not HubNews.objects.exists():
        return 0
    try:
        enqueue("hub_news", exclusive_key=JOB_KEY)
    except AlreadyActive:
        return 0  # it looks again before it ends, and the clock after it
    return 1


def store_news(ctx: JobContext) -> dict[str, Any]:
    """The job: everything that waits, in the order in which it came."""
    documents = posts = unreadable = 0
    while (news := HubNews.objects.select_related("feed").first()) is not None:
        ctx.check_cancelled()
        try:
            stored = _store(news)
        finally:
            # Even after a fault of ours: it would come again, and nobody's news would ever be read.
            HubNews.objects.filter(pk=news.pk).delete()
        documents += 1
        if stored is None:
            unreadable += 1
        else:
            posts += stored
        ctx.progress(documents=documents, new_posts=posts, unreadable=unreadable)
    return {"documents": documents, "new_posts": posts, "unreadable": unreadable}


def _store(news: HubNews) -> int | None:
    """How many posts came of it; None when it could not be read, which its subscription says."""
    try:
        document = parse_feed(zlib.decompress(news.body), url=news.feed.url, content_type=news.content_type)
        return _write(news.feed, document, news.came_at)
    except FeedError as error:
        sentence = f"The hub sent something unreadable. {error.user_message}"
    except (DataError, ValueError):  # as in crawl
        logger.exception("news of feed %d could not be stored", news.feed_id)
        sentence = "The hub sent something that could not be stored; the log has the details."
    HubSubscription.objects.filter(feed=news.feed_id).update(last_error=sentence[:500])
    return None


def _write(feed: Feed, document: FeedData, came_at: datetime) -> int:
    now = now_utc()
    prepared = prepare(feed, document, now)
    latest = rhythm_of(document, now).latest_entry_at
    with transaction.atomic():
        if not Feed.objects.select_for_update().filter(pk=feed.pk).exists():
            return 0  # its last reader has left
        last_whole = Entry.objects.filter(feed=feed).aggregate(at=Max("seen_at"))["at"]
        stored = write(prepared)
        if last_whole is not None:
            # Whoever subscribes next gets what the last whole document named, and this; not this alone.
            Entry.objects.filter(feed=feed, uid__in=prepared.uids).update(seen_at=last_whole)
        if stored.added or stored.edited:
            Feed.objects.filter(pk=feed.pk).update(changed_at=now)
        if latest is not None:
            newer = Q(latest_entry_at__lt=latest) | Q(latest_entry_at=None)
            Feed.objects.filter(newer, pk=feed.pk).update(latest_entry_at=latest)
        HubSubscription.objects.filter(feed=feed, state=hubs.State.ACTIVE).update(told_at=came_at, last_error="")
    return stored.posts
