"""Calls of the API on an installation full of toots, timed inside the process: figures as one line of JSON.

Run by ``tests.bench.api``, with the settings of the installation in the environment. What is measured is everything
from the WSGI application on, as in a thread of the web server: middleware, token, allowance, view, database (opened
for each call, as there), JSON.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mastoscore_site.settings")

import django

django.setup()

import orjson  # noqa: E402
from django.core.signals import request_finished, request_started  # noqa: E402
from django.db import close_old_connections, connection  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from mastoscore_site.wsgi import application  # noqa: E402
from tests.bench.api_world import COUNTS, Facts, deep_cursor, fill  # noqa: E402
from tests.bench.installation import SLUG  # noqa: E402

Get = Callable[[str], Iterator[bytes]]

_FEWEST_CALLS = 6
_KIND_SECONDS = 0.5  # for all calls of one kind, when the machine is slow
_TOOTS = f"/api/v1/events/{SLUG}/toots"
_PLAIN = (
    "SELECT id, uri, url, origin, author_handle, author_name, author_url, created_at, text, boosts, favourites"
    " FROM pipeline_toot ORDER BY created_at LIMIT 100"
)


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=20, help="of each kind, fewer when they take long")
    options = parser.parse_args()
    facts = fill(options.events)
    get, most = _caller(facts.authorization), options.calls
    mistakes: list[str] = []
    calls = {name: _measure(name, path, get, most, mistakes) for name, path in _list_calls(facts)}
    exports = {form: _export(form, get, facts, mistakes) for form in ("jsonl", "csv")}
    floor = {"plain_ms": _time_plain_page(), **_time("/api/v1/me", get, most)}
    print(json.dumps({"floor": floor, "calls": calls, "exports": exports, "mistakes": mistakes}))
    return 0


def _list_calls(facts: Facts) -> Iterator[tuple[str, str]]:
    yield "events", "/api/v1/events"
    yield "events, page 20", "/api/v1/events?page=20"
    yield "events, 200 on a page", "/api/v1/events?per_page=200"
    yield "events, searched", "/api/v1/events?search=monster"
    yield "events, nothing found", "/api/v1/events?search=zzz"
    for order in ("created_at", *COUNTS):
        for sign in ("", "-"):
            yield f"toots by {sign}{order}", f"{_TOOTS}?ordering={sign}{order}"
            cursor = deep_cursor(order, is_descending=sign == "-")
            yield f"toots by {sign}{order}, deep", f"{_TOOTS}?ordering={sign}{order}&cursor={cursor}"
    for name, query in facts.filters.items():
        yield f"toots, {name}", f"{_TOOTS}?{query}"
        yield f"toots by -boosts with {name}", f"{_TOOTS}?ordering=-boosts&{query}"
    yield "servers", f"/api/v1/events/{SLUG}/servers"
    yield "jobs", "/api/v1/jobs"


def _caller(authorization: str) -> Get:
    factory = RequestFactory()

    def get(path: str) -> Iterator[bytes]:
        """The body of the answer in pieces, as the web server would send them."""
        statuses: list[str] = []
        environ = factory.get(path, headers={"Authorization": authorization}).environ
        answer: Any = application(environ, lambda status, headers, exc=None: statuses.append(status))
        try:
            yield from answer
        finally:
            answer.close()
        if not statuses[0].startswith("200"):
            raise SystemExit(f"{path} answers {statuses[0]}")

    return get


def _measure(name: str, path: str, get: Get, most: int, mistakes: list[str]) -> dict[str, Any]:
    plans = _find_plans(path, get)
    mistakes += [f"{name} reads a whole table: {plan}" for plan in plans if "SCAN pipeline_toot" in plan]
    return {"path": path, **_time(path, get, most), "plans": plans}


def _time(path: str, get: Get, most: int) -> dict[str, float]:
    walls: list[float] = []
    cpus: list[float] = []
    while len(walls) < most and (len(walls) < _FEWEST_CALLS or sum(walls) < _KIND_SECONDS):
        begun_at, begun_cpu = time.perf_counter(), time.process_time()
        b"".join(get(path))
        cpus.append(time.process_time() - begun_cpu)
        walls.append(time.perf_counter() - begun_at)
    return {**_percentiles("wall", walls), **_percentiles("cpu", cpus)}


def _percentiles(name: str, seconds: list[float]) -> dict[str, float]:
    seconds.sort()
    at = {"p50": len(seconds) // 2, "p95": int(len(seconds) * 0.95)}
    return {f"{name}_{key}_ms": round(1000 * seconds[place], 2) for key, place in at.items()}


def _find_plans(path: str, get: Get) -> list[str]:
    """How SQLite goes about the queries of a call, but for those of token and allowance. It warms up as well."""
    with _one_connection(), CaptureQueriesContext(connection) as captured:
        b"".join(get(path))
        found = []
        for query in list(captured):
            sql = query["sql"]
            if sql.startswith("SELECT") and any(f'FROM "{table}"' in sql for table in _TABLES) and _ONE not in sql:
                with connection.cursor() as cursor:
                    rows = cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
                found.append("; ".join(row[3] for row in rows))
    return found


_ONE = '"events_event"."slug" ='
_TABLES = ("events_event", "pipeline_toot", "pipeline_visit", "jobs_job")


@contextmanager
def _one_connection() -> Iterator[None]:
    """Keeps the database open between calls, so that what they ask can be seen."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def _export(form: str, get: Get, facts: Facts, mistakes: list[str]) -> dict[str, Any]:
    _forget_peak()
    before, begun_at, begun_cpu = _peak_bytes(), time.perf_counter(), time.process_time()
    lines, size, first_seconds = 0, 0, 0.0
    for piece in get(f"{_TOOTS}.{form}"):
        first_seconds = first_seconds or time.perf_counter() - begun_at
        lines, size = lines + piece.count(b"\n"), size + len(piece)
    wanted = facts.shown + (form == "csv")
    if lines != wanted:
        mistakes.append(f"the export as {form} has {lines} lines, not {wanted}")
    return {
        "lines": lines,
        "bytes": size,
        "wall_seconds": time.perf_counter() - begun_at,
        "cpu_seconds": time.process_time() - begun_cpu,
        "first_seconds": first_seconds,
        "grown_bytes": _peak_bytes() - before,
    }


def _forget_peak() -> None:
    """Linux: the peak of memory counts from here on (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _time_plain_page() -> float:
    """The first page by SQL and turned to JSON, nothing else: milliseconds of the quickest of a few times."""
    taken = []
    for _ in range(_FEWEST_CALLS):
        begun_at = time.perf_counter()
        plain = sqlite3.connect(connection.settings_dict["NAME"])
        orjson.dumps(plain.execute(_PLAIN).fetchall())
        plain.close()
        taken.append(time.perf_counter() - begun_at)
    return round(1000 * min(taken), 2)


if __name__ == "__main__":
    sys.exit(main())
