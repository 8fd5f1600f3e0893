"""The crawl against the bundled fediverse, over HTTP: what comes out is what its generator says is true."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from common.errors import ConfigurationError
from common.times import parse_moment
from events.models import MastodonAccount
from pipeline.crawl import runs
from pipeline.mock.server import Fediverse, start_fediverse
from pipeline.mock.truth import TrueToot, Truth
from pipeline.models import Crawl
from pipeline.phases import analyse
from pipeline.tests.fetch_help import make_context, outcomes, run_fetch
from tests.remote.fediverse import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(make_event: Any) -> Any:
    return make_event(start=NOON, duration=timedelta(minutes=90))


@pytest.fixture
def fediverse(event: Any, settings: Any) -> Iterator[Fediverse]:
    """On the air, allowed, and home of the event."""
    with start_fediverse(event.hashtag, event.start, event.duration, event.margin) as servers:
        settings.MASTOSCORE_PRIVATE_HOSTS = servers.private_hosts
        settings.MASTOSCORE_RETRY_PAUSES = [0.01, 0.1, 1]
        event.home_account = MastodonAccount.objects.create(server=servers.home, token=servers.token)
        event.save()
        yield servers


def export(event: Any, *arguments: str) -> str:
    output = StringIO()
    call_command("export_toots", event.slug, *arguments, stdout=output)
    return output.getvalue()


def as_exported(toot: TrueToot) -> dict[str, Any]:
    return {
        "uri": toot.uri,
        "author": toot.author,
        "created_at": toot.created_at,
        "boosts": toot.boosts,
        "favourites": toot.favourites,
        "replies": toot.replies,
        "is_authoritative": toot.is_authoritative,
        "seen_on": sorted(toot.seen_on),
    }


def exported_toots(event: Any, *arguments: str) -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in export(event, *arguments).splitlines()]
    assert [(row["created_at"], row["uri"]) for row in rows] == sorted((r["created_at"], r["uri"]) for r in rows)
    return {row["uri"]: row | {"created_at": parse_moment(row["created_at"])} for row in rows}


def assert_as_true(event: Any, truth: Truth) -> None:
    expected = {uri: as_exported(toot) for uri, toot in truth.toots.items()}
    assert exported_toots(event, "--all") == expected
    quotable = {uri for uri, toot in truth.toots.items() if toot.is_quotable}
    assert set(exported_toots(event)) == quotable
    assert outcomes(event.crawls.latest("id")) == truth.outcomes


def test_exported_toots_counts_and_rankings_equal_the_truth(fediverse: Fediverse, event: Any) -> None:
    truth = fediverse.world.truth

    result = run_fetch(event)

    assert_as_true(event, truth)
    assert (result["toots"], result["authors"]) == (len(truth.toots), len(truth.authors))
    analyse.run(make_context(event))
    results = event.analysis.results
    for key, ranking in (("max_boosts", "boosts"), ("max_faves", "favourites"), ("max_replies", "replies")):
        assert tuple(toot["uri"] for toot in results[key]) == truth.rankings(event.top_n)[ranking].uris


def test_bundled_fediverse_saw_a_polite_crawler(fediverse: Fediverse, event: Any) -> None:
    run_fetch(event)

    logs = {name: log for name, log in fediverse.requests.items() if log}
    assert {log.peak_in_flight for log in logs.values()} == {1}
    assert all(agent.startswith("Mastoscore/") for log in logs.values() for agent in log.user_agents)
    assert {name for name, log in logs.items() if any("authorization" in r.headers for r in log)} == {fediverse.home}


def test_every_fetch_of_the_same_world_gives_the_same_toots(fediverse: Fediverse, event: Any) -> None:
    run_fetch(event)
    first = export(event, "--all")

    result = run_fetch(event)

    assert export(event, "--all") == first
    assert (result["new_toots"], result["reused_toots"]) == (0, len(fediverse.world.truth.toots))


def test_csv_holds_the_same_as_json_lines(fediverse: Fediverse, event: Any) -> None:
    run_fetch(event)

    rows = list(csv.DictReader(io.StringIO(export(event, "--format", "csv"))))

    lines = [json.loads(line) for line in export(event).splitlines()]
    assert [{**row, "seen_on": row["seen_on"].split()} for row in rows] == [
        {key: value if key == "seen_on" else str(value) for key, value in line.items()} for line in lines
    ]


def test_mock_fetch_brings_its_own_fediverse(event: Any) -> None:
    result = run_fetch(event, mock=True)

    crawl = Crawl.objects.get()
    assert crawl.is_mock and result["mock"]
    assert result["toots"] >= 400
    again = run_fetch(event, mock=True)
    assert (again["toots"], again["new_toots"]) == (result["toots"], 0)


def test_dry_run_of_the_event_means_the_bundled_fediverse(event: Any) -> None:
    event.fetch_dry_run = True
    event.save()

    assert run_fetch(event)["mock"]


def test_invented_toots_make_way_for_real_ones_and_never_the_other_way_round(
    fediverse: Fediverse, event: Any
) -> None:
    run_fetch(event, mock=True)

    run_fetch(event)
    assert_as_true(event, fediverse.world.truth)
    assert not event.crawls.filter(is_mock=True).exists()

    with pytest.raises(ConfigurationError, match="real toots"):
        run_fetch(event, mock=True)
    assert_as_true(event, fediverse.world.truth)


def test_mock_crawl_over_other_names_replaces_the_earlier_one(event: Any) -> None:
    crawl, _ = runs.open_crawl(event, job=None, home_server="127.1.0.1:9", is_mock=True)
    runs.close(crawl, Crawl.State.COMPLETE)

    runs.open_crawl(event, job=None, home_server="127.1.0.1:10", is_mock=True)

    assert [crawl.home_server for crawl in event.crawls.all()] == ["127.1.0.1:10"]
