"""The plain sequential client and ours in fediverses of the same small size, and what that says of the full one."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench.children import ROOT, BenchFailed, open_fediverse, run
from tests.bench.crawl import CrawlFigures, measure_crawl
from tests.bench.installation import Workshop
from tests.bench.sizes import Size
from tests.bench.world import DURATION, HASHTAG, START

PYTHON = ROOT / ".venv-bench" / "bin" / "python"
_SCRIPT = Path(__file__).with_name("plain_client.py")
# What Mastodon.py may take for a page and a copy on a slow machine, on top of the latency.
_SECONDS_PER_PAGE = 1.0


@dataclass(frozen=True, slots=True)
class SequentialFigures:
    """The plain client at ``size``, and our crawl at the same size.

    ``mistakes``: of the plain client; a comparison with one that does not find everything says nothing.
    """

    size: Size
    wall_seconds: float
    cpu_seconds: float
    pages: int
    copies: int
    ours: CrawlFigures
    mistakes: list[str]

    @property
    def seconds_per_page(self) -> float:
        return self.wall_seconds / self.pages

    def estimate_seconds(self, facts: dict[str, Any]) -> float:
        """For another world: it asks one page after the other, so its time grows with the pages."""
        return self.seconds_per_page * float(facts["pages"])

    def as_dict(self) -> dict[str, Any]:
        own = {name: value for name, value in asdict(self).items() if name != "ours"}
        return own | {
            "seconds_per_page": self.seconds_per_page,
            "seconds_per_thousand_copies": self.wall_seconds * 1000 / self.copies,
            "ours": self.ours.as_dict(),
            "ratio_at_equal_size": self.wall_seconds / self.ours.wall_seconds,
        }


def is_installed() -> bool:
    return PYTHON.exists()


def small_size(size: Size, servers: int) -> Size:
    """The same world with fewer servers: as many toots, as many copies per server."""
    servers = min(servers, size.servers)
    copies = max(size.toots, round(size.copies * servers / size.servers))
    return replace(size, servers=servers, copies=copies, hops=max(0, min(size.hops, servers - 2)))


def measure_sequential(size: Size, workshop: Workshop) -> SequentialFigures:
    with open_fediverse(size) as fediverse:
        facts = fediverse.facts
        command = [str(PYTHON), str(_SCRIPT), fediverse.home, HASHTAG]
        command += [START.isoformat(), (START + DURATION).isoformat()]
        patience = 60 + facts["pages"] * (size.latency_ms / 1000 + _SECONDS_PER_PAGE)
        done = run(command, environment=os.environ, timeout_seconds=patience)
    try:
        found = json.loads(done.stdout)
    except ValueError as error:
        raise BenchFailed(f"the plain client said {done.stdout[:200]!r}") from error
    mistakes = [
        f"the plain client found {found[name]} {name} of {facts[name]}"
        for name in ("servers", "toots", "copies", "pages")
        if found[name] != facts[name]
    ]
    return SequentialFigures(
        size=size,
        wall_seconds=done.wall_seconds,
        cpu_seconds=done.cpu_seconds,
        pages=found["pages"],
        copies=found["copies"],
        ours=measure_crawl(size, workshop),
        mistakes=mistakes,
    )
