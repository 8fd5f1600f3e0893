"""A user's sources: subscribed, renamed, moved, paused, deleted. Feeds behind them are shared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from common.text import clean_line, clean_text
from common.times import now_utc
from feeds.addresses import host_of
from feeds.duplicates import promote_duplicates
from feeds.errors import AlreadySubscribed
from feeds.hubs import leave_later
from feeds.models import Category, Feed, Post, Source
from feeds.retrieval import refuse_closed_address
from feeds.storing import catch_up

MAX_NAME_CHARS = 255
MAX_DESCRIPTION_CHARS = 500
PAUSED = "Paused by you."
_UNKNOWN: dict[str, Any] = {
    "etag": b"",
    "last_modified": b"",
    "body_hash": "",
    "failures": 0,
    "health": Feed.Health.ACTIVE,
    "last_error_at": None,
    "last_error": "",
    "not_before": None,
    "is_gone": False,
    "moving_to": "",
    "moving_seen": 0,
}


@dataclass(frozen=True, slots=True)
class NewSource:
    """What a source is to be; empty texts mean that the feed's own are taken as soon as they are known."""

    feed_url: str
    category: Category
    name: str = ""
    description: str = ""
    site_url: str = ""


def find_or_create_feed(url: str, now: datetime, **values: Any) -> Feed:
    """The feed at that address (in its one spelling), locked until the transaction ends; a new one is due at once."""
    defaults = {"host": host_of(url), "next_due_at": now, **values}
    feed, _ = Feed.objects.select_for_update().get_or_create(url=url, defaults=defaults)
    return feed


def find_by_feed(user: Any, feed_url: str) -> Source | None:
    return Source.objects.filter(user=user, feed__url=feed_url).first()


def add_source(user: Any, new: NewSource, now: datetime) -> Source:
    """Subscribe, with posts for what is known of the feed. AlreadySubscribed when the user has that feed."""
    with transaction.atomic():
        feed = find_or_create_feed(new.feed_url, now)
        source = Source(
            user=user,
            feed=feed,
            category=new.category,
            name=_line(new.name or feed.title or new.feed_url, MAX_NAME_CHARS),
            description=_line(new.description or feed.description, MAX_DESCRIPTION_CHARS),
            url=new.site_url or feed.site_url,
        )
        try:
            with transaction.atomic():
                source.save()
        except IntegrityError:
            raise _already_subscribed(user, feed) from None
        catch_up(source, now)
    return source


def change_source(source: Source, values: Mapping[str, Any]) -> Source:
    """Set any of ``name description url category active interval_minutes wants_full_text feed_url``.

    ``deactivation_reason`` is for sources that are, or become, inactive. Switching off and on again leaves out
    nothing that the feed still names. AlreadySubscribed when ``feed_url`` is that of another source, InvalidAddress
    when it is one that we do not contact.
    """
    now = now_utc()
    if "feed_url" in values and values["feed_url"] != source.feed.url:
        refuse_closed_address(values["feed_url"])
    with transaction.atomic():
        if "feed_url" in values and values["feed_url"] != source.feed.url:
            _change_feed(source, values["feed_url"], now)
        if "active" in values and values["active"] != source.active:
            _switch(source, values["active"], values.get("deactivation_reason") or PAUSED, now)
        elif not source.active and values.get("deactivation_reason"):
            source.deactivation_reason = _line(values["deactivation_reason"], MAX_DESCRIPTION_CHARS)
        for name in ("name", "description", "url", "category", "interval_minutes", "wants_full_text"):
            if name in values:
                setattr(source, name, values[name])
        source.save()
    return source


def move_sources(user: Any, ids: Collection[int], category: Category) -> int:
    """Put the user's sources of these numbers into the category; returns how many there were."""
    return Source.objects.filter(user=user, pk__in=ids).update(category=category, updated_at=now_utc())


def delete_source(source: Source) -> None:
    """With its posts; the feed goes too when nobody else reads it."""
    delete_sources([source])


def delete_sources(sources: Iterable[Source]) -> None:
    chosen = list(sources)
    with transaction.atomic():
        promote_duplicates(source.pk for source in chosen)
        Source.objects.filter(pk__in=[source.pk for source in chosen]).delete()
        drop_unread_feeds(source.feed_id for source in chosen)


def drop_unread_feeds(feed_ids: Iterable[int]) -> int:
    """Remove those of the feeds that nobody subscribed to; returns how many rows of feeds went."""
    ids = list(set(feed_ids))
    removed = 0
    for start in range(0, len(ids), 500):
        feeds = Feed.objects.filter(pk__in=ids[start : start + 500])
        unread = feeds.filter(~Exists(Source.objects.filter(feed=OuterRef("pk"))))
        with transaction.atomic():
            # Locked, so that nobody subscribes in between.
            locked = list(unread.select_for_update().values_list("pk", flat=True))
            leave_later(locked)
            removed += Feed.objects.filter(pk__in=locked).delete()[1].get("feeds.Feed", 0)
    return removed


def _change_feed(source: Source, feed_url: str, now: datetime) -> None:
    """Another address for the same thing: read marks stay, as far as its entries are known by the same ids."""
    former = source.feed
    is_shared = Source.objects.filter(feed=former).exclude(pk=source.pk).exists()
    if not is_shared and not Feed.objects.filter(url=feed_url).exists():
        move_feed(former, feed_url, next_due_at=now)
        return
    source.feed = find_or_create_feed(feed_url, now)
    try:
        with transaction.atomic():
            source.save(update_fields=["feed"])
    except IntegrityError:
        feed, source.feed = source.feed, former
        raise _already_subscribed(source.user, feed) from None
    catch_up(source, now)
    posts = Post.objects.filter(source=source)
    read = posts.filter(entry__feed=former, is_read=True).values("entry__uid")
    posts.filter(entry__feed=source.feed, entry__uid__in=read).update(is_read=True, read_at=now)
    posts.filter(entry__feed=former).delete()
    drop_unread_feeds([former.pk])


def move_feed(feed: Feed, url: str, **values: Any) -> None:
    """Give the feed an address that no other feed has; nothing is known of how its server answers there."""
    for name, value in {**_UNKNOWN, **values, "url": url, "host": host_of(url)}.items():
        setattr(feed, name, value)
    feed.save()


def _switch(source: Source, active: bool, reason: str, now: datetime) -> None:
    source.active = active
    if not active:
        source.deactivation_reason, source.paused_at = _line(reason, MAX_DESCRIPTION_CHARS), now
        return
    Feed.objects.filter(pk=source.feed_id, is_gone=True).update(is_gone=False, next_due_at=now)
    catch_up(source, now, since=source.paused_at)
    source.deactivation_reason, source.paused_at = "", None


def _already_subscribed(user: Any, feed: Feed) -> AlreadySubscribed:
    holder = Source.objects.filter(user=user, feed=feed).first()
    return AlreadySubscribed(holder.name if holder is not None else feed.url)


def _line(text: str, most: int) -> str:
    return clean_line(clean_text(text))[:most].strip()
