"""A generated fediverse around one hashtag event: who shows which toot, under which id. The same for the same size.

- Server 0 is the home server and knows nearly everything; the others know less and less.
- Servers 1 to ``hops`` form the long chain: the toots of each are shown only by itself and the one before it, and
  not on its newest page. The last of them is the largest server of all but home, so the way to it is felt.
- Every other server is named by at least one toot that the home server shows.
- Behind the event each timeline goes on with older toots of the home server, so that a walk ends where a page lies
  wholly before the event, as it does on real servers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.bench.sizes import Size

HASHTAG = "monsterdon"
START = datetime(2025, 3, 2, 20, 0, tzinfo=UTC)
DURATION = timedelta(minutes=100)
PAGE_SIZE = 40
OLDER_TOOTS = 2 * PAGE_SIZE
_WEEK_MS = 7 * 24 * 3600 * 1000
_LONGEST_DELAY_MS = 20_000
# Percent of the origin's counts that a copy elsewhere has heard of.
_HEARD_PERCENT = np.array([100, 90, 80, 60, 50])

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """Toots are numbers from 0; those from ``toot_count`` on are older than the event.

    ``rows`` and ``ids``: per server, the toots it shows and its own ids of them, newest first. ``counts``: boosts,
    favourites and replies as the origin knows them.
    """

    size: Size
    names: list[str]
    created_ms: Numbers
    origins: Numbers
    authors: Numbers
    counts: NDArray[np.int64]
    rows: list[Numbers] = field(default_factory=list)
    ids: list[Numbers] = field(default_factory=list)

    @property
    def toot_count(self) -> int:
        return self.size.toots

    @property
    def copy_count(self) -> int:
        """Copies of toots that count."""
        return sum(self.window_rows(server) for server in range(len(self.names)))

    def window_rows(self, server: int) -> int:
        return len(self.rows[server]) - OLDER_TOOTS

    def page_count(self, server: int) -> int:
        """Pages a walk through a server takes: those with toots of the event, and the first one without any."""
        return -(-self.window_rows(server) // PAGE_SIZE) + 1

    def is_older(self, toot: int) -> bool:
        return toot >= self.toot_count

    def uri_id(self, toot: int) -> int:
        return (int(self.created_ms[toot]) << 16) | (toot & 0xFFFF)

    def handle_name(self, toot: int) -> str:
        return f"guest{int(self.authors[toot])}"

    def uri(self, toot: int) -> str:
        name = self.names[int(self.origins[toot])]
        return f"http://{name}/users/{self.handle_name(toot)}/statuses/{self.uri_id(toot)}"

    def counts_on(self, server: int, toot: int) -> tuple[int, int, int]:
        """Boosts, favourites, replies as that server shows them: the truth at the origin, less elsewhere."""
        boosts, favourites, replies = (int(count) for count in self.counts[toot])
        if server == self.origins[toot]:
            return boosts, favourites, replies
        percent = int(_HEARD_PERCENT[(toot * 7 + server * 13) % len(_HEARD_PERCENT)])
        return boosts * percent // 100, favourites * percent // 100, replies * percent // 100


def server_names(count: int, port: int) -> list[str]:
    return [f"127.1.{number // 200}.{number % 200 + 1}:{port}" for number in range(count)]


def build_world(size: Size, *, port: int) -> World:
    rng = np.random.default_rng([size.seed, size.servers, size.toots])
    total = size.toots + OLDER_TOOTS
    ranks = _ranks(size, rng)
    origins = _choose_origins(size, ranks, rng)
    popularity = rng.lognormal(0.0, 0.8, size.toots)
    world = World(
        size=size,
        names=server_names(size.servers, port),
        created_ms=_choose_moments(size, origins, rng),
        origins=origins,
        authors=_choose_authors(size, origins, rng),
        counts=_choose_counts(popularity, total, rng),
    )
    for server, is_shown in enumerate(_spread(size, ranks, origins, popularity, rng)):
        shown = np.append(np.flatnonzero(is_shown), np.arange(size.toots, total))
        ids = _local_ids(world, server, shown)
        order = np.argsort(ids, kind="stable")
        world.rows.append(shown[order][::-1])
        # Two toots of one millisecond get neighbouring ids, as on a real server.
        steps = np.arange(total)[: len(shown)]
        world.ids.append((np.maximum.accumulate(ids[order] - steps) + steps)[::-1])
    return world


def _ranks(size: Size, rng: Any) -> Numbers:
    """How large each server is, 0 the largest: home first, then the end of the chain."""
    ranks = np.arange(size.servers)
    if size.hops:
        others = np.concatenate([np.arange(1, size.hops), np.arange(size.hops + 1, size.servers)])
        ranks[size.hops] = 1
        ranks[others] = rng.permutation(np.arange(2, size.servers))
    return ranks


def _choose_origins(size: Size, ranks: Numbers, rng: Any) -> Numbers:
    """The origin of each toot: every server has one toot at least, large ones many; older toots are home's."""
    weights = 1.0 / (ranks + 1.0) ** 0.8
    weights[1 : size.hops + 1] *= 0.3
    drawn = rng.choice(size.servers, size.toots - size.servers, p=weights / weights.sum())
    origins = rng.permutation(np.concatenate([np.arange(size.servers), drawn]))
    return np.concatenate([origins, np.zeros(OLDER_TOOTS, dtype=np.int64)])


def _choose_moments(size: Size, origins: Numbers, rng: Any) -> Numbers:
    """Milliseconds of each toot; those of the chain are not among the newest."""
    start_ms = int(START.timestamp() * 1000)
    places = rng.random(size.toots)
    in_chain = (origins[: size.toots] >= 1) & (origins[: size.toots] <= size.hops)
    places[in_chain] *= 0.9
    created = start_ms + (places * (DURATION.total_seconds() * 1000 - 1)).astype(np.int64)
    older = start_ms - _WEEK_MS + np.arange(OLDER_TOOTS) * 60_000
    return np.concatenate([created, older])


def _choose_authors(size: Size, origins: Numbers, rng: Any) -> Numbers:
    """Number of the author among those of the origin; a few of them write most."""
    at_origin = np.bincount(origins, minlength=size.servers)
    most = np.maximum(1, np.sqrt(at_origin) * 1.5)
    return np.asarray((rng.random(len(origins)) ** 2 * most[origins]).astype(np.int64))


def _choose_counts(popularity: NDArray[np.float64], total: int, rng: Any) -> NDArray[np.int64]:
    means = np.outer(np.append(popularity, np.ones(total - len(popularity))), [4.0, 9.0, 2.0])
    return np.asarray(rng.poisson(means), dtype=np.int64)


def _spread(
    size: Size, ranks: Numbers, origins: Numbers, popularity: NDArray[np.float64], rng: Any
) -> list[NDArray[np.bool_]]:
    """Per server, which toots it shows."""
    origins = origins[: size.toots]
    reach = 1.0 - 0.93 * (ranks / max(1, size.servers - 1)) ** 0.7
    reach[0] = 1.2
    warmth = 0.5 + np.minimum(popularity, 3.0) / 3.0
    is_free = (origins < 1) | (origins > size.hops)
    factor = _find_factor(size, reach, warmth, is_free)
    first_toots = np.unique(origins, return_index=True)[1]
    shown = []
    for server in range(size.servers):
        is_shown = is_free & (rng.random(size.toots) < reach[server] * factor * warmth)
        is_shown |= origins == server
        if server < size.hops:
            is_shown |= origins == server + 1
        if server == 0:
            is_shown[first_toots[is_free[first_toots]]] = True
        shown.append(is_shown)
    return shown


def _find_factor(
    size: Size, reach: NDArray[np.float64], warmth: NDArray[np.float64], is_free: NDArray[np.bool_]
) -> float:
    """What to multiply all chances with to get about the copies wanted; found by halving, on a sample."""
    sample = warmth[is_free][:2000]
    wanted = size.copies - size.toots
    scale = is_free.sum() / max(1, len(sample))
    low, high = 0.0, 50.0
    for _ in range(40):
        middle = (low + high) / 2
        expected = np.minimum(1.0, np.outer(reach, sample) * middle).sum() * scale
        low, high = (middle, high) if expected < wanted else (low, middle)
    return high


def _local_ids(world: World, server: int, toots: Numbers) -> Numbers:
    """Ids as Mastodon makes them, from when a toot arrived: at once at its origin, seconds later elsewhere."""
    delays = (toots * 2_654_435_761 + server * 40_503) % _LONGEST_DELAY_MS
    delays[world.origins[toots] == server] = 0
    return np.asarray(((world.created_ms[toots] + delays) << 16) | ((toots * 31 + server * 137) & 0xFFFF))
