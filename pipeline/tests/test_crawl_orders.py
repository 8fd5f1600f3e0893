"""Whatever the order of servers and pages, and wherever a crawl is interrupted: the same toots come out. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from common.times import Window
from common.toots import Toot
from pipeline.core.fetch import Aim, Cursor, Page, begin, next_hashtag, take_page
from pipeline.core.merge import MergedToot, from_copy, merge
from pipeline.tests.toot_samples import NOON, make_author, make_copy, mastodon_id

WINDOW = Window(NOON, NOON + timedelta(hours=2))
SERVERS = ("a.example", "b.example", "c.example", "d.example")
AIM = Aim.at(("monsterdon", "blob"), WINDOW, 1000, excluded=("spoilers",))
NOW = NOON + timedelta(days=1)


@dataclass
class Crawl:
    """A crawl as its tables hold it: cursors, merged toots, sightings."""

    cursors: dict[str, Cursor | None] = field(default_factory=lambda: {SERVERS[0]: Cursor()})
    toots: dict[str, MergedToot] = field(default_factory=dict)
    sightings: set[tuple[str, str]] = field(default_factory=set)

    @property
    def open_servers(self) -> list[str]:
        return sorted(server for server, cursor in self.cursors.items() if cursor is not None)

    def store(self, server: str, toots: tuple[Toot, ...], named: frozenset[str], cursor: Cursor | None) -> None:
        for toot in toots:
            copy = from_copy(toot, 1)
            self.toots[toot.uri] = merge(self.toots[toot.uri], copy) if toot.uri in self.toots else copy
            self.sightings.add((toot.uri, server))
        for found in sorted(named):
            self.cursors.setdefault(found, Cursor())
        self.cursors[server] = Cursor.from_json(cursor.as_json()) if cursor is not None else None


World = dict[str, list[Toot]]


def page_of(world: World, server: str, cursor: Cursor, page_rows: int) -> Page:
    tag = AIM.asked_for[cursor.tag]
    rows = sorted((toot for toot in world[server] if tag in toot.hashtags), key=lambda toot: -int(toot.local_id))
    if cursor.max_id is not None:
        rows = [toot for toot in rows if int(toot.local_id) < int(cursor.max_id)]
    shown = rows[:page_rows]
    return Page(shown, len(shown), shown[-1].local_id if shown else None)


def ask_once(crawl: Crawl, world: World, server: str, page_rows: int, *, is_lost: bool) -> None:
    """One page of one server; ``is_lost``: the process died before it was stored."""
    stored = crawl.cursors[server]
    assert stored is not None
    cursor = begin(stored, AIM, is_home=server == SERVERS[0], speaks_notes=False)
    step = take_page(cursor, page_of(world, server, cursor, page_rows), AIM, now=NOW)
    if is_lost:
        return
    following = next_hashtag(step.cursor, AIM) if step.end is not None else step.cursor
    crawl.store(server, step.counted, step.named, following)


def run_straight(world: World, page_rows: int) -> Crawl:
    crawl = Crawl()
    while crawl.open_servers:
        ask_once(crawl, world, crawl.open_servers[0], page_rows, is_lost=False)
    return crawl


_HASHTAGS = st.sampled_from([("monsterdon",), ("blob",), ("blob", "monsterdon"), ("monsterdon", "spoilers")])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Toots of four servers, with copies that know less, other texts, and rows that do not count."""
    world: World = {server: [] for server in SERVERS}
    for number in range(draw(st.integers(0, 14))):
        origin, minute = draw(st.sampled_from(SERVERS)), draw(st.integers(-30, 150))
        hashtags = draw(_HASHTAGS)
        for server in draw(st.sets(st.sampled_from(SERVERS))):
            moment = NOON + timedelta(minutes=minute)
            world[server].append(
                make_copy(
                    mastodon_id(moment, number),
                    uri=f"https://{origin}/{number}",
                    origin=origin,
                    server=server,
                    created_at=moment,
                    hashtags=hashtags,
                    boosts=draw(st.integers(0, 5)),
                    text=draw(st.sampled_from("ab")),
                    edited_at=draw(st.sampled_from([None, NOON])),
                    visibility=draw(st.sampled_from(["public", "public", "public", "unlisted"])),
                    author=make_author(wishes=draw(st.sampled_from([(), ("nobot",)]))),
                )
            )
    return world


@given(worlds(), st.integers(1, 5), st.integers(0, 2**32))
def test_order_of_servers_and_pages_and_interruptions_change_nothing(world: World, page_rows: int, seed: int) -> None:
    expected = run_straight(world, page_rows)
    chance = random.Random(seed)
    crawl = Crawl()
    while crawl.open_servers:
        server = chance.choice(crawl.open_servers)
        ask_once(crawl, world, server, page_rows, is_lost=chance.random() < 0.2)

    assert crawl.toots == expected.toots
    assert crawl.sightings == expected.sightings
    assert crawl.cursors.keys() == expected.cursors.keys()
