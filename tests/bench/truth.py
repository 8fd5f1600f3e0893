"""Whether a crawl brought home what the world holds: every toot, with the origin's word, and every sighting."""

from __future__ import annotations

import sqlite3

import numpy as np

from tests.bench.statuses import content_of
from tests.bench.world import World

_MOST_NAMED = 5
_TOOTS = """
    SELECT toot.id, toot.uri, toot.boosts, toot.favourites, toot.replies, toot.is_authoritative, toot.html
    FROM pipeline_toot toot JOIN events_event event ON event.id = toot.event_id WHERE event.slug = ?
"""
_VISITS = """
    SELECT visit.id, visit.server, visit.outcome, visit.toots FROM pipeline_visit visit
    JOIN pipeline_crawl crawl ON crawl.id = visit.crawl_id
    JOIN events_event event ON event.id = crawl.event_id WHERE event.slug = ?
"""
_SIGHTINGS = "SELECT toot_id FROM pipeline_sighting WHERE visit_id = ?"


def count_found(world: World, database: str, slug: str) -> tuple[int, int]:
    """How many toots of the world are there, and how many that it does not hold."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        uris = {row[1] for row in connection.execute(_TOOTS, [slug])}
    finally:
        connection.close()
    real = {world.uri(toot) for toot in range(world.toot_count)}
    return len(uris & real), len(uris - real)


def find_differences(world: World, database: str, slug: str) -> list[str]:
    """Sentences about what is missing, too much, or other than it should be; a few of each kind. Empty: all well."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        numbers = {world.uri(toot): toot for toot in range(world.toot_count)}
        toot_of_id: dict[int, int] = {}
        complaints = _compare_toots(world, connection.execute(_TOOTS, [slug]), numbers, toot_of_id)
        return complaints + _compare_visits(world, connection, slug, toot_of_id)
    finally:
        connection.close()


def _compare_toots(
    world: World, rows: sqlite3.Cursor, numbers: dict[str, int], toot_of_id: dict[int, int]
) -> list[str]:
    complaints = _Complaints()
    found = set()
    for toot_id, uri, boosts, favourites, replies, is_authoritative, html in rows:
        toot = numbers.get(uri)
        if toot is None:
            complaints.add("toots that do not exist", uri)
            continue
        found.add(toot)
        toot_of_id[toot_id] = toot
        counts = tuple(int(count) for count in world.counts[toot])
        if (boosts, favourites, replies) != counts:
            complaints.add("toots with other counts than at their origin", uri)
        if not is_authoritative:
            complaints.add("toots whose origin was not heard", uri)
        if html != content_of(world, toot):
            complaints.add("toots with another text", uri)
    for uri, toot in numbers.items():
        if toot not in found:
            complaints.add("toots missing", uri)
    return complaints.sentences()


def _compare_visits(world: World, connection: sqlite3.Connection, slug: str, toot_of_id: dict[int, int]) -> list[str]:
    complaints = _Complaints()
    servers = {name: server for server, name in enumerate(world.names)}
    for visit_id, name, outcome, toots in connection.execute(_VISITS, [slug]).fetchall():
        server = servers.pop(name, None)
        if server is None:
            complaints.add("servers visited that do not exist, or twice", name)
            continue
        if outcome != "complete":
            complaints.add("servers whose visit did not end well", f"{name} ({outcome})")
        seen = np.array([toot_of_id.get(row[0], -1) for row in connection.execute(_SIGHTINGS, [visit_id])], dtype=int)
        shown = world.rows[server][: world.window_rows(server)]
        if len(seen) != len(shown) or not np.array_equal(np.sort(seen), np.sort(shown)):
            complaints.add("servers with other sightings than toots shown", f"{name} ({len(seen)} of {len(shown)})")
        if toots != len(shown):
            complaints.add("servers whose report counts other toots than shown", f"{name} ({toots} of {len(shown)})")
    for name in servers:
        complaints.add("servers never visited", name)
    return complaints.sentences()


class _Complaints:
    """Counts, with a few examples each."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, kind: str, example: str) -> None:
        self._found.setdefault(kind, []).append(example)

    def sentences(self) -> list[str]:
        return [
            f"{len(examples)} {kind}, such as {', '.join(examples[:_MOST_NAMED])}"
            for kind, examples in self._found.items()
        ]
