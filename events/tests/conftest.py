"""A server that knows one token, and a sample INI file."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

SAMPLE = """\
[mastoscore]
api_base_url = https://home.example
hashtag = monsterdon
event_title = Monsterdon
episode_title = 100% The Blob (1958)
event_year = 2026
event_month = 2
event_day = 22
event_start = 2026-02-22T21:00:00-05:00
event_duration = 1:30:00
timezone = America/New_York
journaldir = data

[analyse]
top_n = 5

[wordcloud]
stop_words = the, and
"""


@pytest.fixture
def sample() -> str:
    return SAMPLE


@dataclass
class TokenServer:
    """Answers the one question `whose token is this?`; ``status`` overrides the answer."""

    name: str = ""
    token: str = "right-token"
    username: str = "host"
    status: int = 0
    seen: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        self.seen.append((path, authorization))
        if self.status:
            return self.status, b"{}"
        if authorization != f"Bearer {self.token}":
            return 401, b'{"error": "The access token is invalid"}'
        account = {"id": "1", "username": self.username, "acct": self.username, "display_name": "Host"}
        return 200, json.dumps({**account, "url": f"http://{self.name}/@{self.username}"}).encode()


@pytest.fixture
def token_server(settings: Any) -> Iterator[TokenServer]:
    remote = TokenServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = remote.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Not into the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        remote.name = f"127.0.0.1:{server.server_port}"
        settings.MASTOSCORE_PRIVATE_HOSTS = ["127.0.0.0/8"]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield remote
        server.shutdown()
        thread.join()
