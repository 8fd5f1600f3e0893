"""Which page of a server's hashtag timeline to ask for next, when to stop, and which rows count. Pure.

The walk through one server is a small machine: a ``Cursor`` says what to ask for, ``take_page`` turns what came
back into the next cursor or an ``End``. A cursor goes to the database after each page, so that a walk goes on where
it stood. Servers are not trusted to page well: see the contract on servers for what they do.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from common.text import fold_hashtag
from common.times import Window
from common.toots import Seen

PAGE_LIMIT = 40
# How far an id of Mastodon may be from its toot's date, and how far behind the window's end a jump lands.
ID_SLACK = timedelta(minutes=5)
# Before this nobody spoke the protocol, so an older date is a fault of the server's.
FIRST_SANE_DATE = datetime(2008, 1, 1, tzinfo=UTC)
MOST_BLANK_PAGES = 3
# With fewer rows than this no server caps a page, so it is taken for the last one where requests are to be saved.
_SHORT_PAGE = 20
# Remembered per walk, to notice pages that come round again: ids of the last rows, ids asked for.
_MOST_SEEN_MARKS = 200
_MOST_ASKED_MARKS = 100


class View(StrEnum):
    """What of a hashtag a server is asked for, and how: everything it knows or its own toots only by the Mastodon
    API, everything by the search of the Misskey family, or its RSS feed, which has no counts."""

    WHOLE = "whole"
    LOCAL = "local"
    NOTES = "notes"
    FEED = "feed"


class Stage(StrEnum):
    """Why a server is walked: as all are; to look at one page of its whole view; or to follow where that leads.
    The latter two are for quick crawls, see ``pipeline.core.quick``."""

    FIRST = "first"
    PROBE = "probe"
    TRAIL = "trail"


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
    """What a crawl is after: any of ``hashtags`` and none of ``excluded``, all folded; at most ``max_toots`` counted
    toots from one server. ``spelled``: the hashtags as servers are asked for them, in this order."""

    hashtags: frozenset[str]
    window: Window
    max_toots: int
    excluded: frozenset[str] = frozenset()
    spelled: tuple[str, ...] = ()
    is_quick: bool = False

    @classmethod
    def at(
        cls,
        hashtags: Sequence[str],
        window: Window,
        max_toots: int,
        *,
        excluded: Sequence[str] = (),
        is_quick: bool = False,
    ) -> Aim:
        """From hashtags as people write them."""
        left_out = frozenset(map(fold_hashtag, excluded))
        folded = frozenset(map(fold_hashtag, hashtags))
        return cls(folded, window, max_toots, excluded=left_out, spelled=tuple(hashtags), is_quick=is_quick)

    @property
    def asked_for(self) -> tuple[str, ...]:
        return self.spelled or tuple(sorted(self.hashtags))

    @property
    def max_pages(self) -> int:
        """Pages after which a server is taken to have no end: a hundred, and four times what a full answer needs."""
        return 100 + 4 * self.max_toots // PAGE_LIMIT


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next request of a walk, and what has to be remembered to judge its answer.

    ``most_pages``: of a trail. ``tag``: place of the hashtag being walked. ``refused``: views the server does not
    show, space separated. ``pages``: of this hashtag; ``earlier_pages``: of those before it. ``counted``: toots
    counted so far, of all. ``carries_time``: ids of this server tell the time. ``is_stuck``: paging of some hashtag
    went round in a circle. ``page_rows``: rows of the last page. ``first_id``: where ordinary paging goes on should
    the jump fail.
    ``seen_marks`` and ``asked_marks``: short hashes, space separated, oldest first.
    """

    view: View = View.WHOLE
    stage: Stage = Stage.FIRST
    most_pages: int = 0
    tag: int = 0
    refused: str = ""
    max_id: str | None = None
    jump: Jump = Jump.OPEN
    first_id: str | None = None
    pages: int = 0
    earlier_pages: int = 0
    page_rows: int = 0
    counted: int = 0
    carries_time: bool = False
    is_stuck: bool = False
    blank_pages: int = 0
    seen_marks: str = ""
    asked_marks: str = ""

    @property
    def has_pages(self) -> bool:
        """Whether the server has shown anything yet."""
        return self.pages + self.earlier_pages > 0

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _CURSOR_FIELDS}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Cursor:
        """The cursor as stored by ``as_json``; an empty dict is the start of a walk."""
        values = {name: stored[name] for name in _CURSOR_FIELDS if name in stored}
        if "view" in values:
            values["view"] = View(values["view"])
        if "jump" in values:
            values["jump"] = Jump(values["jump"])
        if "stage" in values:
            values["stage"] = Stage(values["stage"])
        return cls(**values)


_CURSOR_FIELDS = tuple(field.name for field in fields(Cursor))
# Where a walk through a server of the Misskey family begins.
_SEARCH = Cursor(view=View.NOTES, refused=f"{View.WHOLE} {View.LOCAL}")


@dataclass(frozen=True, slots=True)
class Page:
    """What came back for a cursor: readable rows in the order sent, number of all rows, id of the last one."""

    toots: Sequence[Seen]
    row_count: int
    last_id: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What a page means: the toots of it that count, and either the next request or the end of the walk.

    ``named``: servers to be visited, the origins of all public toots with one of the hashtags, also of those that
    do not count.
    """

    cursor: Cursor
    counted: tuple[Seen, ...] = ()
    named: frozenset[str] = frozenset()
    passed_over: int = 0
    end: End | None = None


def is_counted(toot: Seen, aim: Aim) -> bool:
    """Whether a copy counts: public, with one of the hashtags and none of the excluded, in the window by its date."""
    return _is_about_it(toot, aim) and _is_within(toot, aim)


def take_page(
    cursor: Cursor, page: Page, aim: Aim, *, now: datetime, known_servers: frozenset[str] = frozenset()
) -> Step:
    """Judge one page; ``now`` tells dates that cannot be. A trail ends where it leads beyond ``known_servers``."""
    known = set(cursor.seen_marks.split())
    marks = [_mark(toot.local_id) for toot in page.toots]
    about_it = [_is_about_it(toot, aim) for toot in page.toots]
    counting = [is_about and _is_within(toot, aim) for toot, is_about in zip(page.toots, about_it, strict=True)]
    fresh = [mark not in known for mark in marks]
    candidates = [
        toot for toot, is_fresh, counts in zip(page.toots, fresh, counting, strict=True) if is_fresh and counts
    ]
    counted = _up_to_max(candidates, cursor, aim)
    named = frozenset([toot.origin for toot, is_about in zip(page.toots, about_it, strict=True) if is_about])
    latest = now + timedelta(days=1)
    sane = [toot for toot in page.toots if FIRST_SANE_DATE <= toot.created_at < latest]
    after = replace(
        cursor,
        pages=cursor.pages + 1,
        page_rows=page.row_count,
        counted=cursor.counted + _count_new(counted, cursor, aim),
        carries_time=cursor.carries_time or ids_carry_time(sane),
        blank_pages=0 if sane else cursor.blank_pages + 1,
        seen_marks=_remember(cursor.seen_marks, marks, _MOST_SEEN_MARKS),
    )
    passed_over = page.row_count - sum(counting)
    end: End | None
    if after.counted >= aim.max_toots:
        end = End.REACHED_MAX
    elif cursor.jump is Jump.ASKED and not _jump_landed(cursor, page, sane, aim):
        # The rows count, but the walk comes by them again, so it must not take them for a page seen twice.
        after, end = after_failed_jump(replace(cursor, pages=after.pages)), None
    else:
        is_led_on = cursor.stage is Stage.TRAIL and not named <= known_servers
        end = End.NO_MORE if is_led_on else _find_end(cursor, page, any(fresh), sane, aim)
        after, end = _go_on(after, page, sane, aim) if end is None else (after, end)
    if end is None and after.pages >= aim.max_pages:
        end = End.ENDLESS
    return Step(replace(after, is_stuck=after.is_stuck or end is End.STUCK), counted, named, passed_over, end)


def begin(cursor: Cursor, aim: Aim, *, is_home: bool, speaks_notes: bool) -> Cursor:
    """The first request of a walk that has not begun yet; any other cursor as it is."""
    if cursor != Cursor():
        return cursor
    if speaks_notes:
        return _SEARCH
    return Cursor(view=View.LOCAL) if aim.is_quick and not is_home else cursor


def after_refusal(cursor: Cursor, *, speaks_notes: bool = False, has_feed: bool = True) -> Cursor | None:
    """What else to ask a server for that does not show this view: the whole view, then its own toots, then what
    it offers beside the Mastodon API; each once. None: that was it."""
    if cursor.pages or cursor.stage is not Stage.FIRST:
        return None
    refused = (*cursor.refused.split(), cursor.view)
    last = (View.NOTES,) if speaks_notes else (View.FEED,) if has_feed else ()
    left = [view for view in (View.WHOLE, View.LOCAL, *last) if view not in refused]
    if not left or cursor.view in (View.NOTES, View.FEED):
        return None
    return replace(cursor, view=left[0], refused=" ".join(refused))


def after_missing_api(cursor: Cursor, *, speaks_notes: bool) -> Cursor | None:
    """What to ask a server for that does not speak the Mastodon API; None: nothing."""
    if not speaks_notes or cursor.view is View.NOTES or cursor.has_pages or cursor.stage is not Stage.FIRST:
        return None
    return _SEARCH


def next_hashtag(cursor: Cursor, aim: Aim) -> Cursor | None:
    """The start of the walk for the next hashtag, in the view that this one was shown in; None behind the last."""
    if cursor.tag + 1 >= len(aim.asked_for) or cursor.stage is not Stage.FIRST:
        return None
    return Cursor(
        view=cursor.view,
        tag=cursor.tag + 1,
        refused=cursor.refused,
        earlier_pages=cursor.earlier_pages + cursor.pages,
        counted=cursor.counted,
        carries_time=cursor.carries_time,
        is_stuck=cursor.is_stuck,
    )


def after_failed_jump(cursor: Cursor) -> Cursor:
    """Ordinary paging from the first page on, for a server that could not make sense of the jump."""
    return replace(cursor, jump=Jump.SETTLED, max_id=cursor.first_id, first_id=None, blank_pages=0)


def ids_carry_time(toots: Sequence[Seen]) -> bool:
    """Whether ids look like Mastodon's: decimal, 17 to 19 digits, milliseconds << 16 close to the toot's date."""
    fitting = sum(_id_fits_date(toot) for toot in toots)
    return fitting * 3 > len(toots) * 2


def jump_id(window: Window) -> str:
    """The ``max_id`` that leads straight to the end of the window on servers whose ids carry time."""
    return str(int((window.end + ID_SLACK).timestamp() * 1000) << 16)


def id_at(moment: datetime) -> str:
    """The ``max_id`` that leads to toots older than that on servers whose ids carry time."""
    return str(int(moment.timestamp() * 1000) << 16)


def _is_about_it(toot: Seen, aim: Aim) -> bool:
    return toot.visibility == "public" and not aim.hashtags.isdisjoint(toot.hashtags)


def _is_within(toot: Seen, aim: Aim) -> bool:
    """Of one that is about it: whether it counts, by its date and its other hashtags."""
    return aim.excluded.isdisjoint(toot.hashtags) and aim.window.holds(toot.created_at)


def _is_new(toot: Seen, cursor: Cursor, aim: Aim) -> bool:
    """Whether no hashtag walked before this one had the toot too."""
    earlier = aim.asked_for[: cursor.tag]
    return not earlier or not {fold_hashtag(tag) for tag in earlier} & set(toot.hashtags)


def _count_new(toots: Sequence[Seen], cursor: Cursor, aim: Aim) -> int:
    return sum(_is_new(toot, cursor, aim) for toot in toots) if cursor.tag else len(toots)


def _up_to_max(toots: list[Seen], cursor: Cursor, aim: Aim) -> tuple[Seen, ...]:
    room = max(0, aim.max_toots - cursor.counted)
    if not cursor.tag:  # then all of them are new
        return tuple(toots[:room])
    taken = []
    for toot in toots:
        if room <= 0:
            break
        room -= _is_new(toot, cursor, aim)
        taken.append(toot)
    return tuple(taken)


def _find_end(cursor: Cursor, page: Page, is_fresh: bool, sane: list[Seen], aim: Aim) -> End | None:
    if cursor.view is View.FEED or cursor.stage is Stage.PROBE:
        return End.NO_MORE
    if page.row_count == 0 or page.last_id is None:
        return End.NO_MORE if page.row_count == 0 else End.UNREADABLE
    if sane and all(toot.created_at < aim.window.start for toot in sane):
        return End.WINDOW_PASSED
    if page.last_id == cursor.max_id and page.row_count == 1:
        return End.NO_MORE  # the server counts max_id in: its last row again
    if page.toots and not is_fresh:
        return End.STUCK
    if _does_not_decrease(page.last_id, cursor.max_id) or _mark(page.last_id) in cursor.asked_marks.split():
        return End.STUCK
    if not sane and cursor.blank_pages + 1 >= MOST_BLANK_PAGES:
        return End.UNREADABLE
    if cursor.stage is Stage.TRAIL and cursor.pages + 1 >= cursor.most_pages:
        return End.NO_MORE
    return End.NO_MORE if _is_taken_for_last(cursor, page, aim) else None


def _is_taken_for_last(cursor: Cursor, page: Page, aim: Aim) -> bool:
    """A quick crawl saves the request that would tell: a page has fewer rows than any cap, or than the one before."""
    if not aim.is_quick or cursor.view is not View.LOCAL:
        return False
    return page.row_count < _SHORT_PAGE or page.row_count < cursor.page_rows


def _go_on(after: Cursor, page: Page, sane: list[Seen], aim: Aim) -> tuple[Cursor, None]:
    """The request behind a page that is not the last: the jump where it pays, else the next page."""
    last_id = page.last_id or ""
    asked_marks = _remember(after.asked_marks, [_mark(last_id)], _MOST_ASKED_MARKS)
    target = jump_id(aim.window)
    is_open = after.jump is Jump.OPEN
    if is_open and _is_behind_us(sane, aim) and ids_carry_time(sane) and _does_not_decrease(last_id, target):
        jumping = replace(after, jump=Jump.ASKED, max_id=target, first_id=last_id)
        return replace(jumping, asked_marks=asked_marks), None
    return replace(after, jump=Jump.SETTLED, max_id=last_id, first_id=None, asked_marks=asked_marks), None


def _is_behind_us(sane: list[Seen], aim: Aim) -> bool:
    """Whether a page is newer than the window, but for odd rows."""
    newer = sum(toot.created_at >= aim.window.end + ID_SLACK for toot in sane)
    return newer * 3 > len(sane) * 2


def _jump_landed(cursor: Cursor, page: Page, sane: list[Seen], aim: Aim) -> bool:
    """Whether it answers a jump: rows, none clearly from behind the window, ids below the one asked for."""
    if not sane or page.last_id is None or _does_not_decrease(page.last_id, cursor.max_id):
        return False
    return all(toot.created_at < aim.window.end + 2 * ID_SLACK for toot in sane)


def _id_fits_date(toot: Seen) -> bool:
    local_id = toot.local_id
    if not (local_id.isascii() and local_id.isdigit() and 17 <= len(local_id) <= 19):
        return False
    return abs((int(local_id) >> 16) - toot.created_at.timestamp() * 1000) <= ID_SLACK.total_seconds() * 1000


def _does_not_decrease(last_id: str, max_id: str | None) -> bool:
    if max_id is None or not all(text.isascii() and text.isdigit() and len(text) < 30 for text in (last_id, max_id)):
        return False
    return int(last_id) >= int(max_id)


def _mark(local_id: str) -> str:
    return f"{zlib.crc32(local_id.encode('utf-8', 'replace')):08x}"


def _remember(marks: str, more: list[str], most: int) -> str:
    known = dict.fromkeys(marks.split())
    known.update(dict.fromkeys(more))
    return " ".join(list(known)[-most:])
