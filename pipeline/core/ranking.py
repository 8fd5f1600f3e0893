"""The three rankings of an event: boosts, then favourites among the rest, then replies among the rest. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from pipeline.core.rows import ScoredToot

# Smaller is better: counts negated, then the earlier toot, then ``uri``.
RankKey: TypeAlias = tuple[int, int, int, datetime, str]


def boosts_key(toot: ScoredToot) -> RankKey:
    return (-toot.boosts, -toot.favourites, -toot.replies, toot.created_at, toot.uri)


def favourites_key(toot: ScoredToot) -> RankKey:
    return (-toot.favourites, -toot.boosts, -toot.replies, toot.created_at, toot.uri)


def replies_key(toot: ScoredToot) -> RankKey:
    return (-toot.replies, -toot.boosts, -toot.favourites, toot.created_at, toot.uri)


@dataclass(frozen=True, slots=True)
class Ranking:
    """``toots`` best first. ``cut_tie``: the deciding count of the last toot shown, if a toot with the same count
    was left out for want of room; None if there was no such tie."""

    toots: tuple[ScoredToot, ...] = ()
    cut_tie: int | None = None


@dataclass(frozen=True, slots=True)
class Rankings:
    """No toot is in two of them."""

    boosts: Ranking
    favourites: Ranking
    replies: Ranking


class Candidates:
    """The best ``size`` toots by a key, out of any number, with at most three times as many in memory.

    Toots that got none of what is ranked are not taken.
    """

    def __init__(self, key: Callable[[ScoredToot], RankKey], size: int) -> None:
        self._key = key
        self._size = size
        self._kept: list[tuple[RankKey, ScoredToot]] = []
        self._worst: RankKey | None = None
        self.least = 1

    def offer(self, toot: ScoredToot) -> None:
        """Take it if it is good enough; one whose deciding count is below ``least`` is not."""
        key = self._key(toot)
        if key[0] == 0 or (self._worst is not None and key > self._worst):
            return
        self._kept.append((key, toot))
        if len(self._kept) >= 3 * self._size:
            self._prune()

    def best_first(self) -> list[tuple[RankKey, ScoredToot]]:
        self._prune()
        return list(self._kept)

    def _prune(self) -> None:
        self._kept.sort(key=lambda pair: pair[0])
        del self._kept[self._size :]
        if len(self._kept) == self._size:
            self._worst = self._kept[-1][0]
            self.least = -self._worst[0]


class RankingBuilder:
    """Takes toots one by one and ranks at the end; memory depends on ``top_n`` only."""

    def __init__(self, top_n: int) -> None:
        # Two earlier rankings may take 2 * top_n toots away, and one more shows whether a tie was cut.
        size = 3 * top_n + 1
        self._top_n = top_n
        self._candidates = [Candidates(key, size) for key in (boosts_key, favourites_key, replies_key)]

    def offer(self, toot: ScoredToot) -> None:
        boosts, favourites, replies = self._candidates
        if toot.boosts >= boosts.least:
            boosts.offer(toot)
        if toot.favourites >= favourites.least:
            favourites.offer(toot)
        if toot.replies >= replies.least:
            replies.offer(toot)

    def rank(self) -> Rankings:
        taken: set[str] = set()
        rankings = []
        for candidates in self._candidates:
            ranking = self._take_best(candidates.best_first(), taken)
            taken.update(toot.uri for toot in ranking.toots)
            rankings.append(ranking)
        return Rankings(*rankings)

    def _take_best(self, pairs: Iterable[tuple[RankKey, ScoredToot]], taken: set[str]) -> Ranking:
        free = [(key, toot) for key, toot in pairs if toot.uri not in taken]
        shown, rest = free[: self._top_n], free[self._top_n :]
        is_cut = bool(shown and rest) and rest[0][0][0] == shown[-1][0][0]
        return Ranking(tuple(toot for _, toot in shown), -shown[-1][0][0] if is_cut else None)
