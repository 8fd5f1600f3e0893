"""What of a thread is on the account already. Matching is pure: by the toot it answers, and by all it says.

Whatever was on the account before the thread is the host's own and never touched: see ``Mark``.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from typing import Any, Self

from common.mastodon_posting import OwnStatus
from common.times import format_z, parse_moment
from pipeline.thread.outbox import Outbox

# How public a toot is; servers may make one less public than asked.
WIDTH = {"direct": 0, "private": 1, "unlisted": 2, "public": 3}
_MAX_PAGES = 25
_TAG = re.compile(r"<[^<>]*>")
_LINK = re.compile(r"<a\s([^<>]*)>(.*?)</a>", re.DOTALL | re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_ALT = re.compile(r"""<img\s[^<>]*alt\s*=\s*["']([^"']*)["'][^<>]*>""", re.IGNORECASE)
_HANDLE = re.compile(r"@([\w.-]+)@[\w.-]*\w(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Mark:
    """What was on the account before the thread: ids, and the time of the newest by the server's clock."""

    ids: frozenset[str] = frozenset()
    newest: datetime | None = None

    @classmethod
    def of(cls, statuses: Collection[OwnStatus]) -> Self:
        newest = max((status.created_at for status in statuses if status.created_at), default=None)
        return cls(frozenset(status.id for status in statuses), newest)

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Self | None:
        if not stored:
            return None
        return cls(frozenset(stored["ids"]), parse_moment(stored["newest"]))

    def as_json(self) -> dict[str, Any]:
        return {"ids": sorted(self.ids), "newest": format_z(self.newest) if self.newest else ""}

    def is_before(self, status: OwnStatus) -> bool:
        """Whether the toot is proven to be newer than everything that was there."""
        if status.id in self.ids:
            return False
        if self.newest is None:
            return not self.ids
        return status.created_at is not None and status.created_at >= self.newest


@dataclass(frozen=True, slots=True)
class Wanted:
    """A toot of ours as it was sent: what is looked for. ``said`` instead of a text that is not kept any more."""

    text: str
    parent: str
    visibility: str
    content_warning: str = ""
    media: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """``ours``: the toot at its place. ``others``: more copies of it, at its place or as roots, to be removed.
    ``unsure``: says the same and is not quite what was sent, so a person has to look."""

    ours: OwnStatus | None = None
    others: list[OwnStatus] = field(default_factory=list)
    unsure: list[OwnStatus] = field(default_factory=list)


def find_sent(statuses: Iterable[OwnStatus], wanted: Wanted, mark: Mark, *, known: Collection[str]) -> Found:
    """Which of the account's toots is this one: newer than the mark, at its place, and alike in everything.

    ``known``: ids of other toots of ours. A reply that some server stored as a toot of its own is among ``others``.
    """
    said = wanted.said or said_of(wanted.text)
    new = [
        status
        for status in statuses
        if said and status.id not in known and mark.is_before(status) and said in map(_hash, html_keys(status.html))
    ]
    near = [status for status in new if status.reply_to in (wanted.parent, "")]
    alike = [status for status in near if _is_alike(status, wanted)]
    placed = [status for status in alike if status.reply_to == wanted.parent]
    roots = [status for status in alike if wanted.parent and not status.reply_to]
    ours = placed[-1] if placed else None  # newest first: the last is the first one stored
    others = [*(status for status in placed if status is not ours), *roots]
    return Found(ours, others, [status for status in near if status not in alike])


def _is_alike(status: OwnStatus, wanted: Wanted) -> bool:
    return (
        len(status.media) == wanted.media
        and WIDTH.get(status.visibility, 0) <= WIDTH.get(wanted.visibility, 3)
        and plain_key(status.spoiler) == plain_key(wanted.content_warning)
    )


def said_of(text: str) -> str:
    """What a text is known by when it is not kept; "" only for no text."""
    key = plain_key(text)
    return _hash(key) if key else ""


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def plain_key(text: str) -> str:
    """All that a text says, links and emoji too, without what servers write their own way; "" only for no text."""
    text = unicodedata.normalize("NFKC", _HANDLE.sub(r"@\1", text)).casefold()
    kept = "".join(sign for sign in text if unicodedata.category(sign)[0] in "LMNS" and sign not in "\ufe0e\ufe0f")
    return kept or "".join(text.split())


def html_keys(html: str) -> set[str]:
    """The keys of what a server shows: links as they are written out, or by their address."""
    html = _ALT.sub(r"\1", html)
    return {plain_key(unescape(_TAG.sub("", shown))) for shown in (html, _LINK.sub(_address, html))}


def _address(link: re.Match[str]) -> str:
    """The address of a link, unless it is a mention or a hashtag, which are shown as they were written."""
    address = _HREF.search(link[1])
    is_name = _TAG.sub("", link[2]).strip()[:1] in ("@", "#")
    return link[2] if is_name or address is None else address[1]


def take_mark(outbox: Outbox, account_id: str) -> Mark:
    """What is on the account now."""
    return Mark.of(outbox.ask(lambda: outbox.client.own_statuses(account_id))[0])


def list_own(outbox: Outbox, account_id: str, mark: Mark, *, parent: str) -> list[OwnStatus]:
    """The account's toots since the mark, newest first, and what the server shows below ``parent``."""
    found: dict[str, OwnStatus] = {}
    max_id = ""
    for _ in range(_MAX_PAGES):
        page, next_id = outbox.ask(lambda before=max_id: outbox.client.own_statuses(account_id, max_id=before))  # type: ignore[misc]
        new = [status for status in page if status.id not in found]
        found |= {status.id: status for status in new}
        if not new or not next_id or any(not mark.is_before(status) for status in page):
            break
        max_id = next_id
    if parent:
        for status in outbox.ask(lambda: outbox.client.replies_to(parent)):
            if status.account_id == account_id:
                found.setdefault(status.id, status)
    return list(found.values())
