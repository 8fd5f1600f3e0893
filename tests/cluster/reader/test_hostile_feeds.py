"""Hostile feeds beside honest ones, with the running worker: each is a failure of its own source, and of no other."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.reader.client import Reader, fill
from tests.cluster.reader.conftest import Site, fresh_address
from tests.remote.feed_host import FeedHost
from tests.remote.hostile_feeds import HOSTILE, Hostile, HostileHost

HONEST = 20


@dataclass
class Neighbours:
    """Anna has both kinds of feeds, Bert only honest ones; ``sources`` of Anna by name."""

    anna: Reader
    bert: Reader
    sources: dict[str, Any]

    def metrics(self, name: str) -> Any:
        return self.anna.call("GET", f"/metrics/sources/{self.sources[name]['id']}")["data"]["metrics"]


@pytest.fixture(scope="module")
def neighbours(site: Site) -> Iterator[Neighbours]:
    with ExitStack() as stack:
        hostile = {kind.name: stack.enter_context(HostileHost(kind.send, fresh_address())).url for kind in HOSTILE}
        hosts = [stack.enter_context(FeedHost(fresh_address())) for _ in range(HONEST)]
        honest = {f"honest {n}": fill(host, "/feed", 2) for n, host in enumerate(hosts)}
        anna, bert = site.make_reader(), site.make_reader()
        take_in(anna, {**hostile, **honest})
        take_in(bert, honest)
        rows = anna.call("GET", "/sources")["data"]
        yield Neighbours(anna, bert, {row["name"]: row for row in rows})


def take_in(reader: Reader, feeds: dict[str, str]) -> None:
    """By OPML, as that asks for all of them in one job."""
    outlines = "".join(f"<outline type='rss' text='{html.escape(n)}' xmlUrl='{url}'/>" for n, url in feeds.items())
    content = f"<opml version='2.0'><body>{outlines}</body></opml>".encode()
    data = reader.call("POST", "/import-opml", files={"opml": ("feeds.opml", content)})["data"]
    assert data["sources_created"] == len(feeds)


def test_honest_feeds_are_fetched_beside_hostile_ones(neighbours: Neighbours) -> None:
    path = "/posts?per_page=1&content=false"
    neighbours.bert.wait_for_job(path, lambda answer: answer["meta"]["total"] == 2 * HONEST)
    health = neighbours.bert.call("GET", "/metrics/sources-health")["data"]
    assert health["problematic_sources"] == []
    neighbours.anna.wait_for_job(
        "/metrics/recent-activity", lambda answer: answer["data"]["recent_posts_count"] >= 2 * HONEST
    )


@pytest.mark.parametrize("kind", HOSTILE, ids=lambda kind: kind.name)
def test_each_is_a_failure_with_a_sentence_or_does_no_harm(neighbours: Neighbours, kind: Hostile) -> None:
    source = neighbours.sources[kind.name]
    answer = neighbours.anna.wait_for_job(
        f"/metrics/sources/{source['id']}",
        lambda answer: answer["data"]["metrics"]["last_error_at"] or answer["data"]["metrics"]["last_fetched_at"],
    )
    numbers = answer["data"]["metrics"]
    if kind.survives is not None:
        assert (numbers["is_healthy"], numbers["posts_count"]) == (True, kind.survives), numbers["last_error_message"]
        for post in neighbours.anna.posts(source_id=source["id"]):
            assert len(post["title"]) <= 500
            assert "root:" not in post["title"] + post["content"]
        return
    assert (numbers["status"], numbers["consecutive_failures"]) == ("warning", 1)
    sentence = numbers["last_error_message"]
    assert sentence.endswith(".") and len(sentence.split()) > 4 and len(sentence) < 200, sentence
    assert kind.words in sentence
    for inside in ("Error(", "Exception", "urllib3", "/etc", "lxml", "object at", "None"):
        assert inside not in sentence, sentence
    assert numbers["posts_count"] == 0


def test_the_house_is_well_afterwards(neighbours: Neighbours) -> None:
    queue = neighbours.bert.call("GET", "/jobs/queue-status")["data"]
    assert queue["system_healthy"] is True
    assert queue["queues"]["refresh"]["failed_jobs"] == 0
