"""What the method note of an event says, gathered from its newest crawl and its analysis."""

from __future__ import annotations

from typing import Any

from common.times import zone
from events.models import Event
from pipeline.core.method import CrawlFacts, MethodFacts, Unseen
from pipeline.crawl.results import coverage
from pipeline.models import Crawl
from pipeline.results_page import total_toots
from pipeline.servers_report import find_reported_crawl, summarise_servers
from pipeline.toots import find_counted_toots


def load_method_facts(event: Event, results: dict[str, Any]) -> MethodFacts:
    left_out = results["left_out"]
    crawl = find_reported_crawl(event)
    counted = find_counted_toots(event)
    if event.leave_out_bots:
        counted = counted.exclude(author_is_bot=True)
    return MethodFacts(
        hashtag=event.hashtag,
        window=event.window,
        zone=zone(event.timezone),
        toots=total_toots(results),
        authoritative=counted.filter(is_authoritative=True).count(),
        left_out_authors=left_out["authors"],
        left_out_toots=left_out["toots"],
        left_out_bots=left_out["bots"],
        left_out_bot_toots=left_out["bot_toots"],
        code_version=str(results.get("code_version", "")),
        crawl=_read_crawl(crawl) if crawl is not None else None,
        more_hashtags=event.hashtags[1:],
        excluded_hashtags=event.excluded,
    )


def _read_crawl(crawl: Crawl) -> CrawlFacts:
    servers = summarise_servers(crawl)
    return CrawlFacts(
        home_server=crawl.home_server,
        finished_at=crawl.finished_at or crawl.created_at,
        asked=servers.total,
        answered=servers.good,
        refused=servers.closed,
        outcomes=tuple((line.words, line.servers) for line in servers.lines),
        unseen=Unseen.from_coverage(crawl.summary.get("coverage") or coverage(crawl)),
        is_mock=crawl.is_mock,
        unfinished=servers.waiting,
        is_quick=crawl.mode == Event.FetchMode.QUICK,
    )
