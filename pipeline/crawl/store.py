"""Copies of toots into the database, merged with what is there, whoever else writes meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection

from common.toots import Toot as Copy
from events.models import Event
from pipeline.core.consent import OptOuts
from pipeline.core.merge import (
    MergedToot,
    Standing,
    adds_nothing,
    copy_adds_nothing,
    from_copy,
    merge,
    merge_all,
    standing_of,
)
from pipeline.models import Toot
from pipeline.toots import load_erased

_T = TypeVar("_T")

COLUMNS = tuple(field.name for field in fields(MergedToot))
_values_of = attrgetter(*COLUMNS)
_MOST_REMEMBERED = 200_000
_CHUNK = 500
# By hand, as the ORM would take most of the time for them. Both databases understand it.
_UPDATE_TOOT = "UPDATE pipeline_toot SET {columns} WHERE id = %s"
_INSERT_SIGHTINGS = "INSERT INTO pipeline_sighting (toot_id, visit_id) VALUES {rows} ON CONFLICT DO NOTHING"


class TootStore:
    """Takes copies in batches. Call ``save`` inside a transaction.

    A copy that surely changes nothing is dropped without a look into the database; only its sighting is stored.
    """

    def __init__(self, event: Event) -> None:
        self._event = event
        # By hash of the uri: 64 bits, keyed anew in every process, and smaller than the uri.
        self._known: dict[int, tuple[int, Standing]] = {}

    def save(self, copies: Iterable[tuple[int, Copy]], *, told_in: int) -> None:
        """Store copies, each with the id of the visit that saw it; those of erased authors are dropped.

        ``told_in``: number of the crawl they came with.
        """
        erased, sightings = load_erased(), set()
        seen: list[tuple[int, Copy]] = []
        for visit_id, copy in copies:
            if erased and _is_erased(copy, erased):
                continue
            known = self._known.get(hash(copy.uri))
            if known is not None and copy_adds_nothing(known[1], copy, told_in):
                sightings.add((known[0], visit_id))
            else:
                seen.append((visit_id, copy))
        standings = merge_all(from_copy(copy, told_in) for _, copy in seen)
        unsettled = {uri: toot for uri, toot in standings.items() if not self._is_settled(toot)}
        for chunk in chunks(sorted(unsettled), _CHUNK):
            self._merge([unsettled[uri] for uri in chunk])
        sightings |= {(self._known[hash(copy.uri)][0], visit_id) for visit_id, copy in seen}
        for pairs in chunks(sorted(sightings), _CHUNK):
            _insert_sightings(pairs)
        self._forget_oldest()

    def forget(self) -> None:
        """Take nothing for stored any more: a transaction was rolled back."""
        self._known.clear()

    def _is_settled(self, toot: MergedToot) -> bool:
        known = self._known.get(hash(toot.uri))
        return known is not None and adds_nothing(known[1], toot)

    def _merge(self, toots: Sequence[MergedToot]) -> None:
        """Merge with the rows as they are now: locked, then written, so that no other writer's merge gets lost."""
        incoming = {toot.uri: toot for toot in toots}
        stored = self._read(incoming)
        missing = [toot for toot in toots if toot.uri not in stored]
        if missing:
            Toot.objects.bulk_create([self._row(toot) for toot in missing], ignore_conflicts=True)
            stored |= self._read(toot.uri for toot in missing)
        changes = []
        for uri, (toot_id, before) in stored.items():
            after = merge(before, incoming[uri])
            changes.append((toot_id, before, after))
            self._known[hash(uri)] = (toot_id, standing_of(after))
        _update(changes)

    def _read(self, uris: Iterable[str]) -> dict[str, tuple[int, MergedToot]]:
        rows = (
            # no_key: sightings that another worker stores at the same time point at these rows, and do not wait.
            Toot.objects.select_for_update(no_key=True)
            .filter(event=self._event, uri__in=list(uris))
            .order_by("uri")
            .values_list("id", *COLUMNS)
        )
        return {row[1]: (row[0], as_merged(row[1:])) for row in rows}

    def _row(self, toot: MergedToot) -> Toot:
        return Toot(event_id=self._event.pk, **dict(zip(COLUMNS, _values_of(toot), strict=True)))

    def _forget_oldest(self) -> None:
        excess = len(self._known) - _MOST_REMEMBERED
        for key in list(islice(self._known, max(0, excess))):
            del self._known[key]


def refresh_statistics() -> None:
    """Tell PostgreSQL how much there is by now: going by what it knew before, a count may take hours."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE pipeline_toot, pipeline_sighting, pipeline_visit")


def as_merged(values: Sequence[Any]) -> MergedToot:
    """A row read with ``values_list(*COLUMNS)``."""
    return MergedToot(*values)


def _is_erased(copy: Copy, erased: OptOuts) -> bool:
    return erased.cover(copy.author.handle) or copy.origin in erased.servers


def _update(changes: Sequence[tuple[int, MergedToot, MergedToot]]) -> None:
    """Write what is different afterwards: id, toot before, toot after. No index is touched without need."""
    by_columns: defaultdict[tuple[str, ...], list[list[Any]]] = defaultdict(list)
    for toot_id, before, after in changes:
        pairs = zip(COLUMNS, _values_of(before), _values_of(after), strict=True)
        changed = [(name, value) for name, was, value in pairs if value != was]
        if changed:
            values = [_adapted(value) for _, value in changed]
            by_columns[tuple(name for name, _ in changed)].append([*values, toot_id])
    with connection.cursor() as cursor:
        for names, rows in by_columns.items():
            columns = ", ".join(f"{name} = %s" for name in names)
            cursor.executemany(_UPDATE_TOOT.format(columns=columns), rows)


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _insert_sightings(pairs: Sequence[tuple[int, int]]) -> None:
    """All in one statement; for PostgreSQL that is one way there and back."""
    statement = _INSERT_SIGHTINGS.format(rows=", ".join(["(%s, %s)"] * len(pairs)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [number for pair in pairs for number in pair])


def chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
