"""The files of a fetch: a journal per server and the report of what each server did."""

from __future__ import annotations

import hashlib
import mmap
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO

import orjson
from django.db.models import Exists, OuterRef

from common.files import WrittenFile, nameless_file, write_chunks, write_json
from common.text import fold_hashtag
from common.toots import Author, to_status
from common.toots import Toot as Copy
from events.models import Event
from pipeline import paths
from pipeline.artifacts import remember_file, remember_files
from pipeline.core.merge import MergedToot
from pipeline.crawl.results import fetch_report
from pipeline.crawl.store import COLUMNS, as_merged, chunks
from pipeline.models import Crawl, Sighting, Visit

_CHUNK = 500
_FILES_AT_ONCE = 50
# Journals that are written while the next ones are looked up; half of what a file takes is waiting for the disk.
_WRITERS = 2


def write_fetch_files(event: Event, crawl: Crawl, *, check: Callable[[], None]) -> list[str]:
    """Write journals and report, drop journals of servers that are no longer of the event; paths below data.

    ``check`` is asked between files and may raise.
    """
    with nameless_file(paths.data_dir()) as file:
        files = _write_journals(event, _Statuses(event, file), check)
    _drop_journals(event, keep=files)
    check()
    report = write_json(paths.fetch_report(event), fetch_report(event, crawl))
    return [*files, remember_file(event, "fetch-report", report, parameters={"crawl": crawl.pk}).path]


def _write_journals(event: Event, statuses: _Statuses, check: Callable[[], None]) -> list[str]:
    files = []
    for servers in chunks(sorted(_find_visits(event).items()), _FILES_AT_ONCE):
        journals: list[tuple[str, Future[WrittenFile]]] = []
        try:
            with ThreadPoolExecutor(_WRITERS, "journal") as writers:
                for server, visit_ids in servers:
                    check()
                    content = _as_list(statuses.lines(_find_toots(visit_ids)))
                    journals.append((server, writers.submit(write_chunks, paths.journal(event, server), content)))
                    if len(journals) > _WRITERS:  # no more than that wait in memory
                        journals[-_WRITERS - 1][1].result()
        finally:
            written = [
                (journal.result(), {"server": server}) for server, journal in journals if not journal.exception()
            ]
            remember_files(event, "journal", written)
        files += [paths.below_data(journal.result().path) for _, journal in journals]
    return files


def as_copy(toot: MergedToot, server: str, hashtag: str) -> Copy:
    """A stored toot as the copy that ``server`` might have shown, with that hashtag if its own were not kept."""
    return Copy(
        uri=toot.uri,
        url=toot.url,
        origin=toot.origin,
        server=server,
        local_id=hashlib.blake2b(toot.uri.encode("utf-8", "replace"), digest_size=8).hexdigest(),
        author=Author(
            handle=toot.author_handle,
            display_name=toot.author_name,
            url=toot.author_url,
            is_bot=toot.author_is_bot,
            wishes=tuple(toot.author_wishes.split()),
            is_discoverable=toot.author_is_discoverable,
            is_indexable=toot.author_is_indexable,
        ),
        created_at=toot.created_at,
        edited_at=toot.edited_at,
        html=toot.html,
        text=toot.text,
        spoiler_text=toot.spoiler_text,
        language=toot.language,
        visibility="public",
        hashtags=tuple(toot.hashtags.split()) or (fold_hashtag(hashtag),),
        boosts=toot.boosts,
        favourites=toot.favourites,
        replies=toot.replies,
        media_count=toot.media_count,
        is_reply=toot.is_reply,
    )


def _find_visits(event: Event) -> dict[str, list[int]]:
    """Of each server that showed something its visits, in whichever crawls of the event."""
    visits = Visit.objects.filter(Exists(Sighting.objects.filter(visit=OuterRef("pk"))), crawl__event=event)
    found = defaultdict(list)
    for server, visit_id in visits.order_by().values_list("server", "pk"):
        found[server].append(visit_id)
    return found


def _find_toots(visit_ids: list[int]) -> Iterator[int]:
    """Ids of the toots that any of the visits saw; one that several saw comes as often."""
    return Sighting.objects.filter(visit__in=visit_ids).order_by().values_list("toot_id", flat=True).iterator()


def _as_list(lines: Iterable[list[bytes]]) -> Iterator[bytes]:
    """A JSON list, one toot on a line."""
    separator = b"[\n"
    for some in lines:
        yield separator + b",\n".join(some)
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


class _Statuses:
    """Toots as JSON, oldest first. Many journals hold the same ones, so each is made once and kept in a file without
    a name."""

    def __init__(self, event: Event, file: IO[bytes]) -> None:
        # Offset << 32 | length: they sort as the toots do.
        self._places = dict(_write_statuses(event, file))
        file.flush()
        self._lines = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self._places else b""

    def lines(self, ids: Iterable[int]) -> Iterator[list[bytes]]:
        """Each toot once, oldest first, some hundred at a time; toots that are gone have none.

        The ids are read at once, the lines when they are asked for, from whatever thread.
        """
        find = self._places.get
        places = sorted({place for toot_id in ids if (place := find(toot_id)) is not None})
        return ([self._line(place) for place in some] for some in chunks(places, _CHUNK))

    def _line(self, place: int) -> bytes:
        start = place >> 32
        return self._lines[start : start + (place & 0xFFFFFFFF)]


def _write_statuses(event: Event, file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Every toot that is not gone; gives its id and its place in the file."""
    end = 0
    toots = event.toots.filter(gone_at=None).order_by("created_at", "uri")
    for toot_id, *values in toots.values_list("pk", *COLUMNS).iterator(_CHUNK):
        toot = as_merged(values)
        line = orjson.dumps(to_status(as_copy(toot, toot.origin, event.hashtag)))
        file.write(line)
        yield toot_id, end << 32 | len(line)
        end += len(line)


def _drop_journals(event: Event, *, keep: list[str]) -> None:
    for artifact in event.artifacts.filter(kind="journal").exclude(path__in=keep):
        (paths.data_dir() / artifact.path).unlink(missing_ok=True)
        artifact.delete()
