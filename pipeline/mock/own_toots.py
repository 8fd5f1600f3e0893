"""Toots that the home server of the bundled fediverse takes from its host: posted, looked up, deleted as on Mastodon.

So a thread can be sent in a rehearsal. They are gone with the fediverse, and no timeline shows them.
https://docs.joinmastodon.org/methods/statuses/, /methods/media/, /methods/accounts/#statuses
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from html import escape
from itertools import count
from typing import Any

from pipeline.mock import pages
from pipeline.mock.exchange import Request, Response, as_error, as_json, as_page
from pipeline.mock.markup import to_html
from pipeline.mock.records import MockServer

_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("publish", "POST", r"/api/v1/statuses"),
    ("context", "GET", r"/api/v1/statuses/(\d+)/context"),
    ("read", "GET", r"/api/v1/statuses/(\d+)"),
    ("delete", "DELETE", r"/api/v1/statuses/(\d+)"),
    ("own", "GET", r"/api/v1/accounts/(\d+)/statuses"),
    ("upload", "POST", r"/api/v2/media"),
    ("look", "GET", r"/api/v1/media/(\d+)"),
    ("describe", "PUT", r"/api/v1/media/(\d+)"),
)
_FIRST_ID = 900_000_000_000_000_000
_PAGE_ROWS = 40
_MOST_CHARACTERS = 500
_NONE = as_error("Record not found", 404)


class OwnToots:
    """``account``: the host's, as the API shows it. Thread-safe."""

    def __init__(self, server: MockServer, account: dict[str, Any]) -> None:
        self._server = server
        self._account = account
        self._toots: dict[str, dict[str, Any]] = {}
        self._media: dict[str, dict[str, Any]] = {}
        self._by_key: dict[str, str] = {}
        self._ids = count(_FIRST_ID)
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Response | None:
        """None for what is not about the host's own toots; the caller has looked at the token."""
        for name, method, pattern in _ROUTES:
            match = re.fullmatch(pattern, request.path)
            if match and request.method == method:
                if name in ("read", "context") and match[1] not in self._toots:
                    return None  # a toot of the night, perhaps
                do: Callable[..., Response] = getattr(self, f"_{name}")
                with self._lock:
                    return do(request, *match.groups())
        return None

    def find_page(self, path: str) -> Response | None:
        """What a browser sees at a toot's address."""
        toot = self._toots.get(path.rpartition("/")[2])
        if toot is None or path != toot["url"].removeprefix(f"http://{self._server.name}"):
            return None
        return as_page(pages.own_toot_page(self._server, self._account["display_name"], toot["content"]))

    def _publish(self, request: Request) -> Response:
        values = _values(request)
        text, media_ids = str(values.get("status") or ""), values.get("media_ids") or []
        parent, key = values.get("in_reply_to_id"), request.headers.get("idempotency-key", "")
        if key in self._by_key and self._by_key[key] in self._toots:
            return as_json(self._toots[self._by_key[key]])
        if not text.strip() and not media_ids:
            return as_error("Validation failed: Text can't be blank", 422)
        if len(text) > _MOST_CHARACTERS * 2:  # addresses count less than they have
            return as_error("Validation failed: Text character limit of 500 exceeded", 422)
        if not isinstance(media_ids, list) or any(id not in self._media for id in media_ids):
            return as_error("Record not found", 404)
        if parent and str(parent) not in self._toots:
            return as_error("The post you are trying to reply to does not appear to exist", 404)
        toot = self._make(values, text, [self._media[id] for id in media_ids])
        self._toots[toot["id"]] = toot
        if key:
            self._by_key[key] = toot["id"]
        return as_json(toot)

    def _make(self, values: dict[str, Any], text: str, media: list[dict[str, Any]]) -> dict[str, Any]:
        id, name, username = str(next(self._ids)), self._server.name, self._account["username"]
        return {
            "id": id,
            "uri": f"http://{name}/users/{username}/statuses/{id}",
            "url": f"http://{name}/@{username}/{id}",
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "in_reply_to_id": values.get("in_reply_to_id"),
            "visibility": values.get("visibility") or "public",
            "language": values.get("language"),
            "sensitive": bool(values.get("sensitive")),
            "spoiler_text": escape(str(values.get("spoiler_text") or ""), quote=False),
            "content": to_html(text, server=name, software="mastodon"),
            "media_attachments": media,
            "account": self._account,
            "reblogs_count": 0,
            "favourites_count": 0,
            "replies_count": 0,
            "tags": [],
            "mentions": [],
            "emojis": [],
        }

    def _read(self, request: Request, id: str) -> Response:
        return as_json(self._toots[id]) if id in self._toots else _NONE

    def _context(self, request: Request, id: str) -> Response:
        below, ids = [], {id}
        for toot in self._toots.values():  # the oldest first, so a reply comes after what it replies to
            if toot["in_reply_to_id"] in ids:
                ids.add(toot["id"])
                below.append(toot)
        return as_json({"ancestors": [], "descendants": below})

    def _delete(self, request: Request, id: str) -> Response:
        toot = self._toots.pop(id, None)
        return as_json(toot) if toot is not None else _NONE

    def _own(self, request: Request, account_id: str) -> Response:
        if account_id != self._account["id"]:
            return _NONE
        max_id = request.query.get("max_id", "")
        newest_first = sorted(self._toots.values(), key=lambda toot: int(toot["id"]), reverse=True)
        if max_id.isascii() and max_id.isdigit():
            newest_first = [toot for toot in newest_first if int(toot["id"]) < int(max_id)]
        return as_json(newest_first[:_PAGE_ROWS])

    def _upload(self, request: Request) -> Response:
        head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
        parts = {part.get_param("name", header="content-disposition"): part for part in _parts(head + request.body)}
        if "file" not in parts:
            return as_error("Validation failed: File can't be blank", 422)
        words = parts["description"].get_payload(decode=True) if "description" in parts else b""
        id = str(next(self._ids))
        self._media[id] = {
            "id": id,
            "type": "image",
            "url": f"http://{self._server.name}/media/{id}.png",
            "description": bytes(words or b"").decode(errors="replace"),
        }
        return as_json(self._media[id])

    def _look(self, request: Request, id: str) -> Response:
        return as_json(self._media[id]) if id in self._media else _NONE

    def _describe(self, request: Request, id: str) -> Response:
        if id in self._media:
            self._media[id]["description"] = str(_values(request).get("description") or "")
        return self._look(request, id)


def _values(request: Request) -> dict[str, Any]:
    try:
        values = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _parts(mail: bytes) -> list[Any]:
    """Of a multipart body behind its header."""
    message = message_from_bytes(mail)
    return list(message.get_payload()) if message.is_multipart() else []
