"""``manage.py analyse`` over many toots, against plain reading of the same rows."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from tests.bench.children import run
from tests.bench.installation import SLUG, Installation, Workshop
from tests.bench.world import DURATION, HASHTAG, START

_PATIENCE_SECONDS = 300.0
_MILLION = 1_000_000
_AUTHORS, _SERVERS = 8_000, 400
_WORDS = ("monster", "lake", "rubber", "suit", "zip", "professor", "danger", "budget", "crane", "harbour")


@dataclass(frozen=True, slots=True)
class AnalysisFigures:
    """``wall_seconds`` and the rest are those of the whole command, of which ``starting_seconds`` go by before any
    work (the same command asked for help). ``floor_*``: the same rows read in Python by plain SQL, nothing done.

    ``million``: figures of the core alone, fed by a generator, for a tenth of the toots and for all.
    """

    toots: int
    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    starting_seconds: float
    floor_wall_seconds: float
    floor_cpu_seconds: float
    mistakes: list[str]
    million: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure_analysis(toots: int, workshop: Workshop, *, with_million: bool = False) -> AnalysisFigures:
    installation = workshop.install()
    sums = _fill(installation, toots)
    starting = installation.manage("analyse", "--help")
    done = installation.manage("analyse", SLUG, "--json", timeout_seconds=_PATIENCE_SECONDS)
    found = json.loads(done.stdout)
    floor_wall_seconds, floor_cpu_seconds = _read_plainly(installation)
    shutil.rmtree(installation.data_dir)
    return AnalysisFigures(
        toots=toots,
        wall_seconds=done.wall_seconds,
        cpu_seconds=done.cpu_seconds,
        peak_memory_bytes=done.peak_memory_bytes,
        starting_seconds=starting.wall_seconds,
        floor_wall_seconds=floor_wall_seconds,
        floor_cpu_seconds=floor_cpu_seconds,
        mistakes=[
            f"the analysis counts {found[name]} {name} of {value}"
            for name, value in sums.items()
            if found[name] != value
        ],
        million=[_measure_core(count) for count in (_MILLION // 10, _MILLION)] if with_million else [],
    )


def _fill(installation: Installation, count: int) -> dict[str, int]:
    """Put toots straight into the database; what the analysis must come to."""
    connection = sqlite3.connect(installation.database)
    with connection:
        (event_id,) = connection.execute("SELECT id FROM events_event WHERE slug = ?", [SLUG]).fetchone()
        blank = _blank_row(connection)
        names = list(blank)
        marks = ", ".join("?" * len(names))
        sums = {"toots": count, "boosts": 0, "favourites": 0, "replies": 0}

        def rows() -> Iterator[list[Any]]:
            for number in range(count):
                row = blank | {"event_id": event_id} | _toot(number, count)
                for name in ("boosts", "favourites", "replies"):
                    sums[name] += row[name]
                yield [row[name] for name in names]

        connection.executemany(f"INSERT INTO pipeline_toot ({', '.join(names)}) VALUES ({marks})", rows())
    connection.close()
    return sums


def _blank_row(connection: sqlite3.Connection) -> dict[str, Any]:
    """Every column but the key, with the emptiest value it takes, whatever columns there will be."""
    columns = connection.execute("PRAGMA table_info(pipeline_toot)").fetchall()
    return {
        name: None if not is_required else "" if kind.lower().startswith(("varchar", "text")) else 0
        for _, name, kind, is_required, _, _ in columns
        if name != "id"
    }


def _toot(number: int, count: int) -> dict[str, Any]:
    rng = random.Random(number)
    author = int(rng.random() ** 2 * _AUTHORS)
    server = f"s{author % _SERVERS}.example"
    handle, text = f"guest{author}@{server}", " ".join(rng.choices(_WORDS, k=rng.randint(8, 50)))
    moment = START + timedelta(seconds=number / count * DURATION.total_seconds())
    return {
        "uri": f"https://{server}/users/guest{author}/statuses/{number}",
        "url": f"https://{server}/@guest{author}/{number}",
        "origin": server,
        "author_handle": handle,
        "author_name": f"Guest {author}",
        "author_url": f"https://{server}/@guest{author}",
        "author_is_discoverable": True,
        "created_at": f"{moment:%Y-%m-%d %H:%M:%S.%f}",
        "html": f"<p>{text}</p>",
        "text": text,
        "language": rng.choice(["en", "en", "de", "fr"]),
        "boosts": int(rng.expovariate(0.3)),
        "favourites": int(rng.expovariate(0.1)),
        "replies": int(rng.expovariate(0.8)),
        "hashtags": f" {HASHTAG} film ",
        "media_count": int(rng.random() < 0.4),
        "is_authoritative": True,
        "told_by": server,
    }


def _read_plainly(installation: Installation) -> tuple[float, float]:
    """Wall and CPU seconds of reading what the analysis reads, row by row."""
    query = (
        "SELECT uri, url, origin, author_handle, author_name, author_url, created_at, html, text, spoiler_text,"
        " language, boosts, favourites, replies, media_count, is_reply, is_authoritative"
        " FROM pipeline_toot ORDER BY created_at, uri"
    )
    connection = sqlite3.connect(installation.database)
    begun_at, begun_cpu = time.monotonic(), time.process_time()
    for row in connection.execute(query):
        len(row)
    taken = time.monotonic() - begun_at, time.process_time() - begun_cpu
    connection.close()
    return taken


def _measure_core(count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.million", str(count)]
    done = run(command, environment=os.environ, timeout_seconds=_PATIENCE_SECONDS)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
