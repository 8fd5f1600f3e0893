"""Which page of a server's hashtag timeline to ask for next, when to stop, and which rows count. Pure.

The walk through one server is a small machine: a ``Cursor`` says what to ask for, ``take_page`` turns what came
back into the next cursor or an ``End``. A cursor goes to the database after each page, so that a walk goes on where
it stood. Servers are not trusted to page well: see the contract on servers for what they do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from common.times import Window
from common.toots import Toot

PAGE_LIMIT = 40
# How far an id of Mastodon may be from its toot's date, and how far behind the window's end a jump lands.
ID_SLACK = timedelta(minutes=5)
# Before this nobody spoke the protocol, so an older date is a fault of the server's.
FIRST_SANE_DATE = datetime(2008, 1, 1, tzinfo=UTC)
MOST_BLANK_PAGES = 3
# Remembered per walk, to notice pages that come round again: ids of the last rows, ids asked for.
_MOST_SEEN_MARKS = 200
_MOST_ASKED_MARKS = 100


class View(StrEnum):
    """What of a hashtag a server is asked for: everything it knows, or its own toots only."""

    WHOLE = "whole"
    LOCAL = "local"


class Jump(StrEnum):
    """Whether the walk went straight to the window: not decided yet, asked and to be checked, or behind us."""

    OPEN = "open"
    ASKED = "asked"
    SETTLED = "settled"


class End(StrEnum):
    """Why a walk is over although nothing failed."""

    WINDOW_PASSED = "window_passed"
    NO_MORE = "no_more"
    REACHED_MAX = "reached_max"
    STUCK = "stuck"
    ENDLESS = "endless"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a crawl is after: hashtags case-folded, at most ``max_toots`` counted toots from one server."""

    hashtags: frozenset[str]
    window: Window
    max_toots: int

    @property
    def max_pages(self) -> int:
        """Pages after which a server is taken to have no end: a hundred, and four times what a full answer needs."""
        return 100 + 4 * self.max_toots // PAGE_LIMIT


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next request of a walk, and what has to be remembered to judge its answer.

    ``counted``: toots counted so far. ``first_id``: where ordinary paging goes on should the jump fail.
    ``seen_marks`` and ``asked_marks``: short hashes, space separated, oldest first.
    """

    view: View = View.WHOLE
    max_id: str | None = None
    jump: Jump = Jump.OPEN
    first_id: str | None = None
    pages: int = 0
    counted: int = 0
    blank_pages: int = 0
    seen_marks: str = ""
    asked_marks: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Cursor:
        """The cursor as stored by ``as_json``; an empty dict is the start of a walk."""
        values = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        if "view" in values:
            values["view"] = View(values["view"])
        if "jump" in values:
            values["jump"] = Jump(values["jump"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Page:
    """What came back for a cursor: readable rows in the order sent, number of all rows, id of the last one."""

    toots: Sequence[Toot]
    row_count: int
    last_id: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What a page means: the toots of it that count, and either the next request or the end of the walk."""

    cursor: Cursor
    counted: tuple[Toot, ...] = ()
    passed_over: int = 0
    end: End | None = None


def is_counted(toot: Toot, aim: Aim) -> bool:
    """Whether a copy counts: public, with one of the hashtags, inside the window by its own date."""
    return (
        toot.visibility == "public"
        and not aim.hashtags.isdisjoint(toot.hashtags)
        and aim.window.holds(toot.created_at)
    )


def take_page(cursor: Cursor, page: Page, aim: Aim, *, now: datetime) -> Step:
    """Judge one page; ``now`` tells dates that cannot be."""
    known = set(cursor.seen_marks.split())
    marks = [_mark(toot.local_id) for toot in page.toots]
    fresh = [toot for toot, mark in zip(page.toots, marks, strict=True) if mark not in known]
    countable = [toot for toot in fresh if is_counted(toot, aim)]
    counted = tuple(countable[: max(0, aim.max_toots - cursor.counted)])
    sane = [toot for toot in page.toots if FIRST_SANE_DATE <= toot.created_at < now + timedelta(days=1)]
    after = replace(
        cursor,
        pages=cursor.pages + 1,
        counted=cursor.counted + len(counted),
        blank_pages=0 if sane else cursor.blank_pages + 1,
        seen_marks=_remember(cursor.seen_marks, marks, _MOST_SEEN_MARKS),
    )
    passed_over = page.row_count - sum(is_counted(toot, aim) for toot in page.toots)
    end: End | None
    if after.counted >= aim.max_toots:
        end = End.REACHED_MAX
    elif cursor.jump is Jump.ASKED and not _jump_landed(cursor, page, sane, aim):
        # The rows count, but the walk comes by them again, so it must not take them for a page seen twice.
        after, end = after_failed_jump(replace(cursor, pages=after.pages)), None
    else:
        end = _find_end(cursor, page, fresh, sane, aim)
        after, end = _go_on(after, page, sane, aim) if end is None else (after, end)
    if end is None and after.pages >= aim.max_pages:
        end = End.ENDLESS
    return Step(after, counted, passed_over, end)


def after_refusal(cursor: Cursor) -> Cursor | None:
    """A server that does not show its whole view is asked once for its own toots; None: that was it."""
    return Cursor(view=View.LOCAL) if cursor.view is View.WHOLE and cursor.pages == 0 else None


def after_failed_jump(cursor: Cursor) -> Cursor:
    """Ordinary paging from the first page on, for a server that could not make sense of the jump."""
    return replace(cursor, jump=Jump.SETTLED, max_id=cursor.first_id, first_id=None, blank_pages=0)


def ids_carry_time(toots: Sequence[Toot]) -> bool:
    """Whether ids look like Mastodon's: decimal, 17 to 19 digits, milliseconds << 16 close to the toot's date."""
    fitting = sum(_id_fits_date(toot) for toot in toots)
    return fitting * 3 > len(toots) * 2


def jump_id(window: Window) -> str:
    """The ``max_id`` that leads straight to the end of the window on servers whose ids carry time."""
    return str(int((window.end + ID_SLACK).timestamp() * 1000) << 16)


def _find_end(cursor: Cursor, page: Page, fresh: list[Toot], sane: list[Toot], aim: Aim) -> End | None:
    if page.row_count == 0 or page.last_id is None:
        return End.NO_MORE if page.row_count == 0 else End.UNREADABLE
    if sane and all(toot.created_at < aim.window.start for toot in sane):
        return End.WINDOW_PASSED
    if page.last_id == cursor.max_id and page.row_count == 1:
        return End.NO_MORE  # the server counts max_id in: its last row again
    if page.toots and not fresh:
        return End.STUCK
    if _does_not_decrease(page.last_id, cursor.max_id) or _mark(page.last_id) in cursor.asked_marks.split():
        return End.STUCK
    if not sane and cursor.blank_pages + 1 >= MOST_BLANK_PAGES:
        return End.UNREADABLE
    return None


def _go_on(after: Cursor, page: Page, sane: list[Toot], aim: Aim) -> tuple[Cursor, None]:
    """The request behind a page that is not the last: the jump where it pays, else the next page."""
    last_id = page.last_id or ""
    asked_marks = _remember(after.asked_marks, [_mark(last_id)], _MOST_ASKED_MARKS)
    target = jump_id(aim.window)
    is_worth_it = _is_behind_us(sane, aim) and ids_carry_time(sane) and _does_not_decrease(last_id, target)
    if after.jump is Jump.OPEN and is_worth_it:
        jumping = replace(after, jump=Jump.ASKED, max_id=target, first_id=last_id)
        return replace(jumping, asked_marks=asked_marks), None
    return replace(after, jump=Jump.SETTLED, max_id=last_id, first_id=None, asked_marks=asked_marks), None


def _is_behind_us(sane: list[Toot], aim: Aim) -> bool:
    """Whether a page is newer than the window, but for odd rows."""
    newer = sum(toot.created_at >= aim.window.end + ID_SLACK for toot in sane)
    return newer * 3 > len(sane) * 2


def _jump_landed(cursor: Cursor, page: Page, sane: list[Toot], aim: Aim) -> bool:
    """Whether it answers a jump: rows, none clearly from behind the window, ids below the one asked for."""
    if not sane or page.last_id is None or _does_not_decrease(page.last_id, cursor.max_id):
        return False
    return all(toot.created_at < aim.window.end + 2 * ID_SLACK for toot in sane)


def _id_fits_date(toot: Toot) -> bool:
    local_id = toot.local_id
    if not (local_id.isascii() and local_id.isdigit() and 17 <= len(local_id) <= 19):
        return False
    return abs((int(local_id) >> 16) - toot.created_at.timestamp() * 1000) <= ID_SLACK.total_seconds() * 1000


def _does_not_decrease(last_id: str, max_id: str | None) -> bool:
    if max_id is None or not all(text.isascii() and text.isdigit() and len(text) < 30 for text in (last_id, max_id)):
        return False
    return int(last_id) >= int(max_id)


def _mark(local_id: str) -> str:
    return hashlib.blake2b(local_id.encode("utf-8", "replace"), digest_size=4).hexdigest()


def _remember(marks: str, more: list[str], most: int) -> str:
    known = dict.fromkeys(marks.split())
    known.update(dict.fromkeys(more))
    return " ".join(list(known)[-most:])
