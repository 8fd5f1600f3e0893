"""The counted toots of an event as lines of JSON or CSV, for people's own evaluations."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson

from events.models import Event
from pipeline.core.csv_cells import as_cell
from pipeline.models import Sighting
from pipeline.toots import find_counted_toots, leave_out_unwilling

COLUMNS = ("uri", "author", "created_at", "boosts", "favourites", "replies", "is_authoritative", "seen_on")
FORMATS = ("jsonl", "csv")
_CHUNK = 1000


def export_lines(event: Event, form: str, *, is_everyone: bool = False) -> Iterator[bytes]:
    """Oldest toot first. What may not be shown is left away unless ``is_everyone``; CSV begins with a header."""
    if form == "csv":
        yield _csv_line(COLUMNS)
    for row in _iterate_rows(event, is_everyone=is_everyone):
        if form == "csv":
            yield _csv_line(_cells(row).values())
        else:
            yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    remote = {name: as_cell(row[name]) for name in ("uri", "author")}
    return {**row, **remote, "seen_on": " ".join(row["seen_on"])}


def _iterate_rows(event: Event, *, is_everyone: bool) -> Iterator[dict[str, Any]]:
    toots = find_counted_toots(event)
    if event.leave_out_bots:
        bots = event.toots.filter(author_is_bot=True).order_by().values("author_handle")
        toots = toots.exclude(author_handle__in=bots)
    if not is_everyone:
        toots = leave_out_unwilling(toots, event)
    stream = toots.values_list("pk", *_NEEDED).iterator(chunk_size=_CHUNK)
    while chunk := list(islice(stream, _CHUNK)):
        seen_on = _find_servers([pk for pk, *_ in chunk])
        for pk, uri, handle, created_at, *numbers in chunk:
            values = (uri, handle, _format(created_at), *numbers, sorted(seen_on.get(pk, ())))
            yield dict(zip(COLUMNS, values, strict=True))


_NEEDED = (
    "uri",
    "author_handle",
    "created_at",
    "boosts",
    "favourites",
    "replies",
    "is_authoritative",
)


def _find_servers(toot_ids: list[int]) -> dict[int, set[str]]:
    servers: dict[int, set[str]] = {}
    for toot_id, server in Sighting.objects.filter(toot__in=toot_ids).values_list("toot_id", "visit__server"):
        servers.setdefault(toot_id, set()).add(server)
    return servers


def _format(moment: datetime) -> str:
    """Milliseconds and ``Z``, as Mastodon writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _csv_line(values: Any) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue().encode()
