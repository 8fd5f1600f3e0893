"""A small fediverse around one hashtag event, the same for the same arguments. Pure; ``server`` airs it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from pipeline.mock import traps
from pipeline.mock.behaviours import FOREIGN, FOREIGN_SERVER, HOPS, SERVER_COUNT, WITNESSES, behaviour_of
from pipeline.mock.cast import OWNER, make_authors
from pipeline.mock.guests import Schedule, Typewriter, write_film_night, write_other_days
from pipeline.mock.ids import IdMaker, addresses
from pipeline.mock.junk import unreadable_rows
from pipeline.mock.records import Counts, Draft, MockAuthor, MockServer, MockToot, Row
from pipeline.mock.truth import Truth, tell_truth

SEED = 1957
DEFAULT_TOOT_COUNT = 420
DEFAULT_MAX_TOOTS = 2000
FEWEST_TOOTS = 60
# Their toots of other days fill whole pages behind and before the window.
_TALKATIVE = ("home", "large", "german", "flake", "short-pages")


@dataclass(frozen=True)
class World:
    """``servers`` by name, the home server first; ``truth`` is what a thorough crawl of the event must find."""

    schedule: Schedule
    servers: dict[str, MockServer]
    toots: tuple[MockToot, ...]
    token: str

    @property
    def home(self) -> str:
        return next(iter(self.servers))

    @property
    def owner(self) -> MockAuthor:
        """Whose token the home server accepts."""
        return next(author for author in self.servers[self.home].authors if author.username == OWNER)

    @cached_property
    def truth(self) -> Truth:
        return self.truth_for()

    def truth_for(
        self,
        *,
        start: datetime | None = None,
        duration: timedelta | None = None,
        margin: timedelta | None = None,
        max_toots: int = DEFAULT_MAX_TOOTS,
    ) -> Truth:
        """The truth for another span (a week earlier there was another film) or another limit per server."""
        return tell_truth(
            self.servers,
            hashtag=self.schedule.hashtag,
            start=start or self.schedule.start,
            duration=duration or self.schedule.duration,
            margin=self.schedule.margin if margin is None else margin,
            max_toots=max_toots,
        )


def build_world(
    hashtag: str,
    start: datetime,
    duration: timedelta,
    margin: timedelta,
    *,
    servers: Sequence[str],
    toot_count: int = DEFAULT_TOOT_COUNT,
    seed: int = SEED,
) -> World:
    """The world of an event that starts at ``start`` (aware, whole seconds count).

    ``servers``: names with port, at least ``SERVER_COUNT`` of them, the home server first; more than that are
    ordinary ones. ``toot_count``: ordinary toots that count; those placed on purpose come on top. ValueError when
    there are too few of either.
    """
    if len(servers) < SERVER_COUNT or len(set(servers)) < len(servers):
        raise ValueError(f"the bundled fediverse needs {SERVER_COUNT} different servers, not {len(servers)}")
    if toot_count < FEWEST_TOOTS:
        raise ValueError(f"the bundled fediverse needs at least {FEWEST_TOOTS} toots, not {toot_count}")
    schedule = Schedule(hashtag, start.replace(microsecond=0), duration, margin)
    rng = random.Random(f"{seed} {hashtag}")  # noqa: S311 a seed is the point
    empty = _make_servers(servers, rng)
    drafts = _write_everything(empty, schedule, toot_count, rng)
    makers = {server.name: IdMaker(server.behaviour.id_kind, number) for number, server in enumerate(empty, 1)}
    toots = _settle(drafts, makers, empty, hashtag)
    placer = _Placer(empty, makers, schedule, rng)
    filled = placer.place(drafts, toots)
    return World(schedule, {server.name: server for server in filled}, tuple(toots), f"token-of-{OWNER}-{seed}")


def _make_servers(names: Sequence[str], rng: random.Random) -> list[MockServer]:
    known = [(name, behaviour_of(index)) for index, name in enumerate(names)]
    known.append((FOREIGN_SERVER, FOREIGN))
    return [MockServer(name, behaviour, authors=make_authors(behaviour.key, name, rng)) for name, behaviour in known]


def _write_everything(servers: list[MockServer], schedule: Schedule, count: int, rng: random.Random) -> list[Draft]:
    """The toots placed on purpose first, so that their places in the list do not depend on the count."""
    guests = traps.Guests.of(servers, schedule)
    typewriter = Typewriter(schedule, rng)
    thread = traps.a_thread(guests, 0)
    placed = [
        *thread,
        *traps.favourites_of_the_night(guests),
        *traps.counts_and_copies(guests),
        *traps.wishes_and_names(guests),
        *traps.outside_of_it(guests),
        *traps.not_meant_for_us(guests),
        *traps.spelled_otherwise(guests),
    ]
    night = write_film_night(_one_per_server_first(servers), schedule, count, rng, typewriter)
    moved = [replace(d, reply_to=d.reply_to + len(placed)) if d.reply_to is not None else d for d in night]
    talkative = [author for server in servers if server.behaviour.key in _TALKATIVE for author in server.authors]
    others = write_other_days(talkative, schedule, max(20, count // 4), rng, typewriter)
    return [*placed, *moved, *others]


def _one_per_server_first(servers: list[MockServer]) -> list[MockAuthor]:
    """People in an order in which every server's first comes before anybody's second; no bots."""
    ranked = [(rank, author) for server in servers for rank, author in enumerate(server.authors)]
    return [
        author
        for _, author in sorted(ranked, key=lambda pair: pair[0])
        if author.username != OWNER and not author.is_bot
    ]


def _settle(
    drafts: list[Draft], makers: dict[str, IdMaker], servers: list[MockServer], hashtag: str
) -> list[MockToot]:
    """Toots with their addresses, in the order of the drafts."""
    software = {server.name: server.behaviour.software for server in servers}
    toots: list[MockToot] = []
    for number, draft in enumerate(drafts):
        author = draft.author
        local_id = makers[author.server].local_id(draft.arrived_at or draft.created_at, number)
        uri, url = addresses(software[author.server], author.server, author.username, local_id)
        toots.append(
            MockToot(
                number=number,
                uri=uri,
                url=url,
                author=author,
                created_at=draft.created_at,
                text=draft.text,
                hashtags=(hashtag,) if draft.hashtags is None else draft.hashtags,
                counts=draft.counts,
                language=draft.language,
                visibility=draft.visibility,
                spoiler_text=draft.spoiler_text,
                alt_texts=draft.alt_texts,
                poll=draft.poll,
                reply_to=None if draft.reply_to is None else toots[draft.reply_to].uri,
                edited_at=draft.edited_at,
                raw_html=draft.raw_html,
            )
        )
    return toots


class _Placer:
    """Decides which server holds a copy of what, with which counts."""

    def __init__(
        self, servers: list[MockServer], makers: dict[str, IdMaker], schedule: Schedule, rng: random.Random
    ) -> None:
        self._servers = {server.name: server for server in servers}
        self._by_key = {server.behaviour.key: server.name for server in reversed(servers)}
        self._makers = makers
        self._schedule = schedule
        self._rng = rng
        self._introduced: set[str] = set()
        self._rows: dict[str, list[tuple[int, Row]]] = {server.name: [] for server in servers}

    def place(self, drafts: Iterable[Draft], toots: Iterable[MockToot]) -> list[MockServer]:
        for draft, toot in zip(drafts, toots, strict=True):
            for name in sorted(self._holders(draft, toot)):
                self._add(name, draft, toot)
        self._add_junk()
        return [server.with_rows(self._ordered(server.name)) for server in self._servers.values()]

    def _holders(self, draft: Draft, toot: MockToot) -> set[str]:
        holders = set() if draft.is_missing_at_origin else {toot.origin}
        if draft.only_on is not None:
            return holders | draft.only_on
        origin = self._servers[toot.origin].behaviour
        if origin.key in HOPS:
            return holders | {self._by_key[HOPS[origin.key]]}
        warmth = 0.75 + min(0.5, toot.counts.boosts / 60)
        for server in self._servers.values():
            if self._rng.random() < server.behaviour.reach * warmth:
                holders.add(server.name)
        is_shown_at_home = origin.access == "open" and not origin.forbids_robots and not origin.ignores_max_id
        if not is_shown_at_home or (origin.hides_replies and toot.reply_to):
            holders.add(self._by_key[self._rng.choice(WITNESSES)])
        if toot.origin not in self._introduced and self._counts_surely(toot):
            self._introduced.add(toot.origin)
            holders.add(self._by_key["home"])
        return holders

    def _counts_surely(self, toot: MockToot) -> bool:
        return self._schedule.window_start <= toot.created_at < self._schedule.window_end

    def _add(self, name: str, draft: Draft, toot: MockToot) -> None:
        behaviour, is_origin = self._servers[name].behaviour, name == toot.origin
        if behaviour.hides_replies and toot.reply_to:
            return
        arrived_at = draft.arrived_at or draft.created_at
        maker = self._makers[name]
        row = Row(
            maker.local_id(arrived_at, toot.number),
            toot,
            toot.counts if is_origin else self._copied_counts(draft),
            stale_text=None if is_origin else draft.stale_text,
            needs_token=toot.visibility != "public" and draft.author.username == OWNER,
        )
        self._rows[name].append((maker.place(arrived_at, toot.number), row))

    def _copied_counts(self, draft: Draft) -> Counts:
        """Copies hear of most boosts and favourites, seldom of all, and now and then of some taken back since."""
        if draft.copy_counts is not None:
            return draft.copy_counts
        share = self._rng.choice((0.0, 0.3, 0.6, 0.8, 0.9, 1.0, 1.0))
        taken_back = 2 if self._rng.random() < 0.04 else 0
        return Counts(
            int(draft.counts.boosts * share) + taken_back,
            int(draft.counts.favourites * share) + taken_back,
            int(draft.counts.replies * share),
        )

    def _add_junk(self) -> None:
        name = self._by_key["sloppy"]
        for number, junk in enumerate(
            unreadable_rows(name, self._schedule.hashtag, self._schedule.start + timedelta(minutes=9))
        ):
            moment = self._schedule.start + timedelta(seconds=200 * number + 90)
            junk_id = junk["id"] if isinstance(junk, dict) and isinstance(junk.get("id"), str) else ""
            self._rows[name].append((self._makers[name].place(moment, 0), Row(junk_id, junk=junk)))

    def _ordered(self, name: str) -> tuple[Row, ...]:
        return tuple(row for _, row in sorted(self._rows[name], key=lambda pair: -pair[0]))
