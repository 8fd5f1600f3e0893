"""A request in flight as something that can be ended from outside, and the watcher that ends those out of time.

Time-outs of sockets are per read: a server that sends a byte now and then holds a reader for ever. So every request
is a Line with a deadline, and one thread per gate shuts the socket of a line whose time is up; its reader wakes then.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from common.addresses import PrivateHost
from common.errors import RemoteError
from common.http_errors import Aborted, TimedOut, TooLarge

# Status line, headers and chunk sizes, on top of the body.
_OVERHEAD_BYTES = 256_000
_IDLE_SECONDS = 5.0

_in_thread = threading.local()


class Line:
    """One request of one thread, through all its redirects.

    ``cut`` ends it from any thread; whatever the owner waits for then returns at once, and ``check`` raises.
    """

    def __init__(
        self,
        *,
        seconds: float,
        max_bytes: int,
        private_hosts: Sequence[PrivateHost] = (),
        allows_plain_http: bool = False,
    ) -> None:
        self.server = ""
        self.private_hosts = private_hosts
        self.allows_plain_http = allows_plain_http
        self.deadline = time.monotonic() + seconds
        self.is_reused = False
        self.exchange_bytes = 0
        self._max_exchange_bytes = max_bytes + _OVERHEAD_BYTES
        self._lock = threading.Lock()
        self._wake: Callable[[], None] | None = None
        self._ending: type[RemoteError] | None = None

    def attach(self, wake: Callable[[], None]) -> None:
        """``wake`` makes what this line now waits for return; raises if the line was cut already."""
        with self._lock:
            if self._ending is None:
                self._wake = wake
        self.check()

    def detach(self) -> None:
        with self._lock:
            self._wake = None

    def cut(self, ending: type[RemoteError]) -> None:
        """End the line: TimedOut or Aborted. The first ending stays."""
        with self._lock:
            if self._ending is not None:
                return
            self._ending = ending
            if self._wake is not None:
                self._wake()

    def check(self) -> None:
        """Raise the ending, if there is one."""
        if self._ending is None and self.seconds_left() <= 0:
            self.cut(TimedOut)
        if self._ending is Aborted:
            raise Aborted("stopped on request", server=self.server)
        if self._ending is TimedOut:
            raise TimedOut(
                f"{self.server} took too long to answer",
                server=self.server,
                user_message=f"{self.server} took too long to answer.",
            )

    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    def begin_exchange(self, server: str) -> None:
        """The next hop or try: nothing has been received in it yet."""
        self.check()
        self.server = server
        self.is_reused = False
        self.exchange_bytes = 0

    def count(self, received: int) -> None:
        """Note bytes from the wire; TooLarge when a server sends more than any answer we want."""
        self.exchange_bytes += received
        if self.exchange_bytes > self._max_exchange_bytes:
            raise too_large(self.server)

    @contextlib.contextmanager
    def in_this_thread(self) -> Iterator[None]:
        """While the block runs, connections used in this thread belong to this line."""
        _in_thread.line = self
        try:
            yield
        finally:
            del _in_thread.line
            self.detach()


def current_line() -> Line:
    """The line of the request running in this thread."""
    line: Line = _in_thread.line
    return line


def too_large(server: str) -> TooLarge:
    return TooLarge(
        f"{server} sent more than we read",
        server=server,
        permanent=True,
        user_message=f"{server} sent a larger answer than we accept.",
    )


def shut(sock: socket.socket) -> None:
    """End a connection under whoever reads or writes it."""
    # The method of the plain socket, as that of SSLSocket would change the state its reader works with.
    with contextlib.suppress(OSError):  # closed by its owner meanwhile: nobody waits any more
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Watcher:
    """Cuts lines at their deadline, from one thread that lives while there is something to watch."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, int, Line]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._is_running = False
        self._is_closed = False

    def watch(self, line: Line) -> None:
        with self._changed:
            heapq.heappush(self._lines, (line.deadline, next(self._order), line))
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="gate-watcher", daemon=True).start()
            elif self._lines[0][2] is line:
                self._changed.notify()

    def close(self) -> None:
        """Nothing is watched any more; the thread ends."""
        with self._changed:
            self._is_closed = True
            self._lines.clear()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._lines and not self._is_closed:
                    self._changed.wait(_IDLE_SECONDS)
                if not self._lines:
                    self._is_running = False
                    return
                pause = self._lines[0][0] - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                    continue
                line = heapq.heappop(self._lines)[2]
            line.cut(TimedOut)
