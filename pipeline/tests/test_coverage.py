"""Chao's lower bound, measured against worlds whose true size is known."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.coverage import Estimate, estimate_total


def sightings(toots: int, servers: int, chances: list[float], seed: int) -> Counter[int]:
    """How often each toot was seen when every server shows toot i with ``chances[i % len(chances)]``."""
    rng = random.Random(seed)
    times: Counter[int] = Counter()
    for toot in range(toots):
        chance = chances[toot % len(chances)]
        times[sum(rng.random() < chance for _ in range(servers))] += 1
    return times


@pytest.mark.parametrize(("toots", "servers", "chance"), [(400, 12, 0.15), (1000, 30, 0.08), (150, 6, 0.3)])
def test_interval_covers_the_truth_when_every_toot_has_the_same_chance(
    toots: int, servers: int, chance: float
) -> None:
    covered = 0
    for seed in range(100):
        found = estimate_total(sightings(toots, servers, [chance], seed), servers)
        covered += found.low <= toots <= found.high
    assert covered >= 90


@pytest.mark.parametrize("chances", [[0.5, 0.02], [0.9, 0.3, 0.01], [0.4, 0.005]])
def test_bound_stays_below_the_truth_when_some_toots_hardly_travel(chances: list[float]) -> None:
    found = [estimate_total(sightings(600, 15, chances, seed), 15) for seed in range(60)]

    assert sum(estimate.total for estimate in found) / len(found) < 600
    assert sum(estimate.low <= 600 for estimate in found) >= 58


def test_bound_is_better_than_nothing() -> None:
    times = sightings(600, 15, [0.1], seed=1)

    found = estimate_total(times, 15)

    assert found.observed == 600 - times[0]
    assert abs(found.total - 600) < abs(found.observed - 600) / 2


def test_figures_worked_out_by_hand_come_out() -> None:
    # 98 toots on 10 servers, 10 seen once and 10 twice: 98 + 9/10 * 10 * 9 / (2 * 11).
    found = estimate_total({1: 10, 2: 10, 5: 78}, 10)

    assert found.total == pytest.approx(98 + 0.9 * 90 / 22)
    assert found.low > 98
    assert found.unseen == 4


@pytest.mark.parametrize("times", [{}, {0: 5}, {1: 0}])
def test_nothing_seen_is_nothing_estimated(times: dict[int, int]) -> None:
    assert estimate_total(times, 5) == Estimate(0, 0, 0, 0)


def test_one_sample_alone_says_nothing_about_the_unseen() -> None:
    assert estimate_total({1: 100}, 1).total == 100


def test_toots_seen_for_certain_are_added_to_all_figures() -> None:
    found = estimate_total({1: 10, 2: 10}, 10)

    more = found.plus(1000)

    assert (more.observed, more.unseen, more.unseen_high) == (1020, found.unseen, found.unseen_high)


@given(st.dictionaries(st.integers(0, 30), st.integers(0, 5000), max_size=12), st.integers(0, 40))
def test_interval_always_holds_the_estimate_and_what_was_seen(times: dict[int, int], samples: int) -> None:
    found = estimate_total(times, samples)

    assert found.observed <= found.low <= found.total <= found.high < float("inf")
    assert 0 <= found.unseen_low <= found.unseen_high
