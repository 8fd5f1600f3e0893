"""What each server of the bundled fediverse answers to a request. Pure but for the faults, which happen once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlencode

from pipeline.mock import others, pages
from pipeline.mock.exchange import Request, Response, as_error, as_json, as_page
from pipeline.mock.ids import IdMaker
from pipeline.mock.own_toots import OwnToots
from pipeline.mock.records import PAGE_ROWS, MockServer, Row
from pipeline.mock.statuses import (
    account_as_json,
    instance_v1_as_json,
    instance_v2_as_json,
    nodeinfo_as_json,
    row_as_json,
)
from pipeline.mock.world import World

_RATE_LIMIT = 300
_RATE_PERIOD = timedelta(minutes=5)


class Voice:
    """One server speaking. Thread-safe."""

    def __init__(self, world: World, server: MockServer, number: int) -> None:
        self._world = world
        self._server = server
        self._behaviour = server.behaviour
        self._ids = IdMaker(server.behaviour.id_kind, number)
        self._ids_by_uri = {row.toot.uri: row.local_id for row in server.rows if row.toot}
        self._rows_by_id = {row.local_id: row for row in server.rows if row.toot}
        self._own = [row for row in server.rows if row.is_local_to(server.name)]
        self._faults = list(self._behaviour.faults)
        self._remaining = _RATE_LIMIT
        self._lock = threading.Lock()
        self._desk = OwnToots(server, account_as_json(server, world.owner)) if server.name == world.home else None

    def answer(self, request: Request) -> Response:
        """What this server says to the request; 404 for what it does not know."""
        path = unquote(request.path)
        if self._behaviour.access == "html":
            return as_page(pages.parked_page(self._server))
        if path == "/api/notes/search-by-tag" and self._behaviour.access == "no-api":
            return self._search(request)
        if self._desk is not None and self._is_owner(request):
            own = self._desk.answer(request)
            if own is not None:
                return own
        if request.method not in ("GET", "HEAD"):
            return as_error("Method not allowed", 405)
        if path == "/robots.txt":
            return self._robots()
        if path.startswith("/api/") and self._behaviour.access == "no-api":
            return as_json({"error": {"message": "Unknown API endpoint.", "code": "UNKNOWN_API_ENDPOINT"}}, 404)
        if path.startswith("/api/v1/timelines/tag/"):
            return self._timeline(path.removeprefix("/api/v1/timelines/tag/"), request)
        if path.startswith("/api/v1/statuses/"):
            return self._status(path.removeprefix("/api/v1/statuses/"), request)
        if self._behaviour.has_feed and path.startswith("/tags/") and path.endswith(".rss"):
            tag = path.removeprefix("/tags/").removesuffix(".rss")
            return Response(200, others.feed_as_xml(self._server, tag).encode(), "application/rss+xml; charset=utf-8")
        return self._named_answer(path, request) or self._public_page(path)

    def _named_answer(self, path: str, request: Request) -> Response | None:
        server, hashtag = self._server, self._world.schedule.hashtag
        answers: dict[str, Callable[[], Response]] = {
            "/api/v1/accounts/verify_credentials": lambda: self._credentials(request),
            "/api/v1/instance": lambda: as_json(instance_v1_as_json(server, hashtag)),
            "/api/v2/instance": lambda: as_json(instance_v2_as_json(server, hashtag)),
            "/.well-known/nodeinfo": self._nodeinfo_links,
            "/nodeinfo/2.0": lambda: as_json(nodeinfo_as_json(server)),
        }
        found = answers.get(path)
        return found() if found else None

    def _timeline(self, tag: str, request: Request) -> Response:
        fault = self._next_fault()
        if fault is not None:
            return fault
        is_local = request.query.get("local", "").lower() in ("true", "1")
        if self._behaviour.access == "closed" or (self._behaviour.access == "local" and not is_local):
            return as_error("This method requires an authenticated user", self._behaviour.refusal_status)
        is_signed_in = self._is_owner(request)
        if request.token and not is_signed_in:
            return as_error("The access token is invalid", 401)
        if tag.casefold() != self._world.schedule.hashtag.casefold():
            return as_json([], headers=self._rate_headers())
        rows = [row for row in (self._own if is_local else self._server.rows) if is_signed_in or not row.needs_token]
        behind = self._rows_behind(rows, request.query.get("max_id", ""))
        if behind is None:
            return as_error("Unable to parse max_id as ULID", 400)
        newer_than = request.query.get("since_id") or request.query.get("min_id", "")
        behind = behind[: _place_of(behind, newer_than, default=len(behind))]
        return self._page(tag, behind, request.query)

    def _search(self, request: Request) -> Response:
        """Notes with a hashtag, newest first, in the manner of Misskey."""
        try:
            asked = json.loads(request.body)
        except ValueError:
            asked = None
        if request.method != "POST" or not isinstance(asked, dict) or not isinstance(asked.get("tag"), str):
            return as_json({"error": {"message": "Invalid param.", "code": "INVALID_PARAM"}}, 400)
        if asked["tag"].casefold() != self._world.schedule.hashtag.casefold():
            return as_json([])
        rows = [row for row in self._server.rows if not row.needs_token]
        start = _place_of(rows, str(asked.get("untilId") or ""), default=-1) + 1
        limit = min(100, max(1, int(asked.get("limit") or 10)))
        return as_json([others.note_as_json(self._server, row) for row in rows[start : start + limit]])

    def _page(self, tag: str, rows: list[Row], query: Mapping[str, str]) -> Response:
        asked = query.get("limit", "")
        limit = min(PAGE_ROWS, max(1, int(asked))) if asked.isascii() and asked.isdigit() else 20
        page = rows[: self._behaviour.fixed_page_rows or limit]
        headers = self._rate_headers()
        last_id = next((row.local_id for row in reversed(page) if row.local_id), "")
        if self._behaviour.sends_link and last_id:
            more = urlencode({"limit": limit, "max_id": last_id})
            headers += (("Link", f'<http://{self._server.name}/api/v1/timelines/tag/{tag}?{more}>; rel="next"'),)
        return as_json([self._row(row) for row in page], headers=headers)

    def _rows_behind(self, rows: list[Row], max_id: str) -> list[Row] | None:
        """The rows older than ``max_id``, or what this server makes of one it cannot read; None is a complaint."""
        if not max_id or self._behaviour.ignores_max_id:
            return rows
        place = _place_of(rows, max_id, default=-1)
        if place >= 0:
            return rows[place + 1 :]
        if self._ids.can_read(max_id):
            older = [place for place, row in enumerate(rows) if row.toot and self._ids.is_below(row.local_id, max_id)]
            return rows[older[0] :] if older else []
        return {"page-1": rows, "empty": [], "400": None}[self._behaviour.strange_max_id]

    def _status(self, local_id: str, request: Request) -> Response:
        row = self._rows_by_id.get(local_id)
        if self._behaviour.access == "closed":
            return as_error("This method requires an authenticated user", self._behaviour.refusal_status)
        if row is None or (row.needs_token and not self._is_owner(request)):
            return as_error("Record not found", 404)
        return as_json(self._row(row), headers=self._rate_headers())

    def _row(self, row: Row) -> Any:
        return row_as_json(self._server, row, ids_by_uri=self._ids_by_uri)

    def _credentials(self, request: Request) -> Response:
        if not self._is_owner(request):
            return as_error("The access token is invalid", 401)
        account = account_as_json(self._server, self._world.owner)
        return as_json({**account, "source": {"privacy": "public", "language": "en", "note": account["note"]}})

    def _is_owner(self, request: Request) -> bool:
        return self._server.name == self._world.home and request.token == self._world.token

    def _nodeinfo_links(self) -> Response:
        rel = "http://nodeinfo.diaspora.software/ns/schema/2.0"
        return as_json({"links": [{"rel": rel, "href": f"http://{self._server.name}/nodeinfo/2.0"}]})

    def _robots(self) -> Response:
        if self._behaviour.robots is None:
            return as_error("Not found", 404)
        return Response(200, self._behaviour.robots.encode(), "text/plain; charset=utf-8")

    def _public_page(self, path: str) -> Response:
        if path.startswith("/media/"):
            return Response(200, pages.small_picture(path), "image/png")
        own = self._desk.find_page(path) if self._desk is not None else None
        if own is not None:
            return own
        html = pages.public_page(self._server, path, self._world.schedule.hashtag)
        return as_page(html) if html else as_page(pages.missing_page(self._server), 404)

    def _next_fault(self) -> Response | None:
        """The next of the faults this server starts with: a pause asked for, a busy house, a stumble."""
        with self._lock:
            if not self._faults:
                return None
            status = self._faults.pop(0)
        if status == 429:
            return as_json({"error": "Too many requests"}, 429, (("Retry-After", "1"),))
        if status == 503:
            soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
            return Response(503, b"<h1>Sold out</h1>", "text/html", (("Retry-After", "1"), ("Retry-After", soon)))
        return Response(status, b"", "text/plain")

    def _rate_headers(self) -> tuple[tuple[str, str], ...]:
        if not self._behaviour.sends_rate_limits:
            return ()
        with self._lock:
            self._remaining = self._remaining - 1 if self._remaining > 1 else _RATE_LIMIT
            remaining = self._remaining
        reset_at = (datetime.now(UTC) + _RATE_PERIOD).replace(second=0).isoformat().replace("+00:00", "Z")
        return (
            ("X-RateLimit-Limit", str(_RATE_LIMIT)),
            ("X-RateLimit-Remaining", str(remaining)),
            ("X-RateLimit-Reset", reset_at),
        )


def _place_of(rows: list[Row], local_id: str, *, default: int) -> int:
    return next((place for place, row in enumerate(rows) if local_id and row.local_id == local_id), default)
