"""What each server of a fetch did, summed up in words a host understands."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Sum

from common.times import format_z
from events.models import Event
from pipeline.core.consent import OptOuts
from pipeline.core.csv_cells import as_cell
from pipeline.models import Crawl, Visit

GROUPS: dict[str, tuple[str, ...]] = {
    "good": (
        Visit.Outcome.COMPLETE,
        Visit.Outcome.REACHED_MAX,
        Visit.Outcome.LOCAL_ONLY,
        Visit.Outcome.NOT_PAGED,
    ),
    "closed": (Visit.Outcome.REFUSED, Visit.Outcome.ROBOTS, Visit.Outcome.FEED_ONLY),
    "waiting": (Visit.Outcome.CANCELLED, ""),
}
_GROUP_OF = {outcome: group for group, outcomes in GROUPS.items() for outcome in outcomes}
_GROUP_ORDER = ("good", "closed", "trouble", "waiting")
_ROBOTS_WORDS = {"allowed": "allows it", "forbidden": "forbids it", "none": "has none"}
COLUMNS = (
    "server",
    "is_home",
    "outcome",
    "words",
    "detail",
    "robots",
    "requests",
    "pages",
    "toots",
    "passed_over",
    "received_bytes",
    "seconds",
)
NOT_ASKED_YET = "not asked yet"


def group_of(outcome: str) -> str:
    """``good``, ``closed`` (its own wish), ``trouble`` (something went wrong) or ``waiting``."""
    return _GROUP_OF.get(outcome, "trouble")


def outcome_words(outcome: str) -> str:
    return str(Visit.Outcome(outcome).label) if outcome in Visit.Outcome.values else NOT_ASKED_YET


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """One outcome with the number of servers it came to."""

    outcome: str
    words: str
    group: str
    servers: int


@dataclass(frozen=True, slots=True)
class BarPart:
    """A stretch of the bar of outcomes, in hundredths of its length."""

    group: str
    offset: float
    width: float


@dataclass(frozen=True, slots=True)
class ServersSummary:
    """A crawl in numbers; ``lines`` from good to bad, the most frequent first within a group."""

    crawl: Crawl
    lines: tuple[OutcomeLine, ...]
    requests: int
    received_bytes: int
    groups: Counter[str] = field(default_factory=Counter)

    @property
    def left_out(self) -> int:
        """Servers that were named and found no room under the limit."""
        return int(self.crawl.summary.get("left_out_servers") or 0)

    @property
    def caps(self) -> dict[str, int]:
        """The limits of this crawl: ``server_requests server_bytes crawl_requests crawl_bytes servers``."""
        caps = self.crawl.summary.get("caps")
        return caps if isinstance(caps, dict) else {}

    @property
    def total(self) -> int:
        return sum(self.groups.values())

    @property
    def good(self) -> int:
        return self.groups["good"]

    @property
    def closed(self) -> int:
        return self.groups["closed"]

    @property
    def trouble(self) -> int:
        return self.groups["trouble"]

    @property
    def waiting(self) -> int:
        return self.groups["waiting"]

    def bar(self) -> Iterator[BarPart]:
        offset = 0.0
        for group in _GROUP_ORDER:
            if self.groups[group]:
                width = 100 * self.groups[group] / self.total
                yield BarPart(group, round(offset, 3), round(width, 3))
                offset += width


def find_reported_crawl(event: Event) -> Crawl | None:
    """The newest finished crawl, or the newest of all while none is finished."""
    crawls = list(event.crawls.order_by("-id")[:20])
    finished = [crawl for crawl in crawls if crawl.state == Crawl.State.COMPLETE]
    return next(iter(finished or crawls), None)


def summarise_servers(crawl: Crawl) -> ServersSummary:
    rows = list(
        crawl.visits.order_by()
        .values("outcome")
        .annotate(servers=Count("id"), requests=Sum("requests"), received_bytes=Sum("received_bytes"))
    )
    lines = [
        OutcomeLine(row["outcome"], outcome_words(row["outcome"]), group_of(row["outcome"]), row["servers"])
        for row in rows
    ]
    groups: Counter[str] = Counter()
    for line in lines:
        groups[line.group] += line.servers
    return ServersSummary(
        crawl=crawl,
        lines=tuple(sorted(lines, key=lambda line: (_GROUP_ORDER.index(line.group), -line.servers, line.words))),
        requests=sum(row["requests"] or 0 for row in rows),
        received_bytes=sum(row["received_bytes"] or 0 for row in rows),
        groups=groups,
    )


def particulars(visit: Visit) -> str:
    """The visit's own sentence, if it says more than its outcome does."""
    told = visit.detail.strip()
    bare = told.removeprefix(visit.server).strip(" .").casefold()
    return "" if bare == outcome_words(visit.outcome).casefold() else told


def list_refusals(crawl: Crawl, limit: int = 12) -> list[Visit]:
    """Servers that did not show everything they have, by name, for the host who wonders why."""
    fine = (*GROUPS["good"], "")
    return list(crawl.visits.exclude(outcome__in=fine).order_by("outcome", "server")[:limit])


@dataclass(frozen=True, slots=True)
class ServerLine:
    """One server of the public table; ``server`` is empty when it asked not to be named."""

    server: str
    is_home: bool
    group: str
    outcome: str
    words: str
    detail: str
    robots: str
    pages: int
    toots: int
    passed_over: int
    requests: int
    received_bytes: int
    seconds: float

    @property
    def robots_words(self) -> str:
        return _ROBOTS_WORDS.get(self.robots, "")


def list_server_lines(visits: Iterable[Visit], opt_outs: OptOuts) -> list[ServerLine]:
    return [_server_line(visit, is_named=visit.server not in opt_outs.servers) for visit in visits]


def _server_line(visit: Visit, *, is_named: bool) -> ServerLine:
    return ServerLine(
        server=visit.server if is_named else "",
        is_home=visit.is_home,
        group=group_of(visit.outcome),
        outcome=visit.outcome,
        words=outcome_words(visit.outcome),
        detail=particulars(visit) if is_named else "",
        robots=visit.robots,
        pages=visit.pages,
        toots=visit.toots,
        passed_over=visit.passed_over,
        requests=visit.requests,
        received_bytes=visit.received_bytes,
        seconds=visit.seconds,
    )


def report_as_json(event: Event, summary: ServersSummary, lines: Iterable[ServerLine]) -> dict[str, Any]:
    """The page for programs. A server that asked not to be named has ``"server": ""`` here too."""
    crawl = summary.crawl
    return {
        "event": event.slug,
        "hashtag": crawl.hashtag,
        "state": crawl.state,
        "started": format_z(crawl.created_at),
        "finished": format_z(crawl.finished_at) if crawl.finished_at else None,
        "servers_asked": summary.total,
        "requests": summary.requests,
        "received_bytes": summary.received_bytes,
        "left_out_servers": summary.left_out,
        "caps": summary.caps,
        "servers": [{name: getattr(line, name) for name in COLUMNS} for line in lines],
    }


def report_as_csv(lines: Iterable[ServerLine]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([as_cell(getattr(line, name)) for name in COLUMNS] for line in lines)
    return text.getvalue()
