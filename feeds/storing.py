"""The last of the four steps: what a feed said becomes entries, and a post for everybody who subscribed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction

from feeds.data import EntryData, FeedData
from feeds.dates import posting_moment
from feeds.duplicates import Originals, find_originals
from feeds.link_digest import link_digest
from feeds.models import Article, Entry, Feed, Mute, Post, Source
from feeds.mutes import is_muted
from feeds.sanitising import sanitise
from feeds.texts import excerpt, to_text

logger = logging.getLogger(__name__)

_SHOWN = ("url", "title", "author", "content", "text", "excerpt", "enclosures", "tags", "content_hash", "link_digest")
_BATCH = 500
_MAX_TEXT_CHARS = 200_000


@dataclass(frozen=True, slots=True)
class Stored:
    """``added`` and ``edited`` count entries, ``posts`` what readers found new."""

    added: int
    edited: int
    posts: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be written: rows that are new, rows that changed, and all uids it names."""

    feed: Feed
    uids: tuple[str, ...]
    added: Sequence[Entry]
    edited: Sequence[Entry]
    now: datetime


def prepare(feed: Feed, document: FeedData, now: datetime) -> Prepared:
    """Compare a document that was fetched at ``now`` with what is stored, and sanitise what is new.

    Apart from writing, as it takes time that no transaction should last.
    """
    uids = tuple(entry.uid for entry in document.entries)
    rows = Entry.objects.filter(feed=feed, uid__in=uids).values_list("uid", "content_hash", "is_purged")
    known = {uid: None if is_purged else content_hash for uid, content_hash, is_purged in rows}
    fresh = [entry for entry in document.entries if entry.uid not in known]
    edited = [entry for entry in document.entries if known.get(entry.uid) not in (None, entry.content_hash)]
    return Prepared(
        feed=feed,
        uids=uids,
        added=[_make_entry(feed, entry, now, place) for place, entry in enumerate(fresh)],
        edited=[_make_entry(feed, entry, now, 0, is_edit=True) for entry in edited],
        now=now,
    )


def write(prepared: Prepared) -> Stored:
    """Entries, and posts for who reads them. Part of the caller's transaction."""
    feed, now = prepared.feed, prepared.now
    with transaction.atomic():
        added = Entry.objects.bulk_create(
            prepared.added,
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["feed", "uid"],
            update_fields=[*_SHOWN, "seen_at"],
        )
        Entry.objects.bulk_create(
            prepared.edited,
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["feed", "uid"],
            update_fields=[*_SHOWN, "seen_at", "updated_at"],
        )
        if prepared.edited:
            _keep_full_texts(feed, [entry.uid for entry in prepared.edited])
        Entry.objects.filter(feed=feed, uid__in=prepared.uids).update(seen_at=now)
        sources = list(Source.objects.filter(feed=feed, active=True))
        posts = make_posts(sources, added, now)
    return Stored(len(added), len(prepared.edited), posts)


def _keep_full_texts(feed: Feed, uids: Sequence[str]) -> None:
    """An edited entry whose page was read stays to be found by the words of that page."""
    texts = Article.objects.filter(entry__feed=feed, entry__uid__in=uids).exclude(text="")
    for entry_id, text in texts.values_list("entry_id", "text"):
        Entry.objects.filter(pk=entry_id).update(text=text)


def make_posts(sources: Sequence[Source], entries: Sequence[Entry], now: datetime) -> int:
    """A post per source and entry, muted ones and duplicates read; returns how many. One that is there stays."""
    if not sources or not entries:
        return 0
    mutes: dict[int, list[Mute]] = {}
    for mute in Mute.objects.filter(user__in={source.user_id for source in sources}):
        mutes.setdefault(mute.user_id, []).append(mute)
    originals = find_originals(sources, entries)
    posts = [
        _make_post(source, entry, mutes.get(source.user_id, ()), originals, now)
        for source in sources
        # The oldest first, so that posts of one moment keep their order by number.
        for entry in sorted(entries, key=lambda entry: entry.published_at)
    ]
    Post.objects.bulk_create(posts, batch_size=_BATCH, ignore_conflicts=True)
    return len(posts)


def catch_up(source: Source, now: datetime, *, since: datetime | None = None) -> int:
    """Posts for what the feed holds at present, for somebody who comes later; ``since``: only what came from then on.

    Entries whose content was purged count as gone.
    """
    newest = Entry.objects.filter(feed=source.feed_id).order_by("-seen_at").values_list("seen_at", flat=True).first()
    if newest is None:
        return 0
    entries = Entry.objects.filter(feed=source.feed_id, seen_at=newest, is_purged=False)
    if since is not None:
        entries = entries.filter(created_at__gte=since)
    return make_posts([source], list(entries), now)


def _make_post(source: Source, entry: Entry, mutes: Iterable[Mute], originals: Originals, now: datetime) -> Post:
    original = originals.get((source.user_id, entry.link_digest))
    is_read = original is not None or is_muted(mutes, source.pk, entry.title, entry.text)
    return Post(
        user_id=source.user_id,
        source=source,
        entry=entry,
        is_read=is_read,
        read_at=now if is_read else None,
        posted_at=entry.published_at,
        created_at=now,
        duplicate_of_id=original,
    )


def _make_entry(feed: Feed, entry: EntryData, now: datetime, place: int, *, is_edit: bool = False) -> Entry:
    content = sanitise(entry.content_html, base_url=entry.url or feed.site_url or feed.url)
    return Entry(
        feed=feed,
        uid=entry.uid,
        url=entry.url[:2000],
        title=entry.title[:500],
        author=entry.author[:300],
        content=content,
        text=to_text(content)[:_MAX_TEXT_CHARS],
        excerpt=excerpt(entry.summary_html or content),
        enclosures=[asdict(enclosure) for enclosure in entry.enclosures],
        tags=list(entry.tags),
        content_hash=entry.content_hash,
        link_digest=link_digest(entry.url),
        # Undated entries keep the order of the document, whose first one is the newest.
        published_at=posting_moment(
            entry.published_at, entry.updated_at, seen_at=now - timedelta(milliseconds=place)
        ),
        created_at=now,
        updated_at=now if is_edit else None,
        seen_at=now,
    )
