"""Small scripted servers that speak the Mastodon API on loopback: they page, limit, stall, redirect and lie as told.

A test makes a ``Fediverse``, adds servers, puts statuses on their timelines and gives some of them a ``script``.
Everything that was asked is on record.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TIMELINE = "/api/v1/timelines/tag/"
STATUSES = "/api/v1/statuses/"
NOON = datetime(2026, 2, 23, 12, 0, tzinfo=UTC)

Status = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it came; ``number`` counts those for timelines of this server, from 1."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float
    number: int
    body: bytes = b""

    @property
    def is_timeline(self) -> bool:
        return self.path.startswith(TIMELINE)

    @property
    def is_local(self) -> bool:
        return self.query.get("local") == "true"


@dataclass
class Reply:
    """``body`` bytes are sent as they are, anything else as JSON. ``hang_up``: no answer at all.

    A list of values in ``headers`` is sent as that many headers. ``raw`` gets the socket, and an event that is set
    when the server is stopped, and sends what it likes.
    """

    body: Any = b""
    status: int = 200
    headers: dict[str, Any] = field(default_factory=dict)
    delay_seconds: float = 0
    hang_up: bool = False
    raw: Callable[[socket.socket, threading.Event], None] | None = None


Script = Callable[[Asked], Reply | None]


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A crawler that is killed resets its connections; everything else is a fault of the test's."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class RemoteServer:
    """One server; ``name`` is known once it runs. ``script`` may answer a timeline request; None: as usual.

    ``posts``: its own statuses by id, asked for one by one; ``others``: what it says at other paths.
    """

    def __init__(self, *, script: Script | None = None, robots: str | None = None, page_rows: int = 40) -> None:
        self.script = script
        self.robots = robots
        self.page_rows = page_rows
        self.latency_seconds = 0.0
        self.statuses: list[Status] = []
        self.posts: dict[str, Status] = {}
        self.others: dict[str, Callable[[Asked], Reply]] = {}
        self.asked: list[Asked] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._http = _QuietServer(("127.0.0.1", 0), self._make_handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self._http.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def pages_asked(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.is_timeline]

    def toot(self, number: int, minutes: float, **values: Any) -> Status:
        """A new toot of this server, ``minutes`` after noon, on its own timeline."""
        moment = NOON + timedelta(minutes=minutes)
        status = make_status(self.name, number, moment, **values)
        self.show(status)
        self.posts[str(number)] = status
        return status

    def show(self, *statuses: Status, **values: Any) -> None:
        """Put copies of statuses on this timeline, changed by ``values``."""
        self.statuses += [{**status, **values} for status in statuses]

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/robots.txt":
            return Reply(status=404) if self.robots is None else Reply(self.robots.encode())
        if asked.path in self.others:
            return self.others[asked.path](asked)
        if asked.path.startswith(STATUSES) and (status := self.posts.get(asked.path.removeprefix(STATUSES))):
            return Reply(status)
        if not asked.is_timeline:
            return Reply({"error": "Record not found"}, 404)
        scripted = self.script(asked) if self.script is not None else None
        return scripted or Reply(self.page(asked))

    def page(self, asked: Asked) -> list[Status]:
        rows = sorted(self.statuses, key=lambda status: int(status["id"]), reverse=True)
        if asked.is_local:
            rows = [row for row in rows if row["uri"].startswith(f"http://{self.name}/")]
        if "max_id" in asked.query:
            rows = [row for row in rows if int(row["id"]) < int(asked.query["max_id"])]
        return rows[: self.page_rows]

    def _note(self, path: str, headers: dict[str, str], body: bytes) -> Asked:
        parts = urlsplit(path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        with self._lock:
            is_timeline = parts.path.startswith(TIMELINE)
            number = len(self.pages_asked) + is_timeline
            asked = Asked(parts.path, query, headers, time.monotonic(), number, body)
            self.asked.append(asked)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        return asked

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                headers = {key.lower(): value for key, value in self.headers.items()}
                asked = server._note(self.path, headers, self.rfile.read(int(headers.get("content-length", "0"))))
                try:
                    reply = server.answer(asked)
                    time.sleep(server.latency_seconds + reply.delay_seconds)
                finally:
                    with server._lock:
                        server._in_flight -= 1
                if reply.hang_up:
                    self.close_connection = True
                    return
                if reply.raw is not None:
                    self.close_connection = True
                    with contextlib.suppress(OSError):  # the crawler hung up
                        reply.raw(self.connection, server._stopping)
                    return
                self._send(reply)

            def _send(self, reply: Reply) -> None:
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                try:
                    self.send_response(reply.status)
                    for key, value in {"Content-Type": "application/json", **reply.headers}.items():
                        for one in value if isinstance(value, list) else [value]:
                            self.send_header(key, one)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # the crawler hung up

            def log_message(self, format: str, *args: Any) -> None:
                """Tests are quiet."""

        return Handler


class Fediverse:
    """Servers that end with the ``with`` block."""

    def __init__(self) -> None:
        self.servers: list[RemoteServer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self.servers:
            server.stop()

    def add(self, **values: Any) -> RemoteServer:
        server = RemoteServer(**values)
        server.start()
        self.servers.append(server)
        return server

    @property
    def private_hosts(self) -> list[str]:
        return [server.name for server in self.servers]


def make_status(server: str, number: int, moment: datetime, **values: Any) -> Status:
    """A public status with #monsterdon of ``server``, with an id as Mastodon gives."""
    user = values.pop("user", "ada")
    account = {
        "id": "1",
        "username": user,
        "acct": f"{user}@{server}",
        "display_name": user.title(),
        "url": f"http://{server}/@{user}",
        "note": "",
        "fields": [],
        "bot": False,
    }
    status = {
        "id": str((int(moment.timestamp() * 1000) << 16) + number),
        "uri": f"http://{server}/users/{user}/statuses/{number}",
        "url": f"http://{server}/@{user}/{number}",
        "created_at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "edited_at": None,
        "in_reply_to_id": None,
        "content": f"<p>toot {number} #monsterdon</p>",
        "spoiler_text": "",
        "language": "en",
        "visibility": "public",
        "tags": [{"name": "monsterdon"}],
        "reblogs_count": 0,
        "favourites_count": 0,
        "replies_count": 0,
        "media_attachments": [],
        "account": {**account, **values.pop("account", {})},
    }
    return {**status, **values}


def fail_first(times: int, reply: Callable[[], Reply]) -> Script:
    """A script that gives this reply to the first requests, then behaves."""
    return lambda asked: reply() if asked.number <= times else None


def always(reply: Callable[[], Reply]) -> Script:
    return lambda asked: reply()


def closed_to_strangers(status: int = 401) -> Script:
    """Whole view refused, own toots open."""
    return lambda asked: None if asked.is_local else Reply({"error": "This method requires auth"}, status)


def uris(statuses: Iterable[Status]) -> set[str]:
    return {status["uri"] for status in statuses}
