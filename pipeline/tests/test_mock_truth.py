"""Totals, ties, limits and first-timers of the real pipeline against what the generator says is true."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from common.times import format_z
from events.models import Event, MastodonAccount
from pipeline.mock.server import Fediverse, start_fediverse
from pipeline.mock.truth import Truth
from pipeline.phases import analyse
from pipeline.tests.fetch_help import make_context, outcomes, run_fetch

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(make_event: Any) -> Event:
    made: Event = make_event()
    return made


@pytest.fixture
def fediverse(event: Event, settings: Any) -> Iterator[Fediverse]:
    with start_fediverse(event.hashtag, event.start, event.duration, event.margin, toot_count=150) as servers:
        settings.MASTOSCORE_PRIVATE_HOSTS = servers.private_hosts
        settings.MASTOSCORE_RETRY_PAUSES = [0.01, 0.1, 1]
        event.home_account = MastodonAccount.objects.create(server=servers.home, token=servers.token)
        event.save()
        yield servers


def analysed(event: Event) -> dict[str, Any]:
    analyse.run(make_context(event))
    event.refresh_from_db()
    results: dict[str, Any] = event.analysis.results
    return results


def assert_numbers(results: dict[str, Any], truth: Truth, top_n: int, *, without_bots: bool = False) -> None:
    totals = truth.totals(without_bots=without_bots)
    found = {key: results[key] for key in ("boosts", "favourites", "replies", "media")}
    assert found == {key: getattr(totals, key) for key in found}
    assert (results["total_toots"], results["unique_ids"], results["total_servers"]) == (
        totals.toots,
        totals.authors,
        totals.servers,
    )
    assert results["languages"] == {language or "und": count for language, count in totals.languages.items()}
    minute, count = totals.busiest_minute
    assert results["busiest_minute"] == {"at": format_z(minute), "toots": count}
    assert (results["left_out"]["authors"], results["left_out"]["toots"]) == (
        totals.left_out_authors,
        totals.left_out_toots,
    )
    rankings = truth.rankings(top_n, without_bots=without_bots)
    for key, name in (("max_boosts", "boosts"), ("max_faves", "favourites"), ("max_replies", "replies")):
        assert tuple(toot["uri"] for toot in results[key]) == rankings[name].uris


def test_totals_and_rankings_equal_the_truth_with_and_without_bots(fediverse: Fediverse, event: Event) -> None:
    run_fetch(event)
    assert_numbers(analysed(event), fediverse.world.truth, event.top_n)

    event.leave_out_bots, event.top_n = True, 7
    event.save()
    assert_numbers(analysed(event), fediverse.world.truth, 7, without_bots=True)


def test_limit_per_server_gives_the_limited_truth(fediverse: Fediverse, event: Event) -> None:
    event.max_toots = 30
    event.save()
    truth = fediverse.world.truth_for(max_toots=30)

    run_fetch(event)

    assert set(event.toots.values_list("uri", flat=True)) == truth.counted
    assert outcomes(event.crawls.latest("id")) == truth.outcomes
    assert "reached_max" in truth.outcomes.values()


def test_first_timers_are_those_who_missed_the_film_of_the_week_before(
    fediverse: Fediverse, event: Event, make_event: Any
) -> None:
    earlier = make_event(
        slug="monsterdon-before", start=event.start - timedelta(days=7), home_account=event.home_account
    )
    run_fetch(earlier)
    before = fediverse.world.truth_for(start=earlier.start)
    assert set(earlier.toots.values_list("uri", flat=True)) == before.counted

    run_fetch(event)

    now = fediverse.world.truth
    assert analysed(event)["first_timers"] == len(now.authors - before.authors)
