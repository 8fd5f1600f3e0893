"""What a server of the generated fediverse noted about whoever came by."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Ledger:
    """One server's notes. ``kinds``: requests by what was asked for; ``repeats``: pages asked for once more."""

    kinds: Counter[str] = field(default_factory=Counter)
    pages: set[bytes] = field(default_factory=set)
    repeats: int = 0
    connections: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    sent_bytes: int = 0

    def begin(self, kind: str, target: bytes) -> None:
        self.kinds[kind] += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        if kind == "page":
            self.repeats += target in self.pages
            self.pages.add(target)

    def end(self, sent_bytes: int) -> None:
        self.in_flight -= 1
        self.sent_bytes += sent_bytes


class Books:
    """All ledgers, and when the first request came and the last answer went, by the clock all processes share."""

    def __init__(self, servers: int) -> None:
        self.ledgers = [Ledger() for _ in range(servers)]
        self.first_request_at: float | None = None
        self.last_answer_at: float | None = None
        self.in_flight = 0
        self.peak_in_flight = 0

    def begin(self, server: int, kind: str, target: bytes) -> None:
        if self.first_request_at is None:
            self.first_request_at = time.monotonic()
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        self.ledgers[server].begin(kind, target)

    def end(self, server: int, sent_bytes: int) -> None:
        self.last_answer_at = time.monotonic()
        self.in_flight -= 1
        self.ledgers[server].end(sent_bytes)

    def as_dict(self) -> dict[str, Any]:
        kinds: Counter[str] = Counter()
        for ledger in self.ledgers:
            kinds.update(ledger.kinds)
        return {
            "requests": kinds.total(),
            "kinds": dict(sorted(kinds.items())),
            "repeated_pages": sum(ledger.repeats for ledger in self.ledgers),
            "servers_asked": sum(1 for ledger in self.ledgers if ledger.kinds),
            "connections": sum(ledger.connections for ledger in self.ledgers),
            "sent_bytes": sum(ledger.sent_bytes for ledger in self.ledgers),
            "peak_in_flight": self.peak_in_flight,
            "peak_in_flight_per_server": max(ledger.peak_in_flight for ledger in self.ledgers),
            "most_requests_of_one_server": max(ledger.kinds.total() for ledger in self.ledgers),
            "first_request_at": self.first_request_at,
            "last_answer_at": self.last_answer_at,
        }
