"""A quick crawl, planned: rules one by one, then the whole of it in the benchmark's world, without a network."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from common.times import Window
from common.toots import Toot
from pipeline.core.fetch import Aim, Cursor, Jump, Page, Stage, View, begin, id_at, take_page
from pipeline.core.quick import Plan, Standing, estimate_unseen, place_in_window, plan_round, trail_pages
from pipeline.tests.toot_samples import make_copy
from tests.bench.sizes import Size, usual_copies
from tests.bench.world import DURATION, HASHTAG, START, World, build_world

SERVERS = [f"s{number}.example" for number in range(40)]


def standing(server: str, **values: object) -> Standing:
    defaults: dict[str, object] = {"own_toots": 10, "witnesses": 9, "stage": Stage.FIRST, "is_shown": True}
    return Standing(server, **{**defaults, **values})  # type: ignore[arg-type]


def plan(standings: list[Standing], round_number: int = 1, *, known_toots: int = 400, rows: int = 800) -> Plan:
    return plan_round(standings, round_number=round_number, known_toots=known_toots, sampled_rows=rows)


def test_first_round_looks_at_about_every_second_server_that_shows_anything() -> None:
    closed = standing("closed.example", is_shown=False)
    whole = standing("whole.example", stage=Stage.TRAIL)

    probes = plan([standing(server) for server in SERVERS] + [closed, whole], 0).probes

    assert 10 <= len(probes) <= 30
    assert not {"closed.example", "whole.example"} & set(probes)


def test_nobody_lonely_is_enough() -> None:
    assert not plan([standing(server, stage=Stage.PROBE) for server in SERVERS])


def test_lonely_server_is_looked_at_then_followed_then_left_alone() -> None:
    others = [standing(server, stage=Stage.PROBE) for server in SERVERS]

    assert plan([*others, standing("x.example", witnesses=1)]) == Plan(probes=("x.example",))
    probed = standing("x.example", witnesses=1, stage=Stage.PROBE)
    assert plan([*others, probed]) == Plan(trails=("x.example",))
    assert not plan([*others, standing("x.example", witnesses=0, stage=Stage.TRAIL)])


def test_loneliness_needs_more_toots_than_chance_would_hide() -> None:
    lonely = standing("x.example", witnesses=1, stage=Stage.PROBE, own_toots=1)

    assert not plan([lonely], known_toots=100, rows=20)
    assert plan([lonely], known_toots=100, rows=200)


def test_what_is_left_is_enough_when_it_hints_at_next_to_nothing() -> None:
    lonely = standing("x.example", witnesses=1, stage=Stage.PROBE)
    assert estimate_unseen([lonely], [lonely]) == 10
    assert plan([lonely], known_toots=9_999, rows=50_000)
    assert not plan([lonely], known_toots=10_001, rows=50_000)


def test_place_looked_at_is_always_the_same_and_anywhere() -> None:
    places = [place_in_window(server) for server in SERVERS]
    assert places == [place_in_window(server) for server in SERVERS]
    assert min(places) < 0.2 and max(places) > 0.8


@dataclass
class PlannedCrawl:
    """A quick crawl of a generated world: the real cursors, pages and plans, with answers made on the spot."""

    world: World
    cursors: dict[str, Cursor] = field(default_factory=dict)
    sightings: dict[str, set[str]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    requests: int = 0

    def __post_init__(self) -> None:
        self.servers = {name: number for number, name in enumerate(self.world.names)}
        self.home = self.world.names[0]
        window = Window(START, START + DURATION).widened(timedelta(hours=1))
        self.window = window
        self.aim = Aim.at((HASHTAG,), window, 10**6, is_quick=True)

    def run(self) -> None:
        waiting, round_number = {self.home: Cursor()}, 0
        while waiting:
            while waiting:
                server, cursor = waiting.popitem()
                for found in self.walk(server, cursor):
                    if found not in self.cursors and found not in waiting:
                        waiting[found] = Cursor()
            plan, pages = self.plan(round_number), trail_pages(len(self.sightings))
            round_number += 1
            waiting = {server: self.probe(server) for server in plan.probes}
            waiting |= {server: Cursor(stage=Stage.TRAIL, most_pages=pages) for server in plan.trails}

    def walk(self, server: str, cursor: Cursor) -> set[str]:
        cursor = begin(cursor, self.aim, is_home=server == self.home, speaks_notes=False)
        self.requests += server != self.home and server not in self.cursors  # robots.txt
        named: set[str] = set()
        known = frozenset(self.cursors)
        while True:
            self.requests += 1
            step = take_page(
                cursor, self.page(server, cursor), self.aim, now=datetime.now(UTC), known_servers=known | {server}
            )
            for toot in step.counted:
                self.sightings.setdefault(toot.uri, set()).add(server)
                self.origins[toot.uri] = toot.origin
            named |= step.named
            cursor = self.cursors[server] = step.cursor
            if step.end is not None:
                return named

    def page(self, server: str, cursor: Cursor) -> Page:
        number = self.servers[server]
        rows, ids = self.world.rows[number], self.world.ids[number]
        if cursor.max_id is not None:
            start = int((ids >= int(cursor.max_id)).sum())
            rows, ids = rows[start:], ids[start:]
        if cursor.view is View.LOCAL:
            own = self.world.origins[rows] == number
            rows, ids = rows[own], ids[own]
        toots = [self.toot(server, int(row), int(id)) for row, id in zip(rows[:40], ids[:40], strict=True)]
        return Page(toots, len(toots), toots[-1].local_id if toots else None)

    def toot(self, server: str, row: int, id: int) -> Toot:
        origin = self.world.names[int(self.world.origins[row])]
        created_at = datetime.fromtimestamp(int(self.world.created_ms[row]) / 1000, UTC)
        return make_copy(
            str(id), uri=str(row), origin=origin, server=server, created_at=created_at, hashtags=(HASHTAG,)
        )

    def plan(self, round_number: int) -> Plan:
        own = Counter(self.origins.values())
        witnesses: dict[str, set[str]] = {}
        rows = 0
        for uri, seen in self.sightings.items():
            others = seen - {self.origins[uri]}
            rows += len(others - {self.home})
            witnesses.setdefault(self.origins[uri], set()).update(others)
        standings = [
            Standing(server, own[server], len(witnesses.get(server, ())), cursor.stage, server != self.home)
            for server, cursor in self.cursors.items()
        ]
        return plan_round(standings, round_number=round_number, known_toots=len(self.sightings), sampled_rows=rows)

    def probe(self, server: str) -> Cursor:
        moment = self.window.start + (self.window.end - self.window.start) * (1 - 0.9 * place_in_window(server))
        return Cursor(stage=Stage.PROBE, jump=Jump.SETTLED, max_id=id_at(moment))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_quick_crawl_of_the_benchmark_finds_nearly_all_for_a_fifth_of_the_requests(seed: int) -> None:
    size = Size(113, 2000, usual_copies(113, 2000), latency_ms=150, seed=seed)
    world = build_world(size, port=1024)
    thorough = sum(world.page_count(server) for server in range(113)) + 112

    crawl = PlannedCrawl(world)
    crawl.run()

    assert len(crawl.sightings) >= 0.99 * world.toot_count
    assert crawl.requests <= thorough / 5
