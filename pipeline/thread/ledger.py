"""The thread of an event as rows: found, locked, counted; what cannot be done with it, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from common.errors import ConfigurationError, NotReadyError
from events.models import Event
from jobs.models import Job
from pipeline.core.post import Picture, PlannedToot, ThreadLimits
from pipeline.models import Thread, ThreadToot

State = Thread.State
RowState = ThreadToot.State
PERMISSION = "pipeline.post_thread"
# The job kinds that move a thread; while one is active nobody else may.
SEND, DELETE = "send", "delete_thread"


# In the params of jobs of the command line, and of no others.
BY_COMMAND = "by_command"


class ThreadTrouble(ConfigurationError):
    """Something that cannot be done with the thread as it is now."""


class NotApproved(ThreadTrouble):
    """A draft that nobody approved is not sent."""


class AlreadyPosted(ThreadTrouble):
    """The thread is out, or on its way."""


class NotAllowed(ThreadTrouble):
    """The user may prepare threads and not approve, send or delete them."""


class ChangedMeanwhile(ThreadTrouble):
    """Somebody else changed the draft since it was looked at."""

    def __init__(self, event: Event) -> None:
        super().__init__(f"The draft of {event.slug} was changed meanwhile; look at it again.")


def find_thread(event: Event) -> Thread:
    """The event's thread; an empty draft is made if there is none."""
    thread, _ = Thread.objects.get_or_create(event=event)
    return thread


@contextmanager
def locked(event: Event, *, revision: int | None = None) -> Iterator[Thread]:
    """The thread, locked until the block ends; all or nothing. ChangedMeanwhile if it is not at ``revision``."""
    find_thread(event)
    with transaction.atomic():
        thread = Thread.objects.select_for_update(of=("self",)).select_related("account").get(event=event)
        if revision is not None and thread.revision != revision:
            raise ChangedMeanwhile(event)
        yield thread


def rows_of(event: Event) -> QuerySet[ThreadToot]:
    return ThreadToot.objects.filter(event=event).order_by("position")


def count_out(event: Event) -> int:
    """How many of its toots are out, as far as the ledger knows."""
    return rows_of(event).filter(state=RowState.SENT).count()


def has_begun(event: Event) -> bool:
    """Whether a toot is out, or may be."""
    return rows_of(event).filter(state__in=(RowState.SENT, RowState.SENDING)).exists()


def bump(thread: Thread, **values: Any) -> None:
    """Note a change of the draft, with more values of the thread."""
    Thread.objects.filter(pk=thread.pk).update(revision=F("revision") + 1, **values)
    thread.refresh_from_db()


def require_right(user: Any) -> None:
    """NotAllowed unless the user may post; None is whoever has the command line."""
    if user is not None and not user.has_perm(PERMISSION):
        raise NotAllowed("You may prepare a thread; approving, sending and deleting it is for others.")


def require_right_of(job: Job) -> None:
    """NotAllowed unless whoever asked for the job may post; the command line says that it asked.

    A job in the queue whose user is gone is nobody's.
    """
    if job.asked_by is None and not job.params.get(BY_COMMAND):
        raise NotAllowed("Whoever asked for this is not known here any more, so it is not done; ask for it again.")
    require_right(job.asked_by)


def require_rows(event: Event) -> list[ThreadToot]:
    rows = list(rows_of(event))
    if not rows:
        raise NotReadyError(f"There is no draft of a thread yet for {event.slug}; run post first.")
    return rows


def refuse_if_out(thread: Thread, event: Event) -> None:
    """AlreadyPosted unless the whole draft may still be made anew."""
    if thread.state == State.SENT:
        raise AlreadyPosted(f"The thread of {event.slug} is already posted; its draft stays as it was sent.")
    if thread.state == State.DELETING:
        raise AlreadyPosted(f"The thread of {event.slug} is being deleted.")
    if thread.state != State.DELETED and has_begun(event):
        raise AlreadyPosted(
            f"Part of the thread of {event.slug} is already posted; send the rest, or delete it first."
        )


def read_limits(thread: Thread) -> ThreadLimits:
    known = {key: thread.limits[key] for key in ThreadLimits.__slots__ if key in thread.limits}
    return ThreadLimits(**known)


def write_limits(limits: ThreadLimits) -> dict[str, Any]:
    return {key: getattr(limits, key) for key in ThreadLimits.__slots__}


def as_planned(row: ThreadToot) -> PlannedToot:
    pictures = tuple(Picture(entry["path"], entry.get("description", "")) for entry in row.media)
    return PlannedToot(row.role, row.text, pictures, tuple(row.sources))


def make_rows(event: Event, toots: list[PlannedToot], *, first: int = 1) -> list[ThreadToot]:
    """Rows for planned toots, not stored yet; ``first`` is the position of the first."""
    return [
        ThreadToot(
            event=event,
            position=position,
            role=toot.role,
            text=toot.text,
            media=[{"path": picture.path, "description": picture.description} for picture in toot.media],
            sources=list(toot.sources),
        )
        for position, toot in enumerate(toots, first)
    ]


def renumber(rows: list[ThreadToot]) -> None:
    """Give the rows the positions of their order, in two steps, as no two may share one at any time."""
    beyond = 10_000
    for number, row in enumerate(rows, 1):
        ThreadToot.objects.filter(pk=row.pk).update(position=beyond + number)
    for number, row in enumerate(rows, 1):
        ThreadToot.objects.filter(pk=row.pk).update(position=number)
        row.position = number
