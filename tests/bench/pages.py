"""Pages of timelines, compressed before anybody asks for them, so that answering costs next to nothing."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tests.bench.statuses import StatusPrinter
from tests.bench.world import PAGE_SIZE, World

# Pages beyond that are compressed when asked for.
_MOST_KEPT_BYTES = 800_000_000
_LEVEL = 4
_THREADS = 2

EMPTY = b"[]"


class PageStore:
    """A page is known by its server and the place of its first row."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._printer = StatusPrinter(world)
        self._kept: dict[tuple[int, int], bytes] = {}
        self._kept_bytes = 0
        # Ascending, to be searched; the ids of a timeline descend.
        self._ascending = [-ids for ids in world.ids]

    def prepare(self) -> None:
        """Compress all pages that a walk through every server comes by."""
        places = [
            (server, page * PAGE_SIZE)
            for server in range(len(self._world.names))
            for page in range(self._world.page_count(server))
        ]
        with ThreadPoolExecutor(_THREADS) as pool:  # zlib lets go of the interpreter
            for batch in (places[at : at + 200] for at in range(0, len(places), 200)):
                bodies = [self.plain(*place) for place in batch]
                for place, packed in zip(batch, pool.map(compress, bodies), strict=True):
                    self._keep(place, packed)
                if self._kept_bytes > _MOST_KEPT_BYTES:
                    return

    def place_of(self, server: int, max_id: int | None) -> int:
        """Where the page of rows older than ``max_id`` begins."""
        if max_id is None:
            return 0
        return int(np.searchsorted(self._ascending[server], -max_id, side="right"))

    def plain(self, server: int, start: int) -> bytes:
        return self._printer.page(server, start, start + PAGE_SIZE)

    def packed(self, server: int, start: int) -> bytes:
        found = self._kept.get((server, start))
        return compress(self.plain(server, start)) if found is None else found

    def local(self, server: int, max_id: int | None) -> bytes:
        """A page of the server's own toots, uncompressed: seldom asked for."""
        world, start = self._world, self.place_of(server, max_id)
        rows, ids = world.rows[server][start:], world.ids[server][start:]
        own = np.flatnonzero(world.origins[rows] == server)[:PAGE_SIZE]
        copies = (self._printer.copy(server, int(rows[place]), int(ids[place])) for place in own)
        return b"[" + b",".join(copies) + b"]"

    def last_id(self, server: int, start: int) -> int | None:
        ids = self._world.ids[server][start : start + PAGE_SIZE]
        return int(ids[-1]) if len(ids) else None

    def _keep(self, place: tuple[int, int], packed: bytes) -> None:
        self._kept[place] = packed
        self._kept_bytes += len(packed)


def compress(body: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()
