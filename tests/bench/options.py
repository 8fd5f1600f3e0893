"""What `make bench ARGS="..."` takes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.feeds import MOST_FEEDS
from tests.bench.parts import MORE
from tests.bench.sizes import Size, add_size_arguments, size_from

PARTS = ("crawl", "quick", "sequential", "scaling", "analysis", *MORE)


@dataclass(frozen=True, slots=True)
class Options:
    """``parts``: what is measured. ``threads`` 0: as many as the program itself thinks best."""

    size: Size
    parts: frozenset[str]
    small_servers: int
    analysis_toots: int
    api_events: int
    api_toots: int
    api_calls: int
    feeds: int
    reader_posts: int
    reader_calls: int
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
    numbers = (options.analysis_toots, options.api_events, options.api_toots, options.api_calls)
    if options.small_servers < 2 or min(numbers) < 1:
        parser.error("--small-servers needs two at least, --analysis-toots and --api-… one")
    if not 20 <= options.feeds <= MOST_FEEDS or options.reader_posts < 2000 or options.reader_calls < 1:
        parser.error(f"--feeds is between 20 and {MOST_FEEDS}, --reader-posts at least 2000, --reader-calls one")
    return _as_options(options, size)


def _make_parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="make bench", description="Time, memory and manners of the crawl, the analysis, the API."
    )
    add_size_arguments(parser)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: all)")
    parser.add_argument(
        "--small-servers", type=int, default=10, help="servers where the sequential client goes (default %(default)s)"
    )
    parser.add_argument("--analysis-toots", type=int, default=100_000, help="(default %(default)s)")
    parser.add_argument("--api-events", type=int, default=1000, help="(default %(default)s)")
    parser.add_argument("--api-toots", type=int, default=100_000, help="(default %(default)s)")
    parser.add_argument("--feeds", type=int, default=1000, help="(default %(default)s)")
    parser.add_argument("--reader-posts", type=int, default=100_000, help="(default %(default)s)")
    parser.add_argument("--api-calls", type=int, default=20, help="of each kind at most (default %(default)s)")
    parser.add_argument("--reader-calls", type=int, default=20, help="of each kind (default %(default)s)")
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
        api_events=options.api_events,
        api_toots=options.api_toots,
        api_calls=options.api_calls,
        feeds=options.feeds,
        reader_posts=options.reader_posts,
        reader_calls=options.reader_calls,
        with_million=options.million,
        threads=options.threads,
        json_path=options.json,
    )
