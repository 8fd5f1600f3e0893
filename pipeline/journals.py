"""The files of a fetch: a journal per server and the report of what each server did."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import orjson

from common.files import write_chunks, write_json
from common.text import fold_hashtag
from common.toots import Author, to_status
from common.toots import Toot as Copy
from events.models import Event
from pipeline import paths
from pipeline.artifacts import remember_file
from pipeline.core.merge import MergedToot
from pipeline.crawl.results import fetch_report
from pipeline.crawl.store import COLUMNS, as_merged
from pipeline.models import Crawl, Sighting, Toot

_CHUNK = 500
_MOST_REMEMBERED = 5000


def write_fetch_files(event: Event, crawl: Crawl, *, check: Callable[[], None]) -> list[str]:
    """Write journals and report, drop journals of servers that are no longer of the event; paths below data.

    ``check`` is asked between files and may raise.
    """
    files, statuses = [], _Statuses(event)
    for server in _list_servers(event):
        check()
        written = write_chunks(paths.journal(event, server), _journal(event, server, statuses))
        files.append(remember_file(event, "journal", written, parameters={"server": server}).path)
    _drop_journals(event, keep=files)
    check()
    report = write_json(paths.fetch_report(event), fetch_report(event, crawl))
    return [*files, remember_file(event, "fetch-report", report, parameters={"crawl": crawl.pk}).path]


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


def _list_servers(event: Event) -> list[str]:
    visits = event.crawls.filter(visits__sightings__isnull=False).values_list("visits__server", flat=True)
    return sorted(visits.distinct().order_by("visits__server"))


def _journal(event: Event, server: str, statuses: _Statuses) -> Iterator[bytes]:
    """A JSON list, one toot on a line, oldest first."""
    sightings = Sighting.objects.filter(visit__server=server, visit__crawl__event=event)
    ids = (
        event.toots.filter(pk__in=sightings.values("toot"), gone_at=None)
        .order_by("created_at", "uri")
        .values_list("pk", flat=True)
    )
    separator = b"[\n"
    for line in statuses.lines(ids):
        yield separator + line
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


class _Statuses:
    """Toots as JSON. Many journals hold the same ones, so a few thousand are remembered."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._known: dict[int, bytes] = {}

    def lines(self, ids: Iterable[int]) -> Iterator[bytes]:
        remaining = iter(ids)
        while chunk := list(islice(remaining, _CHUNK)):
            if len(self._known) > _MOST_REMEMBERED:
                self._known.clear()
            self._load([toot_id for toot_id in chunk if toot_id not in self._known])
            yield from (self._known[toot_id] for toot_id in chunk if toot_id in self._known)

    def _load(self, ids: list[int]) -> None:
        for toot_id, *values in Toot.objects.filter(pk__in=ids).values_list("pk", *COLUMNS):
            toot = as_merged(values)
            self._known[toot_id] = orjson.dumps(to_status(as_copy(toot, toot.told_by, self._event.hashtag)))


def _drop_journals(event: Event, *, keep: list[str]) -> None:
    for artifact in event.artifacts.filter(kind="journal").exclude(path__in=keep):
        (paths.data_dir() / artifact.path).unlink(missing_ok=True)
        artifact.delete()
