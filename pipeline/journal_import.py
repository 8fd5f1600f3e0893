"""Journals of earlier runs (lists of Mastodon statuses, a file per server) into an event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
from django.db import transaction

from common.errors import ConfigurationError
from common.servers import normalise_server
from common.times import now_utc
from common.toots import parse_statuses
from events.models import Event
from pipeline.core.fetch import Aim, is_counted
from pipeline.core.merge import from_copy
from pipeline.crawl import runs
from pipeline.crawl.results import summarise
from pipeline.crawl.store import TootStore
from pipeline.models import Crawl, Sighting, Visit

# Toots of a journal count as told before any crawl: what a server says today is never undone by an old file.
_BEFORE_ANY_CRAWL = 0
_MAX_FILE_BYTES = 300_000_000
_BATCH = 500


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file; ``trouble`` says why nothing was taken."""

    name: str
    server: str = ""
    taken: int = 0
    passed_over: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ImportReport:
    files: tuple[FileReport, ...]
    new_toots: int
    removed_mock_toots: int

    @property
    def has_taken_any_file(self) -> bool:
        return any(not file.trouble for file in self.files)


def import_journals(event: Event, directory: Path) -> ImportReport:
    """Take every journal of the directory, in one transaction. A file that cannot be read is reported, not fatal.

    The same rules as in a fetch say which toots count. Raises ConfigurationError if there is no such directory or
    nothing in it to try.
    """
    paths = _list_files(directory)
    with transaction.atomic():
        removed = runs.remove_mock_data(event)
        crawl = Crawl.objects.create(
            event=event,
            state=Crawl.State.COMPLETE,
            home_server=event.home_account.server if event.home_account else "",
            hashtag=event.hashtag,
            more_hashtags=event.more_hashtags,
            excluded_hashtags=event.excluded_hashtags,
            window_start=event.window.start,
            window_end=event.window.end,
            max_toots=event.max_toots,
            finished_at=now_utc(),
        )
        store = TootStore(event)
        reports = tuple(_import_file(event, crawl, store, path) for path in paths)
        summary = summarise(event, crawl) | {"imported_from": directory.name}
        if any(not report.trouble for report in reports):
            Crawl.objects.filter(pk=crawl.pk).update(summary=summary)
        else:
            transaction.set_rollback(True)
            return ImportReport(reports, 0, 0)
    return ImportReport(reports, summary["new_toots"], removed)


def server_of_file(name: str, hashtag: str) -> str | None:
    """The server a journal is of: what stands behind ``<hashtag>-``, a port behind ``_`` instead of ``:``."""
    stem = name.removesuffix(".json")
    prefix, separator, rest = stem.partition("-")
    if stem.casefold().startswith(f"{hashtag}-".casefold()):
        rest = stem[len(hashtag) + 1 :]
    elif not separator or not prefix:
        return None
    host, separator, port = rest.rpartition("_")
    if separator and port.isascii() and port.isdigit():
        rest = f"{host}:{port}"
    return normalise_server(rest)


def _list_files(directory: Path) -> list[Path]:
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == ".json" and path.is_file())
    except OSError as error:
        raise ConfigurationError(
            f"cannot list {directory}: {error.strerror}",
            user_message=f"Could not read the directory {directory}: {error.strerror}.",
        ) from error
    if not paths:
        raise ConfigurationError(f"no .json files in {directory}")
    return paths


def _import_file(event: Event, crawl: Crawl, store: TootStore, path: Path) -> FileReport:
    if path.name.startswith("data-"):
        return FileReport(path.name, trouble="a report, not a journal")
    server = server_of_file(path.name, event.hashtag)
    if server is None:
        return FileReport(path.name, trouble="its name does not say which server it is of (<hashtag>-<server>.json)")
    try:
        rows = _read_rows(path)
    except _UnreadableFile as error:
        return FileReport(path.name, server, trouble=str(error))
    aim = Aim.at(event.hashtags, event.window, len(rows), excluded=event.excluded)
    visit, _ = Visit.objects.get_or_create(crawl=crawl, server=server)
    for batch in _batches(rows):
        counted = [toot for toot in parse_statuses(batch, server=server) if is_counted(toot, aim)]
        store.save((visit.pk, from_copy(toot, _BEFORE_ANY_CRAWL)) for toot in counted)
    return _settle(visit, crawl, path.name, len(rows))


def _settle(visit: Visit, crawl: Crawl, name: str, row_count: int) -> FileReport:
    taken = Sighting.objects.filter(visit=visit).count()
    Visit.objects.filter(pk=visit.pk).update(
        state=Visit.State.DONE,
        outcome=Visit.Outcome.COMPLETE,
        detail=f"Imported from {name}."[:500],
        is_home=visit.server == crawl.home_server,
        toots=taken,
        passed_over=max(0, row_count - taken),
        finished_at=now_utc(),
    )
    return FileReport(name, visit.server, taken, max(0, row_count - taken))


class _UnreadableFile(Exception):
    """Why nothing can be taken from a file; becomes a line of the report."""


def _read_rows(path: Path) -> list[object]:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise _UnreadableFile("too large")
        rows = orjson.loads(path.read_bytes())
    except OSError as error:
        raise _UnreadableFile(error.strerror or "cannot be read") from error
    except orjson.JSONDecodeError as error:
        raise _UnreadableFile("no JSON") from error
    if not isinstance(rows, list):
        raise _UnreadableFile("no list of toots")
    return rows


def _batches(rows: list[object]) -> Iterator[list[object]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
