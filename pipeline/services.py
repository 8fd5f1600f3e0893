"""What pages, API and commands do with an event beyond reading it; whatever moves its results holds its key."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from common.errors import MastoscoreError
from events.models import Event
from jobs.models import Job
from jobs.services import AlreadyActive, enqueue, find_active, key_for, run_in_foreground
from pipeline.thread import ledger
from pipeline.thread.notes import refuse_if_on_account
from pipeline.thread.plan import refuse_if_frozen
from pipeline.thread.removal import require_out
from pipeline.thread.send import require_sendable


class PhaseFailed(MastoscoreError):
    """A phase that was waited for did not come to a good end; ``job`` tells how it ended."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.error or f"The {job.kind} was stopped before it was done.")
        self.job = job


def run_phase_now(
    kind: str, event: Event, *, params: dict[str, Any] | None = None, asked_by: Any = None
) -> dict[str, Any]:
    """Do a short phase here and wait for it: its result. Raises AlreadyActive, PhaseFailed."""
    job = run_in_foreground(kind, event=event, params=params, asked_by=asked_by)
    if job.status != Job.Status.COMPLETE:
        raise PhaseFailed(job)
    return dict(job.result or {})


def ask_for_thread(event: Event, *, is_dry_run: bool, asked_by: Any) -> Job:
    """The draft alone, or (not ``is_dry_run``) drafted, approved and sent in the name of whoever asks.

    Raises AlreadyPosted and its kin, NotAllowed, AlreadyActive.
    """
    if is_dry_run:
        refuse_if_frozen(event)
        return enqueue("post", event=event, params={"dry_run": True}, asked_by=asked_by)
    ledger.require_right(asked_by)
    thread = ledger.find_thread(event)
    if thread.state in (ledger.State.SENT, ledger.State.DELETING):
        ledger.refuse_if_out(thread, event)
    return enqueue("post", event=event, params={"send": True}, asked_by=asked_by)


def ask_for_draft(event: Event, *, asked_by: Any) -> Job:
    """The draft made, or made anew. Raises AlreadyPosted and its kin, AlreadyActive."""
    refuse_if_frozen(event)
    return enqueue("post", event=event, asked_by=asked_by)


def ask_to_send(event: Event, *, asked_by: Any) -> Job:
    """The approved thread, or the rest of one that is partly out.

    Raises NotAllowed, NotReadyError (no draft), NotApproved, AlreadyPosted, AlreadyActive.
    """
    ledger.require_right(asked_by)
    require_sendable(event)
    return enqueue(ledger.SEND, event=event, asked_by=asked_by)


def ask_to_delete_thread(event: Event, *, asked_by: Any) -> Job:
    """Take back what is out. Raises NotAllowed, ThreadTrouble when there is nothing, AlreadyActive."""
    ledger.require_right(asked_by)
    require_out(event)
    return enqueue(ledger.DELETE, event=event, asked_by=asked_by)


def delete_event(event: Event) -> None:
    """The event with everything known of it; its files stay. AlreadyActive while a job of it is at work,
    AlreadyPosted while toots of its thread are out, or may be."""
    with transaction.atomic():
        Event.objects.select_for_update(of=("self",)).filter(pk=event.pk).first()
        active = find_active(key_for(event, None)) or event.jobs.filter(status__in=Job.ACTIVE).first()
        if active is not None:
            raise AlreadyActive(active)
        refuse_if_on_account(event)
        event.delete()
