"""A crew in a process of its own, so that walking and storing do not wait for one another's processor.

Python lets one thread of a process work at a time. With dozens of walks in the process that stores, every statement
to the database has to wait for them, and every walk for the statements. The process behind this (``outpost_work``)
knows servers, and neither database nor settings nor tokens. It ends with its input, so it never outlives us.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import pickle
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from typing import IO, Any

from common.confined import LENGTH
from common.http import GatePolicy
from pipeline.crawl.crews import News, Orders
from pipeline.crawl.messages import Assignment, Place, Receipt

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
_F_SETPIPE_SZ, _PIPE_BYTES = 1031, 1_000_000  # of Linux
# What Python may need to start. Nothing else of our environment, where there are keys and passwords.
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")
# Of glibc: one heap for all threads, as they read one page at a time, and what is free in it given back.
_SMALL_HEAPS = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "2000000", "MALLOC_MMAP_THRESHOLD_": "8000000"}
_END_SECONDS = 5.0
_LOCK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class OutpostReady:
    """The first that an outpost says: it takes walks."""


class WalkFailed(Exception):
    """A fault of ours in a walk; the text is the traceback, as not every exception can cross to another process."""


@dataclass(frozen=True, slots=True)
class PackedNews:
    """As it came. Whoever listens for it has other threads to think of, so who wants to know unpacks it."""

    packed: bytes

    def unpack(self) -> News | OutpostReady:
        news: News | OutpostReady = pickle.loads(self.packed)  # noqa: S301 - from a process of ours
        return news


@dataclass(frozen=True, slots=True)
class OutpostGone:
    """The process ended although nobody wanted it to."""

    outpost: Outpost


OutpostNews = PackedNews | OutpostGone


class Outpost:
    """The process, and what stands for it here: every call is one message. ``tell`` is called from a thread here."""

    def __init__(self, orders: Orders, policy: GatePolicy, tell: Callable[[OutpostNews], None]) -> None:
        """OSError when there can be no such process."""
        self._tell = tell
        self._lock = threading.Lock()
        self._is_ending = False
        self.is_ready = False
        self._process = Popen(
            [sys.executable, "-m", "pipeline.crawl.outpost_work"],
            cwd=_ROOT,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _SMALL_HEAPS,
            stdin=PIPE,
            stdout=PIPE,
            # Out of reach of a Ctrl-C at our terminal: what it means for the crawl is ours to say.
            start_new_session=True,
        )
        for pipe in (self._input, self._output):
            with contextlib.suppress(OSError):  # as much as a page of new toots, so that telling it takes no time
                fcntl.fcntl(pipe, _F_SETPIPE_SZ, _PIPE_BYTES)
        self._listener = threading.Thread(target=self._listen, name="outpost", daemon=True)
        self._listener.start()
        self._send(orders, policy)

    def walk(self, assignment: Assignment, valid_until: float) -> None:
        self._send("walk", assignment, valid_until)

    def hold(self, walks: Collection[int], valid_until: float) -> None:
        self._send("hold", walks, valid_until)

    def confirm(self, receipts: Sequence[Receipt]) -> None:
        self._send("confirm", receipts)

    def learn(self, places: Mapping[str, Place]) -> None:
        self._send("learn", places)

    def note_elsewhere(self, requests: int, received_bytes: int) -> None:
        self._send("note_elsewhere", requests, received_bytes)

    def halt(self) -> None:
        self._is_ending = True
        if not self._lock.acquire(timeout=_LOCK_SECONDS):
            self._process.kill()  # it does not even read; that ends the waiting of whoever writes
            return
        try:
            with contextlib.suppress(OSError):
                self._input.close()
        finally:
            self._lock.release()

    def close(self) -> None:
        self.halt()
        try:
            self._process.wait(_END_SECONDS)
        except TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        self._output.close()

    @property
    def _input(self) -> Any:
        return self._process.stdin

    @property
    def _output(self) -> Any:
        return self._process.stdout

    def _send(self, *message: Any) -> None:
        # OSError: the process is gone; the listener says so. ValueError: the pipe is closed, as we are ending.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._input.write(pack(message))
            self._input.flush()

    def _listen(self) -> None:
        while (packed := _read_piece(self._output)) is not None:
            self.is_ready = True
            self._tell(PackedNews(packed))
        if not self._is_ending:
            logger.warning("a process of the crawl ended before its time")
            self._tell(OutpostGone(self))


def pack(value: Any) -> bytes:
    """As it goes through a pipe, with its length in front."""
    packed = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(packed)) + packed


def unpack(stream: IO[bytes]) -> Any:
    """The next value of a pipe; EOFError behind the last."""
    packed = _read_piece(stream)
    if packed is None:
        raise EOFError
    return pickle.loads(packed)  # noqa: S301 - from a process of ours


def _read_piece(stream: IO[bytes]) -> bytes | None:
    """None at the end, and where the writer died in the middle of a piece."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    packed = stream.read(length)
    return packed if len(packed) == length else None
