"""WebSub: what a subscription at a hub is to us, and what a hub may change of it (https://www.w3.org/TR/websub/).

    asked --confirmed--> active --renewed--> active --nobody reads it, the feed names no hub--> ended
      |                    |
      +------denied--------+--> denied (asked again after a month)

Asking is the clock's work (``hubs_asking``), news come in by ``hubs_news``. A hub is trusted with the rhythm of a
feed only after it has sent news, and not any more once a fetch finds something that it has missed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from django.urls import reverse

from common.encryption import UnreadableSecret
from common.text import clean_line
from feeds.models import Feed, HubSubscription
from feeds.schedule import first_due_at
from jobs.services import enqueue

State = HubSubscription.State

LEASE_SECONDS = 10 * 24 * 3600
MAX_LEASE = timedelta(days=90)
MIN_LEASE = timedelta(minutes=5)
# Before the end by a third of the lease, but no earlier than that.
_RENEW_BEFORE = timedelta(days=2)
_AFTER_DENIAL = timedelta(days=30)
_MAX_WAIT = timedelta(days=7)
_MAX_CHALLENGE_CHARS = 2000
# How long we know what we left, for the hub to ask whether we meant it.
_REMEMBER_SECONDS = 24 * 3600


def is_reachable() -> bool:
    """Whether this site has a public address that hubs could call."""
    return bool(settings.MASTOSCORE_SITE_URL)


def callback_address(key: str) -> str:
    return f"{settings.MASTOSCORE_SITE_URL}{reverse('hub-callback', args=[key])}"


def new_key() -> str:
    return secrets.token_urlsafe(32)


def secret_of(row: HubSubscription) -> str:
    """ "" when it was encrypted under a key that is not known any more."""
    try:
        return str(row.secret)
    except UnreadableSecret:
        return ""


def retry_wait(failures: int) -> timedelta:
    """An hour after the first asking, then 2, 4, 8 …, at most a week."""
    return min(timedelta(hours=1 << min(failures, 10)), _MAX_WAIT)


def trusted(now: datetime) -> Q:
    """Subscriptions that stand for most of the asking."""
    return Q(state=State.ACTIVE, told_at__isnull=False, ends_at__gt=now)


# --- what the hub says ----------------------------------------------------------------------------------------------
def confirm(key: str, params: Mapping[str, str], now: datetime) -> str | None:
    """The answer to a hub that asks whether we meant it: its challenge, or None if we did not.

    A refusal (``denied``) is noted; the answer to it is empty.
    """
    mode, topic, challenge = (params.get(f"hub.{name}", "") for name in ("mode", "topic", "challenge"))
    mine = HubSubscription.objects.filter(key=key)
    row = mine.first()
    if mode == "unsubscribe":
        has_left = row.state == State.ENDED and row.topic_url == topic if row else _recall(key) == topic
        return _checked(challenge) if has_left and topic else None
    if row is None or row.topic_url != topic or row.state == State.ENDED:
        return None
    if mode == "denied":
        reason = clean_line(params.get("hub.reason", ""))[:200]
        sentence = f"The hub refused: {reason}" if reason else "The hub refused."
        mine.update(state=State.DENIED, due_at=now + _AFTER_DENIAL, ends_at=None, told_at=None, last_error=sentence)
        poll_soon([row.feed_id], now)
        return ""
    if mode != "subscribe" or row.state == State.DENIED or _checked(challenge) is None:
        return None
    lease = _lease(params.get("hub.lease_seconds", ""))
    renewal = now + lease - min(lease / 3, _RENEW_BEFORE)
    active = {"state": State.ACTIVE, "ends_at": now + lease, "due_at": renewal, "failures": 0, "last_error": ""}
    return challenge if mine.filter(state__in=[State.ASKED, State.ACTIVE]).update(**active) else None


def _checked(challenge: str) -> str | None:
    return challenge if 0 < len(challenge) <= _MAX_CHALLENGE_CHARS else None


def _lease(text: str) -> timedelta:
    is_number = text.isascii() and text.isdigit() and len(text) <= 12
    given = timedelta(seconds=int(text)) if is_number else timedelta(seconds=LEASE_SECONDS)
    return max(MIN_LEASE, min(given, MAX_LEASE))


# --- what becomes of the asking -------------------------------------------------------------------------------------
def poll_soon(feed_ids: Collection[int], now: datetime) -> None:
    """Ask the feeds again as if there never were a hub, beginning within minutes."""
    for feed in Feed.objects.filter(pk__in=feed_ids).only("pk", "url"):
        soon = first_due_at(now, seed=feed.url)
        Feed.objects.filter(pk=feed.pk, next_due_at__gt=soon).update(next_due_at=soon)


def doubt(feed_id: int) -> None:
    """A fetch found what the hub did not tell: back to asking, until it tells something again."""
    HubSubscription.objects.filter(feed=feed_id).update(told_at=None)


# --- leaving --------------------------------------------------------------------------------------------------------
def leave_later(feed_ids: Collection[int]) -> None:
    """Before these feeds are deleted: have their hubs told. Part of the caller's transaction."""
    living = HubSubscription.objects.filter(feed__in=feed_ids, state__in=[State.ASKED, State.ACTIVE])
    rows = [{"hub": row.hub_url, "topic": row.topic_url, "key": row.key} for row in living.defer("secret")]
    if rows:
        enqueue("leave_hubs", params={"subscriptions": rows})


def remember(key: str, topic: str) -> None:
    """So that the hub's question about it can be answered when the row is gone."""
    cache.set(_memory(key), topic, _REMEMBER_SECONDS)


def _recall(key: str) -> Any:
    return cache.get(_memory(key))


def _memory(key: str) -> str:
    return f"hub-left:{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}"
