"""Whether the worker this process belongs to is being stopped.

One byte of memory that the worker command shares with every process forked from it. Not a multiprocessing.Event:
that one has a lock, and a process killed while it holds the lock would block all others for ever.
"""

from __future__ import annotations

import mmap

_flag: mmap.mmap | None = None


def prepare() -> None:
    """Called in the main process of a worker, before it forks."""
    global _flag
    _flag = mmap.mmap(-1, 1)


def ask() -> None:
    """From now on no job is taken, and running ones go back to the queue."""
    if _flag is not None:
        _flag[0] = 1


def is_asked() -> bool:
    return _flag is not None and _flag[0] == 1
