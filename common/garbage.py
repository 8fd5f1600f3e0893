"""The garbage collector kept back while much is made and little of it refers to itself."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_RARELY = (100_000, 20, 100)


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
