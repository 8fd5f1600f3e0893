"""Toots of an event -> stored numbers; worked out again only when toots or parameters changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from django.db import transaction
from django.db.models import Q

from common import VERSION
from common.errors import NotReadyError
from common.files import write_json
from common.times import now_utc
from events.models import Event
from pipeline import paths
from pipeline.artifacts import find_artifact, remember_file
from pipeline.core.analyse import AnalyseOptions, Analyser
from pipeline.core.rows import ScoredToot
from pipeline.models import Analysis, Crawl, Toot
from pipeline.toots import find_counted_toots, iterate_scored_toots

if TYPE_CHECKING:
    from jobs.context import JobContext

_TOOTS_BETWEEN_LOOKS = 1000


@dataclass(frozen=True, slots=True)
class CurrentAnalysis:
    """The numbers as the toots are now; ``is_cached``: they were stored already."""

    results: dict[str, Any]
    is_cached: bool


def run(ctx: JobContext) -> dict[str, Any]:
    analysis = load_current_analysis(ctx, is_refresh=bool(ctx.params.get("refresh")))
    results = analysis.results
    ctx.say("Nothing changed since the last analysis." if analysis.is_cached else results["num_toots"])
    return {
        "cached": analysis.is_cached,
        "toots": results["total_toots"],
        "authors": results["unique_ids"],
        "servers": results["total_servers"],
        "boosts": results["boosts"],
        "favourites": results["favourites"],
        "replies": results["replies"],
        "left_out": results["left_out"],
        "files": [paths.below_data(paths.analysis(ctx.event))],
    }


def load_current_analysis(ctx: JobContext, *, is_refresh: bool = False) -> CurrentAnalysis:
    """The stored analysis if it still fits the toots, else a new one, stored. NotReadyError before any fetch."""
    event = ctx.event
    require_fetch(event)
    options = read_options(event)
    analyser, digest = Analyser(options), _Fingerprint(options)
    for toot in watched_toots(ctx, has_html=False):
        digest.add(toot)
        analyser.add(toot)
    fingerprint = digest.hexdigest()
    stored = Analysis.objects.filter(event=event, fingerprint=fingerprint).first()
    if stored is not None and not is_refresh:
        if find_artifact(event, "analysis") is None:
            _write_file(event, stored.results)
        return CurrentAnalysis(stored.results, is_cached=True)
    results = analyser.finish().as_results()
    ctx.check_cancelled()
    _store(event, results, fingerprint)
    return CurrentAnalysis(results, is_cached=False)


def require_fetch(event: Event) -> None:
    """NotReadyError when there is nothing to count and no crawl came to its end; one that found nothing is fine."""
    if not event.toots.exists() and not event.crawls.filter(state=Crawl.State.COMPLETE).exists():
        raise NotReadyError(f"Nothing is fetched yet for {event.slug}; run fetch first.")


def read_options(event: Event) -> AnalyseOptions:
    return AnalyseOptions(
        hashtag=event.hashtag,
        title=event.title,
        timezone=event.timezone,
        span=event.span,
        window=event.window,
        top_n=event.top_n,
        consent=event.consent,
        leave_out_bots=event.leave_out_bots,
        generated_at=now_utc(),
        known_authors=find_known_authors(event),
        more_hashtags=event.hashtags[1:],
        excluded_hashtags=event.excluded,
    )


def find_known_authors(event: Event) -> frozenset[str] | None:
    """Authors of this event who wrote in an earlier one of the series (without a series: of the same hashtag).

    None if no earlier event has toots: then everybody would be new, which says nothing.
    """
    company = Q(series=event.series) if event.series_id else Q(series=None, hashtag_key=event.hashtag_key)
    earlier = Event.objects.filter(company, start__lt=event.start).values("pk")
    seen = Toot.objects.filter(event__in=earlier).order_by()
    if not seen.exists():
        return None
    ours = event.toots.order_by().values("author_handle")
    return frozenset(seen.filter(author_handle__in=ours).values_list("author_handle", flat=True).distinct())


class _Fingerprint:
    """Hash over toots, parameters and code version: equal hash, equal analysis."""

    def __init__(self, options: AnalyseOptions) -> None:
        known = sorted(options.known_authors) if options.known_authors is not None else None
        self._encode = msgspec.json.Encoder().encode
        self._hash = hashlib.sha256(orjson.dumps([VERSION, options.parameters(), known]))

    def add(self, toot: ScoredToot) -> None:
        self._hash.update(self._encode(toot))

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def watched_toots(ctx: JobContext, *, has_html: bool = True) -> Iterator[ScoredToot]:
    """Every counted toot of the job's event, with progress, and a look at cancel now and then. ``has_html``: as of
    ``iterate_scored_toots``."""
    total = find_counted_toots(ctx.event).count()
    for number, toot in enumerate(iterate_scored_toots(ctx.event, has_html=has_html)):
        if number % _TOOTS_BETWEEN_LOOKS == 0:
            ctx.check_cancelled()
            ctx.progress(done=number, total=total)
        yield toot
    ctx.progress(done=total, total=total)


def _store(event: Event, results: dict[str, Any], fingerprint: str) -> None:
    written = write_json(paths.analysis(event), results)
    with transaction.atomic():
        Analysis.objects.update_or_create(
            event=event,
            defaults={
                "results": results,
                "parameters": results["parameters"],
                "fingerprint": fingerprint,
                "code_version": VERSION,
            },
        )
        remember_file(event, "analysis", written, parameters=results["parameters"])


def _write_file(event: Event, results: dict[str, Any]) -> None:
    written = write_json(paths.analysis(event), results)
    remember_file(event, "analysis", written, parameters=results["parameters"])
