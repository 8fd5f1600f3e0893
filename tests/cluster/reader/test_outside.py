"""Section 1.3 of the reader's contract, the last rows: routes without a version, and the Markdown of a post."""

from __future__ import annotations

import pytest
import requests

from tests.cluster.reader.client import Reader, fill
from tests.remote.feed_host import FeedHost, Page, posts

KEYS = {"title", "description", "author", "rss", "canonical_url"}


def ask(reader: Reader, path: str, *, token: bool = True, **query: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {reader.token}"} if token else {}
    return requests.get(f"{reader.address}api/{path}", params=query, headers=headers, timeout=60)


def test_user_record_is_the_callers_own(reader: Reader) -> None:
    found = ask(reader, "user").json()
    assert {"id", "name", "email", "created_at"} <= set(found)
    assert found["name"] == reader.name
    assert not [name for name in found if "password" in name or "token" in name]
    refused = ask(reader, "user", token=False)
    assert (refused.status_code, refused.json()) == (401, {"message": "Unauthenticated."})


def test_anybody_may_ask_whether_somebody_is_there(reader: Reader) -> None:
    answer = ask(reader, "test", token=False)
    assert (answer.status_code, answer.text) == (200, "test successful")


def test_address_is_analysed_for_who_is_signed_in(reader: Reader, host: FeedHost) -> None:
    host.pages["/"] = Page(
        b"<html><head><title>The pond</title><link rel='alternate' type='application/rss+xml' href='/feed'></head>",
        "text/html",
    )
    host.pages["/feed"] = Page(posts(1))
    found = ask(reader, "urlanalyze", url=host.url("/")).json()
    assert (found["status"], found["error_messages"]) == ("ok", [])
    assert set(found["result"]) == KEYS
    assert (found["result"]["title"], found["result"]["rss"]) == ("The pond", host.url("/feed"))
    for url in ("", "frogs", "http://10.0.0.1/", "file:///etc/passwd", host.url("/nothing")):
        refused = ask(reader, "urlanalyze", url=url).json()
        assert refused["status"] == "error", url
        assert refused["error_messages"], url
    assert ask(reader, "urlanalyze", token=False, url=host.url("/")).status_code == 401


def test_read_later_service_is_none_without_one(reader: Reader) -> None:
    answer = ask(reader, "v2_readlaterservice")
    assert (answer.status_code, answer.text) == (200, "none")
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["user", "urlanalyze", "v2_readlaterservice"])
def test_slash_at_the_end_is_understood(reader: Reader, path: str) -> None:
    assert ask(reader, f"{path}/").status_code == ask(reader, path).status_code != 404


def test_markdown_is_kept_for_a_service_that_wants_it(reader: Reader, host: FeedHost) -> None:
    reader.subscribe(fill(host, "/feed", 1), reader.make_category())
    post = reader.posts()[0]["id"]
    skipped = reader.call("POST", f"/posts/{post}/cache-markdown")
    assert skipped["status"] == "skipped"
    assert skipped["reason"]
    service = {"kind": "webhook", "name": "Mine", "url": host.url("/hook"), "is_default": True}
    reader.call("POST", "/saving-services", service, status=201)
    kept = reader.call("POST", f"/posts/{post}/cache-markdown")
    assert (kept["status"], kept["cached"]) == ("ok", True)
    assert kept["length"] > 500
    reader.unknown("POST", "/posts/999999/cache-markdown", "Post", "999999")
