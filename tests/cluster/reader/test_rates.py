"""Section 1.2 of the reader's contract: allowances of one minute, per scope and user, as they are out of the box."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.reader.client import Reader
from tests.cluster.reader.conftest import Site

SCOPES = {
    "general": (60, "GET", "/posts"),
    "sources": (60, "POST", "/sources/999/refresh"),
    "jobs": (30, "GET", "/jobs/queue-status"),
    "metrics": (120, "GET", "/metrics/crawl-status"),
    "summaries": (10, "POST", "/posts/999/summary"),
}


@pytest.fixture(scope="module")
def strict(start_site: Callable[..., Site]) -> Site:
    return start_site(MASTOSCORE_WORKERS="1")


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("summaries", "POST", "/posts/999/quote-explanation"),
        ("sources", "POST", "/sources"),
        ("sources", "PUT", "/sources/999"),
        ("sources", "DELETE", "/sources/999"),
        ("jobs", "POST", "/jobs/sources/999/refresh"),
        ("jobs", "POST", "/jobs/posts/999/summary"),
        ("jobs", "GET", "/jobs/summary-status/x"),
        ("metrics", "GET", "/metrics/sources/999"),
        ("metrics", "GET", "/metrics/system"),
        ("general", "GET", "/sources"),
        ("general", "PATCH", "/posts/bulk-read-status"),
        ("general", "GET", "/categories"),
        ("general", "GET", "/export-opml"),
    ],
)
def test_route_is_taken_from_its_allowance(strict: Site, scope: str, method: str, path: str) -> None:
    reader = strict.make_reader()
    headers = reader.send(method, path).headers
    assert headers["X-RateLimit-Limit"] == str(SCOPES[scope][0])
    limit, other_method, other_path = SCOPES[scope]
    assert reader.send(other_method, other_path).headers["X-RateLimit-Remaining"] == str(limit - 2)


def test_one_scope_used_up_blocks_no_other(strict: Site) -> None:
    reader = strict.make_reader()
    _use_up(reader, "summaries")
    for scope in ("jobs", "metrics", "sources", "general"):
        _use_up(reader, scope)
    assert strict.make_reader().send("GET", "/posts").status_code == 200


def test_who_guesses_tokens_is_throttled(strict: Site) -> None:
    reader = strict.make_reader()
    statuses = [reader.send("GET", "/posts", token="ms_guess_no").status_code for _ in range(62)]
    assert statuses == [401] * 60 + [429] * 2
    assert reader.send("GET", "/posts").status_code == 200


def _use_up(reader: Reader, scope: str) -> None:
    """Exactly as many calls as allowed, then 429 in the contract's words, before anything is looked up."""
    limit, method, path = SCOPES[scope]
    for number in range(limit):
        answer = reader.send(method, path)
        assert answer.status_code in (200, 404), (scope, number)
        assert answer.headers["X-RateLimit-Remaining"] == str(limit - number - 1)
    answer = reader.send(method, path)
    assert (answer.status_code, answer.json()) == (429, {"message": "Too Many Attempts."})
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["X-RateLimit-Remaining"] == "0"
