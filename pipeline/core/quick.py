"""How a quick crawl saves requests and still misses next to nothing. Pure.

First every server is asked for its own toots only (``local=true``), the home server for all it knows. That brings
every toot of every server that is known by then. What can be missing are toots of servers that nobody has named yet,
and such servers hide behind others that are badly connected: whose own toots hardly anybody else shows. So:

1. One page out of the middle of every second server's whole view tells who is connected with whom.
2. A server of which at most one other has shown a toot, though more would have had to by now, is lonely. Lonely
   servers are looked at the same way, then followed page by page until they lead to a server nobody knew.
3. Each lonely server that is left hints at one like it that nobody knows. When those would hold less than a
   thousandth of all toots, it is enough.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.core.fetch import Stage

_ENOUGH = 0.001
# A server counts as lonely only if by chance others would have shown about one toot of it.
_EXPECTED = 0.75
_TRAILS_AT_ONCE = 2
_FEWEST_TRAIL_PAGES = 25
_TOOTS_PER_TRAIL_PAGE = 80
MOST_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """What a quick crawl knows of a server.

    ``own_toots``: toots written there; ``witnesses``: other servers that showed one of them. ``is_shown``: it showed
    its own toots and may be asked for more; one that already showed its whole view has ``stage`` TRAIL.
    """

    server: str
    own_toots: int
    witnesses: int
    stage: Stage
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Servers to look at once more: one page of their whole view, or as far as that leads. Both empty: enough."""

    probes: tuple[str, ...] = ()
    trails: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.probes or self.trails)


def plan_round(standings: Iterable[Standing], *, round_number: int, known_toots: int, sampled_rows: int) -> Plan:
    """What to do next. ``sampled_rows``: copies of toots of others shown so far by all servers but home."""
    servers = sorted((each for each in standings if each.is_shown), key=lambda each: each.server)
    if round_number == 0:
        return Plan(
            probes=tuple(each.server for each in servers if each.stage is Stage.FIRST and _is_in_sample(each))
        )
    lonely = [each for each in servers if each.witnesses <= 1]
    unprobed = tuple(each.server for each in lonely if each.stage is Stage.FIRST)
    if unprobed:
        return Plan(probes=unprobed)
    expected = sampled_rows / max(1, known_toots)  # how often a toot was shown by one of them
    suspects = [each for each in lonely if each.stage is not Stage.TRAIL and each.own_toots * expected >= _EXPECTED]
    if round_number >= MOST_ROUNDS or estimate_unseen(suspects, servers) < _ENOUGH * known_toots:
        return Plan()
    suspects.sort(key=lambda each: (-each.own_toots, each.server))
    return Plan(trails=tuple(each.server for each in suspects[:_TRAILS_AT_ONCE]))


def trail_pages(known_toots: int) -> int:
    """How far a server is followed: more where there is more to be seen."""
    return max(_FEWEST_TRAIL_PAGES, known_toots // _TOOTS_PER_TRAIL_PAGE)


def estimate_unseen(suspects: Iterable[Standing], servers: Iterable[Standing]) -> float:
    """Toots on servers that nobody has named: as many such servers as there are suspects, each of usual size."""
    sizes = [each.own_toots for each in servers]
    return len(list(suspects)) * sum(sizes) / max(1, len(sizes))


def place_in_window(server: str) -> float:
    """Where in the window the page to look at lies, from 0 to 1: anywhere, but always the same for a server."""
    return zlib.crc32(f"page of {server}".encode()) / 2**32


def _is_in_sample(standing: Standing) -> bool:
    return zlib.crc32(f"sample of {standing.server}".encode()) % 2 == 0
