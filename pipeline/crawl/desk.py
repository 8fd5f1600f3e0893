"""One desk for all walks of a process: whoever has got a page reads it there, those found last before the others."""

from __future__ import annotations

import heapq
import itertools
import threading


class Desk:
    """A lock that goes to the waiting one of the smallest rank.

    Python lets one thread work at a time, in no order and for some milliseconds each; with dozens of pages to be read
    that keeps everybody waiting for everybody. Here one reads while the others sleep, and a chain of servers of which
    each names the next does not wait behind pages that lead nowhere.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._waiting: list[tuple[int, int, threading.Lock]] = []
        self._order = itertools.count()

    def seat(self, rank: int) -> Seat:
        return Seat(self, rank)

    def count_waiting(self) -> int:
        with self._lock:
            return len(self._waiting)

    def take(self, rank: int) -> None:
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return
            called = threading.Lock()
            called.acquire()
            heapq.heappush(self._waiting, (rank, next(self._order), called))
        called.acquire()

    def leave(self) -> None:
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[2].release()
            else:
                self._is_taken = False


class Seat:
    """One walk at the desk. Nobody may wait for a server, or for anything else, while sitting there."""

    def __init__(self, desk: Desk, rank: int) -> None:
        self._desk = desk
        self._rank = rank
        self._is_mine = False

    def take(self) -> None:
        """As soon as everybody of smaller rank is served; nothing happens if one sits there already."""
        if not self._is_mine:
            self._desk.take(self._rank)
            self._is_mine = True

    def leave(self) -> None:
        if self._is_mine:
            self._is_mine = False
            self._desk.leave()
