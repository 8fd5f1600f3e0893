"""How fast a crawl could be at best, with any number of connections and no work besides.

A request can only be sent when what it asks for is known: a server once it was named, a page once the page before it
has come. So the floor is the longest chain of requests that must follow one another, times the time of one answer:

    known(home) = 0
    known(s)    = the smallest, over all servers t that name s on their page p, of known(t) + before(t) + p
    floor       = the largest, over all servers s, of known(s) + before(s) + pages(s)

where ``pages(s)`` are the pages with toots of the event and the first one without any (nobody can know that it is the
last one before having seen it), one at a time because ``max_id`` of a page is the id of the last row before it and
because one request per server at a time is what we promise, and ``before(s)`` are the requests that manners put in
front of the first page of a server: 0 for the floor of "pages only"; 1 with robots.txt; 3 with NodeInfo too (its
index and its document). The home server is asked as its user, without robots.txt; its own manners count 0 or 2.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from tests.bench.world import PAGE_SIZE, World


@dataclass(frozen=True, slots=True)
class Manners:
    """Requests before the first page: of any other server, and of the home server."""

    name: str
    others: int
    home: int


PAGES_ONLY = Manners("pages only", 0, 0)
WITH_ROBOTS = Manners("with robots.txt", 1, 0)
WITH_NODEINFO = Manners("with robots.txt and NodeInfo", 3, 2)


def longest_chain(world: World, manners: Manners = PAGES_ONLY) -> int:
    """Requests, one after the other."""
    known = {0: 0}
    waiting, done, longest = [(0, 0)], set(), 0
    while waiting:
        at, server = heapq.heappop(waiting)
        if server in done:
            continue
        done.add(server)
        at += manners.others if server else manners.home
        longest = max(longest, at + world.page_count(server))
        for found, page in _named_by(world, server).items():
            if found not in done and at + page < known.get(found, 1 << 60):
                known[found] = at + page
                heapq.heappush(waiting, (at + page, found))
    if len(done) < len(world.names):
        raise AssertionError(f"only {len(done)} of {len(world.names)} servers can be found in this world")
    return longest


def _named_by(world: World, server: int) -> dict[int, int]:
    """Servers that a server names, and the first page (from 1) on which it does."""
    named: dict[int, int] = {}
    rows = world.rows[server][: world.window_rows(server)]
    for place, origin in enumerate(world.origins[rows].tolist()):
        named.setdefault(origin, place // PAGE_SIZE + 1)
    return named
