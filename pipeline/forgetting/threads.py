"""The thread of an event after an author was erased: drafted anew, or emptied of them where it is out already."""

from __future__ import annotations

from common.errors import MastoscoreError
from events.models import Event
from jobs.context import JobContext
from pipeline.core.traces import Traces
from pipeline.models import Thread, ThreadToot
from pipeline.phases import analyse
from pipeline.thread import approval, ledger
from pipeline.thread.after import write_posts
from pipeline.thread.plan import make_draft, refuse_if_edited

_ERASED = "What this toot says was erased here at an author's wish."


def names_them(event: Event, traces: Traces) -> bool:
    thread = Thread.objects.filter(event=event).first()
    return bool(_rows_naming(event, traces)) or (
        thread is not None and traces.is_in([thread.history, thread.changes, thread.error])
    )


def erase(event: Event, traces: Traces) -> list[str]:
    """Take them out of the thread; returns the addresses of toots that are out and show them."""
    _scrub_history(event, traces)
    naming = _rows_naming(event, traces)
    if not naming:
        return []
    if ledger.has_begun(event):
        public = [row.url for row in naming if row.state == ThreadToot.State.SENT and row.url]
        _empty(naming)
    else:
        public = []
        _draft_anew(event, naming)
    if event.artifacts.filter(kind="posts").exists():
        write_posts(event)
    return public


def _rows_naming(event: Event, traces: Traces) -> list[ThreadToot]:
    return [row for row in ledger.rows_of(event) if _tells(row, traces)]


def _tells(row: ThreadToot, traces: Traces) -> bool:
    texts = (row.text, row.posted_text, row.note, row.error)
    if traces.is_in([row.sources, row.media]):
        return True
    return any(traces.names_them(text, also_names=row.role not in ("opening", "closing")) for text in texts)


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
        with ledger.locked(event) as thread:
            ledger.rows_of(event).filter(pk__in=[row.pk for row in naming]).delete()
            ledger.renumber(list(ledger.rows_of(event)))
            ledger.bump(thread)


def _empty(naming: list[ThreadToot]) -> None:
    for row in naming:
        ThreadToot.objects.filter(pk=row.pk).update(text="", posted_text="", sources=[], error="", note=_ERASED)


def _scrub_history(event: Event, traces: Traces) -> None:
    thread = Thread.objects.filter(event=event).first()
    if thread is not None and traces.is_in([thread.history, thread.changes, thread.error]):
        Thread.objects.filter(pk=thread.pk).update(
            history=traces.scrub(thread.history),
            changes=traces.scrub(thread.changes),
            error=traces.scrub(thread.error),
        )
