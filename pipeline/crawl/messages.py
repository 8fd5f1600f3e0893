"""What the coordinator and the walking threads say to each other."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from common.nodeinfo import Software
from common.robots import RobotsRules
from common.toots import Toot
from pipeline.core.fetch import Cursor


@dataclass(frozen=True, slots=True)
class Assignment:
    """A visit to walk: from ``cursor`` on, ``seconds``, ``requests`` and bytes spent on it already.

    ``robots`` if known since yesterday, ``software`` if known this month; ``not_before``: when the server wants to be
    asked again. ``known_servers``: where a trail of a quick crawl need not lead.
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
    """How a visit came out: a ``Visit.Outcome`` and a sentence for the host; ``onward``: the server it sent us to."""

    outcome: str
    detail: str
    onward: str = ""


@dataclass(slots=True)
class Report:
    """What a walk has to tell: a page, its end, or both. The walk goes on when it is ``stored``.

    ``named``: servers to be visited. ``new_robots``, ``new_software``: fetched just now. ``is_lost``, set by the
    writer: another process walks this server by now, so this walk has to stop.
    """

    assignment: Assignment
    cursor: Cursor
    toots: tuple[Toot, ...] = ()
    named: frozenset[str] = frozenset()
    tally: Tally = field(default_factory=Tally)
    robots_verdict: str = ""
    new_robots: RobotsRules | None = None
    new_software: Software | None = None
    ending: Ending | None = None
    is_lost: bool = False
    stored: threading.Event = field(default_factory=threading.Event)
