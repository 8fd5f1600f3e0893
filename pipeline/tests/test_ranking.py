from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.ranking import Ranking, RankingBuilder, Rankings
from pipeline.core.rows import ScoredToot
from pipeline.tests.numbers_help import START, make_toot


def rank(toots: list[ScoredToot], top_n: int) -> Rankings:
    builder = RankingBuilder(top_n)
    for toot in toots:
        builder.offer(toot)
    return builder.rank()


def numbers(ranking: Ranking) -> list[int]:
    return [int(toot.uri[-5:]) for toot in ranking.toots]


def toots_with(*counts: tuple[int, int, int]) -> list[ScoredToot]:
    """Toots 1, 2, ... with these boosts, favourites and replies, a second apart."""
    return [
        make_toot(number, boosts=boosts, favourites=favourites, replies=replies)
        for number, (boosts, favourites, replies) in enumerate(counts, 1)
    ]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param([(9, 9, 9), (8, 8, 8), (7, 7, 7)], ([1], [2], [3]), id="one toot stands in one ranking only"),
        pytest.param([(5, 1, 0), (5, 2, 0)], ([2], [1], []), id="equal boosts: more favourites first"),
        pytest.param([(5, 1, 1), (5, 1, 2)], ([2], [1], []), id="equal boosts and favourites: more replies first"),
        pytest.param([(9, 0, 0), (1, 5, 0), (2, 5, 0)], ([1], [3], []), id="equal favourites: more boosts first"),
        pytest.param([(9, 0, 0), (1, 5, 1), (1, 5, 2)], ([1], [3], [2]), id="then more replies"),
        pytest.param(
            [(9, 0, 0), (0, 9, 0), (0, 1, 5), (1, 0, 5)], ([1], [2], [4]), id="equal replies: more boosts first"
        ),
        pytest.param([(9, 0, 0), (0, 9, 0), (0, 1, 5), (0, 2, 5)], ([1], [2], [4]), id="then more favourites"),
        pytest.param([(5, 1, 1), (5, 1, 1)], ([1], [2], []), id="equal in all: the earlier toot first"),
        pytest.param([(0, 0, 0), (0, 0, 0)], ([], [], []), id="nothing got, nothing ranked"),
        pytest.param([(0, 3, 0), (0, 0, 2)], ([], [1], [2]), id="without boosts nothing is the most boosted"),
        pytest.param([], ([], [], []), id="no toots"),
    ],
)
def test_best_toot_of_each_ranking(
    counts: list[tuple[int, int, int]], expected: tuple[list[int], list[int], list[int]]
) -> None:
    rankings = rank(toots_with(*counts), top_n=1)
    found = (numbers(rankings.boosts), numbers(rankings.favourites), numbers(rankings.replies))
    assert found == expected


def test_toots_equal_in_everything_and_written_at_once_are_ranked_by_uri() -> None:
    toots = [make_toot(number, created_at=START, boosts=1) for number in (3, 1, 2)]
    assert numbers(rank(toots, 3).boosts) == [1, 2, 3]


@pytest.mark.parametrize(
    ("counts", "top_n", "expected"),
    [
        pytest.param([(5, 0, 0), (5, 0, 0)], 1, 5, id="as many boosts as the last one shown"),
        pytest.param([(5, 3, 0), (5, 1, 0)], 1, 5, id="another rule told them apart, the tie was cut all the same"),
        pytest.param([(6, 0, 0), (5, 0, 0)], 1, None, id="fewer boosts"),
        pytest.param([(5, 0, 0), (5, 0, 0)], 2, None, id="both are shown"),
        pytest.param([(7, 0, 0), (7, 0, 0), (5, 0, 0)], 2, None, id="a tie above the last place is no matter"),
    ],
)
def test_cut_tie_is_told(counts: list[tuple[int, int, int]], top_n: int, expected: int | None) -> None:
    assert rank(toots_with(*counts), top_n).boosts.cut_tie == expected


def test_cut_tie_in_favourites_does_not_count_toots_already_shown() -> None:
    rankings = rank(toots_with((9, 4, 0), (0, 4, 0)), top_n=1)
    assert numbers(rankings.favourites) == [2]
    assert rankings.favourites.cut_tie is None


def naive_rankings(toots: list[ScoredToot], top_n: int) -> list[list[str]]:
    rest, found = list(toots), []
    for order in (
        lambda t: (t.boosts, t.favourites, t.replies),
        lambda t: (t.favourites, t.boosts, t.replies),
        lambda t: (t.replies, t.boosts, t.favourites),
    ):
        rest.sort(key=lambda t: (t.created_at, t.uri))
        rest.sort(key=order, reverse=True)
        shown = [toot for toot in rest if order(toot)[0] > 0][:top_n]
        found.append([toot.uri for toot in shown])
        rest = [toot for toot in rest if toot not in shown]
    return found


small = st.integers(min_value=0, max_value=3)


@settings(deadline=None)
@given(
    counts=st.lists(st.tuples(small, small, small, st.integers(min_value=0, max_value=5)), max_size=120),
    top_n=st.integers(min_value=1, max_value=5),
    chance=st.randoms(use_true_random=False),
)
def test_bounded_ranking_equals_sorting_everything(
    counts: list[tuple[int, int, int, int]], top_n: int, chance: object
) -> None:
    toots = [
        make_toot(
            number,
            boosts=boosts,
            favourites=favourites,
            replies=replies,
            created_at=START + timedelta(seconds=seconds),
        )
        for number, (boosts, favourites, replies, seconds) in enumerate(counts)
    ]
    expected = naive_rankings(toots, top_n)
    chance.shuffle(toots)  # type: ignore[attr-defined]
    rankings = rank(toots, top_n)
    found = [[toot.uri for toot in r.toots] for r in (rankings.boosts, rankings.favourites, rankings.replies)]
    assert found == expected
