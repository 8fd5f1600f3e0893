"""``manage.py refresh_feeds`` over many feeds on loopback: all of them new, then nearly all of them unchanged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from tests.bench.aims import Aim, at_most
from tests.bench.children import ROOT, BenchFailed, Finished
from tests.bench.feed_hosts import address_of
from tests.bench.installation import Installation, Workshop

ENTRIES = 20
CHANGED_SHARE = 0.05
MOST_FEEDS = 5000
# Aims, per thousand feeds on two idle cores.
MOST_CPU_MS = 30
MOST_UNCHANGED_SECONDS = 10
MOST_IMPORT_SECONDS = 5
MOST_MEMORY_BYTES = 200_000_000
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of the command over all feeds. ``floor_*``: the same requests by a plain client, and feedparser."""

    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    floor_wall_seconds: float
    floor_cpu_seconds: float
    result: dict[str, int]
    asked: dict[str, int]


@dataclass(frozen=True, slots=True)
class FeedsFigures:
    """``starting_seconds``: of the same command asked for help; they are part of every pass."""

    facts: dict[str, Any]
    starting_seconds: float
    import_seconds: float
    full: Pass
    unchanged: Pass
    mistakes: list[str]

    @property
    def feeds(self) -> int:
        return int(self.facts["feeds"])

    @property
    def title(self) -> str:
        size = self.facts["bytes_per_feed"] / 1000
        return f"{self.feeds:,} feeds of {self.facts['entries']} entries and {size:.0f} KB"

    def rows(self) -> list[tuple[str, str]]:
        return [
            ("import of their OPML file", f"{self.import_seconds:.1f} s"),
            *self._pass_rows("all new", self.full),
            *self._pass_rows(f"{1 - CHANGED_SHARE:.0%} unchanged", self.unchanged),
        ]

    def aims(self) -> list[Aim]:
        thousands = self.feeds / 1000
        memory = max(self.full.peak_memory_bytes, self.unchanged.peak_memory_bytes) / 1e6
        return [
            at_most("CPU of a new feed", self._cpu_ms(self.full.cpu_seconds), MOST_CPU_MS, "{:.1f} ms"),
            at_most(
                "wall of a thousand unchanged feeds",
                (self.unchanged.wall_seconds - self.starting_seconds) / thousands,
                MOST_UNCHANGED_SECONDS,
                "{:.1f} s",
            ),
            at_most(
                "import of a thousand feeds",
                (self.import_seconds - self.starting_seconds) / thousands,
                MOST_IMPORT_SECONDS,
                "{:.1f} s",
            ),
            at_most("memory of a refresh", memory, MOST_MEMORY_BYTES / 1e6, "{:.0f} MB"),
        ]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"cpu_ms_per_new_feed": self._cpu_ms(self.full.cpu_seconds)}

    def _pass_rows(self, name: str, done: Pass) -> Iterator[tuple[str, str]]:
        yield (
            f"{name}: wall",
            f"{done.wall_seconds:.1f} s, of which {self.starting_seconds:.1f} s to start the command",
        )
        cpu, floor = done.cpu_seconds - self.starting_seconds, done.floor_cpu_seconds
        yield (
            f"{name}: CPU",
            f"{done.cpu_seconds:.1f} s, {self._cpu_ms(done.cpu_seconds):.1f} ms per feed without starting;"
            f" {cpu / floor:.1f} times the floor",
        )
        yield f"{name}: peak memory", f"{done.peak_memory_bytes / 1e6:.0f} MB"
        yield (
            f"{name}: floor, plain client and feedparser",
            f"{done.floor_wall_seconds:.1f} s, CPU {floor:.1f} s, {floor * 1000 / self.feeds:.1f} ms per feed",
        )
        yield f"{name}: result", ", ".join(f"{value:,} {key.replace('_', ' ')}" for key, value in done.result.items())

    def _cpu_ms(self, cpu_seconds: float) -> float:
        return (cpu_seconds - self.starting_seconds) * 1000 / self.feeds


class Blogs:
    """The feeds in a process of their own; ``report`` is what came by since the last one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.facts = self._hear()

    def report(self) -> dict[str, int]:
        return self._ask({"do": "report"})

    def change(self, feeds: int) -> None:
        self._ask({"do": "change", "feeds": feeds})

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchFailed("the hosts of the feeds ended before their time; see above")
        heard: dict[str, Any] = json.loads(line)
        return heard


@contextmanager
def open_blogs(feeds: int) -> Iterator[Blogs]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.feed_hosts", "--feeds", str(feeds), "--entries", str(ENTRIES)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Blogs(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def measure_feeds(feeds: int, workshop: Workshop) -> FeedsFigures:
    with open_blogs(feeds) as blogs:
        port = blogs.facts["port"]
        installation = replace(workshop.install(), private_hosts=f"127.2.0.0/16:{port}")
        imported = _import_all(installation, feeds, port)
        starting = installation.manage("refresh_feeds", "--help")
        floor = json.loads(
            installation.run_module(
                "tests.bench.feed_floor",
                "--port",
                str(port),
                "--feeds",
                str(feeds),
                timeout_seconds=_PATIENCE_SECONDS,
            ).stdout
        )
        blogs.report()
        full = _refresh(installation, blogs, floor["full"])
        changed = round(feeds * CHANGED_SHARE)
        blogs.change(changed)
        unchanged = _refresh(installation, blogs, floor["unchanged"])
    shutil.rmtree(installation.data_dir)
    return FeedsFigures(
        facts=blogs.facts,
        starting_seconds=starting.cpu_seconds,
        import_seconds=imported.wall_seconds,
        full=full,
        unchanged=unchanged,
        mistakes=[*_wrong(full, feeds, feeds, feeds * ENTRIES), *_wrong(unchanged, feeds, changed, changed)]
        + ([] if full.asked["unconditional"] == feeds else ["not every feed was asked in full exactly once"])
        + (["known feeds were asked in full again"] if unchanged.asked.get("unconditional") else []),
    )


def _import_all(installation: Installation, feeds: int, port: int) -> Finished:
    outlines = "".join(
        f'<outline type="rss" text="Blog {number}" xmlUrl="http://{address_of(number)}:{port}/feed"/>'
        for number in range(feeds)
    )
    path = installation.data_dir / "feeds.opml"
    path.write_text(f'<opml version="2.0"><body><outline text="Ponds">{outlines}</outline></body></opml>')
    installation.manage("createsuperuser", "--noinput", "--username", "bench", "--email", "bench@example.org")
    return installation.manage("import_opml", str(path), "--user", "bench")


def _refresh(installation: Installation, blogs: Blogs, floor: dict[str, Any]) -> Pass:
    done = installation.manage("refresh_feeds", "--all", "--json", timeout_seconds=_PATIENCE_SECONDS)
    return Pass(
        wall_seconds=done.wall_seconds,
        cpu_seconds=done.cpu_seconds,
        peak_memory_bytes=done.peak_memory_bytes,
        floor_wall_seconds=floor["wall_seconds"],
        floor_cpu_seconds=floor["cpu_seconds"],
        result=json.loads(done.stdout),
        asked=blogs.report(),
    )


def _wrong(done: Pass, feeds: int, changed: int, posts: int) -> Iterator[str]:
    wanted = {"total": feeds, "changed": changed, "unchanged": feeds - changed, "failed": 0, "new_posts": posts}
    for name, count in wanted.items():
        if done.result[name] != count:
            yield f"the refresh counts {done.result[name]} as {name.replace('_', ' ')}, not {count}"
