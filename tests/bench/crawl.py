"""The real program sent into a generated fediverse, and what that took."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.children import Fediverse, open_fediverse
from tests.bench.floor import PAGES_ONLY
from tests.bench.installation import SLUG, Workshop
from tests.bench.sizes import Size

THOROUGH, QUICK = "thorough", "quick"
_FIXED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class CrawlFigures:
    """One crawl by ``manage.py fetch``.

    ``wall_seconds`` is that of the whole command: ``starting`` until the first request, ``asking`` until the last
    answer, ``closing`` (last writes, summary, files) to the end of the process. ``mistakes``: where the result is not
    that of the world (of a quick crawl: holds what the world does not), or a promise to servers was broken.
    """

    size: Size
    mode: str
    facts: dict[str, Any]
    wall_seconds: float
    starting_seconds: float
    asking_seconds: float
    closing_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    toots_found: int
    requests: dict[str, Any]
    result: dict[str, Any]
    mistakes: list[str]

    @property
    def copies(self) -> int:
        return int(self.facts["copies"])

    @property
    def cpu_per_thousand_copies(self) -> float:
        return self.cpu_seconds * 1000 / self.copies

    def floor_seconds(self, manners: str = PAGES_ONLY.name) -> float:
        return float(self.facts["chains"][manners]) * self.size.latency_ms / 1000

    def as_dict(self) -> dict[str, Any]:
        floors = {name: self.floor_seconds(name) for name in self.facts["chains"]}
        own = asdict(self) | {"cpu_per_thousand_copies": self.cpu_per_thousand_copies}
        if self.mode != THOROUGH:
            return own  # the floor is that of asking everybody for everything
        return own | {
            "floor_seconds": floors,
            "wall_by_floor": {name: self.wall_seconds / floor if floor else None for name, floor in floors.items()},
        }


def measure_crawl(size: Size, workshop: Workshop, *, mode: str = THOROUGH) -> CrawlFigures:
    """A crawl of a fresh fediverse of that size into a fresh installation."""
    with open_fediverse(size) as fediverse:
        return crawl(size, fediverse, workshop, mode=mode)


def crawl(size: Size, fediverse: Fediverse, workshop: Workshop, *, mode: str = THOROUGH) -> CrawlFigures:
    """The same in a fediverse that is there already, which nobody asked anything yet."""
    installation = workshop.install(fediverse)
    patience = _patience(size, fediverse.facts)
    done = installation.manage("fetch", SLUG, "--json", "--mode", mode, timeout_seconds=patience)
    report = fediverse.report()
    found, invented = fediverse.count(installation.database, SLUG)
    mistakes = _rudeness(report)
    if mode == THOROUGH:
        mistakes += fediverse.differences(installation.database, SLUG)
    elif invented:
        mistakes.append(f"{invented} toots that do not exist")
    shutil.rmtree(installation.data_dir)
    first, last = report["first_request_at"] or done.ended_at, report["last_answer_at"] or done.ended_at
    return CrawlFigures(
        size=size,
        mode=mode,
        facts=fediverse.facts,
        wall_seconds=done.wall_seconds,
        starting_seconds=first - done.started_at,
        asking_seconds=last - first,
        closing_seconds=done.ended_at - last,
        cpu_seconds=done.cpu_seconds,
        peak_memory_bytes=done.peak_memory_bytes,
        toots_found=found,
        requests=report,
        result=_without_files(json.loads(done.stdout)),
        mistakes=mistakes,
    )


def _patience(size: Size, facts: dict[str, Any]) -> float:
    """As long as one connection alone would take, and a second per hundred copies."""
    return _FIXED_SECONDS + int(facts["pages"]) * size.latency_ms / 1000 + int(facts["copies"]) / 100


def _rudeness(report: dict[str, Any]) -> list[str]:
    most = report["peak_in_flight_per_server"]
    return [f"{most} requests at a time to one server, where one is the promise"] if most > 1 else []


def _without_files(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "files"} | {"files": len(result["files"])}
