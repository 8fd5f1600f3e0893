"""The small pictures of feeds: looked for in the background, shared by all readers of a feed, looked at anew monthly.

Tried in this order: what the feed names, what the page of its site names, ``/favicon.ico``. Whatever comes is drawn
anew as a small PNG by a process with bounded memory and time; SVG, which may hold scripts, is passed over.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from common.confined import Confined, WorkFailed
from common.errors import RemoteError
from common.http import Gate
from common.times import now_utc
from feeds.addresses import address_or_empty, host_of
from feeds.discovery import find_in_page
from feeds.icon_images import MAX_BYTES, MEDIA_TYPE
from feeds.models import Feed, FeedIcon, Source
from feeds.retrieval import open_gate
from feeds.rounds import Round
from jobs.context import JobContext
from jobs.services import AlreadyActive, enqueue

JOB_KEY = "fetch_icons"
MAX_FEEDS = 200
SLICE_SECONDS = 50.0
_LOOK_AGAIN = timedelta(days=30)
_LOOK_AGAIN_WITHOUT = timedelta(days=7)
_MAX_PAGE_BYTES = 2_000_000
_SECONDS = 10.0
_MAX_TRIED = 4
_VERSION_CHARS = 16


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the icon of a feed may be."""

    feed_id: int
    icon_url: str
    site_url: str


# --- shown ----------------------------------------------------------------------------------------------------------
def icon_address(feed: Feed) -> str:
    """Where its icon is shown, "" when it has none. One query, unless the row came with ``icon``."""
    icon = getattr(feed, "icon", None)  # not looked for yet: AttributeError, by Django's design
    return "" if icon is None else address_of(icon.feed_id, icon.digest)


def address_of(feed_id: int, digest: str | None) -> str:
    """The same for rows that hold no more than these; ``digest`` is that of the icon."""
    return f"{reverse('reader-icon', args=[feed_id])}?v={digest[:_VERSION_CHARS]}" if digest else ""


def find_icon(user: Any, feed_id: int) -> FeedIcon | None:
    """The icon of a feed that the user has a source of."""
    own = Source.objects.filter(user=user, feed=OuterRef("feed"))
    return FeedIcon.objects.filter(Exists(own), feed=feed_id).exclude(digest="").first()


def version_of(icon: FeedIcon) -> str:
    """Changes with the picture; a part of its address."""
    return icon.digest[:_VERSION_CHARS]


# --- looked for -----------------------------------------------------------------------------------------------------
def due_feeds(now: datetime) -> QuerySet[Feed]:
    """Feeds that somebody reads and that were asked at least once, whose icon is unknown or old."""
    readers = Source.objects.filter(feed=OuterRef("pk"), active=True)
    is_old = Q(icon__tried_at__lt=now - _LOOK_AGAIN)
    is_missing = Q(icon__digest="", icon__tried_at__lt=now - _LOOK_AGAIN_WITHOUT)
    feeds = Feed.objects.filter(Q(icon__isnull=True) | is_old | is_missing, Exists(readers), is_gone=False)
    return feeds.filter(fetched_at__isnull=False).order_by("pk")


def queue_icons() -> int:
    """The plan of every few minutes. Returns how many jobs were queued."""
    if not due_feeds(now_utc()).exists():
        return 0
    try:
        enqueue("fetch_icons", exclusive_key=JOB_KEY)
    except AlreadyActive:
        return 0
    return 1


def fetch_icons(ctx: JobContext) -> dict[str, Any]:
    """The job: a part of what is due, so that it never lasts."""
    rows = due_feeds(now_utc()).values_list("pk", "icon_url", "site_url", "url")[:MAX_FEEDS]
    wanted = [Wanted(pk, icon_url, site_url or _root_of(url)) for pk, icon_url, site_url, url in rows]
    found: list[int] = []

    def store(item: Wanted, content: bytes) -> None:
        found.extend([item.feed_id] if content else [])
        store_icon(item.feed_id, content, now_utc())

    with open_gate() as gate, ctx.on_stop(gate.abort), _painter() as draw:
        ask = partial(find_picture, gate, draw)
        tried = Round(ctx, gate, ask=ask, store=store, seconds=SLICE_SECONDS).run(_with_hosts(wanted))
    return {"tried": tried, "found": len(found)}


def store_icon(feed_id: int, content: bytes, now: datetime) -> None:
    """What was found, if anything. A picture that was there stays when the site does not give it this time."""
    values: dict[str, Any] = {"tried_at": now}
    if content:
        values |= {
            "content": content,
            "media_type": MEDIA_TYPE,
            "digest": hashlib.sha256(content).hexdigest(),
        }
    with contextlib.suppress(IntegrityError), transaction.atomic():  # its last reader may have left meanwhile
        FeedIcon.objects.update_or_create(feed_id=feed_id, defaults=values)


def find_picture(gate: Gate, draw: Confined, wanted: Wanted) -> bytes:
    """The first of the places that has a usable picture, as PNG; b"" when none has."""
    for url in _places(gate, wanted):
        with contextlib.suppress(RemoteError, WorkFailed):
            answer = gate.get(
                url, headers={"Accept": "image/*"}, max_bytes=MAX_BYTES, total_seconds=_SECONDS, max_redirects=3
            )
            made = draw(answer.body) if answer.status_code == 200 else b""
            if made:
                return made
    return b""


def _places(gate: Gate, wanted: Wanted) -> Iterator[str]:
    """Addresses to try; the site's page is asked only when the feed's own icon is of no use."""
    seen = set()
    named = address_or_empty(wanted.icon_url)
    if named:
        seen.add(named)
        yield named
    for url in _named_by_site(gate, wanted.site_url):
        if url not in seen and len(seen) < _MAX_TRIED:
            seen.add(url)
            yield url


def _named_by_site(gate: Gate, site_url: str) -> list[str]:
    url = address_or_empty(site_url)
    if not url:
        return []
    places: tuple[str, ...] = ()
    with contextlib.suppress(RemoteError):
        page = gate.get(
            url, headers={"Accept": "text/html"}, max_bytes=_MAX_PAGE_BYTES, total_seconds=_SECONDS, max_redirects=3
        )
        if page.status_code == 200:
            content_type = page.headers.get("content-type", "")
            places = find_in_page(page.body, url=page.url, content_type=content_type).icon_urls
    return list(dict.fromkeys(filter(None, map(address_or_empty, [*places, f"{_root_of(url)}favicon.ico"]))))


def _root_of(url: str) -> str:
    address = address_or_empty(url)
    return f"{address.partition('//')[0]}//{host_of(address)}/" if address else ""


def _with_hosts(wanted: Iterable[Wanted]) -> Iterator[tuple[str, Wanted]]:
    for item in wanted:
        address = address_or_empty(item.icon_url) or address_or_empty(item.site_url)
        yield host_of(address), item


def _painter() -> Confined:
    return Confined("feeds.icon_images:make_icon", max_megabytes=600, max_seconds=5)
