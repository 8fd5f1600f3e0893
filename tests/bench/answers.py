"""Answers of the generated fediverse as bytes on the wire, with the headers a Mastodon server sends."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from tests.bench.books import Books
from tests.bench.pages import EMPTY, PageStore
from tests.bench.world import HASHTAG, PAGE_SIZE, World

_TAG_PATH = f"/api/v1/timelines/tag/{HASHTAG}".encode()
_VERSION = "4.3.4"
_KINDS = {
    b"/robots.txt": "robots",
    b"/.well-known/nodeinfo": "nodeinfo",
    b"/nodeinfo/2.0": "nodeinfo",
    b"/api/v1/instance": "instance",
    b"/api/v2/instance": "instance",
}
_COMMON_HEADERS = (
    "Server: Mastodon\r\n"
    "Vary: Authorization, Origin, Accept-Encoding\r\n"
    "X-Frame-Options: DENY\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-XSS-Protection: 0\r\n"
    "Referrer-Policy: same-origin\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; form-action 'none'\r\n"
    "Cache-Control: private, no-store\r\n"
    "Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n"
)


class Answerer:
    """Answers for every server. The rate limit it speaks of is never reached: a crawl at its fastest is measured."""

    def __init__(self, world: World, store: PageStore, books: Books) -> None:
        self._world = world
        self._store = store
        self._books = books
        most_pages = max(world.page_count(server) for server in range(len(world.names)))
        self._limit = max(300, 4 * most_pages)
        self._reset_at = f"{datetime.now(UTC) + timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}.000000Z"

    def kind_of(self, target: bytes) -> str:
        path = target.partition(b"?")[0]
        return "page" if path == _TAG_PATH else _KINDS.get(path.rstrip(b"/"), "other")

    def answer(self, server: int, kind: str, target: bytes, head: bytes) -> bytes:
        if kind == "page":
            return self._page(server, target, takes_gzip=b"gzip" in head)
        if kind == "nodeinfo":
            return _response(200, json.dumps(self._nodeinfo(server, target)).encode())
        if kind == "instance":
            description = {"uri": self._world.names[server], "domain": self._world.names[server], "version": _VERSION}
            return _response(200, json.dumps(description).encode())
        return _response(404, b'{"error":"The page you are looking for does not exist."}')

    def _page(self, server: int, target: bytes, *, takes_gzip: bool) -> bytes:
        query = parse_qs(target.partition(b"?")[2].decode("latin-1"))
        asked = query.get("max_id", [""])[0]
        max_id = int(asked) if asked.isdigit() else None
        if query.get("local", [""])[0] in ("true", "1", "True"):
            return _response(200, self._store.local(server, max_id), self._limits(server))
        start = self._store.place_of(server, max_id)
        last_id = self._store.last_id(server, start)
        if last_id is None:
            return _response(200, EMPTY, self._limits(server))
        headers = f"{self._limits(server)}{self._link(server, last_id)}"
        if takes_gzip:
            return _response(200, self._store.packed(server, start), f"{headers}Content-Encoding: gzip\r\n")
        return _response(200, self._store.plain(server, start), headers)

    def _limits(self, server: int) -> str:
        left = max(1, self._limit - self._books.ledgers[server].kinds["page"])
        return (
            f"X-RateLimit-Limit: {self._limit}\r\n"
            f"X-RateLimit-Remaining: {left}\r\n"
            f"X-RateLimit-Reset: {self._reset_at}\r\n"
        )

    def _link(self, server: int, last_id: int) -> str:
        address = f"http://{self._world.names[server]}{_TAG_PATH.decode()}?limit={PAGE_SIZE}&max_id={last_id}"
        return f'Link: <{address}>; rel="next"\r\n'

    def _nodeinfo(self, server: int, target: bytes) -> dict[str, Any]:
        if target.startswith(b"/.well-known"):
            schema = "http://nodeinfo.diaspora.software/ns/schema/2.0"
            return {"links": [{"rel": schema, "href": f"http://{self._world.names[server]}/nodeinfo/2.0"}]}
        return {
            "version": "2.0",
            "software": {"name": "mastodon", "version": _VERSION},
            "protocols": ["activitypub"],
            "services": {"inbound": [], "outbound": []},
            "openRegistrations": False,
            "usage": {"users": {"total": 100, "activeMonth": 50}, "localPosts": 1000},
            "metadata": {},
        }


def _response(status: int, body: bytes, headers: str = "") -> bytes:
    reason = "OK" if status == 200 else "Not Found"
    head = (
        f"HTTP/1.1 {status} {reason}\r\n"
        f"Content-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"{_COMMON_HEADERS}{headers}\r\n"
    )
    return head.encode("latin-1") + body
