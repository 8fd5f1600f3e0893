"""The process behind ``pipeline.crawl.outpost``: ``python -m pipeline.crawl.outpost_work``.

Reads messages from its input and calls its crew; what the crew tells goes to the output. Ends with its input.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO

from common.garbage import rare_collections
from common.http import Gate
from pipeline.crawl.crews import News, Orders, ThreadCrew
from pipeline.crawl.messages import Farewell
from pipeline.crawl.outpost import OutpostReady, WalkFailed, pack, unpack

_PR_SET_PDEATHSIG = 1
# Who only takes a receipt, or sends the next request, does not wait long for the one that reads a page.
_SWITCH_SECONDS = 0.001


class _Output:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, value: Any) -> None:
        packed = pack(value)
        # OSError: nobody reads any more, so the input is about to end as well.
        with self._lock, suppress(OSError):
            self._stream.write(packed)
            self._stream.flush()

    def tell(self, news: News) -> None:
        if isinstance(news, Farewell) and news.trouble is not None:
            import traceback

            news = replace(news, trouble=WalkFailed("".join(traceback.format_exception(news.trouble))))
        self.write(news)


def _die_with_parent() -> None:
    """At the same moment, even if that one is killed, where the system knows how; elsewhere when our input ends.

    https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _settle_down(orders: Orders) -> None:
    """Behind those that go first, and on one processor: of the threads of a Python process only one works at a time,
    and what it works with need not move from one cache to another."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    with suppress(OSError):
        os.nice(orders.niceness)
    with suppress(OSError, AttributeError):  # only Linux knows it
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[orders.processor % len(processors)]})


def main() -> None:
    _die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the end of the input says when to go
    messages, output = os.fdopen(os.dup(0), "rb"), _Output(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what a library prints is no news
    with suppress(EOFError), rare_collections():
        orders, policy = unpack(messages)
        _settle_down(orders)
        crew = ThreadCrew(orders, Gate(policy), output.tell)
        output.write(OutpostReady())
        while True:
            name, *values = unpack(messages)
            getattr(crew, name)(*values)
    os._exit(0)  # at once: whatever is still asked for now, nobody would store


if __name__ == "__main__":
    main()
