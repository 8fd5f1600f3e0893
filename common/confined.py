"""Work on what strangers sent in a process of its own, with bounded memory and time.

For libraries whose appetite we do not know, such as decoders of pictures. The process is started when it is first
needed, serves any number of calls, is ended when it takes too long or dies of its limits, and ends by itself when
ours does. It knows nothing of our settings: bytes go in, bytes come out.
"""

from __future__ import annotations

import select
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from common.errors import MastoscoreError

LENGTH = struct.Struct(">I")
_ROOT = Path(__file__).resolve().parent.parent
_MAX_ANSWER_BYTES = 20_000_000


class WorkFailed(MastoscoreError):
    """The process gave no answer: out of time, out of memory, or choked."""


class Confined:
    """``function``: ``module:name`` of a function from bytes to bytes, imported in the process only.

    Calls from several threads wait for each other; waiting is not counted as time of the call.
    """

    def __init__(self, function: str, *, max_megabytes: int, max_seconds: float) -> None:
        self._function = function
        self._max_megabytes = max_megabytes
        self._max_seconds = max_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, payload: bytes) -> bytes:
        """What the function makes of it; WorkFailed when it does not come to an end."""
        with self._lock:
            deadline = time.monotonic() + self._max_seconds
            try:
                process = self._running()
                answer = _exchange(process, payload, deadline)
            except (OSError, ValueError) as error:
                self._end()
                raise WorkFailed(f"{self._function}: {error}") from error
            if answer is None:
                self._end()
                raise WorkFailed(f"{self._function} gave no answer")
            return answer

    def close(self) -> None:
        with self._lock:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            limits = [str(self._max_megabytes), str(self._max_seconds)]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "common.confined_work", self._function, *limits],
                cwd=_ROOT,
                env={},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _exchange(process: subprocess.Popen[bytes], payload: bytes, deadline: float) -> bytes | None:
    """None when time is up or the process ended."""
    if process.stdin is None or process.stdout is None:
        return None
    # A thread of its own, as writing blocks while the process is busy starting; it ends with the pipe.
    writer = threading.Thread(target=_write, args=(process.stdin, LENGTH.pack(len(payload)) + payload), daemon=True)
    writer.start()
    head = _read(process.stdout, LENGTH.size, deadline)
    if head is None:
        return None
    (length,) = LENGTH.unpack(head)
    return _read(process.stdout, length, deadline) if length <= _MAX_ANSWER_BYTES else None


def _write(pipe: IO[bytes], content: bytes) -> None:
    view = memoryview(content)
    try:
        while view:
            view = view[pipe.write(view) :]
    except (OSError, ValueError):
        return  # the process is gone; the reader finds out


def _read(pipe: IO[bytes], length: int, deadline: float) -> bytes | None:
    received = bytearray()
    while len(received) < length:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return None
        piece = pipe.read(min(length - len(received), 1_000_000))
        if not piece:
            return None
        received += piece
    return bytes(received)
