"""``python -m tests.bench``: measure, print a table and JSON; 1 when a result is wrong, 0 however slow it was."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
import time
import timeit
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench import sequential
from tests.bench.analysis import measure_analysis
from tests.bench.children import BenchFailed
from tests.bench.crawl import QUICK, CrawlFigures, measure_crawl
from tests.bench.figures import Figures
from tests.bench.installation import Workshop
from tests.bench.options import Options, read_options
from tests.bench.parts import MORE
from tests.bench.sizes import MOST_TOOTS
from tests.bench.table import as_table


def main(arguments: Sequence[str]) -> int:
    options = read_options(arguments)
    begun_at = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="mastoscore-bench-") as folder:
            figures = measure(options, Workshop(Path(folder), threads=options.threads))
    except BenchFailed as error:
        print(f"The benchmark could not be finished: {error}", file=sys.stderr)
        return 1
    figures = replace(figures, took_seconds=time.monotonic() - begun_at)
    print(as_table(figures))
    text = json.dumps(figures.as_dict(), indent=2)
    if options.json_path is None:
        print(f"\n{text}")
    else:
        options.json_path.write_text(f"{text}\n")
    return 1 if figures.mistakes() else 0


def measure(options: Options, workshop: Workshop) -> Figures:
    figures = Figures(machine=_machine())
    if "crawl" in options.parts:
        _say(f"crawl of {options.size.servers} servers, {options.size.toots} toots ...")
        figures = replace(figures, crawl=measure_crawl(options.size, workshop))
    if "quick" in options.parts:
        _say("the same in quick mode ...")
        figures = replace(figures, quick=measure_crawl(options.size, workshop, mode=QUICK))
    if "sequential" in options.parts:
        figures = _compare(options, workshop, figures)
    if "scaling" in options.parts:
        figures = replace(figures, scaling=_scale(options, workshop))
    if "analysis" in options.parts:
        _say(f"analysis of {options.analysis_toots} toots ...")
        analysis = measure_analysis(options.analysis_toots, workshop, with_million=options.with_million)
        figures = replace(figures, analysis=analysis)
    for name in MORE:
        if name in options.parts:
            _say(f"{name} ...")
            figures = replace(figures, more={**figures.more, name: MORE[name](options, workshop)})
    return figures


def _compare(options: Options, workshop: Workshop, figures: Figures) -> Figures:
    if not sequential.is_installed():
        _say("the sequential client is left out: .venv-bench is not there (`make bench` makes it)")
        return figures
    size = sequential.small_size(options.size, options.small_servers)
    _say(f"sequential client and ours on {size.servers} servers, {size.toots} toots ...")
    return replace(figures, sequential=sequential.measure_sequential(size, workshop))


def _scale(options: Options, workshop: Workshop) -> dict[str, CrawlFigures]:
    """The same with half the copies, and with twice the toots but no more copies."""
    size = options.size
    sizes = {"half the copies": replace(size, copies=max(size.toots, size.copies // 2))}
    if 2 * size.toots <= min(MOST_TOOTS, size.copies):
        sizes["twice the toots"] = replace(size, toots=2 * size.toots)
    found = {}
    for name, other in sizes.items():
        _say(f"crawl with {name} ...")
        found[name] = measure_crawl(other, workshop)
    return found


def _machine() -> dict[str, object]:
    """What the figures depend on besides the program."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "loop_ms": _time_a_loop() * 1000,
    }


def _time_a_loop() -> float:
    """Seconds for a million additions, the median of five: shared machines run at very different speeds."""
    return statistics.median(timeit.repeat("for _ in range(1_000_000): s += 1", "s = 0", number=1, repeat=5))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
