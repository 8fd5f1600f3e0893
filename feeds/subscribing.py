"""From the address of any page to a source: find the feeds it names, prove one, subscribe with its posts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from common.errors import RemoteError
from common.http import Gate
from feeds import crawl, discovery
from feeds.addresses import address_or_empty, normalise_address
from feeds.categories import find_or_create_category
from feeds.decisions import Decision, Known, decide
from feeds.errors import AlreadySubscribed, NoFeedFound, PageUnreachable
from feeds.models import Category, Feed, Source
from feeds.retrieval import NOTHING_KNOWN, Retrieved, open_gate, retrieve
from feeds.sources import NewSource, add_source, find_by_feed, find_or_create_feed
from feeds.turns import turn_of

# A person waits: so many places are looked at, for so long.
MAX_TRIED = 12
_PATIENCE_SECONDS = 30.0
_TIME_TO_STORE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Wish:
    """``url``: of a feed or of a page, in its one spelling. ``new_category`` names one that is made with the source
    if it is missing, and goes before ``category``; without either it is “Uncategorized”."""

    url: str
    category: Category | None
    name: str = ""
    description: str = ""
    new_category: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What an address led to: all feeds that were named, best first, and the first of them that can be read.

    ``offers`` are the same feeds with what is known of them, for a person to choose from; the one that was read has
    the title and kind that it says itself.
    """

    feed_urls: tuple[str, ...]
    url: str
    decision: Decision
    site_title: str
    site_description: str
    offers: tuple[discovery.Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscribed:
    source: Source
    feed_urls: tuple[str, ...]
    site_title: str
    site_description: str


def subscribe(user: Any, wish: Wish, now: datetime) -> Subscribed:
    """Find, prove, store. Raises PageUnreachable, NoFeedFound, AlreadySubscribed, InvalidAddress."""
    return _subscribe(user, wish, now, find_feeds)


def subscribe_to_feed(user: Any, wish: Wish, now: datetime) -> Subscribed:
    """The same for the very feed at the address, such as one that was chosen among several: no other is taken."""
    return _subscribe(user, wish, now, prove_feed)


def prove_feed(gate: Gate, url: str, now: datetime) -> Found:
    """The feed at the address itself. Raises PageUnreachable, NoFeedFound."""
    found = _read_feed(_get_page(gate, url), url, now)
    if isinstance(found, Decision):
        raise NoFeedFound(f"There is no feed at this address. {found.error}".strip())
    return found


def find_feeds(gate: Gate, url: str, now: datetime) -> Found:
    """What the page at the address is or names, tried until one can be read."""
    known = discovery.known_places(url)
    try:
        page = _get_page(gate, url)
    except PageUnreachable:
        if not known:
            raise
        return _try_each(gate, known, "", "", now)  # some services show pages to people only, but feeds to all
    found = _read_feed(page, url, now)
    if isinstance(found, Found):
        return found
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
            title = title or decision.document.title
            return Found(named, address, decision, title, description, _offers(candidate, candidates, decision))
        trouble = trouble if candidate.how == "guess" else decision.error
    raise NoFeedFound(f"This page names no feed that can be read. {trouble}".strip())


def _subscribe(user: Any, wish: Wish, now: datetime, look: Callable[[Gate, str, datetime], Found]) -> Subscribed:
    url = normalise_address(wish.url)
    _refuse_second(user, url)
    if Feed.objects.filter(url=url).exclude(body_hash="").exists():  # others read it: nothing has to be asked
        with transaction.atomic():
            source = add_source(user, _new_source(user, wish, url), now)
        return Subscribed(source, (url,), source.feed.title, source.feed.description)
    with turn_of(user.pk), open_gate() as gate:
        found = look(gate, url, now)
    _refuse_second(user, found.url)
    source = _store(user, wish, found, now)
    return Subscribed(source, found.feed_urls, found.site_title, found.site_description)


def _read_feed(page: Retrieved, url: str, now: datetime) -> Found | Decision:
    """The answer as a feed; the decision that says why not, when it is none."""
    address = address_or_empty(page.moved_to) or url
    decision = decide(Known(0, address), page, now)
    if decision.document is None:
        return decision
    title = decision.document.title
    offer = discovery.Candidate(address, title, decision.document.kind, "known", discovery.KNOWN)
    return Found((address,), address, decision, title, decision.document.description, (offer,))


def _offers(
    read: discovery.Candidate, candidates: Sequence[discovery.Candidate], decision: Decision
) -> tuple[discovery.Candidate, ...]:
    """All that were named, and the one that was read even if it was a guess."""
    document = decision.document
    if document is None:
        return ()
    proved = replace(read, title=document.title or read.title, kind=document.kind)
    offered = [proved if one is read else one for one in candidates if one is read or one.how != "guess"]
    return tuple(offered)


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


def _new_source(user: Any, wish: Wish, feed_url: str) -> NewSource:
    """With its category, made in the transaction of the source: without the one there is not the other."""
    category = None if wish.new_category else wish.category
    if category is None:
        category, _ = find_or_create_category(user, wish.new_category)
    return NewSource(feed_url, category, wish.name, wish.description)


def _store(user: Any, wish: Wish, found: Found, now: datetime) -> Source:
    """The source, and at once the posts that were fetched to prove the feed: nothing is asked for twice."""
    with transaction.atomic():
        # Not due before the posts are stored, lest the clock fetches it in this very moment.
        feed = find_or_create_feed(found.url, now, next_due_at=now + _TIME_TO_STORE)
        name = wish.name or ("" if feed.title else found.site_title)
        description = wish.description or ("" if feed.title else found.site_description)
        new = replace(_new_source(user, wish, found.url), name=name, description=description)
        source = add_source(user, new, now)
    if not feed.body_hash:
        crawl.store([(crawl.known_of(feed, None), found.decision)], crawl.Outcome(1))
    source.refresh_from_db()
    return source
