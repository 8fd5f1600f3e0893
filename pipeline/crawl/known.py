"""What walks know of the toots that are stored, so that nearly every copy ends where it was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from common.toots import Glimpse, Seen
from pipeline.core.merge import MergedToot, Standing, copy_adds_nothing, from_copy
from pipeline.crawl.messages import Place

MOST_REMEMBERED = 200_000


class KnownToots:
    """Places of toots, by what receipts told; shared by all walks of a process.

    A toot never loses standing, so what is remembered may be old, and a copy that it outdoes changes nothing still.
    """

    def __init__(self) -> None:
        # By hash of the uri: 64 bits, keyed anew in every process, and smaller than the uri.
        self._places: dict[int, Place] = {}
        # Fingerprints of copies that added nothing but, perhaps, counts.
        self._harmless: dict[int, int] = {}

    def place_of(self, uri: str) -> Place | None:
        return self._places.get(hash(uri))

    def put(self, uri: str, place: Place) -> None:
        self._places[hash(uri)] = place

    def learn(self, uris: Iterable[str], places: Iterable[Place | None]) -> None:
        for uri, place in zip(uris, places, strict=True):
            if place is not None:
                self._places[hash(uri)] = place
        self.forget_oldest()

    def sort_out(self, copies: Sequence[Seen], *, told_in: int) -> tuple[tuple[MergedToot, ...], tuple[int, ...]]:
        """Copies that may change what is stored, read whole; and the ids of the toots whose copies do not.

        ``told_in``: number of the crawl they came with, the same in all calls.
        """
        toots, known, find = [], [], self._places.get
        for copy in copies:
            place = find(hash(copy.uri))
            if place is not None and self._adds_nothing(place.standing, copy, told_in):
                known.append(place.toot_id)
            else:
                toots.append(from_copy(copy.whole(), told_in))
        return tuple(toots), tuple(known)

    def _adds_nothing(self, standing: Standing, copy: Seen, told_in: int) -> bool:
        if standing.is_authoritative or copy.is_authoritative or not isinstance(copy, Glimpse):
            return copy_adds_nothing(standing, copy, told_in)
        # Without the origin's word a copy has to be read, unless one that reads the same was and added nothing.
        boosts, favourites, replies = copy.counts()
        if boosts > standing.boosts or favourites > standing.favourites or replies > standing.replies:
            return False
        fingerprint = copy.fingerprint()
        key = hash(copy.uri)
        if fingerprint is not None and self._harmless.get(key) == fingerprint:
            return True
        if not copy_adds_nothing(standing, copy, told_in):
            return False
        if fingerprint is not None:
            self._harmless[key] = fingerprint
        return True

    def forget_oldest(self) -> None:
        """Back to as many as may be remembered."""
        excess = len(self._places) - MOST_REMEMBERED
        for key in list(islice(self._places, max(0, excess))):
            self._places.pop(key, None)
            self._harmless.pop(key, None)

    def clear(self) -> None:
        self._places.clear()
        self._harmless.clear()
