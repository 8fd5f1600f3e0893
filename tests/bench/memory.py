"""How much memory a process and everything it started hold together, looked at several times a second."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

_LOOK_SECONDS = 0.1
# To find them means to read of every process of the machine, which would slow down what is measured.
_LOOKS_PER_SEARCH = 10
_PROC = Path("/proc")


class MemoryWatch:
    """``peak_bytes`` once stopped; 0 where there is no /proc. Files that several processes map are counted once."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory-watch", daemon=True)
        self.peak_bytes = 0
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        looks, family = 0, [self._pid]
        while not self._ended.wait(_LOOK_SECONDS):
            if looks % _LOOKS_PER_SEARCH == 0:
                family = find_family(self._pid)
            looks += 1
            self.peak_bytes = max(self.peak_bytes, count_bytes(family))


def find_family(pid: int) -> list[int]:
    """The process and its descendants."""
    children = defaultdict(list)
    for folder in _PROC.glob("[0-9]*"):
        if (parent := _parent_of(folder)) is not None:
            children[parent].append(int(folder.name))
    family = [pid]
    for member in family:
        family += children[member]
    return family


def count_bytes(family: Sequence[int]) -> int:
    """What these processes hold now; those that ended count nothing."""
    pages = [_pages_of(member) for member in family]
    own = sum(resident - shared for resident, shared in pages)
    return (own + max(shared for _, shared in pages)) * os.sysconf("SC_PAGE_SIZE")


def _parent_of(folder: Path) -> int | None:
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):  # it ended meanwhile
        return None


def _pages_of(pid: int) -> tuple[int, int]:
    """Resident pages, and those of them that are shared with others."""
    try:
        _, resident, shared, *_ = (_PROC / str(pid) / "statm").read_text().split()
    except (OSError, ValueError):
        return 0, 0
    return int(resident), int(shared)
