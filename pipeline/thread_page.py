"""What the page of a thread shows: its toots as they will look or as they are out, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from common.links import safe_link
from events.models import Event, MastodonAccount
from jobs.models import Job
from jobs.progress import percent_of
from pipeline.core.post import ThreadLimits
from pipeline.core.thread_preview import marked_paragraphs
from pipeline.core.toot_text import count_characters
from pipeline.models import Analysis, Thread, ThreadToot
from pipeline.thread import ledger
from pipeline.thread.ledger import RowState, State

KINDS = ("post", ledger.SEND, ledger.DELETE)
_OPEN = (RowState.PLANNED, RowState.FAILED)
ROLES = {
    "opening": "Opening",
    "author": "Most active author",
    "boosts": "Most boosted",
    "favourites": "Most favourited",
    "replies": "Most replied to",
    "graph": "Graph",
    "wordcloud": "Word cloud",
    "closing": "Closing",
}


@dataclass(frozen=True, slots=True)
class PagePicture:
    address: str
    description: str


@dataclass(frozen=True, slots=True)
class PageToot:
    """One card. ``is_open``: its words can be changed now."""

    row: ThreadToot
    role: str
    html: SafeString
    used: int
    pictures: tuple[PagePicture, ...]
    link: str
    is_open: bool
    is_first_open: bool
    is_last: bool
    is_being_edited: bool


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """``problem`` is what just could not be done. ``can_*``: what is offered to this user in this state."""

    event: Event
    thread: Thread
    toots: list[PageToot]
    limits: ThreadLimits
    account: MastodonAccount | None
    job: Job | None
    problem: str
    has_numbers: bool
    can_change: bool
    can_post: bool
    out: int

    @property
    def is_live(self) -> bool:
        return self.job is not None

    @property
    def percent(self) -> int | None:
        return percent_of(self.job.progress) if self.job is not None else None

    @property
    def words(self) -> str:
        return str(self.job.progress.get("message") or "") if self.job is not None else ""

    @property
    def is_draft(self) -> bool:
        return self.thread.state == State.DRAFT

    @property
    def is_frozen(self) -> bool:
        return self.thread.state in (State.APPROVED, State.SENDING)

    @property
    def has_something_out(self) -> bool:
        return self.out > 0 or any(toot.row.state == RowState.SENDING or toot.row.strays for toot in self.toots)

    @property
    def can_regenerate(self) -> bool:
        is_free = self.thread.state in (State.DRAFT, State.DELETED)
        return (
            self.can_change
            and self.has_numbers
            and is_free
            and (not self.has_something_out or self.thread.state == State.DELETED)
        )

    @property
    def left(self) -> int:
        return len(self.toots) - self.out

    @property
    def has_own_words(self) -> bool:
        return any(toot.row.is_edited for toot in self.toots)

    @property
    def can_delete(self) -> bool:
        may_turn_up = any(toot.row.former for toot in self.toots)
        return self.can_post and (self.has_something_out or may_turn_up or self.thread.state == State.DELETING)


def build_page(event: Event, user: Any, *, edit: int = 0, problem: str = "") -> ThreadPage:
    thread = ledger.find_thread(event)
    limits = ledger.read_limits(thread)
    rows = list(ledger.rows_of(event))
    can_change = user.has_perm("events.change_event")
    is_free = can_change and thread.state == State.DRAFT
    job = event.jobs.filter(kind__in=KINDS, status__in=Job.ACTIVE).order_by("-id").first()
    return ThreadPage(
        event=event,
        thread=thread,
        toots=_toots(event, rows, limits, edit=edit, is_free=is_free and job is None),
        limits=limits,
        account=thread.account or event.thread_account,
        job=job,
        problem=problem,
        has_numbers=Analysis.objects.filter(event=event).exists(),
        can_change=can_change,
        can_post=user.has_perm(ledger.PERMISSION),
        out=sum(row.state == RowState.SENT for row in rows),
    )


def _toots(
    event: Event, rows: Sequence[ThreadToot], limits: ThreadLimits, *, edit: int, is_free: bool
) -> list[PageToot]:
    first_open = next((row.position for row in rows if row.state in _OPEN), 0)
    return [
        PageToot(
            row=row,
            role=ROLES.get(row.role, row.role),
            html=mark_safe(marked_paragraphs(row.posted_text or row.text)),  # noqa: S308 - escaped there
            used=count_characters(row.text, limits.characters_per_url),
            pictures=tuple(_picture(event, entry) for entry in row.media),
            link=safe_link(row.url),
            is_open=is_free and row.state in _OPEN,
            is_first_open=row.position == first_open,
            is_last=row is rows[-1],
            is_being_edited=is_free and row.state in _OPEN and row.pk == edit,
        )
        for row in rows
    ]


def _picture(event: Event, entry: dict[str, Any]) -> PagePicture:
    name = str(entry["path"]).rpartition("/")[2]
    return PagePicture(reverse("pipeline:file", args=[event.slug, name]), str(entry.get("description", "")))
