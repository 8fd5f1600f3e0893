"""A WebSub hub on loopback: takes subscriptions, asks back when the test says so, sends news with a signature."""

from __future__ import annotations

import hashlib
import hmac
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from tests.remote.feed_host import RSS


@dataclass
class Reply:
    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


class Hub:
    """``asked`` holds the form of every request; ``status`` is what they are answered with.

    ``is_hasty``: asks back before it answers, as hubs of old did.
    """

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.status = 202
        self.is_hasty = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
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
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hub"

    def asked_for(self, mode: str) -> list[dict[str, str]]:
        return [form for form in self.asked if form["hub.mode"] == mode]

    def confirm(self, form: dict[str, str], **changes: str) -> Reply:
        """Ask back whether it was meant; ``changes`` replace parameters (``topic``, ``mode`` and so on)."""
        params = {"mode": form["hub.mode"], "topic": form["hub.topic"], "challenge": "frogs & toads <b>"}
        if "hub.lease_seconds" in form:
            params["lease_seconds"] = form["hub.lease_seconds"]
        query = urlencode({f"hub.{name}": value for name, value in {**params, **changes}.items()})
        return call(f"{form['hub.callback']}?{query}")

    def push(self, form: dict[str, str], body: bytes, *, method: str = "sha256", **headers: str) -> Reply:
        """Send a document to who asked with that form."""
        signature = hmac.new(form["hub.secret"].encode(), body, getattr(hashlib, method)).hexdigest()
        named = {"Content-Type": RSS, "X-Hub-Signature": f"{method}={signature}"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return call(form["hub.callback"], body, named)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                hub.asked.append(dict(parse_qsl(text)))
                if hub.is_hasty:
                    hub.confirm(hub.asked[-1])
                self.send_response(hub.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Tests look at ``asked``."""

        return Handler


def call(url: str, body: bytes | None = None, headers: dict[str, Any] | None = None) -> Reply:
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Reply(answer.status, answer.read().decode(), dict(answer.headers))
    except urllib.error.HTTPError as error:
        return Reply(error.code, error.read().decode(), dict(error.headers))
