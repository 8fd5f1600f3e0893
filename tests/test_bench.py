"""The benchmark at a tiny size: its figures come out, agree with each other, and a wrong result fails it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.children import ROOT, Fediverse, open_fediverse
from tests.bench.crawl import crawl
from tests.bench.floor import PAGES_ONLY, WITH_ROBOTS, longest_chain
from tests.bench.installation import SLUG, Workshop
from tests.bench.sizes import Size
from tests.bench.world import PAGE_SIZE, World, build_world

TINY = Size(servers=5, toots=50, copies=150, latency_ms=0, hops=3)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


def test_figures_come_out_and_agree(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    sizes = ["--servers", "5", "--toots", "50", "--latency-ms", "0", "--analysis-toots", "300"]
    sizes += ["--api-events", "3", "--api-toots", "300", "--api-calls", "2"]
    command = [sys.executable, "-m", "tests.bench", *sizes, "--json", str(path)]
    command += ["--parts", "crawl", "analysis", "api"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text())
    crawled = found["crawl"]
    assert found["mistakes"] == []
    assert crawled["result"]["toots"] == crawled["facts"]["toots"] == 50
    assert crawled["result"]["copies"] == crawled["facts"]["copies"]
    assert crawled["requests"]["servers_asked"] == crawled["facts"]["servers"] == 5
    assert crawled["requests"]["requests"] == crawled["result"]["requests"]
    assert crawled["requests"]["kinds"]["page"] >= crawled["facts"]["pages"]
    assert crawled["requests"]["peak_in_flight_per_server"] == 1
    assert_shares_add_up(crawled)
    assert found["analysis"]["toots"] == 300
    assert found["analysis"]["cpu_seconds"] > 0
    assert_api_was_called(found["api"])
    assert "right results                               yes" in done.stdout


def assert_shares_add_up(crawled: dict[str, Any]) -> None:
    shares = [crawled[f"{name}_seconds"] for name in ("starting", "asking", "closing")]
    assert min(shares) > 0
    assert sum(shares) == pytest.approx(crawled["wall_seconds"])
    assert crawled["cpu_per_thousand_copies"] == pytest.approx(
        crawled["cpu_seconds"] / crawled["facts"]["copies"] * 1000
    )
    assert crawled["peak_memory_bytes"] > 10_000_000


def assert_api_was_called(api: dict[str, Any]) -> None:
    call = api["calls"]["toots by -boosts"]
    assert 0 < call["cpu_p50_ms"] <= call["cpu_p95_ms"]
    assert any("toot_by_boosts" in plan for plan in call["plans"])
    assert 0 < api["exports"]["jsonl"]["lines"] == api["exports"]["csv"]["lines"] - 1 < 300


def test_figures_of_the_reader_come_out_and_agree(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--parts", "feeds", "reader", "--json", str(path)]
    command += ["--feeds", "20", "--reader-posts", "2000", "--reader-calls", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(path.read_text())
    assert found["mistakes"] == []
    full, unchanged = found["feeds"]["full"], found["feeds"]["unchanged"]
    assert (full["result"]["changed"], full["result"]["new_posts"], full["asked"]["unconditional"]) == (20, 400, 20)
    assert (unchanged["result"]["unchanged"], unchanged["result"]["new_posts"]) == (19, 1)
    assert unchanged["asked"]["unchanged"] == 19
    assert 0 < full["floor_cpu_seconds"] < full["cpu_seconds"]
    calls = found["reader"]["calls"]
    assert all(0 < call["wall_p50_ms"] <= call["wall_p95_ms"] and call["queries"] > 0 for call in calls.values())
    assert any("feeds_entry_search" in plan for plan in calls["search: a word"]["plans"])


def test_wrong_results_are_found(workshop: Workshop) -> None:
    with open_fediverse(TINY) as fediverse:
        installation = workshop.install(fediverse)
        installation.manage("fetch", SLUG)
        assert fediverse.differences(installation.database, SLUG) == []
        spoil(installation.database, "UPDATE pipeline_toot SET boosts = boosts + 1 WHERE id = 1")
        spoil(installation.database, "DELETE FROM pipeline_sighting WHERE id = 1")
        complaints = fediverse.differences(installation.database, SLUG)
    assert len(complaints) == 2
    assert "other counts than at their origin" in complaints[0]
    assert "other sightings than toots shown" in complaints[1]


def test_crawl_that_could_not_ask_is_no_figure(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fediverse, "home", "127.1.0.1:9")
    with open_fediverse(TINY) as fediverse, pytest.raises(Exception, match="fetch bench ended with 1"):
        crawl(TINY, fediverse, workshop)


def test_same_size_makes_the_same_world() -> None:
    one, other = build_world(TINY, port=8000), build_world(TINY, port=8000)
    assert [rows.tolist() for rows in one.rows] == [rows.tolist() for rows in other.rows]
    assert [one.uri(toot) for toot in range(50)] == [other.uri(toot) for toot in range(50)]


def test_ids_of_a_timeline_descend_and_every_toot_is_at_its_origin() -> None:
    world = build_world(Size(servers=40, toots=900, copies=9000, latency_ms=0), port=8000)
    for server, ids in enumerate(world.ids):
        assert (ids[:-1] > ids[1:]).all()
        own = {toot for toot in range(900) if world.origins[toot] == server}
        assert own <= set(world.rows[server].tolist())
    assert abs(world.copy_count - 9000) < 900


def test_floor_follows_the_chain() -> None:
    world = build_world(TINY, port=8000)
    assert longest_chain(world) == by_patience(world, before=0)
    assert longest_chain(world, WITH_ROBOTS) == by_patience(world, before=1)
    assert longest_chain(world, PAGES_ONLY) >= max(world.page_count(server) for server in range(5))


def by_patience(world: World, *, before: int) -> int:
    """The floor played through: in each round every known server answers one request."""
    begun, rounds, left = {0: 0}, 0, {server: world.page_count(server) for server in range(len(world.names))}
    while any(left.values()):
        rounds += 1
        found: list[int] = []
        for server, since in begun.items():
            waited = rounds - since - (before if server else 0)
            if waited >= 1 and left[server]:
                page = world.rows[server][(waited - 1) * PAGE_SIZE : waited * PAGE_SIZE]
                found += [int(world.origins[toot]) for toot in page if not world.is_older(toot)]
                left[server] -= 1
        for server in found:
            begun.setdefault(server, rounds)
    return rounds


def spoil(database: Path, statement: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(statement)
    connection.close()
