"""From the address of any page to a source: find the feeds it names, prove one, subscribe with its posts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from common.errors import RemoteError
from common.http import Gate
from feeds import crawl, discovery
from feeds.addresses import address_or_empty, normalise_address
from feeds.decisions import Decision, Known, decide
from feeds.errors import AlreadySubscribed, NoFeedFound, PageUnreachable
from feeds.models import Category, Feed, Source
from feeds.retrieval import NOTHING_KNOWN, Retrieved, open_gate, retrieve
from feeds.sources import NewSource, add_source, find_by_feed, find_or_create_feed

# A person waits: so many places are looked at, for so long.
MAX_TRIED = 12
_PATIENCE_SECONDS = 30.0
_TIME_TO_STORE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Wish:
    """``url``: of a feed or of a page, in its one spelling."""

    url: str
    category: Category
    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What an address led to: all feeds that were named, best first, and the first of them that can be read."""

    feed_urls: tuple[str, ...]
    url: str
    decision: Decision
    site_title: str
    site_description: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    source: Source
    feed_urls: tuple[str, ...]
    site_title: str
    site_description: str


def subscribe(user: Any, wish: Wish, now: datetime) -> Subscribed:
    """Find, prove, store. Raises PageUnreachable, NoFeedFound, AlreadySubscribed, InvalidAddress."""
    url = normalise_address(wish.url)
    _refuse_second(user, url)
    if Feed.objects.filter(url=url).exclude(body_hash="").exists():  # others read it: nothing has to be asked
        source = add_source(user, NewSource(url, wish.category, wish.name, wish.description), now)
        return Subscribed(source, (url,), source.feed.title, source.feed.description)
    with open_gate() as gate:
        found = find_feeds(gate, url, now)
    _refuse_second(user, found.url)
    source = _store(user, wish, found, now)
    return Subscribed(source, found.feed_urls, found.site_title, found.site_description)


def find_feeds(gate: Gate, url: str, now: datetime) -> Found:
    """What the page at the address is or names, tried until one can be read."""
    known = discovery.known_places(url)
    try:
        page = _get_page(gate, url)
    except PageUnreachable:
        if not known:
            raise
        return _try_each(gate, known, "", "", now)  # some services show pages to people only, but feeds to all
    address = address_or_empty(page.moved_to) or url
    decision = decide(Known(0, address), page, now)
    if decision.document is not None:
        title = decision.document.title
        return Found((address,), address, decision, title, decision.document.description)
    facts = discovery.find_in_page(page.body, url=page.url, content_type=page.content_type)
    named = discovery.find_in_headers(page.headers.get("link", ""), url=page.url)
    candidates = discovery.merge(known, named, facts.candidates) or discovery.common_places(page.url)
    return _try_each(gate, candidates, facts.title, facts.description, now)


def _try_each(
    gate: Gate, candidates: Sequence[discovery.Candidate], title: str, description: str, now: datetime
) -> Found:
    trouble = ""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    for candidate in candidates[:MAX_TRIED]:
        address = address_or_empty(candidate.url)
        if not address or time.monotonic() > give_up_at:
            continue
        try:
            answer = retrieve(gate, address, NOTHING_KNOWN)
        except RemoteError as error:
            trouble = error.user_message
            continue
        address = address_or_empty(answer.moved_to) or address
        decision = decide(Known(0, address), answer, now)
        if decision.document is not None:
            named = tuple(other.url for other in candidates if other.how != "guess") or (address,)
            return Found(named, address, decision, title or decision.document.title, description)
        trouble = trouble if candidate.how == "guess" else decision.error
    raise NoFeedFound(f"This page names no feed that can be read. {trouble}".strip())


def _get_page(gate: Gate, url: str) -> Retrieved:
    try:
        page = retrieve(gate, url, NOTHING_KNOWN)
    except RemoteError as error:
        raise PageUnreachable(str(error), user_message=error.user_message) from error
    if page.status_code != 200:
        raise PageUnreachable(
            f"{url}: {page.status_code}", user_message=f"The address answered with status {page.status_code}."
        )
    return page


def _refuse_second(user: Any, url: str) -> None:
    source = find_by_feed(user, url)
    if source is not None:
        raise AlreadySubscribed(source.name)


def _store(user: Any, wish: Wish, found: Found, now: datetime) -> Source:
    """The source, and at once the posts that were fetched to prove the feed: nothing is asked for twice."""
    with transaction.atomic():
        # Not due before the posts are stored, lest the clock fetches it in this very moment.
        feed = find_or_create_feed(found.url, now, next_due_at=now + _TIME_TO_STORE)
        name = wish.name or ("" if feed.title else found.site_title)
        source = add_source(user, NewSource(found.url, wish.category, name, wish.description), now)
    if not feed.body_hash:
        crawl.store([(crawl.known_of(feed, None), found.decision)], crawl.Outcome(1))
    source.refresh_from_db()
    return source
