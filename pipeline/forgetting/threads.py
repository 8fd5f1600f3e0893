"""The thread of an event after an author was erased: drafted anew, or emptied of them where it is out already."""

from __future__ import annotations

from common.errors import MastoscoreError
from events.models import Event
from jobs.context import JobContext
from pipeline.core.traces import Traces
from pipeline.models import Thread, ThreadToot
from pipeline.phases import analyse
from pipeline.thread import approval, ledger, notes
from pipeline.thread.after import write_posts
from pipeline.thread.ledger import RowState
from pipeline.thread.plan import make_draft, refuse_if_edited

_ERASED = "What this toot says was erased here at an author's wish."
_GONE_OUT = (RowState.SENT, RowState.DELETED)


def names_them(event: Event, traces: Traces) -> bool:
    thread = Thread.objects.filter(event=event).first()
    return (
        bool(_rows_naming(event, traces))
        or any(_names(traces, entry.get("text", "")) for row in ledger.rows_of(event) for entry in row.former)
        or (thread is not None and traces.is_in([thread.history, thread.changes, thread.error]))
    )


def erase(event: Event, traces: Traces) -> list[str]:
    """Take them out of the thread; returns the addresses of toots that are out and show them."""
    _scrub_history(event, traces)
    naming = _rows_naming(event, traces)
    public: list[str] = []
    if naming and ledger.has_begun(event):
        public = [row.url for row in naming if row.state == RowState.SENT and row.url]
        _empty(event, [row for row in naming if row.state in _GONE_OUT])
        _drop(event, [row for row in naming if row.state not in _GONE_OUT])
    elif naming:
        _draft_anew(event, naming)
    for row in ledger.rows_of(event):
        notes.erase_words(row, lambda text: _names(traces, text))
    if naming and event.artifacts.filter(kind="posts").exists():
        write_posts(event)
    return public


def _rows_naming(event: Event, traces: Traces) -> list[ThreadToot]:
    return [row for row in ledger.rows_of(event) if _tells(row, traces)]


def _tells(row: ThreadToot, traces: Traces) -> bool:
    texts = (row.text, row.posted_text, row.note, row.error)
    if traces.is_in([row.sources, row.media]):
        return True
    return any(traces.names_them(text, also_names=row.role not in ("opening", "closing")) for text in texts)


def _names(traces: Traces, text: str) -> bool:
    return traces.names_them(text, also_names=True)


def _draft_anew(event: Event, naming: list[ThreadToot]) -> None:
    """The whole draft without them; one that a person wrote only loses the toots that show them."""
    thread = ledger.find_thread(event)
    if thread.state == Thread.State.APPROVED:
        with ledger.locked(event) as thread:
            approval.back_to_draft(thread)
    try:
        refuse_if_edited(event)
        ctx = JobContext.detached("post", event=Event.objects.get(pk=event.pk))
        analyse.load_current_analysis(ctx)
        make_draft(ctx, is_offline=True)
    except MastoscoreError:
        _drop(event, naming)


def _drop(event: Event, naming: list[ThreadToot]) -> None:
    """Take the rows out, and look for what was tried of them all the same: should it turn up, it is removed.

    The last row of a thread that has something to look for stays, without words.
    """
    if not naming:
        return
    with ledger.locked(event) as thread:
        heir = ledger.rows_of(event).exclude(pk__in=[row.pk for row in naming]).first()
        left_behind = notes.notes_of(thread, naming)
        if left_behind and heir is None:
            heir = naming.pop(0)
            former = [*heir.former, *([notes.remember_try(thread, heir)] if notes.is_in_doubt(heir) else [])]
            left_behind = notes.notes_of(thread, naming)
            heir.state, heir.idempotency_key, heir.former = RowState.PLANNED, "", former
            heir.text, heir.posted_text, heir.sources, heir.error, heir.note = "", "", [], "", _ERASED
            heir.save()
        ledger.rows_of(event).filter(pk__in=[row.pk for row in naming]).delete()
        if heir is not None:
            notes.hand_on(left_behind, heir)
        ledger.renumber(list(ledger.rows_of(event)))
        ledger.bump(thread)


def _empty(event: Event, naming: list[ThreadToot]) -> None:
    thread = ledger.find_thread(event)
    for row in naming:
        if row.state == RowState.SENT and row.attempts > 1:  # there may be another of it
            row.former = [*row.former, notes.remember_try(thread, row)]
        row.text, row.posted_text, row.sources, row.error, row.note = "", "", [], "", _ERASED
        row.save()


def _scrub_history(event: Event, traces: Traces) -> None:
    thread = Thread.objects.filter(event=event).first()
    if thread is not None and traces.is_in([thread.history, thread.changes, thread.error]):
        Thread.objects.filter(pk=thread.pk).update(
            history=traces.scrub(thread.history),
            changes=traces.scrub(thread.changes),
            error=traces.scrub(thread.error),
        )
