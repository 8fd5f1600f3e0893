"""How large a generated fediverse is."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, fields

DEFAULT_SERVERS = 113
DEFAULT_TOOTS = 2000
# Of all pairs of a server and a toot, those where the server shows the toot: 80,000 copies at the default size.
SHOWN_SHARE = 0.354
MOST_SERVERS = 1000
MOST_TOOTS = 100_000


@dataclass(frozen=True, slots=True)
class Size:
    """``copies``: what the world aims at; what it comes to differs by chance. ``hops``: servers of the long chain."""

    servers: int
    toots: int
    copies: int
    latency_ms: float
    hops: int = 4
    seed: int = 1

    def __post_init__(self) -> None:
        if not 2 <= self.servers <= MOST_SERVERS:
            raise ValueError(f"between 2 and {MOST_SERVERS} servers, not {self.servers}")
        if not self.servers <= self.toots <= MOST_TOOTS:
            raise ValueError(f"at least one toot per server and at most {MOST_TOOTS}, not {self.toots}")
        if not self.toots <= self.copies <= self.toots * self.servers:
            raise ValueError(f"{self.toots} toots on {self.servers} servers cannot make {self.copies} copies")

    def as_arguments(self) -> list[str]:
        """What ``size_from`` reads back."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return [part for name, value in named for part in (f"--{name.replace('_', '-')}", str(value))]


def add_size_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--servers", type=int, default=DEFAULT_SERVERS, help="up to 1,000 (default %(default)s)")
    parser.add_argument("--toots", type=int, default=DEFAULT_TOOTS, help="up to 100,000 (default %(default)s)")
    parser.add_argument("--copies", type=int, default=0, help="in all; by default each server shows a good third")
    parser.add_argument("--latency-ms", type=float, default=150.0, help="before each answer (default %(default)s)")
    parser.add_argument("--hops", type=int, default=4, help="servers of the long chain (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)


def size_from(options: Namespace) -> Size:
    """ValueError when there can be no such world."""
    return Size(
        servers=options.servers,
        toots=options.toots,
        copies=options.copies or usual_copies(options.servers, options.toots),
        latency_ms=options.latency_ms,
        hops=max(0, min(options.hops, options.servers - 2)),
        seed=options.seed,
    )


def usual_copies(servers: int, toots: int) -> int:
    return max(toots, round(SHOWN_SHARE * servers * toots))
