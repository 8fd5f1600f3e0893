"""Who says that a thread may go out. Approving freezes it; withdrawing opens what is not out yet again."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from events.models import Event
from jobs.models import Job
from pipeline.models import Thread
from pipeline.thread import ledger
from pipeline.thread.edit import check_thread, require_draft
from pipeline.thread.frozen import freeze
from pipeline.thread.ledger import State, ThreadTrouble

PERSON, COMMAND, AUTO = "person", "command", "auto"


def approve(event: Event, by: Any = None, *, how: str = "", revision: int | None = None) -> Thread:
    """Freeze the draft for sending; ``revision`` is the one that was looked at. Approving twice is all right.

    Raises NotAllowed, ChangedMeanwhile, NotReadyError (no draft), ThreadTrouble.
    """
    ledger.require_right(by)
    with ledger.locked(event, revision=revision) as thread:
        rows = ledger.require_rows(event)
        if thread.state in (State.APPROVED, State.SENDING):
            return thread
        if thread.state == State.SENT:
            ledger.refuse_if_out(thread, event)
        require_draft(event, thread)
        check_thread(rows, ledger.read_limits(thread))
        thread.state = State.APPROVED
        thread.approved_by = by
        thread.approved_how = how or (PERSON if by is not None else COMMAND)
        thread.approved_at = timezone.now()
        thread.error = ""
        thread.frozen = freeze(event, rows, thread.frozen)
        thread.save(update_fields=["state", "approved_by", "approved_how", "approved_at", "error", "frozen"])
        return thread


def withdraw(event: Event, by: Any = None) -> Thread:
    """Make a draft of it again. Of a thread that is partly out, the rest becomes one; not while it is being sent."""
    ledger.require_right(by)
    with ledger.locked(event) as thread:
        if thread.state == State.DRAFT:
            return thread
        if thread.state not in (State.APPROVED, State.SENDING):
            require_draft(event, thread)
        if Job.objects.filter(event=event, kind=ledger.SEND, status__in=Job.ACTIVE).exists():
            raise ThreadTrouble(f"The thread of {event.slug} is being sent; cancel that first.")
        back_to_draft(thread)
        return thread


def back_to_draft(thread: Thread, **values: Any) -> None:
    ledger.bump(thread, state=State.DRAFT, approved_by=None, approved_how="", approved_at=None, **values)
