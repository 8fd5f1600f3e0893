"""Connections of the gate: a pool of one per server, without any state that a server could leave in it."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections import OrderedDict
from collections.abc import Iterator

from urllib3 import HTTPConnectionPool

from common.http_targets import Target
from common.transport import open_pool

_MAX_IDLE = 128


class Pools:
    """One connection per server, kept open for the next request; the longest idle ones go when there are many."""

    def __init__(self, ssl_context: ssl.SSLContext) -> None:
        self._ssl_context = ssl_context
        self._lock = threading.Lock()
        self._pools: OrderedDict[tuple[str, str, int], HTTPConnectionPool] = OrderedDict()
        self._users: dict[tuple[str, str, int], int] = {}

    @contextlib.contextmanager
    def borrow(self, target: Target) -> Iterator[HTTPConnectionPool]:
        key = target.origin
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = open_pool(*key, self._ssl_context)
            self._pools.move_to_end(key)
            self._users[key] = self._users.get(key, 0) + 1
        try:
            yield pool
        finally:
            self._give_back(key)

    def close(self) -> None:
        with self._lock:
            pools, self._pools = list(self._pools.values()), OrderedDict()
        for pool in pools:
            pool.close()

    def _give_back(self, key: tuple[str, str, int]) -> None:
        dropped = []
        with self._lock:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key]
            if len(self._pools) > _MAX_IDLE:
                idle = [key for key in self._pools if key not in self._users]
                dropped = [self._pools.pop(key) for key in idle[: len(self._pools) - _MAX_IDLE]]
        for pool in dropped:
            pool.close()
