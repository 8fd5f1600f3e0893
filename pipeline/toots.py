"""Toots of an event out of the database, as the pure phases want them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC
from typing import Any

from django.db import connection
from django.db.models import F, Field, Func, IntegerField, Min, Q, QuerySet, Value
from django.db.models.functions import Cast, Lower, StrIndex, Substr

from common.text import fold_hashtag
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
    "html",
    "text",
    "spoiler_text",
    "language",
    "boosts",
    "favourites",
    "replies",
    "media_count",
    "created_at",
    "is_reply",
    "is_authoritative",
)
_AUTHOR = _COLUMNS.index("author_handle")
_CONVERTED = _COLUMNS[-3:]


def find_counted_toots(event: Event) -> QuerySet[Toot]:
    """The toots that count by the event's window and hashtags as they are configured now, oldest first."""
    return leave_out_uncounted(event.toots.all(), event).order_by("created_at", "uri")


def leave_out_uncounted(toots: QuerySet[Toot], event: Event) -> QuerySet[Toot]:
    """Those of the event's toots that count, in the order they had."""
    window = event.window
    return toots.filter(_is_about(event), created_at__gte=window.start, created_at__lt=window.end, gone_at=None)


def _is_about(event: Event) -> Q:
    """Any of the hashtags and none of those left out; of older toots it is not known which they had."""
    about = Q(hashtags="")
    for tag in event.hashtags:
        about |= Q(hashtags__contains=f" {fold_hashtag(tag)} ")
    for tag in event.excluded:
        about &= ~Q(hashtags__contains=f" {fold_hashtag(tag)} ")
    return about


def leave_out_unwilling(toots: QuerySet[Toot], event: Event) -> QuerySet[Toot]:
    """Without what may not be shown: toots that were withdrawn, and those of authors who ask not to be quoted.

    A wish holds for all of an author's toots, whatever copy told it, as in ``iterate_scored_toots``.
    """
    # Read once from an index, and not for each row: some authors have thousands of toots.
    authors = event.toots.order_by().values("author_handle")
    toots = toots.filter(withdrawn="").exclude(author_handle__in=authors.exclude(author_wishes=""))
    if event.consent == Event.Consent.STRICT:
        agreed = authors.annotate(is_found=_all_agreed("discoverable"), is_indexed=_all_agreed("indexable"))
        toots = toots.filter(author_handle__in=agreed.filter(is_found=1, is_indexed=1).values("author_handle"))
    targets = list(OptOut.objects.order_by().values_list("target", flat=True))
    if targets:
        handle = Lower("author_handle")
        server = Substr(handle, StrIndex(handle, Value("@")) + 1)
        toots = toots.alias(folded=handle, folded_server=server)
        toots = toots.exclude(folded__in=targets).exclude(folded_server__in=targets)
    if not all(target.isascii() for target in targets):  # SQLite folds no others
        handles, opt_outs = authors.values_list("author_handle", flat=True).distinct(), _as_opt_outs(targets)
        covered = [handle for handle in handles if not handle.isascii() and opt_outs.cover(handle)]
        toots = toots.exclude(author_handle__in=covered)
    return toots


def _all_agreed(flag: str) -> Min:
    """Over all copies that told it; null when none did."""
    return Min(Cast(f"author_is_{flag}", IntegerField()))


def load_opt_outs() -> OptOuts:
    return _as_opt_outs(OptOut.objects.values_list("target", flat=True))


def load_erased() -> OptOuts:
    """Those of whom nothing is stored any more. By hand, as it is asked with every batch that a crawl stores."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT target FROM events_optout WHERE erased_at IS NOT NULL")
        return _as_opt_outs([target for (target,) in cursor.fetchall()])


def _as_opt_outs(targets: Collection[str]) -> OptOuts:
    return OptOuts(
        handles=frozenset(target for target in targets if "@" in target),
        servers=frozenset(target for target in targets if "@" not in target),
    )


def iterate_scored_toots(event: Event, *, has_html: bool = True) -> Iterator[ScoredToot]:
    """Every counted toot, oldest first, a few thousand in memory at a time; ``html`` is empty unless wanted.

    Wishes, and being a bot, belong to the author: what any toot of the event tells of them holds for all of
    theirs, because a copy from another server may have come with less of the profile.
    """
    authors = _judge_authors(event)
    columns: list[Any] = [_as_stored(name) if name in _CONVERTED else name for name in _COLUMNS]
    if not has_html:
        columns[_COLUMNS.index("html")] = Value("", output_field=Field())
    rows = find_counted_toots(event).values_list(*columns, "withdrawn").iterator(chunk_size=2000)
    for *row, created_at, is_reply, is_authoritative, withdrawn in rows:
        # An author who appears while this runs was not judged, so is not quoted.
        judged = authors.get(row[_AUTHOR], (False, False))
        moment = (
            created_at if created_at.tzinfo is not None else created_at.replace(tzinfo=UTC)
        )  # SQLite has no zones
        values: tuple[Any, ...] = (*row, moment, bool(is_reply), bool(is_authoritative), *judged, bool(withdrawn))
        yield ScoredToot(*values)


def _as_stored(name: str) -> Func:
    """A column as the database gives it: to have Django convert it takes as long as all the rest of an analysis."""
    return Func(F(name), template="%(expressions)s", output_field=Field())


def _judge_authors(event: Event) -> dict[str, tuple[bool, bool]]:
    """Handle -> (is a bot, may be quoted)."""
    opt_outs = load_opt_outs()
    told: defaultdict[str, list[tuple[str, bool, bool | None, bool | None]]] = defaultdict(list)
    rows = event.toots.order_by().values_list(
        "author_handle", "author_wishes", "author_is_bot", "author_is_discoverable", "author_is_indexable"
    )
    for handle, wishes, is_bot, is_discoverable, is_indexable in rows.distinct().iterator():
        told[handle].append((wishes, is_bot, is_discoverable, is_indexable))
    return {
        handle: (
            any(is_bot for _, is_bot, _, _ in facts),
            is_quotable(
                handle,
                wishes=" ".join(wishes for wishes, _, _, _ in facts).strip(),
                is_discoverable=_agreed(discoverable for _, _, discoverable, _ in facts),
                is_indexable=_agreed(indexable for _, _, _, indexable in facts),
                opt_outs=opt_outs,
                is_strict=event.consent == Event.Consent.STRICT,
            ),
        )
        for handle, facts in told.items()
    }


def _agreed(answers: Iterable[bool | None]) -> bool | None:
    """Yes if somebody says so and nobody denies it; one no is a no."""
    known = [answer for answer in answers if answer is not None]
    return all(known) if known else None
