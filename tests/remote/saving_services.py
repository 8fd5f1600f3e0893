"""Services to save to, as their documentation says that they answer; ``saved`` holds what each has taken.

Instapaper: https://www.instapaper.com/api/simple. wallabag: https://doc.wallabag.org/developer/api/ (OAuth password
and refresh grants). Linkding: https://linkding.link/api/. Readeck: its own ``/docs/api``.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from tests.remote.answering_host import Call, Reply

PASSWORD = "täglich: frisch"
TOKEN = "a-token-of-the-owner"
CLIENT = {"client_id": "1_client", "client_secret": "client-secret"}


@dataclass
class SavingServices:
    """Also fails on demand: the replies in ``failures`` come first, one per request."""

    saved: list[dict[str, str]] = field(default_factory=list)
    failures: list[Reply] = field(default_factory=list)
    access_tokens: list[str] = field(default_factory=list)
    refresh_tokens: set[str] = field(default_factory=set)
    grants: list[str] = field(default_factory=list)

    def __call__(self, call: Call) -> Reply:
        if self.failures:
            return self.failures.pop(0)
        known = {
            ("POST", "/instapaper/authenticate"): self._instapaper,
            ("POST", "/instapaper/add"): self._instapaper,
            ("POST", "/wallabag/oauth/v2/token"): self._wallabag_token,
            ("POST", "/wallabag/api/entries.json"): self._wallabag,
            ("GET", "/wallabag/api/entries.json"): self._wallabag,
            ("POST", "/linkding/api/bookmarks/"): self._linkding,
            ("GET", "/linkding/api/bookmarks/"): self._linkding,
            ("POST", "/readeck/api/bookmarks"): self._readeck,
            ("GET", "/readeck/api/profile"): self._readeck,
            ("POST", "/hook"): self._hook,
        }
        found = known.get((call.method, call.path))
        return found(call) if found else Reply(404, {"detail": "Not found."})

    def _instapaper(self, call: Call) -> Reply:
        pair = base64.b64encode(f"ada@example.org:{PASSWORD}".encode()).decode()
        if call.headers.get("authorization") != f"Basic {pair}":
            return Reply(403, b"403")
        if call.path.endswith("authenticate"):
            return Reply(200, b"200")
        self.saved.append(call.form)
        return Reply(201, b"201", {"Content-Location": "http://www.instapaper.com/read/1"})

    def _wallabag_token(self, call: Call) -> Reply:
        form = call.form
        if {name: form.get(name) for name in CLIENT} != CLIENT:
            return Reply(400, {"error": "invalid_client", "error_description": "The client credentials are invalid"})
        self.grants.append(form["grant_type"])
        if form["grant_type"] == "password":
            is_right = form.get("username") == "ada" and form.get("password") == PASSWORD
        else:
            is_right = form.get("refresh_token") in self.refresh_tokens
        if not is_right:
            return Reply(400, {"error": "invalid_grant", "error_description": "Invalid username and password"})
        number = len(self.access_tokens) + 1
        self.access_tokens.append(f"access-{number}")
        self.refresh_tokens.add(f"refresh-{number}")
        tokens = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}"}
        return Reply(200, {**tokens, "expires_in": 3600, "token_type": "bearer", "scope": None})

    def _wallabag(self, call: Call) -> Reply:
        if not self.access_tokens or call.headers.get("authorization") != f"Bearer {self.access_tokens[-1]}":
            return Reply(
                401, {"error": "invalid_grant", "error_description": "The access token provided has expired."}
            )
        if call.method == "GET":
            return Reply(200, {"page": 1, "total": 0, "_embedded": {"items": []}})
        self.saved.append(call.form)
        return Reply(200, {"id": 1, "url": call.form["url"]})

    def _linkding(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Token {TOKEN}":
            return Reply(401, {"detail": "Invalid token."})
        if call.method == "GET":
            return Reply(200, {"count": 0, "next": None, "previous": None, "results": []})
        self.saved.append(call.json)
        return Reply(201, {"id": 1, **call.json})

    def _readeck(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"status": 401, "message": "Unauthorized"})
        if call.method == "GET":
            return Reply(200, {"provider": {"name": "bearer token"}, "user": {"username": "ada"}})
        self.saved.append(call.json)
        return Reply(202, {"status": 202, "message": "Link submited"}, {"Bookmark-Id": "x7"})

    def _hook(self, call: Call) -> Reply:
        self.saved.append(call.json)
        return Reply(204, b"")
