"""What one visit may send, and when: lease, pace and caps, looked at before every request without any database."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import RemoteError
from common.http import Answer
from common.mastodon_errors import RateLimited
from common.rates import asked_pause
from common.times import now_utc
from pipeline.crawl.messages import Assignment, Tally

_LOOK_SECONDS = 0.05
_AS_A_WHOLE = "The fetch as a whole reached its limit"


class Interrupted(Exception):
    """Nobody's error: the crawl is being stopped, or another process walks here; the walk ends without an outcome."""


class CapReached(RemoteError):
    """We have asked enough, of this server or in this crawl."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Most requests and received bytes, of one server and of a crawl as a whole."""

    server_requests: int
    server_bytes: int
    crawl_requests: int
    crawl_bytes: int


class Lease:
    """Until when this process may ask a server; kept up by the coordinator, looked at by the walk.

    ``valid_until`` is a moment of ``time.monotonic``.
    """

    def __init__(self, valid_until: float) -> None:
        self.valid_until = valid_until
        self.is_lost = False


class CrawlBudget:
    """What the crawl as a whole has spent, in this process and in others."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._lock = threading.Lock()
        self._elsewhere = self._here = (0, 0)

    def note_elsewhere(self, requests: int, received_bytes: int) -> None:
        """What other processes, and earlier runs of this crawl, have spent."""
        with self._lock:
            self._elsewhere = (requests, received_bytes)

    def begin(self) -> None:
        """One more request; CapReached when there may be none."""
        with self._lock:
            requests, received = (left + right for left, right in zip(self._elsewhere, self._here, strict=True))
            if requests >= self._caps.crawl_requests:
                raise _cap_reached(f"{_AS_A_WHOLE} of {self._caps.crawl_requests:,} requests")
            if received >= self._caps.crawl_bytes:
                raise _cap_reached(f"{_AS_A_WHOLE} of {_in_words(self._caps.crawl_bytes)}")
            self._here = (self._here[0] + 1, self._here[1])

    def end(self, received_bytes: int) -> None:
        with self._lock:
            self._here = (self._here[0], self._here[1] + received_bytes)


class VisitMeter:
    """Stands between one walk and the gate (``common.http.Meter``), and counts what the server really received.

    ``spent`` is what the next report will tell. The coordinator reads ``not_before`` when the walk is over.
    """

    def __init__(
        self,
        assignment: Assignment,
        caps: Caps,
        budget: CrawlBudget,
        lease: Lease,
        *,
        stop: threading.Event,
        longest_wait_seconds: float,
    ) -> None:
        self._server = assignment.server
        self._caps = caps
        self._budget = budget
        self._lease = lease
        self._stop = stop
        self._longest_wait_seconds = longest_wait_seconds
        self._requests, self._received = assignment.requests, assignment.received_bytes
        self.spent = Tally()
        self._pause_until = time.monotonic() + _seconds_until(assignment.not_before)

    @property
    def not_before(self) -> datetime | None:
        """The moment before which the server does not want to be asked again, by all that it said."""
        seconds = self._pause_until - time.monotonic()
        return now_utc() + timedelta(seconds=seconds) if seconds > 0 else None

    def take_spent(self) -> Tally:
        """What was spent since the last call."""
        spent, self.spent = self.spent, Tally()
        return spent

    def wait(self) -> None:
        """Until the server may be asked; RateLimited when that is further away than we wait."""
        seconds = self._pause_until - time.monotonic()
        if seconds > self._longest_wait_seconds:
            raise RateLimited(
                f"{self._server} wants to be left alone for {seconds:.0f} s",
                server=self._server,
                retry_after=seconds,
                user_message=f"{self._server} asked us to come back later.",
            )
        if seconds > 0 and self._stop.wait(seconds):
            raise Interrupted

    def begin(self, server: str) -> None:
        self._hold_lease()
        if self._requests >= self._caps.server_requests:
            raise _cap_reached(f"{self._server} got all {self._caps.server_requests:,} requests that one server gets")
        if self._received >= self._caps.server_bytes:
            raise _cap_reached(f"{self._server} sent {_in_words(self._caps.server_bytes)}, the most we take from one")
        self._budget.begin()
        self._requests += 1
        self.spent.requests += 1

    def end(self, received_bytes: int, seconds: float, answer: Answer | None) -> None:
        self._budget.end(received_bytes)
        self._received += received_bytes
        self.spent.received_bytes += received_bytes
        self.spent.seconds += seconds
        if answer is not None:
            pause = asked_pause(answer.status_code, answer.headers, now=now_utc())
            self._pause_until = max(self._pause_until, time.monotonic() + pause)

    def _hold_lease(self) -> None:
        """Without a valid lease somebody else may be asking this server by now."""
        while time.monotonic() >= self._lease.valid_until or self._lease.is_lost:
            if self._lease.is_lost or self._stop.wait(_LOOK_SECONDS):
                raise Interrupted


def _seconds_until(moment: datetime | None) -> float:
    return 0.0 if moment is None else (moment - now_utc()).total_seconds()


def _cap_reached(sentence: str) -> CapReached:
    return CapReached(sentence, permanent=True, user_message=f"{sentence}.")


def _in_words(size: int) -> str:
    return f"{size / 1_000_000:,.0f} MB" if size >= 1_000_000 else f"{size:,} bytes"
