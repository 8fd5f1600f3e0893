"""What the coordinator, its crews and their walks say to each other; everything here can cross to another process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from common.nodeinfo import Software
from common.robots import RobotsRules
from pipeline.core.fetch import Cursor
from pipeline.core.merge import MergedToot, Standing


@dataclass(frozen=True, slots=True)
class Assignment:
    """A visit to walk: from ``cursor`` on, ``seconds``, ``requests`` and bytes spent on it already.

    ``walk``: number of this attempt, never used twice by a coordinator. ``robots`` if known since yesterday,
    ``software`` if known this month; ``not_before``: when the server wants to be asked again. ``known_servers``:
    where a trail of a quick crawl need not lead.
    """

    visit_id: int
    server: str
    is_home: bool
    cursor: Cursor
    seconds: float = 0
    robots: RobotsRules | None = None
    requests: int = 0
    received_bytes: int = 0
    not_before: datetime | None = None
    software: Software | None = None
    known_servers: frozenset[str] = frozenset()
    walk: int = 0


@dataclass(slots=True)
class Tally:
    """What was spent and passed over since the last report."""

    requests: int = 0
    pages: int = 0
    passed_over: int = 0
    received_bytes: int = 0
    seconds: float = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a visit came out: an ``Outcome`` and a sentence for the host; ``onward``: the server it sent us to."""

    outcome: str
    detail: str
    onward: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a walk has to tell: a page, its end, or both. The walk goes on when it has the Receipt.

    ``toots``: copies that may change what is stored, each as the beginning of a merge. ``known``: ids of stored toots
    that were seen again, by copies that change nothing. ``named``: servers to be visited. ``new_robots``,
    ``new_software``: fetched just now.
    """

    walk: int
    visit_id: int
    server: str
    is_home: bool
    cursor: Cursor
    toots: tuple[MergedToot, ...] = ()
    known: tuple[int, ...] = ()
    named: frozenset[str] = frozenset()
    tally: Tally = field(default_factory=Tally)
    robots_verdict: str = ""
    new_robots: RobotsRules | None = None
    new_software: Software | None = None
    ending: Ending | None = None


class Place(NamedTuple):
    """Where a toot is stored, and how it stands there. ``revision``: how often it was changed."""

    toot_id: int
    revision: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Receipt:
    """A report was stored: for each of its ``toots`` its place, None where nothing is kept of it.

    ``is_lost``: it was not stored, as another process walks this server by now; the walk has to stop.
    """

    walk: int
    places: tuple[Place | None, ...] = ()
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Farewell:
    """A walk is over, its last request too. ``not_before``: as of the Assignment; ``trouble``: a fault of ours."""

    walk: int
    not_before: datetime | None = None
    trouble: BaseException | None = None
