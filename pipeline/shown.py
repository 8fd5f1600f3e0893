"""What blog page and thread may show of an event now: the current analysis, less who does not want to be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from common.errors import NotReadyError
from common.links import safe_link
from events.models import Event
from pipeline.core.post import MostActive
from pipeline.models import Analysis, Toot
from pipeline.phases.analyse import load_current_analysis
from pipeline.results_page import RANKINGS, Consent, Ranking, build_rankings, list_ranked_uris, most_active_author
from pipeline.toots import find_counted_toots, load_opt_outs

if TYPE_CHECKING:
    from jobs.context import JobContext


@dataclass(frozen=True, slots=True)
class Shown:
    results: dict[str, Any]
    rankings: tuple[Ranking, ...]
    most_active: MostActive | None


def load_shown(ctx: JobContext) -> Shown:
    """The analysis as the toots are now; toots that are gone, and authors who may not be named, are left away.

    NotReadyError when the event was never analysed.
    """
    event = ctx.event
    if not Analysis.objects.filter(event=event).exists():
        raise NotReadyError(f"Nothing is analysed yet for {event.slug}; run analyse first.")
    results = load_current_analysis(ctx).results
    consent = Consent(load_opt_outs(), is_stricter=event.consent == Event.Consent.STRICT)
    toots = {toot.uri: toot for toot in event.toots.filter(uri__in=list_ranked_uris(results))}
    return Shown(
        results=results,
        rankings=build_rankings(_of_stored_toots(results, toots), toots, consent),
        most_active=_find_most_active(event, results, consent),
    )


def _of_stored_toots(results: dict[str, Any], toots: dict[str, Toot]) -> dict[str, Any]:
    kept = {key: [entry for entry in results.get(key, []) if entry.get("uri") in toots] for key, _, _ in RANKINGS}
    return {**results, **kept}


def _find_most_active(event: Event, results: dict[str, Any], consent: Consent) -> MostActive | None:
    """Who wrote the most, if all of their toots let us name them."""
    named = most_active_author(results)
    if named is None:
        return None
    handle, count = named
    toots = list(event.toots.filter(author_handle=handle).order_by("-created_at"))
    if not toots or not all(consent.allows(handle, toot) for toot in toots):
        return None
    return MostActive(
        handle,
        toots[0].author_name,
        safe_link(toots[0].author_url),
        count,
        is_sole_first=not _has_equal(event, handle, count),
        uri=toots[0].uri,
    )


def _has_equal(event: Event, handle: str, count: int) -> bool:
    counted = find_counted_toots(event).exclude(author_handle=handle)
    if event.leave_out_bots:
        counted = counted.exclude(author_is_bot=True)
    per_author = counted.order_by().values("author_handle").annotate(toots=Count("pk"))
    return per_author.filter(toots__gte=count).exists()
