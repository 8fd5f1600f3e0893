"""What of a thread is on the account already. Matching is pure: by the toot it answers, and by its words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape

from common.mastodon_posting import OwnStatus
from common.text import words_text
from pipeline.thread.outbox import Outbox

# Clocks of servers differ; a toot of ours is looked for from this long before it was first sent off.
CLOCK_SLACK = timedelta(hours=1)
_MAX_PAGES = 3
_NO_WORD = re.compile(r"[^\w]+|_")


@dataclass(frozen=True, slots=True)
class Found:
    """``ours``: the toot at its place. ``others``: more copies of it, at its place or as roots, to be removed."""

    ours: OwnStatus | None = None
    others: list[OwnStatus] = field(default_factory=list)


def find_sent(
    statuses: Iterable[OwnStatus], *, text: str, parent: str, since: datetime, known: Collection[str]
) -> Found:
    """Which of the account's toots is this one: it answers ``parent`` ("" for none) and says the same words.

    ``known``: ids of other toots of ours. A reply that some server stored as a toot of its own is among ``others``.
    """
    words = bare_words(text)
    alike = [
        status
        for status in statuses
        if status.id not in known
        and (status.created_at is None or status.created_at >= since - CLOCK_SLACK)
        and bare_words(status.html, is_html=True) == words
    ]
    placed = [status for status in alike if status.reply_to == parent]
    roots = [status for status in alike if parent and not status.reply_to]
    ours = placed[-1] if placed else None  # newest first: the last is the first one stored
    return Found(ours, [*(status for status in placed if status is not ours), *roots])


def bare_words(text: str, *, is_html: bool = False) -> str:
    """Letters and digits without links and mentions: what is left alike by whatever a server makes of a text."""
    if not is_html:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
    return _NO_WORD.sub("", unicodedata.normalize("NFKC", unescape(words_text(text))).casefold())


def list_own(outbox: Outbox, account_id: str, *, since: datetime, parent: str) -> list[OwnStatus]:
    """The account's toots since then, newest first, and what the server shows below ``parent``."""
    found: dict[str, OwnStatus] = {}
    max_id = ""
    for _ in range(_MAX_PAGES):
        page, next_id = outbox.ask(lambda before=max_id: outbox.client.own_statuses(account_id, max_id=before))  # type: ignore[misc]
        new = [status for status in page if status.id not in found]
        found |= {status.id: status for status in new}
        oldest = min((status.created_at for status in page if status.created_at), default=None)
        if not new or not next_id or (oldest is not None and oldest < since - CLOCK_SLACK):
            break
        max_id = next_id
    if parent:
        for status in outbox.ask(lambda: outbox.client.replies_to(parent)):
            if status.account_id == account_id:
                found.setdefault(status.id, status)
    return list(found.values())
