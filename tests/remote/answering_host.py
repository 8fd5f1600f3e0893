"""A server on loopback whose answers a test writes in Python: for services that are spoken to, not read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import orjson


@dataclass
class Call:
    """One request as it came. ``path`` is without the query."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


@dataclass
class Reply:
    """``value`` is sent as JSON unless it is bytes. ``hold``: answered when it is set."""

    status: int = 200
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up when they have had enough; that is what some tests are about."""


class AnsweringHost:
    """``answer`` makes every answer; ``calls`` are what was asked, in their order."""

    def __init__(self, answer: Callable[[Call], Reply]) -> None:
        self.answer = answer
        self.calls: list[Call] = []
        self._holding: list[threading.Event] = []
        self._server = _QuietServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for event in self._holding:
            event.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def url(self, path: str = "") -> str:
        address, port = self._server.server_address[:2]
        return f"http://{address!s}:{port}{path}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(
                    self.command,
                    parts.path,
                    parse_qs(parts.query, keep_blank_values=True),
                    headers,
                    self.rfile.read(length),
                )
                host.calls.append(call)
                reply = host.answer(call)
                if reply.hold is not None:
                    host._holding.append(reply.hold)
                    reply.hold.wait(60)
                body = reply.value if isinstance(reply.value, bytes) else orjson.dumps(reply.value)
                try:
                    self.send_response(reply.status)
                    for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # the client has hung up

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Tests look at ``calls``."""

        return Handler
