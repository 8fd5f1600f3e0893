"""Hosts that answer for a feed with everything that hurts: each on a port of its own, one script per connection.

``HOSTILE`` is the catalogue: what is sent, and whether a feed is to be made of it (``survives``: the entries that are
left) or a failure with these ``words`` in the sentence for its owner.
"""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.remote.feed_host import item, rss

Send = Callable[[socket.socket, threading.Event], None]
_LINK = "https://blog.example/1"


@dataclass(frozen=True)
class Hostile:
    """``survives``: how many posts come of it; None: it is a failure."""

    name: str
    send: Send
    words: str = ""
    survives: int | None = None


class HostileHost:
    """Reads the head of each request and leaves the rest to the script."""

    def __init__(self, send: Send, address: str = "127.0.0.1") -> None:
        self._send = send
        self._stopping = threading.Event()
        self._listener = socket.create_server((address, 0))
        self._listener.settimeout(0.1)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.asked = 0
        self.url = f"http://{address}:{self._listener.getsockname()[1]}/feed"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        self.asked += 1
        with connection, suppress(OSError):
            connection.settimeout(30)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            self._send(connection, self._stopping)


# --- ways to answer -------------------------------------------------------------------------------------------------
def _page(body: bytes, *headers: str, kind: str = "application/rss+xml", status: str = "200 OK") -> Send:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    answer = "\r\n".join([*lines, *headers]).encode() + b"\r\n\r\n" + body

    def send(sock: socket.socket, stopping: threading.Event) -> None:
        sock.sendall(answer)

    return send


def _redirect(location: str) -> Send:
    return _page(b"", f"Location: {location}", status="302 Found")


def _raw(*pieces: bytes) -> Send:
    def send(sock: socket.socket, stopping: threading.Event) -> None:
        for piece in pieces:
            sock.sendall(piece)

    return send


def _again(head: bytes, piece: bytes, *, pause_seconds: float) -> Send:
    """The head, then the piece for as long as somebody listens."""

    def send(sock: socket.socket, stopping: threading.Event) -> None:
        sock.sendall(head)
        while not stopping.wait(pause_seconds):
            sock.sendall(piece)

    return send


def _silent(sock: socket.socket, stopping: threading.Event) -> None:
    stopping.wait(60)


_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"


def _bomb() -> bytes:
    """A gzip stream of some kilobytes that unpacks to 200 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1_000_000)
    return b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()


def _laughs() -> bytes:
    entities = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10 if n else 'ha' * 50}'>" for n in range(12))
    document = rss(item(1, title="&a11;", link=_LINK)).decode().partition("?>")[2]
    return f"<?xml version='1.0'?><!DOCTYPE rss [{entities}]>{document}".encode()


def _outside(address: str) -> bytes:
    document = rss(item(1, title="Secret: &s;", link=_LINK)).decode().partition("?>")[2]
    return f"<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY s SYSTEM '{address}'>]>{document}".encode()


def _many(count: int) -> bytes:
    return rss("".join(f"<item><guid>{n}</guid></item>" for n in range(count)))


def _wrong_types() -> bytes:
    items: list[Any] = [
        *(None, 7, "x", [], {}),
        {"id": {"a": 1}, "url": ["x"], "title": {"b": 2}, "content_html": 7, "tags": "x", "authors": {"name": 1}},
        {"id": 5, "title": "Five", "date_published": {"y": 1}, "attachments": [None, {"url": 7}, {"url": "/x"}]},
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": ["x"], "items": items, "hubs": {"x": 1}}
    return json.dumps(feed).encode()


def _deep() -> bytes:
    return rss("<item><title>T</title><guid>1</guid><description>" + "<b>" * 400_000 + "</description></item>")


def _odd_dates() -> bytes:
    dates = ["", "yesterday", "99999-99-99T99:99:99Z", "Sat, 31 Feb 2026 25:61:61 GMT", "1" * 5000, "-1", "\u0663"]
    return rss(*(item(n, date=date or " ") for n, date in enumerate(dates)))


HOSTILE = [
    Hostile("gzip bomb", _page(_bomb(), "Content-Encoding: gzip"), "larger"),
    Hostile("bomb in a bomb", _page(gzip.compress(_bomb()), "Content-Encoding: gzip, gzip"), "."),
    Hostile("entities that multiply", _page(_laughs()), survives=1),
    Hostile("a file of ours", _page(_outside("file:///etc/passwd")), survives=1),
    Hostile("an address of ours", _page(_outside("http://127.0.0.1:9/")), survives=1),
    Hostile("no end", _again(_OK + b"\r\n<rss>", b"<item>" * 10_000, pause_seconds=0), "larger"),
    Hostile("drops", _again(_OK + b"\r\n<rss>", b"x", pause_seconds=0.1), "."),
    Hostile("silence", _silent, "."),
    Hostile("headers without end", _again(_OK, b"X-More: " + b"y" * 1000 + b"\r\n", pause_seconds=0), "."),
    Hostile("wrong types", _page(_wrong_types(), kind="application/feed+json"), survives=3),
    Hostile("100,000 entries", _page(_many(100_000)), survives=1000),
    Hostile("title of 10 MB", _page(rss(item(1, title="t" * 10_000_000, link=_LINK))), "larger"),
    Hostile("title of 4 MB", _page(rss(item(1, title="t" * 4_000_000, link=_LINK))), survives=1),
    Hostile("nulls", _page(rss(item(1, title="a\0b", link=_LINK)).replace(b"frogs", b"fr\0gs")), survives=1),
    Hostile("dates that are none", _page(_odd_dates()), survives=7),
    Hostile("too deep", _page(_deep()), survives=1),
    Hostile("redirect to itself", _redirect("/feed"), "."),
    Hostile("redirect inside", _redirect("http://10.0.0.1/feed"), "."),
    Hostile("redirect to a file", _redirect("file:///etc/passwd"), "."),
    Hostile("a page", _page(b"<html><body><p>Hello" + b"<div>" * 50_000, kind="text/html"), "."),
    Hostile("nothing", _page(b""), "."),
    Hostile("hung up", _raw(_OK + b"Content-Length: 100000\r\n\r\n<rss>"), "."),
    Hostile("no HTTP", _raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "."),
    Hostile("no gzip", _page(rss(item(1)), "Content-Encoding: gzip"), "."),
    Hostile("signs", _page(b"<" * 3_000_000), "."),
]
