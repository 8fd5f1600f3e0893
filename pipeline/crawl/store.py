"""Copies of toots into the database, merged with what is there, whoever else writes meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from itertools import islice
from typing import Any

from events.models import Event
from pipeline.core.merge import MergedToot, Standing, adds_nothing, merge, merge_all, standing_of
from pipeline.models import Sighting, Toot

COLUMNS = tuple(field.name for field in fields(MergedToot))
_UPDATED = [name for name in COLUMNS if name != "uri"]
_MOST_REMEMBERED = 200_000
_CHUNK = 500


class TootStore:
    """Takes copies in batches. Call ``save`` inside a transaction.

    A copy that surely changes nothing is dropped without a look into the database; only its sighting is stored.
    """

    def __init__(self, event: Event) -> None:
        self._event = event
        self._known: dict[int, tuple[int, Standing]] = {}

    def save(self, copies: Iterable[tuple[int, MergedToot]]) -> None:
        """Store copies, each with the id of the visit that saw it."""
        seen = list(copies)
        standings = merge_all(toot for _, toot in seen)
        unsettled = {uri: toot for uri, toot in standings.items() if not self._is_settled(toot)}
        for chunk in _chunks(sorted(unsettled), _CHUNK):
            self._merge([unsettled[uri] for uri in chunk])
        sightings = {(self._known[_key(toot.uri)][0], visit_id) for visit_id, toot in seen}
        Sighting.objects.bulk_create(
            [Sighting(toot_id=toot_id, visit_id=visit_id) for toot_id, visit_id in sorted(sightings)],
            ignore_conflicts=True,
        )
        self._forget_oldest()

    def _is_settled(self, toot: MergedToot) -> bool:
        known = self._known.get(_key(toot.uri))
        return known is not None and adds_nothing(known[1], toot)

    def _merge(self, toots: Sequence[MergedToot]) -> None:
        """Merge with the rows as they are now: locked, then written, so that no other writer's merge gets lost."""
        incoming = {toot.uri: toot for toot in toots}
        stored = self._read(incoming)
        missing = [toot for toot in toots if toot.uri not in stored]
        if missing:
            Toot.objects.bulk_create([self._row(toot) for toot in missing], ignore_conflicts=True)
            stored |= self._read(toot.uri for toot in missing)
        changed = []
        for uri, (toot_id, before) in stored.items():
            after = merge(before, incoming[uri])
            if after != before:
                changed.append(after)
            self._known[_key(uri)] = (toot_id, standing_of(after))
        if changed:
            Toot.objects.bulk_create(
                [self._row(toot) for toot in changed],
                update_conflicts=True,
                unique_fields=["event", "uri"],
                update_fields=_UPDATED,
            )

    def _read(self, uris: Iterable[str]) -> dict[str, tuple[int, MergedToot]]:
        rows = (
            Toot.objects.select_for_update()
            .filter(event=self._event, uri__in=list(uris))
            .order_by("uri")
            .values_list("id", *COLUMNS)
        )
        return {row[1]: (row[0], as_merged(row[1:])) for row in rows}

    def _row(self, toot: MergedToot) -> Toot:
        return Toot(event=self._event, **asdict(toot))

    def _forget_oldest(self) -> None:
        excess = len(self._known) - _MOST_REMEMBERED
        for key in list(islice(self._known, max(0, excess))):
            del self._known[key]


def as_merged(values: Sequence[Any]) -> MergedToot:
    """A row read with ``values_list(*COLUMNS)``."""
    return MergedToot(*values)


def _key(uri: str) -> int:
    return int.from_bytes(hashlib.blake2b(uri.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
