"""What tries leave behind, and what outlives the rows it came from: copies that went astray, earlier tries.

A stray is ``{id, url}``: it is there, and is removed as soon as the server lets us. A former try is a toot that did
not get there as far as anybody could see, and may turn up yet: ``{text, said, parent, media, visibility,
content_warning, key, tried_at, id}``, where ``said`` stands for a text that was erased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from common.times import format_z
from events.models import Event
from pipeline.models import Thread, ThreadToot
from pipeline.thread import ledger
from pipeline.thread.ledger import AlreadyPosted, RowState
from pipeline.thread.reconcile import Wanted, said_of


@dataclass(frozen=True, slots=True)
class Notes:
    strays: tuple[dict[str, Any], ...] = ()
    former: tuple[dict[str, Any], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.strays or self.former)


def may_be_elsewhere(event: Event) -> bool:
    """Whether a copy that went astray, or an earlier try, may still be on the account."""
    return any(row.strays or row.former for row in ledger.rows_of(event))


def refuse_if_on_account(event: Event) -> None:
    """AlreadyPosted while toots are out, or may be: with the event we would forget them."""
    if ledger.has_begun(event) or may_be_elsewhere(event):
        raise AlreadyPosted(
            f"Toots of the thread of {event.slug} are out, or may be; delete the thread first, then the event."
        )


def is_in_doubt(row: ThreadToot) -> bool:
    """Whether a try of the row may turn up yet, as far as its state tells. A single try that was refused does not."""
    if not row.attempts or not row.idempotency_key or row.state in (RowState.SENT, RowState.DELETED):
        return False
    return row.state != RowState.FAILED or row.attempts > 1


def remember_try(thread: Thread, row: ThreadToot, id: str = "") -> dict[str, Any]:
    """A toot as it was sent off, and its id where the server told one. To be called while the row has its place."""
    before = ledger.rows_of(row.event).filter(position__lt=row.position).last()
    return {
        "text": row.posted_text,
        "parent": before.remote_id if before is not None else "",
        "media": len(row.media),
        "visibility": thread.visibility,
        "content_warning": thread.content_warning,
        "key": row.idempotency_key,
        "tried_at": format_z(row.tried_at) if row.tried_at is not None else "",
        "id": id,
    }


def notes_of(thread: Thread, rows: Iterable[ThreadToot]) -> Notes:
    """What has to be handed on when these rows go. To be called before they do."""
    strays: list[dict[str, Any]] = []
    former: list[dict[str, Any]] = []
    for row in rows:
        strays += row.strays
        former += row.former
        if is_in_doubt(row):
            former.append(remember_try(thread, row))
    return Notes(tuple(strays), tuple(former))


def hand_on(notes: Notes, heir: ThreadToot) -> None:
    if notes:
        heir.strays, heir.former = [*heir.strays, *notes.strays], [*heir.former, *notes.former]
        heir.save(update_fields=["strays", "former"])


def wanted_of(entry: dict[str, Any], row: ThreadToot, thread: Thread, parent: str) -> Wanted:
    """What to look for; where an older note does not say it, as if it were the row's own."""
    return Wanted(
        text=entry.get("text", ""),
        said=entry.get("said", ""),
        parent=entry.get("parent", parent),
        visibility=entry.get("visibility", thread.visibility),
        content_warning=entry.get("content_warning", thread.content_warning),
        media=entry.get("media", len(row.media)),
    )


def erase_words(row: ThreadToot, is_unwanted: Callable[[str], bool]) -> bool:
    """Texts of former tries that must not be kept become what they are found by; whether there were any."""
    unwanted = [entry for entry in row.former if is_unwanted(entry.get("text", ""))]
    for entry in unwanted:
        entry["said"], entry["text"] = said_of(entry["text"]), ""
    if unwanted:
        row.save(update_fields=["former"])
    return bool(unwanted)
