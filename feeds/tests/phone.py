"""Feed apps as they behave on phones: over HTTP, with forms, keeping what they have seen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import requests

READING_LIST = "user/-/state/com.google/reading-list"
READ = "user/-/state/com.google/read"
STARRED = "user/-/state/com.google/starred"


@dataclass
class GoogleReaderApp:
    """Signs in, asks for numbers, fetches what it lacks, sends marks. ``kept``: number -> item."""

    base: str
    username: str
    password: str
    auth: str = ""
    kept: dict[int, dict[str, Any]] = field(default_factory=dict)
    unread: set[int] = field(default_factory=set)
    calls: int = 0

    def send(self, method: str, path: str, *, fields: Any = None, **query: Any) -> requests.Response:
        self.calls += 1
        headers = {"Authorization": f"GoogleLogin auth={self.auth}"} if self.auth else {}
        return requests.request(
            method,
            f"{self.base}/{path}",
            params=query,
            data=fields,
            headers=headers,
            timeout=30,
            allow_redirects=False,
        )

    def sign_in(self) -> int:
        form = {"Email": self.username, "Passwd": self.password, "client": "app", "service": "reader"}
        answer = self.send("POST", "accounts/ClientLogin", fields=form)
        lines = dict(line.split("=") for line in answer.text.splitlines() if "=" in line)
        self.auth = lines.get("Auth", "")
        return answer.status_code

    def get(self, path: str, *, status: int = 200, **query: Any) -> Any:
        answer = self.send("GET", f"reader/api/0/{path}", output="json", **query)
        assert answer.status_code == status, (answer.status_code, answer.text[:300])
        return answer.json()

    def post(self, path: str, fields: Any, *, status: int = 200) -> str:
        answer = self.send("POST", f"reader/api/0/{path}", fields=[("T", "x"), *fields])
        assert answer.status_code == status, (answer.status_code, answer.text[:300])
        return answer.text

    def all_ids(self, stream: str, *, size: int = 1000, **query: Any) -> list[int]:
        """Follows continuations to the end."""
        found: list[int] = []
        after: dict[str, str] = {}
        while True:
            page = self.get("stream/items/ids", s=stream, n=size, **query, **after)
            found += [int(ref["id"]) for ref in page["itemRefs"]]
            if "continuation" not in page:
                return found
            after = {"c": page["continuation"]}

    def fetch(self, ids: list[int], batch: int = 150) -> None:
        """As NetNewsWire does: hexadecimal without padding, behind the long prefix."""
        for start in range(0, len(ids), batch):
            names = [("i", f"tag:google.com,2005:reader/item/{number:x}") for number in ids[start : start + batch]]
            form = [("T", "x"), ("output", "json"), *names]
            for item in self.send("POST", "reader/api/0/stream/items/contents", fields=form).json()["items"]:
                self.kept[int(item["id"].rpartition("/")[2], 16)] = item

    def sync(self) -> None:
        """One whole pass: folders, feeds, unread, stars, contents of what is not kept yet."""
        self.labels = [tag["label"] for tag in self.get("tag/list")["tags"] if tag.get("type") == "folder"]
        self.feeds = {row["id"]: row for row in self.get("subscription/list")["subscriptions"]}
        self.unread = set(self.all_ids(READING_LIST, xt=READ))
        self.starred = self.all_ids(STARRED)
        self.fetch(sorted(self.unread - set(self.kept)))

    def mark(self, ids: list[int], *, read: bool, status: int = 200) -> str:
        names = [("i", f"{number:016x}") for number in ids]
        return self.post("edit-tag", [*names, ("a" if read else "r", READ)], status=status)


@dataclass
class FeverApp:
    address: str
    username: str
    password: str
    kept: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return hashlib.md5(f"{self.username}:{self.password}".encode()).hexdigest()

    def send(self, query: str = "", **fields: Any) -> requests.Response:
        form = {"api_key": self.key, **fields}
        return requests.post(f"{self.address}?api{query}", data=form, timeout=30, allow_redirects=False)

    def ask(self, query: str = "", *, status: int = 200, **fields: Any) -> dict[str, Any]:
        answer = self.send(query, **fields)
        assert answer.status_code == status, (answer.status_code, answer.text[:300])
        found: dict[str, Any] = answer.json()
        return found

    def sync(self) -> None:
        """Folders and feeds, then items upwards from the last one kept, then which of them are unread."""
        self.groups = self.ask("&groups")
        self.feeds = self.ask("&feeds")
        while items := self.ask(f"&items&since_id={max(self.kept, default=0)}")["items"]:
            self.kept |= {item["id"]: item for item in items}
        text = self.ask("&unread_item_ids")["unread_item_ids"]
        self.unread = {int(number) for number in text.split(",") if number}
