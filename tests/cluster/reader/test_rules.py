"""Section 1.1 of the reader's contract: what holds on every route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.cluster.reader.client import MOMENT, Reader, fill
from tests.remote.feed_host import FeedHost

ROUTES = [
    ("GET", "/posts"),
    ("GET", "/posts/1"),
    ("PATCH", "/posts/1/read-status"),
    ("PATCH", "/posts/bulk-read-status"),
    ("PATCH", "/posts/mark-all-read"),
    ("POST", "/posts/1/summary"),
    ("POST", "/posts/1/quote-explanation"),
    ("GET", "/sources"),
    ("POST", "/sources"),
    ("GET", "/sources/1"),
    ("PUT", "/sources/1"),
    ("DELETE", "/sources/1"),
    ("POST", "/sources/1/refresh"),
    ("GET", "/categories"),
    ("POST", "/categories"),
    ("GET", "/categories/1"),
    ("PUT", "/categories/1"),
    ("DELETE", "/categories/1"),
    ("GET", "/export-opml"),
    ("POST", "/preview-opml"),
    ("POST", "/import-opml"),
    ("POST", "/jobs/sources/1/refresh"),
    ("POST", "/jobs/posts/1/summary"),
    ("GET", "/jobs/summary-status/summary_post_1_3"),
    ("GET", "/jobs/queue-status"),
    ("GET", "/metrics/sources/1"),
    ("GET", "/metrics/system"),
    ("GET", "/metrics/sources-health"),
    ("GET", "/metrics/recent-activity"),
    ("GET", "/metrics/crawl-status"),
]


@pytest.fixture
def filled(reader: Reader, host: FeedHost) -> Reader:
    reader.subscribe(fill(host, "/feed", 17), reader.make_category())
    return reader


def test_without_or_with_a_wrong_token_every_route_is_401(reader: Reader) -> None:
    for method, path in ROUTES:
        # Only a browser that nobody signed in with gets a page that says where to do so.
        for token, accept in (("", "*/*"), ("ms_aaaaaaaa_wrong", "text/html"), ("7|from-infraread", "image/png")):
            answer = reader.call(method, path, status=401, token=token, headers={"Accept": accept})
            assert answer == {"message": "Unauthenticated."}, (method, path, token)


def test_slash_at_the_end_is_understood(filled: Reader) -> None:
    for method, path in ROUTES:
        if method == "GET":
            assert filled.send(method, f"{path}/").status_code == filled.send(method, path).status_code, path


@pytest.mark.parametrize("number", ["999", "0", "-1", "x", "9" * 40, "1.5"])
@pytest.mark.parametrize(
    ("method", "path", "model"),
    [
        ("GET", "/posts/{}", "Post"),
        ("PATCH", "/posts/{}/read-status", "Post"),
        ("POST", "/posts/{}/summary", "Post"),
        ("POST", "/posts/{}/quote-explanation", "Post"),
        ("GET", "/sources/{}", "Source"),
        ("PUT", "/sources/{}", "Source"),
        ("DELETE", "/sources/{}", "Source"),
        ("POST", "/sources/{}/refresh", "Source"),
        ("GET", "/categories/{}", "Category"),
        ("PUT", "/categories/{}", "Category"),
        ("DELETE", "/categories/{}", "Category"),
        ("POST", "/jobs/sources/{}/refresh", "Source"),
        ("POST", "/jobs/posts/{}/summary", "Post"),
        ("GET", "/metrics/sources/{}", "Source"),
    ],
)
def test_unknown_ids_are_404_before_the_body_is_looked_at(
    reader: Reader, method: str, path: str, model: str, number: str
) -> None:
    reader.unknown(method, path.format(number), model, number)


def test_backslashes_are_escaped_in_json(reader: Reader) -> None:
    text = reader.send("GET", "/posts/999").text
    assert text == r'{"message":"No query results for model [App\\Models\\Post] 999"}'


def test_what_is_anothers_is_as_unknown_as_what_never_was(filled: Reader, stranger: Reader) -> None:
    post, source = filled.posts()[0]["id"], filled.call("GET", "/sources")["data"][0]
    for method, path, model, number in (
        ("GET", "/posts/{}", "Post", post),
        ("PATCH", "/posts/{}/read-status", "Post", post),
        ("POST", "/jobs/posts/{}/summary", "Post", post),
        ("PUT", "/sources/{}", "Source", source["id"]),
        ("DELETE", "/sources/{}", "Source", source["id"]),
        ("POST", "/jobs/sources/{}/refresh", "Source", source["id"]),
        ("GET", "/metrics/sources/{}", "Source", source["id"]),
        ("DELETE", "/categories/{}", "Category", source["category_id"]),
    ):
        stranger.unknown(method, path.format(number), model, str(number))
    assert [stranger.call("GET", f"/{name}")["data"] for name in ("posts", "sources", "categories")] == [[], [], []]
    assert filled.call("GET", "/posts")["meta"]["total"] == 17


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_unknown_routes_are_404_in_json(reader: Reader, method: str) -> None:
    assert reader.call(method, "/frogs", status=404)["message"]


@pytest.mark.parametrize("body", [b"{", b"{'read': true}", b"\xff\xfe", b""])
def test_only_a_body_that_cannot_be_read_is_400(reader: Reader, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    status = 400 if body else 422  # nothing at all is no broken JSON: what is required is missing
    for method, path in (("PATCH", "/posts/mark-all-read"), ("POST", "/categories"), ("POST", "/sources")):
        assert reader.send(method, path, data=body, headers=headers).status_code == status, path


def test_validation_says_which_element_of_a_list_is_wrong(reader: Reader) -> None:
    errors = reader.refused("PATCH", "/posts/bulk-read-status", {"post_ids": [1, "x", 2, -3], "read": True})
    assert errors == {
        "post_ids.1": ["Each post ID must be a valid integer."],
        "post_ids.3": ["Post IDs must be positive numbers."],
    }


def test_texts_are_trimmed_and_empty_ones_count_as_missing(reader: Reader) -> None:
    made = reader.call("POST", "/categories", {"description": "  Frogs \n"}, status=201)
    assert made["data"]["description"] == "Frogs"
    for empty in ("", "   ", None):
        errors = reader.refused("POST", "/categories", {"description": empty})
        assert errors == {"description": ["Category description is required."]}


def test_times_are_iso_8601_in_utc(filled: Reader) -> None:
    post = filled.posts(include="source,category")[0]
    crawl = filled.call("GET", "/metrics/system")["data"]
    moments = [post["posted_at"], crawl["generated_at"]]
    moments += [post[name][key] for name in ("source", "category") for key in ("created_at", "updated_at")]
    assert all(MOMENT.fullmatch(moment) for moment in moments), moments


def test_pages_have_fifteen_posts_and_links_that_keep_the_query(filled: Reader) -> None:
    answer = filled.call("GET", "/posts", params={"filter[read]": "false", "include": "source"})
    assert answer["meta"] == {"current_page": 1, "from": 1, "last_page": 2, "per_page": 15, "to": 15, "total": 17}
    links = answer["links"]
    assert set(links) == {"first", "last", "prev", "next"}
    assert links["prev"] is None
    query = {"filter[read]": ["false"], "include": ["source"]}
    assert parse_qs(urlsplit(links["next"]).query) == {**query, "page": ["2"]}
    assert parse_qs(urlsplit(links["last"]).query) == {**query, "page": ["2"]}
    assert links["next"].startswith(filled.address)
    headers = {"Authorization": f"Bearer {filled.token}"}
    second = requests.get(links["next"], headers=headers, timeout=60).json()
    assert (len(second["data"]), second["links"]["next"], second["meta"]["from"]) == (2, None, 16)
    assert filled.call("GET", "/posts", params={"page": 9})["data"] == []
    assert filled.call("GET", "/posts", params={"per_page": 5})["meta"]["last_page"] == 4
    assert filled.call("GET", "/posts", params={"per_page": 100_000})["meta"]["per_page"] == 200


@pytest.mark.parametrize("path", ["/sources", "/categories"])
def test_short_lists_have_the_same_envelope_and_one_large_page(filled: Reader, path: str) -> None:
    answer = filled.call("GET", path)
    assert set(answer) == {"data", "links", "meta"}
    assert answer["meta"] == {"current_page": 1, "from": 1, "last_page": 1, "per_page": 500, "to": 1, "total": 1}


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"per_page": "-1"}, {"page": "9" * 30}])
def test_pages_that_are_no_numbers_are_422(reader: Reader, query: dict[str, Any]) -> None:
    for path in ("/posts", "/sources", "/categories"):
        assert list(reader.refused("GET", path, params=query)) == list(query)


def test_a_token_for_reading_changes_nothing(make_reader: Callable[..., Reader]) -> None:
    looking = make_reader(scopes="read")
    assert looking.call("GET", "/posts")["data"] == []
    for method, path in (("POST", "/categories"), ("PATCH", "/posts/mark-all-read"), ("DELETE", "/sources/1")):
        assert looking.call(method, path, {}, status=403)["message"]


def test_other_sites_are_let_in_only_by_the_settings(reader: Reader) -> None:
    answer = reader.send("GET", "/posts", headers={"Origin": "https://elsewhere.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
