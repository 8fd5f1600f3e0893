"""What `make bench ARGS="..."` takes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.sizes import Size, add_size_arguments, size_from

PARTS = ("crawl", "quick", "sequential", "scaling", "analysis")


@dataclass(frozen=True, slots=True)
class Options:
    """``parts``: what is measured. ``threads`` 0: as many as the program itself thinks best."""

    size: Size
    parts: frozenset[str]
    small_servers: int
    analysis_toots: int
    with_million: bool
    threads: int
    json_path: Path | None


def read_options(arguments: Sequence[str]) -> Options:
    """SystemExit with a sentence when they make no sense."""
    parser = _make_parser()
    options = parser.parse_args(arguments)
    try:
        size = size_from(options)
    except ValueError as error:
        parser.error(str(error))
    if options.small_servers < 2 or options.analysis_toots < 1:
        parser.error("--small-servers needs two at least, --analysis-toots one")
    return _as_options(options, size)


def _make_parser() -> ArgumentParser:
    parser = ArgumentParser(prog="make bench", description="Time, memory and manners of the crawl and the analysis.")
    add_size_arguments(parser)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: all)")
    parser.add_argument(
        "--small-servers", type=int, default=10, help="servers where the sequential client goes (default %(default)s)"
    )
    parser.add_argument("--analysis-toots", type=int, default=100_000, help="(default %(default)s)")
    parser.add_argument("--million", action="store_true", help="the core of the analysis with a million toots too")
    parser.add_argument("--threads", type=int, default=0, help="MASTOSCORE_FETCH_THREADS of the crawls")
    parser.add_argument("--json", type=Path, help="write the figures there, not below the table")
    return parser


def _as_options(options: Namespace, size: Size) -> Options:
    return Options(
        size=size,
        parts=frozenset(options.parts),
        small_servers=options.small_servers,
        analysis_toots=options.analysis_toots,
        with_million=options.million,
        threads=options.threads,
        json_path=options.json,
    )
