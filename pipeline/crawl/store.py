"""Copies of toots into the database, merged with what is there, whoever else writes meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection
from django.db.models.constants import OnConflict

from events.models import Event
from pipeline.core.consent import OptOuts
from pipeline.core.merge import (
    MergedToot,
    Standing,
    adds_nothing,
    merge,
    merge_all,
    merge_standing,
    standing_of,
)
from pipeline.crawl.known import KnownToots
from pipeline.crawl.messages import Place
from pipeline.models import Toot
from pipeline.toots import load_erased

_T = TypeVar("_T")

COLUMNS = MergedToot._fields
_CHUNK = 500
# By hand, as the ORM would take most of the time for them. Both databases understand it.
_INSERT_TOOTS = """
    INSERT INTO pipeline_toot (event_id, {columns}, withdrawn, revision) VALUES {rows}
    ON CONFLICT DO NOTHING RETURNING id, uri
"""
_UPDATE_TOOT = "UPDATE pipeline_toot SET {columns}, revision = revision + 1 WHERE {condition}"
_LOCKED, _UNCHANGED = "id = %s", "id = %s AND revision = %s"
# A toot may have been erased since its id was learnt.
_INSERT_SIGHTINGS = """
    WITH seen (toot_id, visit_id) AS (VALUES {rows})
    {insert} pipeline_sighting (toot_id, visit_id)
    SELECT toot_id, visit_id FROM seen WHERE EXISTS (SELECT 1 FROM pipeline_toot WHERE id = toot_id)
    {on_conflict}
"""


class TootStore:
    """Takes copies in batches. Call ``save`` inside a transaction.

    A copy that surely changes nothing is dropped without a look into the database; only its sighting is stored.
    """

    def __init__(self, event: Event) -> None:
        self._event = event
        self._known = KnownToots()
        self._changed: dict[str, Place] = {}

    def save(self, copies: Iterable[tuple[int, MergedToot]], *, seen_again: Iterable[tuple[int, int]] = ()) -> None:
        """Store copies, each with the id of the visit that saw it; those of erased authors are dropped.

        ``seen_again``: ids of toots, each with that of the visit.
        """
        erased, sightings = load_erased(), set(seen_again)
        seen: list[tuple[int, MergedToot]] = []
        for visit_id, toot in copies:
            if erased and _is_erased(toot, erased):
                continue
            place = self._known.place_of(toot.uri)
            if place is not None and adds_nothing(place.standing, toot):
                sightings.add((place.toot_id, visit_id))
            else:
                seen.append((visit_id, toot))
        merged = merge_all(toot for _, toot in seen)
        for chunk in chunks(sorted(merged), _CHUNK):
            self._merge([merged[uri] for uri in chunk])
        places = ((self._known.place_of(toot.uri), visit_id) for visit_id, toot in seen)
        sightings |= {(place.toot_id, visit_id) for place, visit_id in places if place is not None}
        for pairs in chunks(sorted(sightings), _CHUNK):
            _insert_sightings(pairs)
        self._known.forget_oldest()

    def place_of(self, uri: str) -> Place | None:
        """Where a toot that was just saved is; None if nothing is kept of it."""
        return self._known.place_of(uri)

    def take_changed(self) -> dict[str, Place]:
        """Places of toots that are new, or stand differently, since the last call; by uri."""
        changed, self._changed = self._changed, {}
        return changed

    def forget(self) -> None:
        """Take nothing for stored any more: a transaction was rolled back."""
        self._known.clear()
        self._changed.clear()

    def _put(self, uri: str, place: Place) -> None:
        self._known.put(uri, place)
        self._changed[uri] = place

    def _merge(self, toots: Sequence[MergedToot]) -> None:
        """Toots that are new are inserted. Others are changed by what is known of them, if nobody changed them since;
        else they are merged with the rows as they are now, locked first. So no other writer's merge gets lost.
        """
        new, unclear, changes = [], [], []
        for toot in toots:
            place = self._known.place_of(toot.uri)
            change = merge_standing(place.standing, toot) if place is not None else None
            if place is None:
                new.append(toot)
            elif change is None:
                unclear.append(toot)
            else:
                changes.append((toot, place, *change))
        inserted = self._insert(new)
        unclear += [toot for toot in new if toot.uri not in inserted]
        unclear += self._change(changes)
        self._merge_with_rows({toot.uri: toot for toot in unclear})

    def _insert(self, toots: Sequence[MergedToot]) -> set[str]:
        """Rows for toots that have none; returns the uris of those."""
        if not toots:
            return set()
        by_uri = {toot.uri: toot for toot in toots}
        values = [value for toot in toots for value in (self._event.pk, *map(_adapted, toot), "", 0)]
        row = f"({', '.join(['%s'] * (len(COLUMNS) + 3))})"
        statement = _INSERT_TOOTS.format(columns=", ".join(COLUMNS), rows=", ".join([row] * len(toots)))
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            stored = cursor.fetchall()
        for toot_id, uri in stored:
            self._put(uri, Place(toot_id, 0, standing_of(by_uri[uri])))
        return {uri for _, uri in stored}

    def _change(self, changes: Sequence[tuple[MergedToot, Place, Standing, dict[str, Any]]]) -> Iterator[MergedToot]:
        """Write changes to rows that still are as we know them; gives those of statements where one was not."""
        by_columns = defaultdict(list)
        for change in changes:
            by_columns[tuple(change[3])].append(change)
        for names, group in by_columns.items():
            rows = [(*map(_adapted, values.values()), place.toot_id, place.revision) for _, place, _, values in group]
            if not names or _update(names, rows, _UNCHANGED) == len(group):
                for toot, place, after, _ in group:
                    self._put(toot.uri, Place(place.toot_id, place.revision + bool(names), after))
            else:
                yield from (toot for toot, *_ in group)

    def _merge_with_rows(self, toots: Mapping[str, MergedToot]) -> None:
        if not toots:
            return
        rows = (
            # no_key: sightings that another worker stores at the same time point at these rows, and do not wait.
            Toot.objects.select_for_update(no_key=True)
            .filter(event=self._event, uri__in=list(toots))
            .order_by("uri")
            .values_list("id", "revision", *COLUMNS)
        )
        for toot_id, revision, *values in rows:
            before = as_merged(values)
            after = merge(before, toots[before.uri])
            changed = {name: value for name, was, value in zip(COLUMNS, before, after, strict=True) if value != was}
            if changed:
                _update(tuple(changed), [(*map(_adapted, changed.values()), toot_id)], _LOCKED)
            self._put(before.uri, Place(toot_id, revision + bool(changed), standing_of(after)))


def refresh_statistics() -> None:
    """Tell PostgreSQL how much there is by now: going by what it knew before, a count may take hours."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE pipeline_toot, pipeline_sighting, pipeline_visit")


def as_merged(values: Sequence[Any]) -> MergedToot:
    """A row read with ``values_list(*COLUMNS)``."""
    return MergedToot(*values)


def _is_erased(toot: MergedToot, erased: OptOuts) -> bool:
    return erased.cover(toot.author_handle) or toot.origin in erased.servers


def _update(names: Sequence[str], rows: Sequence[Sequence[Any]], condition: str) -> int:
    """Write these columns, and no index is touched without need; returns how many rows there were.

    ``rows``: values of the columns, then those of the condition.
    """
    columns = ", ".join(f"{name} = %s" for name in names)
    with connection.cursor() as cursor:
        cursor.executemany(_UPDATE_TOOT.format(columns=columns, condition=condition), rows)
        return int(cursor.rowcount)


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _insert_sightings(pairs: Sequence[tuple[int, int]]) -> None:
    """All in one statement; for PostgreSQL that is one way there and back.

    Each database in its own words: with ON CONFLICT, SQLite keeps a second journal, which doubles the time.
    """
    statement = _INSERT_SIGHTINGS.format(
        rows=", ".join(["(%s, %s)"] * len(pairs)),
        insert=connection.ops.insert_statement(on_conflict=OnConflict.IGNORE),
        on_conflict=connection.ops.on_conflict_suffix_sql([], OnConflict.IGNORE, [], []),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [number for pair in pairs for number in pair])


def chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
