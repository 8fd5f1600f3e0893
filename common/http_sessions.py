"""Connections of the gate: a session per server, without any state that a server could leave in it."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections import OrderedDict
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy

import requests

from common.http_targets import Target
from common.transport import GateAdapter

_MAX_IDLE_SESSIONS = 64


class QuietSession(requests.Session):
    """A session that leaves redirects to the gate, and knows no cookies, no proxies and no passwords of the host."""

    def __init__(self, adapter: GateAdapter) -> None:
        super().__init__()
        self.trust_env = False
        self.adapters.clear()
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Sessions:
    """One session per server, kept open for the next request; the longest idle ones go when there are many."""

    def __init__(self, ssl_context: ssl.SSLContext) -> None:
        self._ssl_context = ssl_context
        self._lock = threading.Lock()
        self._sessions: OrderedDict[tuple[str, str, int], QuietSession] = OrderedDict()
        self._users: dict[tuple[str, str, int], int] = {}

    @contextlib.contextmanager
    def borrow(self, target: Target) -> Iterator[QuietSession]:
        key = (target.scheme, target.host, target.port)
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = QuietSession(GateAdapter(*key, self._ssl_context))
            session = self._sessions[key]
            self._sessions.move_to_end(key)
            self._users[key] = self._users.get(key, 0) + 1
        try:
            yield session
        finally:
            self._give_back(key)

    def close(self) -> None:
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), OrderedDict()
        for session in sessions:
            session.close()

    def _give_back(self, key: tuple[str, str, int]) -> None:
        dropped = []
        with self._lock:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key]
            for idle in [key for key in self._sessions if key not in self._users]:
                if len(self._sessions) <= _MAX_IDLE_SESSIONS:
                    break
                dropped.append(self._sessions.pop(idle))
        for session in dropped:
            session.close()
