"""A client of the reader's API: every answer it gets is held to what the contract says of all answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import requests

from tests.cluster.house import House, wait_until
from tests.remote.feed_host import FeedHost, Page, item, rss

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
UNCACHED = {
    "Cache-Control": "no-store, no-cache, must-revalidate, max-age=0",
    "Pragma": "no-cache",
    "Expires": "0",
}
LONG = " ".join(f"Sentence number {n} says something about frogs in the garden." for n in range(20))


@dataclass
class Reader:
    """A user of the site. ``call`` gives the JSON of an answer with the expected status."""

    house: House
    address: str
    name: str
    token: str

    def send(self, method: str, path: str, *, token: str | None = None, **options: Any) -> requests.Response:
        credentials = self.token if token is None else token
        headers = {"Authorization": f"Bearer {credentials}"} if credentials else {}
        headers |= options.pop("headers", {})
        answer = requests.request(
            method, f"{self.address}api/v1{path}", headers=headers, timeout=60, allow_redirects=False, **options
        )
        self._hold_to_contract(answer)
        return answer

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        if body is not None:
            options["json"] = body
        answer = self.send(method, path, **options)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text[:500])
        found = answer.json()
        assert isinstance(found, dict)
        if status >= 400:
            assert isinstance(found["message"], str)
        if status == 422 and "errors" in found:
            assert all(isinstance(text, str) for texts in found["errors"].values() for text in texts)
        return found

    def refused(self, method: str, path: str, body: Any = None, **options: Any) -> dict[str, list[str]]:
        """The complaints of a 422 in the common words."""
        answer = self.call(method, path, body, status=422, **options)
        assert answer["message"] == "The given data was invalid."
        errors: dict[str, list[str]] = answer["errors"]
        return errors

    def unknown(self, method: str, path: str, model: str, number: str, **options: Any) -> None:
        """404 in the framework's words, and nothing besides."""
        answer = self.call(method, path, status=404, **options)
        assert answer == {"message": f"No query results for model [App\\Models\\{model}] {number}"}

    def wait_for_job(self, path: str, wanted: Any) -> Any:
        """What GET ``path`` says once ``wanted`` holds for it."""
        found: list[Any] = []

        def is_there() -> bool:
            found[:] = [self.call("GET", path)]
            return bool(wanted(found[0]))

        wait_until(is_there, f"what {path} was to say")
        return found[0]

    def make_category(self, name: str = "Frogs") -> int:
        return int(self.call("POST", "/categories", {"description": name}, status=201)["data"]["id"])

    def subscribe(self, url: str, category_id: int, **values: Any) -> Any:
        body = {"url": url, "category_id": category_id, **values}
        return self.call("POST", "/sources", body, status=201)["data"]

    def posts(self, **query: Any) -> list[Any]:
        rows: list[Any] = self.call("GET", "/posts", params=query)["data"]
        return rows

    def _hold_to_contract(self, answer: requests.Response) -> None:
        assert answer.headers["Content-Type"] == "application/json", answer.text[:300]
        numbers = {name: answer.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")}
        assert all(number.isdigit() for number in numbers.values()), numbers
        assert {name: answer.headers[name] for name in UNCACHED} == UNCACHED
        assert ("Retry-After" in answer.headers) == (answer.status_code == 429)
        for secret in (str(self.house.data_dir), "Traceback", 'File "'):
            assert secret not in answer.text


def fill(host: FeedHost, path: str, count: int, *, first: int = 1, title: str = "A blog") -> str:
    """A feed at that path with so many posts, the first of them long; returns its address."""
    items = (item(n, text=f"<p>{LONG}</p>" if n == first else "") for n in range(first, first + count))
    host.pages[path] = Page(rss(*items, title=title))
    return host.url(path)
