"""Toots of an event out of the database, as the pure phases want them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from events.models import Event, OptOut
from pipeline.core.consent import OptOuts, is_quotable
from pipeline.core.rows import ScoredToot
from pipeline.models import Toot

_COLUMNS = (
    "uri",
    "url",
    "origin",
    "author_handle",
    "author_name",
    "author_url",
    "created_at",
    "html",
    "text",
    "spoiler_text",
    "language",
    "boosts",
    "favourites",
    "replies",
    "media_count",
    "is_reply",
    "is_authoritative",
    "author_is_bot",
    "author_wishes",
    "author_is_discoverable",
    "author_is_indexable",
)


def find_counted_toots(event: Event) -> QuerySet[Toot]:
    """The toots inside the event's window as it is configured now, oldest first."""
    window = event.window
    return event.toots.filter(created_at__gte=window.start, created_at__lt=window.end).order_by("created_at", "uri")


def load_opt_outs() -> OptOuts:
    targets = list(OptOut.objects.values_list("target", flat=True))
    return OptOuts(
        handles=frozenset(target for target in targets if "@" in target),
        servers=frozenset(target for target in targets if "@" not in target),
    )


def iterate_scored_toots(event: Event) -> Iterator[ScoredToot]:
    """Every counted toot, oldest first, a few thousand in memory at a time."""
    opt_outs = load_opt_outs()
    is_strict = event.consent == Event.Consent.STRICT
    for row in find_counted_toots(event).values_list(*_COLUMNS).iterator(chunk_size=2000):
        wishes, is_discoverable, is_indexable = row[18:]
        quotable = is_quotable(
            row[3],
            wishes=wishes,
            is_discoverable=is_discoverable,
            is_indexable=is_indexable,
            opt_outs=opt_outs,
            is_strict=is_strict,
        )
        columns: tuple[Any, ...] = row[:18]
        yield ScoredToot(*columns, quotable)
