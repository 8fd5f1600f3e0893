"""Programs run and measured: wall time, CPU time and memory of a process with everything it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.memory import MemoryWatch
from tests.bench.sizes import Size

ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 600.0
_SHOWN_LINES = 15


class BenchFailed(Exception):
    """A program of the benchmark did not do what it should."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that ended well. CPU and memory: of it and all its children together."""

    started_at: float
    ended_at: float
    cpu_seconds: float
    peak_memory_bytes: int
    stdout: str

    @property
    def wall_seconds(self) -> float:
        return self.ended_at - self.started_at


def run(command: Sequence[str], *, environment: Mapping[str, str], timeout_seconds: float) -> Finished:
    """Run a program to its end. BenchFailed if it fails or takes longer; its whole process group is killed then."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        started_at = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=complaints,
            start_new_session=True,
        )
        is_late, watch = threading.Event(), MemoryWatch(process.pid)
        timer = threading.Timer(timeout_seconds, _kill, [process, is_late])
        timer.start()
        try:
            # Its usage alone: that of RUSAGE_CHILDREN adds up everything this process ever started.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _kill(process, is_late)
            process.wait()
            raise
        finally:
            timer.cancel()
            watch.stop()
        ended_at = time.monotonic()
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = [_text_of(stream) for stream in (output, complaints)]
    if process.returncode != 0:
        why = f"took longer than {timeout_seconds:.0f} s" if is_late.is_set() else f"ended with {process.returncode}"
        raise BenchFailed(f"{_named(command)} {why}:\n{_last_lines(texts)}")
    peak_bytes = max(watch.peak_bytes, usage.ru_maxrss * 1024)  # that of the largest one, which is never missed
    return Finished(started_at, ended_at, usage.ru_utime + usage.ru_stime, peak_bytes, texts[0])


class Fediverse:
    """A generated fediverse in a process of its own; ``facts`` are those of its world."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.facts = self._hear()

    @property
    def home(self) -> str:
        return str(self.facts["home"])

    def report(self) -> dict[str, Any]:
        return self._ask({"do": "report"})

    def differences(self, database: Path, slug: str) -> list[str]:
        """What a crawl that was to bring home everything did not."""
        found = self._ask({"do": "check", "database": str(database), "slug": slug})
        return [str(sentence) for sentence in found["differences"]]

    def count(self, database: Path, slug: str) -> tuple[int, int]:
        """How many toots a crawl found, and how many that do not exist."""
        counted = self._ask({"do": "count", "database": str(database), "slug": slug})
        return int(counted["found"]), int(counted["invented"])

    def _ask(self, command: dict[str, str]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchFailed("the generated fediverse ended before its time; see above")
        heard: dict[str, Any] = json.loads(line)
        return heard


@contextmanager
def open_fediverse(size: Size) -> Iterator[Fediverse]:
    """A fediverse of that size, ready; gone when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.server", *size.as_arguments()],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    timer = threading.Timer(_READY_SECONDS, process.kill)
    timer.start()
    try:
        yield Fediverse(process)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _kill(process: subprocess.Popen[bytes], is_late: threading.Event) -> None:
    is_late.set()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _text_of(stream: Any) -> str:
    stream.seek(0)
    text: str = stream.read().decode(errors="replace")
    return text


def _named(command: Sequence[str]) -> str:
    return " ".join(Path(part).name if "/" in part else part for part in command[1:4])


def _last_lines(texts: Sequence[str]) -> str:
    return "\n".join(line for text in texts for line in text.splitlines()[-_SHOWN_LINES:])
