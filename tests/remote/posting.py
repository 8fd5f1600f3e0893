"""A server that an account posts on, on loopback: it stores toots like Mastodon, and fails in every way it is told.

Everything asked is on record, and all it ever stored. ``fail`` arms a fault for the n-th request of a kind:
``verify publish read delete own context upload media describe instance search register token revoke``.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

TOKEN = "right-token"
_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("verify", "GET", r"/api/v1/accounts/verify_credentials"),
    ("publish", "POST", r"/api/v1/statuses"),
    ("context", "GET", r"/api/v1/statuses/([^/]+)/context"),
    ("read", "GET", r"/api/v1/statuses/([^/]+)"),
    ("delete", "DELETE", r"/api/v1/statuses/([^/]+)"),
    ("own", "GET", r"/api/v1/accounts/([^/]+)/statuses"),
    ("upload", "POST", r"/api/v2/media"),
    ("media", "GET", r"/api/v1/media/([^/]+)"),
    ("describe", "PUT", r"/api/v1/media/([^/]+)"),
    ("instance", "GET", r"/api/v2/instance"),
    ("search", "GET", r"/api/v2/search"),
    ("offer", "GET", r"/\.well-known/oauth-authorization-server"),
    ("register", "POST", r"/api/v1/apps"),
    ("authorize", "GET", r"/oauth/authorize"),
    ("token", "POST", r"/oauth/token"),
    ("revoke", "POST", r"/oauth/revoke"),
)
_LINK = re.compile(r"https?://[^\s<>\"]+")
_HASHTAG = re.compile(r"(?<![\w&/])#(\w+)")
_MENTION = re.compile(r"(?<![\w/])@([\w.-]+)@([\w.-]+\w)")


@dataclass(frozen=True)
class Asked:
    """One request; ``number`` counts all, ``nth`` those of its kind, both from 1."""

    kind: str
    number: int
    nth: int
    method: str
    path: str
    id: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def values(self) -> dict[str, Any]:
        if self.headers.get("content-type", "").startswith("application/json"):
            return dict(json.loads(self.body))
        return {name: rows[-1] for name, rows in parse_qs(self.body.decode("utf-8", "replace")).items()}


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request: ``reply`` instead of the real answer, no answer at all (``hang_up``), both
    after the work was done if ``is_late``."""

    reply: Reply | None = None
    hang_up: bool = False
    is_late: bool = False


ERROR_500 = Reply(500, {"error": "We're sorry, but something went wrong"})
NOT_FOUND = Reply(404, {"error": "Record not found"})
# The two that every client meets one day: the toot is stored, and the answer is lost or says otherwise.
FAULT_AFTER_STORING = Fault(ERROR_500, is_late=True)
LOST_ANSWER = Fault(hang_up=True, is_late=True)


@dataclass
class PostingServer:
    """Switches first; ``statuses`` is what is there now, ``stored`` all that ever was, ``deleted`` ids in order."""

    username: str = "host"
    account_id: str = "42"
    honours_keys: bool = True
    is_form_emptied: bool = False
    default_visibility: str = "public"
    turns_public_into: str = ""
    makes_roots: bool = False
    drops_silently: bool = False
    drops_media: bool = False
    media_polls: int = 0
    media_is_unknown: bool = False
    media_fails: bool = False
    forgets_descriptions: bool = False
    has_context: bool = True
    max_characters: int = 500
    has_pkce: bool = True
    fine_scopes: bool = True
    granted_scopes: str = ""
    page_size: int = 40
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    pages: dict[str, Reply] = field(default_factory=dict)
    hook: Callable[[Asked, str], bool] | None = None

    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    apps: dict[str, dict[str, str]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._faults: dict[tuple[str, int], Fault] = {}
        self._counts: Counter[str] = Counter()
        self._next_id = 1000
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self._http.server_port}"

    def fail(self, kind: str, *faults: Fault, nth: int = 1) -> None:
        """The ``nth`` request of that kind from now on goes wrong, and those after it for as many faults as given."""
        for number, fault in enumerate(faults, nth):
            self._faults[kind, self._counts[kind] + number] = fault

    def forget_everything_but_statuses(self) -> None:
        """As after a restart without its cache."""
        self.keys.clear()

    def thread(self) -> list[str]:
        """The texts that hang together, from the oldest root on; asserts that nothing else is there."""
        by_parent: dict[str | None, list[dict[str, Any]]] = {}
        for status in self.statuses.values():
            by_parent.setdefault(status["in_reply_to_id"], []).append(status)
        assert all(len(children) == 1 for children in by_parent.values()), "a toot is there twice"
        texts, parent = [], None
        while parent in by_parent:
            status = by_parent[parent][0]
            texts.append(status["text"])
            parent = status["id"]
        assert len(texts) == len(self.statuses), "the thread is torn"
        return texts

    def count(self, kind: str) -> int:
        return sum(asked.kind == kind for asked in self.asked)

    # --- what it answers -------------------------------------------------------------------------------------------
    def answer(self, asked: Asked) -> Reply:
        if asked.path in self.pages:
            return self.pages[asked.path]
        is_open = asked.kind in ("instance", "offer", "register", "authorize", "token", "revoke")
        if not asked.kind:
            return NOT_FOUND
        if not is_open and asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Reply(401, {"error": "The access token is invalid"})
        reply: Reply = getattr(self, f"_do_{asked.kind}")(asked)
        return reply

    def _do_verify(self, asked: Asked) -> Reply:
        return Reply(body=self._account())

    def _account(self) -> dict[str, Any]:
        url = f"http://{self.name}/@{self.username}"
        return {"id": self.account_id, "username": self.username, "acct": self.username, "url": url}

    def _do_instance(self, asked: Asked) -> Reply:
        statuses = {"max_characters": self.max_characters, "characters_reserved_per_url": 23}
        media = {"description_limit": 1500}
        return Reply(body={"configuration": {"statuses": statuses, "media_attachments": media}})

    def _do_publish(self, asked: Asked) -> Reply:
        key = asked.headers.get("idempotency-key", "")
        if self.honours_keys and self.keys.get(key) in self.statuses:
            return Reply(body=self._shown(self.statuses[self.keys[key]]))
        is_form = not asked.headers.get("content-type", "").startswith("application/json")
        values = {} if is_form and self.is_form_emptied else asked.values()
        if len(values.get("status", "")) > 20 * self.max_characters:
            return Reply(422, {"error": "Validation failed: Text character limit exceeded"})
        parent = values.get("in_reply_to_id")
        if parent is not None and parent not in self.statuses and not self.makes_roots:
            return NOT_FOUND
        status = self._make_status(values, None if self.makes_roots else parent)
        if not self.drops_silently:
            self.statuses[status["id"]] = status
            self.stored.append(status)
            self.keys[key] = status["id"]
        return Reply(body=self._shown(status))

    def _make_status(self, values: dict[str, Any], parent: str | None) -> dict[str, Any]:
        self._next_id += 1
        id, text = str(self._next_id), values.get("status", "")
        visibility = values.get("visibility", self.default_visibility)
        return {
            "id": id,
            "uri": f"http://{self.name}/users/{self.username}/statuses/{id}",
            "url": f"http://{self.name}/@{self.username}/{id}",
            "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "in_reply_to_id": parent,
            "visibility": self.turns_public_into or visibility,
            "language": values.get("language"),
            "spoiler_text": values.get("spoiler_text", ""),
            "content": as_html(text),
            "text": text,
            "media_ids": [] if self.drops_media else list(values.get("media_ids", [])),
            "account": self._account(),
        }

    def _shown(self, status: dict[str, Any]) -> dict[str, Any]:
        shown = {key: value for key, value in status.items() if key not in ("text", "media_ids")}
        return {**shown, "media_attachments": [self._shown_media(id) for id in status["media_ids"]]}

    def _do_read(self, asked: Asked) -> Reply:
        return Reply(body=self._shown(self.statuses[asked.id])) if asked.id in self.statuses else NOT_FOUND

    def _do_delete(self, asked: Asked) -> Reply:
        status = self.statuses.pop(asked.id, None)
        if status is None:
            return NOT_FOUND
        self.deleted.append(asked.id)
        return Reply(body=self._shown(status))

    def _do_own(self, asked: Asked) -> Reply:
        rows = sorted(self.statuses.values(), key=lambda status: int(status["id"]), reverse=True)
        if "max_id" in asked.query:
            rows = [row for row in rows if int(row["id"]) < int(asked.query["max_id"])]
        return Reply(body=[self._shown(row) for row in rows[: self.page_size]])

    def _do_context(self, asked: Asked) -> Reply:
        if not self.has_context or asked.id not in self.statuses:
            return NOT_FOUND
        below = [row for row in self.statuses.values() if row["in_reply_to_id"] == asked.id]
        return Reply(body={"ancestors": [], "descendants": [self._shown(row) for row in below]})

    def _do_search(self, asked: Asked) -> Reply:
        return Reply(body={"statuses": [], "accounts": [], "hashtags": []})

    def _do_upload(self, asked: Asked) -> Reply:
        self._next_id += 1
        id = str(self._next_id)
        found = re.search(rb'name="description"\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', asked.body, re.DOTALL)
        words = found[1].decode() if found and not self.forgets_descriptions else ""
        self.media[id] = {"id": id, "description": words, "polls": self.media_polls}
        is_ready = not self.media_polls and not self.media_fails
        return Reply(200 if is_ready else 202, self._shown_media(id))

    def _do_media(self, asked: Asked) -> Reply:
        media = self.media.get(asked.id)
        if media is None or self.media_is_unknown:
            return NOT_FOUND
        if self.media_fails:
            return Reply(422, {"error": "Error processing thumbnail for uploaded media"})
        media["polls"] -= 1
        return Reply(206 if media["polls"] >= 0 else 200, self._shown_media(asked.id))

    def _do_describe(self, asked: Asked) -> Reply:
        self.media[asked.id]["description"] = asked.values()["description"]
        return Reply(body=self._shown_media(asked.id))

    def _shown_media(self, id: str) -> dict[str, Any]:
        media = self.media[id]
        url = None if media["polls"] > 0 else f"http://{self.name}/media/{id}.png"
        return {"id": id, "type": "image", "url": url, "description": media["description"]}

    # --- leave to act for the account ------------------------------------------------------------------------------
    def _do_offer(self, asked: Asked) -> Reply:
        if not self.has_pkce:
            return NOT_FOUND
        fine = ["read:accounts", "read:statuses", "read:search", "write:statuses", "write:media"]
        scopes = ["read", "write", *(fine if self.fine_scopes else [])]
        return Reply(body={"code_challenge_methods_supported": ["S256"], "scopes_supported": scopes})

    def _do_register(self, asked: Asked) -> Reply:
        values = asked.values()
        if not self.fine_scopes and ":" in values["scopes"]:
            return Reply(422, {"error": "Validation failed: Scopes doesn't match configured on the server."})
        client_id = f"client-{len(self.apps) + 1}"
        self.apps[client_id] = {**values, "client_id": client_id, "client_secret": "app-secret"}
        return Reply(body=self.apps[client_id])

    def _do_authorize(self, asked: Asked) -> Reply:
        """The host says yes at once."""
        app = self.apps[asked.query["client_id"]]
        assert asked.query["redirect_uri"] == app["redirect_uris"]
        code = f"code-{len(self.codes) + 1}"
        self.codes[code] = asked.query
        back = urlencode({"code": code, "state": asked.query["state"]})
        return Reply(302, headers={"Location": f"{asked.query['redirect_uri']}?{back}"})

    def _do_token(self, asked: Asked) -> Reply:
        values = asked.values()
        grant = self.codes.pop(values.get("code", ""), None)
        app = self.apps.get(values.get("client_id", ""), {})
        if grant is None or values.get("client_secret") != app.get("client_secret"):
            return Reply(400, {"error": "invalid_grant", "error_description": "The code is invalid"})
        challenge = base64.urlsafe_b64encode(hashlib.sha256(values.get("code_verifier", "").encode()).digest())
        if "code_challenge" in grant and grant["code_challenge"] != challenge.rstrip(b"=").decode():
            return Reply(400, {"error": "invalid_grant"})
        token = f"token-{len(self.tokens)}"
        self.tokens.add(token)
        return Reply(
            body={"access_token": token, "token_type": "Bearer", "scope": self.granted_scopes or grant["scope"]}
        )

    def _do_revoke(self, asked: Asked) -> Reply:
        self.tokens.discard(asked.values()["token"])
        return Reply(body={})

    # --- HTTP ------------------------------------------------------------------------------------------------------
    def _note(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Asked:
        parts = urlsplit(target)
        kind, id = "", ""
        for name, wanted, pattern in _ROUTES:
            match = re.fullmatch(pattern, parts.path)
            if match and method == wanted:
                kind, id = name, match[1] if match.groups() else ""
                break
        query = {key: rows[-1] for key, rows in parse_qs(parts.query).items()}
        self._counts[kind] += 1
        number, nth = len(self.asked) + 1, self._counts[kind]
        asked = Asked(kind, number, nth, method, parts.path, id, query, headers, body)
        self.asked.append(asked)
        return asked

    def _serve(self, asked: Asked) -> Reply | None:
        """None: hang up without an answer. The hook is called before and after the work; True from it: hang up."""
        fault = self._faults.pop((asked.kind, asked.nth), None)
        if self.hook is not None and self.hook(asked, "before"):
            return None
        if fault is not None and not fault.is_late:
            return None if fault.hang_up else fault.reply
        reply = self.answer(asked)
        if self.hook is not None and self.hook(asked, "after"):
            return None
        if fault is not None:
            return None if fault.hang_up else fault.reply
        return reply

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {key.lower(): value for key, value in self.headers.items()}
                with server._lock:
                    asked = server._note(self.command, self.path, headers, body)
                    reply = server._serve(asked)
                if reply is None:
                    self.close_connection = True
                    return
                content = b"" if reply.body is None else json.dumps(reply.body).encode()
                try:
                    self.send_response(reply.status)
                    for key, value in {"Content-Type": "application/json", **reply.headers}.items():
                        self.send_header(key, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, format: str, *arguments: Any) -> None:
                """Tests read ``asked`` instead."""

        return Handler


def as_html(text: str) -> str:
    """Marked up as Mastodon does it: links in three parts, mentions without their server."""
    marked = _LINK.sub(lambda match: _as_link(match[0]), html.escape(text, quote=False))
    marked = _HASHTAG.sub(r'<a href="/tags/\1" class="mention hashtag" rel="tag">#<span>\1</span></a>', marked)
    marked = _MENTION.sub(
        r'<span class="h-card"><a href="https://\2/@\1" class="u-url mention">@<span>\1</span></a></span>', marked
    )
    return "".join(f"<p>{part}</p>".replace("\n", "<br />") for part in marked.split("\n\n")) if text else ""


def _as_link(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return (
        f'<a href="{address}" target="_blank" rel="nofollow noopener"><span class="invisible">{scheme}://</span>'
        f'<span class="ellipsis">{rest[:30]}</span><span class="invisible">{rest[30:]}</span></a>'
    )
