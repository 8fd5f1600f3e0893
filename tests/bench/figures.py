"""Everything one run of the benchmark measured, with the aims it is held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.bench.aims import Aim, at_most
from tests.bench.analysis import AnalysisFigures
from tests.bench.crawl import CrawlFigures
from tests.bench.parts import PartFigures
from tests.bench.sequential import SequentialFigures

MOST_TIMES_FLOOR = 1.5
LEAST_TIMES_FASTER = 25
MOST_CPU_SECONDS = 15
MOST_MEMORY_BYTES = 200_000_000
MOST_ANALYSIS_SECONDS = 3
LEAST_QUICK_SHARE = 0.99
MOST_QUICK_REQUESTS = 0.2
# An exact doubling is never measured; a quarter more per copy is still taken for linear.
LINEAR_TOLERANCE = 1.25


@dataclass(frozen=True, slots=True)
class Figures:
    machine: dict[str, Any]
    crawl: CrawlFigures | None = None
    quick: CrawlFigures | None = None
    sequential: SequentialFigures | None = None
    scaling: dict[str, CrawlFigures] = field(default_factory=dict)
    analysis: AnalysisFigures | None = None
    more: dict[str, PartFigures] = field(default_factory=dict)
    took_seconds: float = 0

    def crawls(self) -> dict[str, CrawlFigures]:
        found = {"full": self.crawl} if self.crawl else {}
        found |= {"quick": self.quick} if self.quick else {}
        found |= {"small": self.sequential.ours} if self.sequential else {}
        return found | self.scaling

    def mistakes(self) -> list[str]:
        """Wrong results and broken promises, of every part."""
        found = [f"crawl, {name}: {mistake}" for name, crawl in self.crawls().items() for mistake in crawl.mistakes]
        found += self.sequential.mistakes if self.sequential else []
        found += self.analysis.mistakes if self.analysis else []
        return found + [f"{name}: {mistake}" for name, part in self.more.items() for mistake in part.mistakes]

    def times_faster(self) -> float | None:
        """Our full crawl against what the sequential client would take there, by its time per page."""
        if self.crawl is None or self.sequential is None:
            return None
        return self.sequential.estimate_seconds(self.crawl.facts) / self.crawl.wall_seconds

    def growth(self) -> dict[str, dict[str, float]]:
        """CPU per copy and memory of the full crawl, by those of the scaled ones: 1 means linear."""
        if self.crawl is None:
            return {}
        full = self.crawl
        return {
            name: {
                "copies": full.copies / other.copies,
                "toots": full.size.toots / other.size.toots,
                "cpu_per_copy": full.cpu_per_thousand_copies / other.cpu_per_thousand_copies,
                "memory": full.peak_memory_bytes / other.peak_memory_bytes,
            }
            for name, other in self.scaling.items()
        }

    def aims(self) -> list[Aim]:
        ours = [*self._crawl_aims(), *self._quick_aims(), *self._growth_aims(), *self._analysis_aims()]
        return ours + [aim for part in self.more.values() for aim in part.aims()]

    def _crawl_aims(self) -> list[Aim]:
        found = []
        if self.crawl is not None:
            crawl, floor = self.crawl, self.crawl.floor_seconds()
            if floor:
                times = crawl.wall_seconds / floor
                found.append(at_most("wall time of the crawl by the floor", times, MOST_TIMES_FLOOR, "{:.2f} times"))
            found.append(at_most("CPU of the crawl", crawl.cpu_seconds, MOST_CPU_SECONDS, "{:.1f} s"))
            megabytes = crawl.peak_memory_bytes / 1e6
            found.append(at_most("memory of the crawl", megabytes, MOST_MEMORY_BYTES / 1e6, "{:.0f} MB"))
        faster = self.times_faster()
        if faster is not None:
            name, wanted = "faster than the sequential client", f"at least {LEAST_TIMES_FASTER} times"
            found.append(Aim(name, wanted, f"{faster:.1f} times", faster >= LEAST_TIMES_FASTER))
        return found

    def _quick_aims(self) -> list[Aim]:
        if self.quick is None:
            return []
        share = self.quick.toots_found / int(self.quick.facts["toots"])
        wanted = f"at least {LEAST_QUICK_SHARE:.0%}"
        found = [Aim("toots found in quick mode", wanted, f"{share:.2%}", share >= LEAST_QUICK_SHARE)]
        if self.crawl is not None:
            ratio = self.quick.requests["requests"] / self.crawl.requests["requests"]
            found.append(at_most("requests of quick mode by thorough", ratio, MOST_QUICK_REQUESTS, "{:.2f} times"))
        return found

    def _growth_aims(self) -> list[Aim]:
        found = []
        for name, growth in self.growth().items():
            # With twice the toots in the other crawl, the question is what that one costs more.
            is_more = growth["toots"] < 1
            for what in ("cpu_per_copy", "memory"):
                times = 1 / growth[what] if is_more else growth[what]
                limit = LINEAR_TOLERANCE if what == "cpu_per_copy" or is_more else LINEAR_TOLERANCE * growth["copies"]
                label = f"{what.replace('_', ' ')}, {name if is_more else 'twice the copies'}"
                found.append(at_most(label, times, limit, "{:.2f} times"))
        return found

    def _analysis_aims(self) -> list[Aim]:
        if self.analysis is None:
            return []
        name = f"analysis of {self.analysis.toots:,} toots"
        return [at_most(name, self.analysis.wall_seconds, MOST_ANALYSIS_SECONDS, "{:.2f} s")]

    def as_dict(self) -> dict[str, Any]:
        return {
            "machine": self.machine,
            "took_seconds": self.took_seconds,
            "crawl": self.crawl.as_dict() if self.crawl else None,
            "quick": self.quick.as_dict() if self.quick else None,
            "sequential": self.sequential.as_dict() if self.sequential else None,
            "times_faster_than_sequential": self.times_faster(),
            "scaling": {name: crawl.as_dict() for name, crawl in self.scaling.items()},
            "growth": self.growth(),
            "analysis": self.analysis.as_dict() if self.analysis else None,
            **{name: part.as_dict() for name, part in self.more.items()},
            "aims": [
                {"name": aim.name, "wanted": aim.wanted, "found": aim.found, "met": aim.is_met} for aim in self.aims()
            ],
            "mistakes": self.mistakes(),
        }
