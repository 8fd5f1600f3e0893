"""The third of the four steps: what an answer means for a feed. Pure; every rule is a table of cases.

How often to ask, how long to wait after failures and what the headers ask for are worked out in ``schedule`` and
``caching``; here it is put together.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from common.errors import RemoteError
from common.http import Gate
from common.times import now_utc
from feeds import caching, schedule
from feeds.addresses import address_or_empty
from feeds.data import FeedData, FeedError
from feeds.link_header import hub_links
from feeds.models import MAX_ADDRESS_CHARS
from feeds.parsing import parse_feed
from feeds.retrieval import NOTHING_KNOWN, Retrieved, Validators, retrieve

# A permanent redirect is believed when it led to the same readable feed this many times in a row.
PROOFS_OF_MOVE = 3
_LATEST = 20
_MAX_GAP_MINUTES = 10 * 366 * 24 * 60
_ASKS_TO_WAIT = (429, 503)


class Verdict(enum.Enum):
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a feed behaves, by the columns of Feed."""

    latest_entry_at: datetime | None = None
    entry_gap_minutes: int | None = None
    ttl_minutes: int | None = None
    skip_hours: list[int] = field(default_factory=list)
    skip_days: list[int] = field(default_factory=list)

    @property
    def moments(self) -> list[datetime]:
        """As many entries as tell the rhythm: the latest, and one a usual gap before it."""
        if self.latest_entry_at is None:
            return []
        if self.entry_gap_minutes is None:
            return [self.latest_entry_at]
        return [self.latest_entry_at, self.latest_entry_at - timedelta(minutes=self.entry_gap_minutes)]


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a feed before it is asked. ``wanted_minutes``: the shortest interval a reader chose.

    ``is_pushed``: a hub that has proved itself sends its news.
    """

    feed_id: int
    url: str
    validators: Validators = NOTHING_KNOWN
    body_hash: str = ""
    rhythm: Rhythm = field(default_factory=Rhythm)
    wanted_minutes: int | None = None
    failures: int = 0
    moving_to: str = ""
    moving_seen: int = 0
    is_pushed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to store: ``values`` by the columns of Feed, ``document`` with its entries, the address to move to."""

    verdict: Verdict
    values: Mapping[str, Any]
    document: FeedData | None = None
    move_to: str = ""
    error: str = ""
    seconds: float = 0.0


def ask(gate: Gate, known: Known) -> Decision:
    """The first three steps for one feed: retrieve, parse, decide. Runs in a thread; touches no database."""
    try:
        answer = retrieve(gate, known.url, known.validators)
    except RemoteError as error:
        return fail(known, error.user_message, now_utc())
    return decide(known, answer, now_utc())


def decide(known: Known, answer: Retrieved, now: datetime) -> Decision:
    """What an answer means. Parsing happens here too, when there is something new to parse."""
    if answer.status_code == 304 and known.validators.headers:
        return _unchanged(known, answer, known.validators, now)
    if answer.status_code == 410:
        return _gone(known, answer, now)
    if answer.status_code != 200:
        wait = caching.retry_after(answer.headers, now=now) if answer.status_code in _ASKS_TO_WAIT else None
        return fail(known, _sentence(answer), now, not_before=wait, seconds=answer.seconds)
    body_hash = hashlib.sha256(answer.body).hexdigest()
    if body_hash == known.body_hash:
        return _unchanged(known, answer, answer.validators, now)
    try:
        document = parse_feed(answer.body, url=answer.url, content_type=answer.content_type, now=now)
    except FeedError as error:
        return fail(known, error.user_message, now, seconds=answer.seconds)
    return _changed(known, answer, document, body_hash, now)


def fail(
    known: Known, sentence: str, now: datetime, *, not_before: datetime | None = None, seconds: float = 0.0
) -> Decision:
    """A failure: counted, with the pause of the contract, or longer if the server asked for it."""
    failures = known.failures + 1
    due = now + timedelta(minutes=schedule.backoff_minutes(failures))
    values = {
        "attempted_at": now,
        "failures": failures,
        "health": schedule.health_of(failures),
        "last_error_at": now,
        "last_error": sentence,
        "duration_ms": round(seconds * 1000),
        "not_before": not_before,
        "next_due_at": max(due, not_before or due),
        "moving_to": "",
        "moving_seen": 0,
    }
    return Decision(Verdict.FAILED, values, error=sentence)


def unexpected(known: Known, now: datetime) -> Decision:
    """For what should not happen, such as a document that a parser chokes on."""
    return fail(known, "Something in this feed could not be dealt with; the log has the details.", now)


def _unchanged(known: Known, answer: Retrieved, validators: Validators, now: datetime) -> Decision:
    move_to, moving = _moving(known, answer)
    values = {**_success(known, answer, validators, known.rhythm, now), **moving}
    return Decision(Verdict.UNCHANGED, values, move_to=move_to)


def _changed(known: Known, answer: Retrieved, document: FeedData, body_hash: str, now: datetime) -> Decision:
    rhythm = rhythm_of(document, now)
    move_to, moving = _moving(known, answer)
    hub_url, topic_url = hub_of(document, answer)
    values = {
        **_success(known, answer, answer.validators, rhythm, now),
        **moving,
        **asdict(rhythm),
        "hub_url": hub_url,
        "topic_url": topic_url,
        "body_hash": body_hash,
        "changed_at": now,
        "kind": document.kind[:20],
        "title": document.title[:500],
        "site_url": document.site_url if len(document.site_url) <= MAX_ADDRESS_CHARS else "",
        "description": document.description,
        "author": document.author[:300],
        "language": document.language[:50],
        "icon_url": document.icon_url if len(document.icon_url) <= MAX_ADDRESS_CHARS else "",
    }
    if document.is_expired:
        return Decision(Verdict.GONE, {**values, "is_gone": True}, document, error="The feed says that it has ended.")
    return Decision(Verdict.CHANGED, values, document, move_to)


def hub_of(document: FeedData, answer: Retrieved) -> tuple[str, str]:
    """The WebSub hub to ask, and what to call the feed there; "" twice if there is none. Headers go first."""
    named, own_address = hub_links(answer.headers.get("link", ""), url=answer.url)
    offered = [url for url in named or document.hub_urls if len(url) <= MAX_ADDRESS_CHARS]
    topic = own_address or document.self_url or answer.url
    if not offered or len(topic) > MAX_ADDRESS_CHARS:
        return "", ""
    return next((url for url in offered if url.startswith("https:")), offered[0]), topic


def rhythm_of(document: FeedData, now: datetime) -> Rhythm:
    said = {entry.published_at or entry.updated_at for entry in document.entries}
    moments = sorted((moment for moment in said if moment is not None and moment <= now), reverse=True)[:_LATEST]
    gaps = [(newer - older).total_seconds() / 60 for newer, older in pairwise(moments)]
    return Rhythm(
        latest_entry_at=moments[0] if moments else None,
        entry_gap_minutes=min(int(median(gaps)), _MAX_GAP_MINUTES) if gaps else None,
        ttl_minutes=document.ttl_minutes,
        skip_hours=list(document.skip_hours),
        skip_days=list(document.skip_days),
    )


def _success(
    known: Known, answer: Retrieved, validators: Validators, rhythm: Rhythm, now: datetime
) -> dict[str, Any]:
    minutes = schedule.next_interval_minutes(
        rhythm.moments,
        now=now,
        ttl_minutes=rhythm.ttl_minutes,
        max_age_seconds=caching.freshness(answer.headers, now=now).max_age_seconds,
        override_minutes=known.wanted_minutes,
        is_pushed=known.is_pushed,
    )
    return {
        "attempted_at": now,
        "fetched_at": now,
        "duration_ms": round(answer.seconds * 1000),
        "failures": 0,
        "health": schedule.health_of(0),
        "last_error_at": None,
        "last_error": "",
        "not_before": None,
        "etag": validators.etag,
        "last_modified": validators.last_modified,
        "interval_minutes": minutes,
        "next_due_at": schedule.next_due_at(
            now, minutes, seed=known.url, skip_hours=rhythm.skip_hours, skip_days=rhythm.skip_days
        ),
    }


def _gone(known: Known, answer: Retrieved, now: datetime) -> Decision:
    failed = fail(known, "The server says that this feed is gone for good (410).", now, seconds=answer.seconds)
    return Decision(Verdict.GONE, {**failed.values, "health": "failed", "is_gone": True}, error=failed.error)


def _moving(known: Known, answer: Retrieved) -> tuple[str, dict[str, Any]]:
    """Whether a permanent redirect is proved by now, and what is noted of it. Only called for readable answers."""
    target = address_or_empty(answer.moved_to) if answer.moved_to else ""
    if not target or target == known.url:
        return "", {"moving_to": "", "moving_seen": 0}
    seen = known.moving_seen + 1 if target == known.moving_to else 1
    if seen >= PROOFS_OF_MOVE:
        return target, {"moving_to": "", "moving_seen": 0}
    return "", {"moving_to": target, "moving_seen": seen}


def _sentence(answer: Retrieved) -> str:
    status = answer.status_code
    if status == 304:
        return "The server says that nothing has changed, although nothing is known yet (304)."
    if status in (401, 403):
        return f"The server does not let us read this feed ({status})."
    if status == 404:
        return "There is no feed at this address (404)."
    if status == 429:
        return "The server says that it is asked too often (429)."
    if status >= 500:
        return f"The server has a fault of its own ({status})."
    return f"The server answered with status {status} instead of a feed."
