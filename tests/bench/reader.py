"""The reader over many posts, on SQLite: time and number of queries per list, search and page, and query plans."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import Any

from tests.bench.aims import Aim, at_most
from tests.bench.installation import Workshop

MOST_MS = 100
MOST_SEARCH_MS = 200
_PATIENCE_SECONDS = 600.0
_SMALL_SHARE, _FEWEST_POSTS = 10, 2000
_SCOPES = ("GENERAL", "JOBS", "METRICS", "SOURCES", "SUMMARIES")


@dataclass(frozen=True, slots=True)
class ReaderFigures:
    """``calls``: per kind the path, number of queries, milliseconds of wall and CPU (``wall_p95_ms``), plans.

    ``small``: the same over a tenth of the posts; the number of queries must be that of the large one.
    """

    posts: int
    calls: dict[str, Any]
    small: dict[str, Any]
    plan_mistakes: list[str]

    @property
    def title(self) -> str:
        return f"reader, {self.posts:,} posts of one user, as many of another"

    @property
    def mistakes(self) -> list[str]:
        grown = [
            f"{name}: {call['queries']} queries, but {self.small[name]['queries']} over fewer posts"
            for name, call in self.calls.items()
            if call["queries"] > self.small[name]["queries"]
        ]
        return self.plan_mistakes + grown

    def rows(self) -> list[tuple[str, str]]:
        rows = [
            (
                name,
                f"p50 {call['wall_p50_ms']:.1f} ms, p95 {call['wall_p95_ms']:.1f} ms;"
                f" CPU {call['cpu_p50_ms']:.1f} and {call['cpu_p95_ms']:.1f} ms;"
                f" {call['queries']} queries, {call['bytes'] / 1000:.0f} KB",
            )
            for name, call in self.calls.items()
        ]
        plans = {
            plan: name for name, call in reversed(self.calls.items()) for plan in call["plans"] if "post" in plan
        }
        return rows + [(f"plan: {name}", plan) for plan, name in plans.items()]

    def aims(self) -> list[Aim]:
        lists = [name for name in self.calls if "search" not in name]
        searches = [name for name in self.calls if "search" in name]
        return [
            at_most(f"p95 of the reader's slowest {what}, {label}", self._slowest(names, clock), limit, "{:.0f} ms")
            for what, names, limit in (("list or page", lists, MOST_MS), ("search", searches, MOST_SEARCH_MS))
            for clock, label in (("wall", "wall"), ("cpu", "CPU"))
        ]

    def as_dict(self) -> dict[str, Any]:
        return {"posts": self.posts, "calls": self.calls}

    def _slowest(self, names: list[str], clock: str) -> float:
        return float(max(self.calls[name][f"{clock}_p95_ms"] for name in names))


def measure_reader(posts: int, calls: int, workshop: Workshop) -> ReaderFigures:
    large = _call(posts, calls, workshop)
    small = _call(max(_FEWEST_POSTS, posts // _SMALL_SHARE), 1, workshop)
    return ReaderFigures(posts, large["calls"], small["calls"], [str(sentence) for sentence in large["mistakes"]])


def _call(posts: int, calls: int, workshop: Workshop) -> dict[str, Any]:
    installation = workshop.install()
    done = installation.run_module(
        "tests.bench.reader_calls",
        *("--posts", str(posts), "--calls", str(calls)),
        timeout_seconds=_PATIENCE_SECONDS,
        **{f"API_RATE_{scope}": "1000000" for scope in _SCOPES},
        ALLOWED_HOSTS="testserver",
        HTTPS="false",
    )
    shutil.rmtree(installation.data_dir)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
