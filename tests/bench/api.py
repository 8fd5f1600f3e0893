"""Long lists of the API at the server, on SQLite: time per call, query plans, exports that stream."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.bench.aims import Aim, at_most
from tests.bench.installation import Workshop
from tests.bench.toot_rows import fill_with_toots

MOST_MS = 100
MOST_EXPORT_BYTES = 50_000_000
_NARROWED = ("toots, ", "toots by -boosts with ")
# Enough for the slowest machine; the calls themselves have an allowance of their own.
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class ApiFigures:
    """``found`` as ``tests.bench.api_calls`` prints it.

    ``calls``: per kind of call the path, milliseconds of wall and CPU (``wall_p95_ms`` and so on), and how SQLite
    goes about its queries. ``exports``: per form lines, bytes, seconds, and by how much memory grew meanwhile.
    """

    events: int
    toots: int
    found: dict[str, Any]

    @property
    def title(self) -> str:
        return f"API, {self.events:,} events, {self.toots:,} toots of one event"

    @property
    def mistakes(self) -> list[str]:
        return [str(sentence) for sentence in self.found["mistakes"]]

    def rows(self) -> list[tuple[str, str]]:
        return [*self._call_rows(), *self._export_rows(), *self._plan_rows()]

    def aims(self) -> list[Aim]:
        aims = [
            at_most(f"p95 of the slowest list, {what}", self._slowest(f"{name}_p95_ms"), MOST_MS, "{:.0f} ms")
            for name, what in (("wall", "wall"), ("cpu", "CPU"))
        ]
        growth = max(export["grown_bytes"] for export in self.found["exports"].values())
        return [*aims, at_most("memory of an export", growth / 1e6, MOST_EXPORT_BYTES / 1e6, "{:.0f} MB")]

    def as_dict(self) -> dict[str, Any]:
        return {"events": self.events, "toots": self.toots, **self.found}

    def _slowest(self, figure: str) -> float:
        return float(max(call[figure] for call in self.found["calls"].values()))

    def _call_rows(self) -> Iterator[tuple[str, str]]:
        floor = self.found["floor"]
        yield "floor: plain SQL and JSON of a page", f"{floor['plain_ms']:.1f} ms"
        yield "floor: a call without a list", _times(floor)
        for name in self._shown_calls():
            yield name, _times(self.found["calls"][name])
        for start in _NARROWED:
            names = [name for name in self.found["calls"] if name.startswith(start)]
            slowest = max(names, key=lambda name: float(self.found["calls"][name]["cpu_p50_ms"]))
            label = f"slowest of {len(names)}: {slowest.removeprefix(start)}"
            yield f"{start}{len(names)} filters", f"{_times(self.found['calls'][slowest])}; {label}"

    def _shown_calls(self) -> list[str]:
        return [name for name in self.found["calls"] if not name.startswith(_NARROWED)]

    def _export_rows(self) -> Iterator[tuple[str, str]]:
        for form, export in self.found["exports"].items():
            yield (
                f"export, {form}",
                f"{export['lines']:,} lines, {export['bytes'] / 1e6:.1f} MB in {export['wall_seconds']:.1f} s"
                f" (CPU {export['cpu_seconds']:.1f} s), the first after {export['first_seconds'] * 1000:.0f} ms;"
                f" memory grew by {export['grown_bytes'] / 1e6:.0f} MB",
            )

    def _plan_rows(self) -> Iterator[tuple[str, str]]:
        """Each plan once, with how many of all calls have it."""
        seen: dict[str, list[str]] = {}
        for name, call in self.found["calls"].items():
            for plan in call["plans"]:
                seen.setdefault(plan, []).append(name)
        for plan, names in seen.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield f"plan: {names[0]}{more}", plan


def _times(call: dict[str, float]) -> str:
    return (
        f"p50 {call['wall_p50_ms']:.1f} ms, p95 {call['wall_p95_ms']:.1f} ms;"
        f" CPU {call['cpu_p50_ms']:.1f} and {call['cpu_p95_ms']:.1f} ms"
    )


def measure_api(events: int, toots: int, workshop: Workshop, *, calls: int) -> ApiFigures:
    """``calls``: of each kind at most."""
    installation = workshop.install()
    fill_with_toots(installation, toots)
    done = installation.run_module(
        "tests.bench.api_calls",
        *("--events", str(events), "--calls", str(calls)),
        timeout_seconds=_PATIENCE_SECONDS,
        API_RATE_GENERAL="1000000",
        API_RATE_JOBS="1000000",
        ALLOWED_HOSTS="testserver",
        HTTPS="false",
    )
    shutil.rmtree(installation.data_dir)
    return ApiFigures(events, toots, json.loads(done.stdout.splitlines()[-1]))
