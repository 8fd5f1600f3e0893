"""What the coordinator and the walking threads say to each other."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from common.robots import RobotsRules
from common.toots import Toot
from pipeline.core.fetch import Cursor


@dataclass(frozen=True, slots=True)
class Assignment:
    """A visit to walk: from ``cursor`` on, ``seconds`` spent on it already; ``robots`` if known since yesterday."""

    visit_id: int
    server: str
    is_home: bool
    cursor: Cursor
    seconds: float = 0
    robots: RobotsRules | None = None


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
    """How a visit came out: a ``Visit.Outcome`` and a sentence for the host."""

    outcome: str
    detail: str


@dataclass(slots=True)
class Report:
    """What a walk has to tell: a page, its end, or both. The walk goes on when it is ``stored``.

    ``new_robots`` are rules fetched just now. ``is_lost``, set by the writer: another process walks this server by
    now, so this walk has to stop.
    """

    assignment: Assignment
    cursor: Cursor
    toots: tuple[Toot, ...] = ()
    tally: Tally = field(default_factory=Tally)
    robots_verdict: str = ""
    new_robots: RobotsRules | None = None
    ending: Ending | None = None
    is_lost: bool = False
    stored: threading.Event = field(default_factory=threading.Event)
