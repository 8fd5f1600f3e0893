"""A host of feeds on loopback: answers conditional requests, redirects, dawdles, goes away, sends bombs."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

RSS = "application/rss+xml"


def item(number: int, *, guid: str = "", title: str = "", text: str = "", date: str = "", link: str = "") -> str:
    """Items with a title of their own have an address of their own, as other feeds' pages do."""
    link = link or f"https://blog.example/{quote(title, safe='') or number}"
    return (
        f"<item><title>{title or f'Post {number}'}</title><link>{link}</link>"
        f"<guid isPermaLink='false'>{guid or f'id-{number}'}</guid>"
        f"<description><![CDATA[{text or f'<p>Text of post {number}.</p>'}]]></description>"
        f"<pubDate>{date or f'Sat, {number % 28 + 1:02} Aug 2026 10:00:00 GMT'}</pubDate></item>"
    )


def rss(*items: str, title: str = "A blog", extra: str = "") -> bytes:
    return (
        f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>{title}</title>"
        f"<link>https://blog.example/</link><description>About frogs</description>{extra}{''.join(items)}"
        "</channel></rss>"
    ).encode()


def posts(*numbers: int, title: str = "A blog") -> bytes:
    return rss(*(item(number) for number in numbers), title=title)


@dataclass
class Page:
    """What a path answers. ``etag`` and ``last_modified`` are compared byte for byte with what is asked for."""

    body: bytes = b""
    content_type: str = RSS
    status: int = 200
    etag: bytes = b""
    last_modified: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    gzipped: bool = False
    hold: threading.Event | None = None  # answered when it is set
    endless: bytes = b""  # sent again and again until the client hangs up


@dataclass
class Asked:
    path: str
    headers: dict[str, str]

    @property
    def is_conditional(self) -> bool:
        return "if-none-match" in self.headers or "if-modified-since" in self.headers


class FeedHost:
    """``pages`` by path; what is not there is 404. ``asked`` holds every request as it came."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.pages: dict[str, Page | Callable[[Asked], Page]] = {}
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer((address, 0), self._handler())
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
        self._stopping.set()
        for page in self.pages.values():
            if isinstance(page, Page) and page.hold is not None:
                page.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def host(self) -> str:
        address, port = self._server.server_address[:2]
        return f"{address!s}:{port}"

    def url(self, path: str = "/feed") -> str:
        return f"http://{self.host}{path}"

    def requests_for(self, path: str = "/feed") -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
                with host._lock:
                    host.asked.append(asked)
                    host._at_once += 1
                    host.most_at_once = max(host.most_at_once, host._at_once)
                try:
                    self._answer(asked)
                except OSError:
                    self.close_connection = True  # the client has hung up
                finally:
                    with host._lock:
                        host._at_once -= 1

            def _answer(self, asked: Asked) -> None:
                found = host.pages.get(self.path, Page(b"nothing here", "text/plain", 404))
                page = found(asked) if callable(found) else found
                if page.hold is not None:
                    page.hold.wait(60)
                is_known = self._is_known(page)
                body = b"" if is_known else gzip.compress(page.body) if page.gzipped else page.body
                self.send_response(304 if is_known else page.status)
                self._headers(page, len(body), has_body=not is_known)
                if page.endless:
                    while not host._stopping.is_set():
                        self.wfile.write(page.endless)
                self.wfile.write(body)

            def _is_known(self, page: Page) -> bool:
                if page.status != 200 or not (page.etag or page.last_modified):
                    return False
                given = (self.headers.get("If-None-Match", ""), self.headers.get("If-Modified-Since", ""))
                etag, moment = (text.encode("latin-1") for text in given)
                return etag == page.etag if page.etag else moment == page.last_modified

            def _headers(self, page: Page, length: int, *, has_body: bool) -> None:
                named = {"Content-Type": page.content_type, **page.headers}
                if has_body and not page.endless:
                    named["Content-Length"] = str(length)
                if page.endless:
                    self.close_connection = True
                if page.gzipped and has_body:
                    named["Content-Encoding"] = "gzip"
                for name, value in named.items():
                    self.send_header(name, value)
                buffer: Any = self._headers_buffer  # type: ignore[attr-defined]
                for line, value in ((b"ETag: ", page.etag), (b"Last-Modified: ", page.last_modified)):
                    if value:
                        buffer.append(line + value + b"\r\n")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Tests look at ``asked``."""

        return Handler
