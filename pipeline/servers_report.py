"""What each server of a fetch did, summed up in words a host understands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import Count, Sum

from events.models import Event
from pipeline.core.consent import OptOuts
from pipeline.models import Crawl, Visit

GROUPS: dict[str, tuple[str, ...]] = {
    "good": (Visit.Outcome.COMPLETE, Visit.Outcome.REACHED_MAX, Visit.Outcome.LOCAL_ONLY),
    "closed": (Visit.Outcome.REFUSED, Visit.Outcome.ROBOTS),
    "waiting": (Visit.Outcome.CANCELLED, ""),
}
_GROUP_OF = {outcome: group for group, outcomes in GROUPS.items() for outcome in outcomes}
_GROUP_ORDER = ("good", "closed", "trouble", "waiting")
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
    words: str
    detail: str
    toots: int
    requests: int
    received_bytes: int
    seconds: float


def list_server_lines(visits: Iterable[Visit], opt_outs: OptOuts) -> list[ServerLine]:
    return [_server_line(visit, is_named=visit.server not in opt_outs.servers) for visit in visits]


def _server_line(visit: Visit, *, is_named: bool) -> ServerLine:
    return ServerLine(
        server=visit.server if is_named else "",
        is_home=visit.is_home,
        group=group_of(visit.outcome),
        words=outcome_words(visit.outcome),
        detail=particulars(visit) if is_named else "",
        toots=visit.toots,
        requests=visit.requests,
        received_bytes=visit.received_bytes,
        seconds=visit.seconds,
    )
