"""Everything the results page of one event shows, gathered in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from common.links import safe_link
from common.times import zone
from events.models import Event
from pipeline import results_page
from pipeline.core.method import Unseen, describe_coverage
from pipeline.models import Analysis, ThreadToot, Toot, Visit
from pipeline.public_files import PublicFile, list_public_files
from pipeline.results_page import Consent, LeftOut, Number, Ranking
from pipeline.servers_report import ServersSummary, find_reported_crawl, summarise_servers
from pipeline.toots import load_opt_outs


@dataclass(frozen=True, slots=True)
class EventPage:
    """``is_withholding``: stored files name somebody who has opted out since, so they are not offered."""

    analysis: Analysis | None
    numbers: tuple[Number, ...]
    total_toots: int
    left_out: LeftOut
    rankings: tuple[Ranking, ...]
    most_active: str
    languages: list[tuple[str, int]]
    files: dict[str, PublicFile]
    downloads: list[PublicFile]
    servers: ServersSummary | None
    coverage: str
    thread_link: str
    is_withholding: bool

    @property
    def graph_dark(self) -> PublicFile | None:
        return self.files.get("graph-dark")

    @property
    def wordcloud_dark(self) -> PublicFile | None:
        return self.files.get("wordcloud-dark")


def build_event_page(event: Event) -> EventPage:
    analysis = getattr(event, "analysis", None)
    results = analysis.results if analysis is not None else {}
    consent = Consent(load_opt_outs(), is_stricter=_is_stricter(event, results))
    toots = _ranked_toots(event, results)
    crawl = find_reported_crawl(event)
    is_withholding = results_page.has_lost_consent(results, toots, consent) or (
        crawl is not None and _has_opted_out_server(crawl.pk, consent)
    )
    files = list_public_files(list(event.artifacts.all()), is_withholding=is_withholding)
    named = results_page.most_active_author(results)
    may_name = named is not None and not consent.is_stricter and not consent.opt_outs.cover(named[0])
    return EventPage(
        analysis=analysis,
        numbers=results_page.build_numbers(results, zone(event.timezone)) if analysis else (),
        total_toots=results_page.total_toots(results),
        left_out=results_page.read_left_out(results),
        rankings=results_page.build_rankings(results, toots, consent),
        most_active=str(results.get("most_toots", "")) if may_name else "",
        languages=results_page.list_languages(results),
        files=files,
        downloads=[file for file in files.values() if file.label],
        servers=summarise_servers(crawl) if crawl is not None else None,
        coverage=describe_coverage(Unseen.from_coverage(crawl.summary.get("coverage") or {})) if crawl else "",
        thread_link=_thread_link(event),
        is_withholding=is_withholding,
    )


def _is_stricter(event: Event, results: dict[str, Any]) -> bool:
    """The event was made strict after it was analysed."""
    analysed_as = results.get("parameters", {}).get("consent")
    return event.consent == Event.Consent.STRICT and analysed_as != Event.Consent.STRICT


def _ranked_toots(event: Event, results: dict[str, Any]) -> dict[str, Toot]:
    """The stored rows of the toots in the rankings, by uri: they know content warnings and wishes."""
    uris = results_page.list_ranked_uris(results)
    return {toot.uri: toot for toot in event.toots.filter(uri__in=uris)}


def _has_opted_out_server(crawl_id: int, consent: Consent) -> bool:
    servers = consent.opt_outs.servers
    return bool(servers) and Visit.objects.filter(crawl_id=crawl_id, server__in=servers).exists()


def _thread_link(event: Event) -> str:
    first = (
        event.thread.filter(state=ThreadToot.State.SENT).order_by("position").values_list("url", flat=True).first()
    )
    return safe_link(first)
