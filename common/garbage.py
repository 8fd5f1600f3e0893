"""Memory when much is made at once: the garbage collector kept back, the heaps of threads kept few."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_RARELY = (100_000, 20, 100)
# https://man7.org/linux/man-pages/man3/mallopt.3.html
_M_ARENA_MAX = -8
_HEAPS = 2


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect seldom, and not look at what is there already, until the block ends; within another one: nothing.

    With a program's modules in memory every full collection looks at some hundred thousand objects that stay anyway.
    """
    before = gc.get_threshold()
    if before == _RARELY:
        yield
        return
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def share_heaps() -> None:
    """Let the threads of this process share two heaps of the C library, from now on.

    By default glibc gives each of many threads a heap of its own, and what one thread freed is of no use to the
    others: with 64 of them that is 30 MB of nothing. Where the C library knows no such setting, nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _HEAPS)
