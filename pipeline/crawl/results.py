"""What a crawl came to, in numbers: for the job's result, the crawl's summary and the report file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from common.times import format_z
from events.models import Event
from pipeline.core.coverage import Estimate, estimate_total
from pipeline.crawl.outcomes import GOOD_OUTCOMES
from pipeline.models import Crawl, Sighting, Toot, Visit
from pipeline.toots import find_counted_toots

_CLOSED_OUTCOMES = (Visit.Outcome.REFUSED, Visit.Outcome.ROBOTS, Visit.Outcome.FEED_ONLY)


def summarise(event: Event, crawl: Crawl) -> dict[str, Any]:
    """``toots`` and ``authors`` of the event as it stands; everything else is about this crawl.

    ``new_toots`` no earlier crawl had seen; ``reused_toots`` were known and seen again.
    """
    counted = find_counted_toots(event)
    seen = Sighting.objects.filter(toot=OuterRef("pk"))
    seen_now = event.toots.filter(Exists(seen.filter(visit__crawl=crawl)))
    new_toots = seen_now.exclude(Exists(seen.filter(visit__crawl__lt=crawl.pk))).count()
    visits = crawl.visits.order_by()
    spent = visits.aggregate(Sum("requests"), Sum("pages"), Sum("toots"), Sum("passed_over"), Sum("received_bytes"))
    outcomes = Counter(visits.values_list("outcome", flat=True))
    answered = sum(outcomes[outcome] for outcome in GOOD_OUTCOMES)
    refused = sum(outcomes[outcome] for outcome in _CLOSED_OUTCOMES)
    unfinished = outcomes[Visit.Outcome.CANCELLED] + outcomes[""]
    return {
        "toots": counted.count(),
        "new_toots": new_toots,
        "reused_toots": seen_now.count() - new_toots,
        "authors": counted.order_by().values("author_handle").distinct().count(),
        "servers": outcomes.total(),
        "answered": answered,
        "refused": refused,
        "failed": outcomes.total() - answered - refused - unfinished,
        "unfinished": unfinished,
        "requests": spent["requests__sum"] or 0,
        "pages": spent["pages__sum"] or 0,
        "copies": spent["toots__sum"] or 0,
        "passed_over": spent["passed_over__sum"] or 0,
        "received_bytes": spent["received_bytes__sum"] or 0,
    }


def coverage(crawl: Crawl) -> dict[str, Any]:
    """How many toots were seen by how many servers: what few saw hints at what nobody showed us."""
    per_toot = Sighting.objects.filter(visit__crawl=crawl).order_by().values("toot").annotate(servers=Count("visit"))
    histogram = Counter(per_toot.values_list("servers", flat=True).iterator(chunk_size=2000))
    estimate = estimate_coverage(crawl)
    return {
        "toots": histogram.total(),
        "seen_by_one": histogram[1],
        "seen_by_two": histogram[2],
        "toots_by_servers": {str(servers): histogram[servers] for servers in sorted(histogram)},
        "not_shown_by_origin": histogram.total() - _shown_by_origin(crawl).count(),
        "estimated_toots": round(estimate.total),
        "estimated_unseen": estimate.unseen,
        "unseen_low": estimate.unseen_low,
        "unseen_high": estimate.unseen_high,
        "refused_share": _refused_share(crawl),
    }


def estimate_coverage(crawl: Crawl) -> Estimate:
    """A lower bound of all toots there are, by ``pipeline.core.coverage``; servers that answered are the samples."""
    shown_by_origin = _shown_by_origin(crawl)
    others = Sighting.objects.filter(visit__crawl=crawl).exclude(toot__in=shown_by_origin)
    per_toot = others.order_by().values("toot").annotate(servers=Count("visit")).values_list("servers", flat=True)
    samples = crawl.visits.filter(outcome__in=GOOD_OUTCOMES).count()
    return estimate_total(Counter(per_toot.iterator(chunk_size=2000)), samples).plus(shown_by_origin.count())


def _shown_by_origin(crawl: Crawl) -> QuerySet[Toot]:
    own = Sighting.objects.filter(toot=OuterRef("pk"), visit__crawl=crawl, visit__server=OuterRef("origin"))
    return crawl.event.toots.filter(Exists(own)).order_by()


def _refused_share(crawl: Crawl) -> float:
    """Of all servers asked, those that did not want to be read; 0 to 1."""
    asked = crawl.visits.count()
    return round(crawl.visits.filter(outcome__in=_CLOSED_OUTCOMES).count() / asked, 4) if asked else 0.0


def fetch_report(event: Event, crawl: Crawl) -> dict[str, Any]:
    """Everything about a crawl that a host or a server's administrator may ask, as JSON-able values."""
    return {
        "event": event.slug,
        "hashtag": crawl.hashtag,
        "window": {"start": format_z(crawl.window_start), "end": format_z(crawl.window_end)},
        "parameters": {
            "home_server": crawl.home_server,
            "hashtags": list(crawl.hashtags),
            "excluded_hashtags": list(crawl.excluded),
            "mode": crawl.mode,
            "max_toots": crawl.max_toots,
            "mock": crawl.is_mock,
        },
        "crawl": crawl.pk,
        "state": crawl.state,
        "started": format_z(crawl.created_at),
        "finished": format_z(crawl.finished_at) if crawl.finished_at else None,
        "totals": {key: value for key, value in crawl.summary.items() if key != "coverage"},
        "coverage": crawl.summary.get("coverage") or coverage(crawl),
        "servers": list(_server_reports(crawl)),
    }


def _server_reports(crawl: Crawl) -> Iterator[dict[str, Any]]:
    for visit in crawl.visits.order_by("id"):
        yield {
            "server": visit.server,
            "home": visit.is_home,
            "state": visit.state,
            "outcome": visit.outcome,
            "detail": visit.detail,
            "robots": visit.robots,
            "requests": visit.requests,
            "pages": visit.pages,
            "toots": visit.toots,
            "passed_over": visit.passed_over,
            "received_bytes": visit.received_bytes,
            "seconds": round(visit.seconds, 3),
        }
