"""``manage.py analyse`` over many toots, against plain reading of the same rows."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.children import run
from tests.bench.installation import SLUG, Installation, Workshop
from tests.bench.toot_rows import fill_with_toots

_PATIENCE_SECONDS = 300.0
_MILLION = 1_000_000


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
    sums = fill_with_toots(installation, toots)
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


def _read_plainly(installation: Installation) -> tuple[float, float]:
    """Wall and CPU seconds of reading what the analysis reads, row by row."""
    query = (
        "SELECT uri, url, origin, author_handle, author_name, author_url, created_at, text, spoiler_text,"
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
