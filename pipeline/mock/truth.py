"""What a thorough crawl must find and what must come of it, told from the world alone.

Nothing here may lean on the crawler, the merging or the analysis: it is what they are measured against. The rules are
those of the issue, written down a second time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pipeline.mock.records import FEED_ROWS, PAGE_ROWS, Counts, MockServer, MockToot, Row

# Spelled as pipeline.models.Visit.Outcome has them.
COMPLETE, REACHED_MAX, LOCAL_ONLY, NOT_PAGED = "complete", "reached_max", "local_only", "not_paged"
REFUSED, ROBOTS, NOT_MASTODON, BAD_ANSWER = "refused", "robots", "not_mastodon", "bad_answer"
UNREACHABLE, NOT_ALLOWED, FEED_ONLY = "unreachable", "not_allowed", "feed_only"
# Servers whose copies come without their authors' profiles.
_WITHOUT_PROFILES = frozenset({"no-api", "closed"})


@dataclass(frozen=True, slots=True)
class TrueToot:
    """A toot that counts, as it must stand in the end."""

    uri: str
    author: str
    display_name: str
    created_at: datetime
    boosts: int
    favourites: int
    replies: int
    is_authoritative: bool
    seen_on: frozenset[str]
    origin: str
    media: int
    language: str | None
    is_bot: bool
    is_quotable: bool


@dataclass(frozen=True, slots=True)
class TrueRanking:
    """``uris`` in order. ``is_tie_cut``: the first one left out has the same main count as the last one in;
    ``is_full_tie_cut``: all three counts are the same."""

    uris: tuple[str, ...]
    is_tie_cut: bool
    is_full_tie_cut: bool


@dataclass(frozen=True, slots=True)
class TrueTotals:
    """``languages``: toots by language, those without one under "". ``busiest_minute``: its start and its toots."""

    toots: int
    authors: int
    servers: int
    boosts: int
    favourites: int
    replies: int
    media: int
    languages: dict[str, int]
    busiest_minute: tuple[datetime, int]
    most_active_author: str
    left_out_authors: int
    left_out_toots: int


@dataclass(frozen=True)
class Truth:
    """``toots``: the counted ones by uri. ``outcomes``: of every server the crawl hears of."""

    toots: dict[str, TrueToot]
    outcomes: dict[str, str]

    @property
    def counted(self) -> frozenset[str]:
        return frozenset(self.toots)

    @property
    def authors(self) -> frozenset[str]:
        return frozenset(toot.author for toot in self.toots.values())

    def rankings(self, top_n: int, *, without_bots: bool = False) -> dict[str, TrueRanking]:
        """``boosts``, ``favourites`` and ``replies``; a toot stands in the first of them that it gets into."""
        left = [toot for toot in self.toots.values() if toot.is_quotable and not (without_bots and toot.is_bot)]
        rankings = {}
        for main, second, third in (
            ("boosts", "favourites", "replies"),
            ("favourites", "boosts", "replies"),
            ("replies", "boosts", "favourites"),
        ):
            left.sort(key=lambda toot: toot.uri)
            left.sort(key=lambda toot: toot.created_at)
            for count in (third, second, main):  # later sorts weigh more: Python's keep the order of equals
                left.sort(key=lambda toot, count=count: getattr(toot, count), reverse=True)  # type: ignore[misc]
            chosen = [toot for toot in left[:top_n] if getattr(toot, main)]  # nobody ranks for nothing
            left = left[len(chosen) :]
            rankings[main] = TrueRanking(
                tuple(toot.uri for toot in chosen),
                is_tie_cut=_is_tie(chosen, left, (main,)),
                is_full_tie_cut=_is_tie(chosen, left, (main, second, third)),
            )
        return rankings

    def totals(self, *, without_bots: bool = False) -> TrueTotals:
        toots = [toot for toot in self.toots.values() if not (without_bots and toot.is_bot)]
        minutes = Counter(toot.created_at.replace(second=0, microsecond=0) for toot in toots)
        busiest = min(
            minutes.items(), key=lambda item: (-item[1], item[0]), default=(datetime(1970, 1, 1, tzinfo=UTC), 0)
        )
        quotable = Counter(toot.author for toot in toots if toot.is_quotable)
        left_out = [toot for toot in toots if not toot.is_quotable]
        return TrueTotals(
            toots=len(toots),
            authors=len({toot.author for toot in toots}),
            servers=len({toot.origin for toot in toots}),
            boosts=sum(toot.boosts for toot in toots),
            favourites=sum(toot.favourites for toot in toots),
            replies=sum(toot.replies for toot in toots),
            media=sum(toot.media for toot in toots),
            languages=dict(Counter(toot.language or "" for toot in toots)),
            busiest_minute=busiest,
            most_active_author=min(quotable, key=lambda author: (-quotable[author], author), default=""),
            left_out_authors=len({toot.author for toot in left_out}),
            left_out_toots=len(left_out),
        )


def tell_truth(
    servers: Mapping[str, MockServer],
    *,
    hashtag: str,
    start: datetime,
    duration: timedelta,
    margin: timedelta,
    max_toots: int,
) -> Truth:
    """What a crawl from the first of the servers finds in ``start - margin <= t < start + duration + margin``."""
    first, last = start - margin, start + duration + margin

    def counts(row: Row) -> bool:
        toot = row.toot
        return (
            toot is not None
            and toot.visibility == "public"
            and hashtag.casefold() in {tag.casefold() for tag in toot.hashtags}
            and first <= toot.created_at < last
        )

    shown: dict[str, list[Row]] = {}
    outcomes: dict[str, str] = {}
    heard_of = [next(iter(servers))]
    for name in heard_of:  # grows while we walk
        rows, outcomes[name] = _shown_rows(servers[name], is_home=name == heard_of[0])
        counted = [row for row in rows if counts(row)]
        if len(counted) >= max_toots:
            counted, outcomes[name] = counted[:max_toots], REACHED_MAX
        if outcomes[name] == FEED_ONLY and not counted:
            outcomes[name] = REFUSED
        shown[name] = counted
        heard_of += sorted({row.toot.origin for row in counted if row.toot} - set(heard_of))
    mute = frozenset(name for name in shown if servers[name].behaviour.access in _WITHOUT_PROFILES)
    feeds = frozenset(name for name, outcome in outcomes.items() if outcome == FEED_ONLY)
    return Truth(_merge(shown, feeds=feeds, mute=mute), outcomes)


def _shown_rows(server: MockServer, *, is_home: bool) -> tuple[list[Row], str]:
    """The rows a crawler gets to see, newest first, and what is to be said about the server."""
    behaviour = server.behaviour
    if behaviour.access == "foreign":
        return [], NOT_ALLOWED
    if behaviour.access == "down":
        return [], UNREACHABLE
    if behaviour.forbids_robots and not is_home:
        return [], ROBOTS
    if behaviour.access == "no-api":  # it has a search of its own
        return list(server.rows), COMPLETE
    if behaviour.access == "html":
        return [], BAD_ANSWER
    if behaviour.access == "closed" and behaviour.has_feed:
        own = [row for row in server.rows if row.is_local_to(server.name)]
        return [row for row in own if row.toot and row.toot.visibility == "public"][:FEED_ROWS], FEED_ONLY
    if behaviour.access == "closed":
        return [], REFUSED
    if behaviour.access == "local":
        return [row for row in server.rows if row.is_local_to(server.name)], LOCAL_ONLY
    if behaviour.ignores_max_id:
        return list(server.rows[:PAGE_ROWS]), NOT_PAGED
    return list(server.rows), COMPLETE


def _merge(shown: Mapping[str, list[Row]], *, feeds: frozenset[str], mute: frozenset[str]) -> dict[str, TrueToot]:
    """``feeds``: servers that showed no counts; ``mute``: those whose copies come without profiles."""
    copies: dict[str, dict[str, Row]] = defaultdict(dict)
    toots: dict[str, MockToot] = {}
    for name, rows in shown.items():
        for row in rows:
            if row.toot is not None:
                copies[row.toot.uri][name] = row
                toots[row.toot.uri] = row.toot
    unwilling = {toot.author.handle for uri, toot in toots.items() if _shows_wishes(toot, set(copies[uri]) - mute)}
    true_toots = {uri: _true_toot(toot, copies[uri], unwilling, feeds) for uri, toot in sorted(toots.items())}
    return {
        uri: toot if _teller(toots[uri], copies[uri], feeds, mute) not in mute else replace(toot, language=None)
        for uri, toot in true_toots.items()
    }


def _teller(toot: MockToot, copies: Mapping[str, Row], feeds: frozenset[str], mute: frozenset[str]) -> str:
    """The server whose words are taken: the origin, else the first by alphabet of those that know the last edit;
    feeds only where there is nothing else. Notes tell neither their language nor that they were edited."""
    names = sorted(copies.keys() - feeds) or sorted(copies)
    if toot.origin in names:
        return toot.origin
    telling = [name for name in names if name not in mute and copies[name].stale_text is None]
    return (telling if toot.edited_at is not None and telling else names)[0]


def _true_toot(toot: MockToot, copies: Mapping[str, Row], unwilling: set[str], feeds: frozenset[str]) -> TrueToot:
    whole = {name: row for name, row in copies.items() if name not in feeds}
    is_authoritative = toot.origin in whole
    has_say = [whole[toot.origin]] if is_authoritative else list(whole.values())
    counts = _highest(row.counts for row in has_say)
    return TrueToot(
        uri=toot.uri,
        author=toot.author.handle,
        display_name=toot.author.display_name,
        created_at=toot.created_at,
        boosts=counts.boosts,
        favourites=counts.favourites,
        replies=counts.replies,
        is_authoritative=is_authoritative,
        seen_on=frozenset(copies),
        origin=toot.origin,
        media=len(toot.alt_texts) if whole else 0,
        language=toot.language,
        is_bot=toot.author.is_bot,
        is_quotable=toot.author.handle not in unwilling,
    )


def _highest(all_counts: Iterable[Counts]) -> Counts:
    known = list(all_counts)
    return Counts(
        max((counts.boosts for counts in known), default=0),
        max((counts.favourites for counts in known), default=0),
        max((counts.replies for counts in known), default=0),
    )


def _shows_wishes(toot: MockToot, shown_by: set[str]) -> bool:
    """Whether the crawler saw the author's wishes with this toot; seen once, they hold for all of the author's."""
    if not toot.author.wishes or not shown_by:
        return False
    return toot.origin in shown_by or not toot.author.hides_wishes_elsewhere


def _is_tie(chosen: list[TrueToot], left: list[TrueToot], counts: tuple[str, ...]) -> bool:
    if not chosen or not left:
        return False
    return all(getattr(chosen[-1], count) == getattr(left[0], count) for count in counts)
