"""A draft changed by a person: toot by toot, its order, what is in it. What is out already stays as it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from django.db import transaction

from events.models import Event
from pipeline.core.post import ThreadLimits
from pipeline.core.quoting import clean_text
from pipeline.core.toot_text import count_characters
from pipeline.core.wording import count_of
from pipeline.models import Thread, ThreadToot
from pipeline.thread import ledger, notes
from pipeline.thread.ledger import RowState, State, ThreadTrouble

_CHANGEABLE = (RowState.PLANNED, RowState.FAILED)


class WrongText(ThreadTrouble):
    """Words that cannot be used; ``is_description``: those of a picture."""

    def __init__(self, message: str, *, is_description: bool = False) -> None:
        super().__init__(message)
        self.is_description = is_description


def edit_toot(
    event: Event,
    toot_id: int,
    *,
    text: str | None = None,
    descriptions: Sequence[str] | None = None,
    revision: int | None = None,
) -> ThreadToot:
    """New words for a toot, or for its pictures; ThreadTrouble in a sentence if they do not fit."""
    with ledger.locked(event, revision=revision) as thread:
        row = _row(event, thread, toot_id)
        if text is not None:
            cleaned = clean_text(text)
            check_text(cleaned, ledger.read_limits(thread), row.position)
            row.is_edited = row.is_edited or cleaned != row.text
            row.text = cleaned
        if descriptions is not None:
            _describe(row, descriptions, ledger.read_limits(thread))
        if notes.is_in_doubt(row):
            row.former = [*row.former, notes.remember_try(thread, row)]
        # What was refused is a new toot now, so it gets a new key.
        row.state, row.idempotency_key, row.error = RowState.PLANNED, "", ""
        row.save(update_fields=["text", "is_edited", "media", "state", "idempotency_key", "error", "former"])
        ledger.bump(thread)
        return row


def move_toot(event: Event, toot_id: int, *, to: int, revision: int | None = None) -> None:
    """Put a toot at position ``to``; those between move by one. Nothing moves before a toot that is out."""
    with ledger.locked(event, revision=revision) as thread:
        row = _row(event, thread, toot_id)
        rows = list(ledger.rows_of(event))
        for other in rows:
            _start_anew(thread, other)
        first_free = 1 + max((other.position for other in rows if other.state not in _CHANGEABLE), default=0)
        target = max(first_free, min(to, len(rows)))
        others = [other for other in rows if other.pk != row.pk]
        others.insert(target - 1, row)
        ledger.renumber(others)
        ledger.bump(thread)


def change_toot(
    event: Event,
    toot_id: int,
    *,
    text: str | None = None,
    descriptions: Sequence[str] | None = None,
    to: int | None = None,
    revision: int | None = None,
) -> None:
    """New words and a new place at once: both or neither."""
    with transaction.atomic():
        if text is not None or descriptions is not None:
            edit_toot(event, toot_id, text=text, descriptions=descriptions, revision=revision)
            revision = None
        if to is not None:
            move_toot(event, toot_id, to=to, revision=revision)


def drop_toot(event: Event, toot_id: int, *, revision: int | None = None) -> None:
    """Leave a toot out of the thread; making the draft anew brings it back."""
    with ledger.locked(event, revision=revision) as thread:
        row = _row(event, thread, toot_id)
        if ledger.rows_of(event).count() == 1:
            raise ThreadTrouble("A thread has at least one toot; this is the last.")
        rest = [other for other in ledger.rows_of(event) if other.pk != row.pk]
        notes.hand_on(notes.notes_of(thread, [row]), rest[0])
        row.delete()
        ledger.renumber(rest)
        ledger.bump(thread)


def check_text(text: str, limits: ThreadLimits, position: int) -> None:
    if not any(unicodedata.category(sign)[0] in "LNPS" for sign in text):  # blanks of no width are no text either
        raise WrongText(f"Toot {position} has no text.")
    used = count_characters(text, limits.characters_per_url)
    if used > limits.max_characters:
        raise WrongText(
            f"Toot {position} has {count_of(used, 'character')}; {limits.max_characters:,} are allowed "
            f"({limits.told_by})."
        )


def check_thread(rows: Sequence[ThreadToot], limits: ThreadLimits) -> None:
    """ThreadTrouble names the first toot that the server would not take."""
    for row in rows:
        check_text(row.text, limits, row.position)
        for entry in row.media:
            _check_description(str(entry.get("description", "")), limits, row.position)


def require_draft(event: Event, thread: Thread) -> None:
    if thread.state == State.DRAFT:
        return
    if thread.state == State.APPROVED:
        raise ThreadTrouble(f"The thread of {event.slug} is approved; withdraw the approval to change it.")
    if thread.state == State.SENDING:
        raise ThreadTrouble(f"The thread of {event.slug} is on its way; nothing of it can be changed now.")
    raise ThreadTrouble(f"The thread of {event.slug} is {thread.get_state_display()}; it is not a draft any more.")


def _row(event: Event, thread: Thread, toot_id: int) -> ThreadToot:
    require_draft(event, thread)
    row = ledger.rows_of(event).filter(pk=toot_id).first()
    if row is None:
        raise ThreadTrouble("This toot is not in the draft any more; look at it again.")
    if row.state not in _CHANGEABLE:
        raise ThreadTrouble(f"Toot {row.position} is out already; it cannot be changed.")
    return row


def _start_anew(thread: Thread, row: ThreadToot) -> None:
    """An open toot in doubt was sent as an answer to the toot before it, which may become another."""
    if row.state in _CHANGEABLE and notes.is_in_doubt(row):
        row.former, row.idempotency_key = [*row.former, notes.remember_try(thread, row)], ""
        row.save(update_fields=["former", "idempotency_key"])


def _describe(row: ThreadToot, descriptions: Sequence[str], limits: ThreadLimits) -> None:
    if len(descriptions) != len(row.media):
        raise WrongText(f"Toot {row.position} has {count_of(len(row.media), 'picture')}.", is_description=True)
    for entry, words in zip(row.media, descriptions, strict=True):
        cleaned = clean_text(words)
        _check_description(cleaned, limits, row.position)
        entry["description"] = cleaned
        entry.pop("id", None)  # what was uploaded bears the old words


def _check_description(words: str, limits: ThreadLimits, position: int) -> None:
    if not words:
        raise WrongText(f"The picture of toot {position} has no alternative text.", is_description=True)
    if len(words) > limits.description_limit:
        raise WrongText(
            f"The alternative text of toot {position} has {count_of(len(words), 'character')}; "
            f"{limits.description_limit:,} are allowed ({limits.told_by}).",
            is_description=True,
        )
