"""The figures for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.crawl import THOROUGH, CrawlFigures
from tests.bench.figures import Figures

_LABEL_WIDTH = 44
# Load per core from which wall times say little about the program.
_BUSY = 0.3


def as_table(figures: Figures) -> str:
    machine = figures.machine
    lines = [
        f"{machine['cores']} cores, load {machine['load_before']:.1f} before, Python {machine['python']},"
        f" {machine['system']}, {machine['loop_ms']:.0f} ms for a million additions;"
        f" the whole run took {figures.took_seconds:.0f} s"
    ]
    if float(machine["load_before"]) > _BUSY * float(machine["cores"]):
        lines.append("The machine was busy with other things, so wall times (and, less so, CPU) are too long.")
    for name, crawl in figures.crawls().items():
        lines += [*_title(f"crawl, {name}"), *_crawl_lines(crawl)]
    lines += [*_sequential_lines(figures), *_analysis_lines(figures)]
    for part in figures.more.values():
        lines += [*_title(part.title), *(_row(label, text) for label, text in part.rows())]
    lines += _aim_lines(figures)
    return "\n".join(lines)


def _crawl_lines(crawl: CrawlFigures) -> Iterator[str]:
    facts, requests = crawl.facts, crawl.requests
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in requests["kinds"].items())
    yield _row(
        "world",
        f"{facts['servers']:,} servers, {facts['toots']:,} toots, {crawl.copies:,} copies, {facts['pages']:,} pages,"
        f" {crawl.size.latency_ms:.0f} ms",
    )
    yield _row("wall", f"{crawl.wall_seconds:.1f} s: {_shares(crawl)}")
    if crawl.mode == THOROUGH:
        yield from _floor_lines(crawl)
    yield _row("requests", f"{requests['requests']:,} ({kinds}), {requests['repeated_pages']} pages asked for again")
    yield _row(
        "at a time",
        f"{requests['peak_in_flight']} at most, {requests['peak_in_flight_per_server']} to one server;"
        f" {requests['connections']:,} connections, {requests['sent_bytes'] / 1e6:.1f} MB",
    )
    yield _row("CPU", f"{crawl.cpu_seconds:.1f} s, {crawl.cpu_per_thousand_copies:.3f} s per thousand copies")
    yield _row("peak memory", f"{crawl.peak_memory_bytes / 1e6:.0f} MB, all processes together")
    yield _row("toots found", f"{crawl.toots_found:,} of {facts['toots']:,}")
    yield _row("result", "; ".join(crawl.mistakes) or "right")


def _floor_lines(crawl: CrawlFigures) -> Iterator[str]:
    for name, chain in crawl.facts["chains"].items():
        floor = crawl.floor_seconds(name)
        times = f", wall {crawl.wall_seconds / floor:.2f} times that" if floor else ""
        yield _row(f"floor, {name}", f"{chain} requests in a row, {floor:.1f} s{times}")


def _shares(crawl: CrawlFigures) -> str:
    return (
        f"{crawl.starting_seconds:.1f} until the first request, {crawl.asking_seconds:.1f} asking,"
        f" {crawl.closing_seconds:.1f} after the last answer"
    )


def _sequential_lines(figures: Figures) -> Iterator[str]:
    plain = figures.sequential
    if plain is None:
        return
    yield from _title("sequential client (Mastodon.py, one server after another)")
    yield _row("measured", f"{plain.size.servers} servers, {plain.pages:,} pages, {plain.copies:,} copies")
    yield _row("wall", f"{plain.wall_seconds:.1f} s, {plain.seconds_per_page * 1000:.0f} ms per page")
    yield _row(
        "CPU", f"{plain.cpu_seconds:.1f} s, {plain.cpu_seconds * 1000 / plain.copies:.3f} s per thousand copies"
    )
    ours = plain.ours.wall_seconds
    yield _row("ours at the same size", f"{ours:.1f} s: {plain.wall_seconds / ours:.1f} times faster")
    faster = figures.times_faster()
    if figures.crawl is not None and faster is not None:
        estimate = plain.estimate_seconds(figures.crawl.facts)
        yield _row(
            "estimate for the full size",
            f"{estimate:.0f} s for {figures.crawl.facts['pages']:,} pages at its time per page;"
            f" ours measured {figures.crawl.wall_seconds:.1f} s: {faster:.1f} times faster",
        )


def _analysis_lines(figures: Figures) -> Iterator[str]:
    analysis = figures.analysis
    if analysis is None:
        return
    yield from _title(f"analysis of {analysis.toots:,} toots")
    yield _row(
        "wall", f"{analysis.wall_seconds:.2f} s, of which {analysis.starting_seconds:.2f} s to start the command"
    )
    yield _row("CPU", f"{analysis.cpu_seconds:.2f} s")
    yield _row(
        "floor: reading the rows by plain SQL",
        f"{analysis.floor_wall_seconds:.2f} s, CPU {analysis.floor_cpu_seconds:.2f} s",
    )
    yield _row("peak memory", f"{analysis.peak_memory_bytes / 1e6:.0f} MB")
    for core in analysis.million:
        yield _row(
            f"core alone, {core['toots']:,} toots",
            f"{core['wall_seconds']:.1f} s, {core['peak_memory_bytes'] / 1e6:.0f} MB",
        )


def _aim_lines(figures: Figures) -> Iterator[str]:
    yield from _title("aims, for the default size on two idle cores")
    for aim in figures.aims():
        yield _row(aim.name, f"{aim.found}; {aim.wanted}: {'yes' if aim.is_met else 'NO'}")
    mistakes = figures.mistakes()
    yield _row("right results", "yes" if not mistakes else f"NO: {'; '.join(mistakes)}")


def _title(text: str) -> Iterator[str]:
    yield ""
    yield text


def _row(label: str, text: str) -> str:
    return f"  {label:<{_LABEL_WIDTH - 1}} {text}"
