"""Who walks for a coordinator: threads of its own process, or a process beside it (``pipeline.crawl.outpost``)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from common.http import Gate
from pipeline.core.fetch import Aim
from pipeline.crawl.desk import Desk
from pipeline.crawl.known import KnownToots
from pipeline.crawl.messages import Assignment, Farewell, Place, Receipt, Report
from pipeline.crawl.meter import Caps, CrawlBudget, Lease, VisitMeter
from pipeline.crawl.walker import Delivery, Manners, Walk

News = Report | Farewell


class Crew(Protocol):
    """Walks servers side by side. What it has to tell comes as reports and, last of each walk, one farewell."""

    def walk(self, assignment: Assignment, valid_until: float) -> None:
        """Begin; ``valid_until`` is a moment of ``time.monotonic``, good for all processes of a machine."""

    def hold(self, walks: Collection[int], valid_until: float) -> None:
        """These go on until then; all others have lost their server to somebody else."""

    def confirm(self, receipts: Sequence[Receipt]) -> None:
        """Reports are stored, so their walks may go on."""

    def learn(self, places: Mapping[str, Place]) -> None:
        """Toots that others brought, by uri: a copy of one need not be told, unless it changes something."""

    def note_elsewhere(self, requests: int, received_bytes: int) -> None:
        """What others, and earlier runs, have spent of the crawl's budget."""

    def halt(self) -> None:
        """From any thread: end all walks now, requests under way included."""

    def close(self) -> None:
        """Halt, and return when no request is under way any more."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What all walks of a crew have in common. ``threads``: most walks at a time; ``crawl``: its number.

    For a process of its own that takes them: ``niceness``, by how much it lets others go first, and ``processor``, on
    which it stays, counted around among those there are.
    """

    aim: Aim
    crawl: int
    manners: Manners
    caps: Caps
    threads: int
    niceness: int = 0
    processor: int = 0


@dataclass(slots=True)
class _Underway:
    lease: Lease
    meter: VisitMeter
    uris: tuple[str, ...] = ()
    delivery: Delivery | None = None


class ThreadCrew:
    """A thread for each walk. ``tell`` is called from those threads; ``home_token`` goes to the home server alone."""

    def __init__(self, orders: Orders, gate: Gate, tell: Callable[[News], None], *, home_token: str = "") -> None:
        self._orders = orders
        self._gate = gate
        self._tell = tell
        self._home_token = home_token
        self._stop = threading.Event()
        self._budget = CrawlBudget(orders.caps)
        self._known = KnownToots()
        self._desk = Desk()
        self._underway: dict[int, _Underway] = {}
        self._pool = ThreadPoolExecutor(orders.threads, "walk")

    def walk(self, assignment: Assignment, valid_until: float) -> None:
        orders, lease = self._orders, Lease(valid_until)
        meter = VisitMeter(
            assignment,
            orders.caps,
            self._budget,
            lease,
            stop=self._stop,
            longest_wait_seconds=orders.manners.longest_wait_seconds,
        )
        walk = Walk(
            self._gate,
            assignment,
            orders.aim,
            token=self._home_token if assignment.is_home else "",
            manners=orders.manners,
            meter=meter,
            known=self._known,
            desk=self._desk,
            told_in=orders.crawl,
            deliver=self._deliver,
            stop=self._stop,
        )
        self._underway[assignment.walk] = _Underway(lease, meter)
        self._pool.submit(walk.run).add_done_callback(partial(self._see_off, assignment.walk))

    def hold(self, walks: Collection[int], valid_until: float) -> None:
        for number, underway in list(self._underway.items()):
            underway.lease.is_lost = number not in walks
            underway.lease.valid_until = valid_until

    def confirm(self, receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            underway = self._underway.get(receipt.walk)
            if underway is None or underway.delivery is None:
                continue  # it was interrupted meanwhile
            if not receipt.is_lost:
                self._known.learn(underway.uris, receipt.places)
            underway.delivery.is_lost = receipt.is_lost
            underway.delivery.stored.set()

    def learn(self, places: Mapping[str, Place]) -> None:
        self._known.learn(places.keys(), places.values())

    def note_elsewhere(self, requests: int, received_bytes: int) -> None:
        self._budget.note_elsewhere(requests, received_bytes)

    def halt(self) -> None:
        self._stop.set()
        self._gate.abort()

    def close(self) -> None:
        self.halt()
        self._pool.shutdown()

    def _deliver(self, report: Report) -> Delivery:
        underway = self._underway[report.walk]
        underway.uris = tuple(toot.uri for toot in report.toots)
        underway.delivery = delivery = Delivery()
        self._tell(report)
        return delivery

    def _see_off(self, number: int, walked: Future[None]) -> None:
        not_before = self._underway.pop(number).meter.not_before
        trouble = None if walked.cancelled() else walked.exception()
        self._tell(Farewell(number, not_before, trouble))
