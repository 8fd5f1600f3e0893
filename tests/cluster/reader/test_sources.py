"""Section 1.3 of the reader's contract, sources: each route with its answers, messages and complaints."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.reader.client import Reader, fill
from tests.remote.feed_host import FeedHost, Page, posts

ROW = {
    *("id", "name", "description", "url", "author", "rss_url", "fetcher_source", "active", "category_id"),
    *("created_at", "updated_at"),
}
PAGE = b"""<html><head><title>The pond</title><meta name="description" content="All about it">
<link rel="alternate" type="application/rss+xml" href="/rss"><link rel="alternate" type="application/atom+xml"
href="/comments" title="Comments"></head><body>Hello</body></html>"""
BAD_URL = "Please provide a valid URL (must start with http:// or https://)."
NO_CATEGORY = "The selected category does not exist."


@pytest.fixture
def category(reader: Reader) -> int:
    return reader.make_category("Frogs")


@pytest.fixture
def source(reader: Reader, category: int, host: FeedHost) -> Any:
    return reader.subscribe(fill(host, "/feed", 2), category, name="Pond")


# --- GET ------------------------------------------------------------------------------------------------------------
def test_list_is_by_name_and_includes_categories_on_demand(reader: Reader, source: Any, host: FeedHost) -> None:
    reader.subscribe(fill(host, "/other", 1), source["category_id"], name="Bog")
    rows = reader.call("GET", "/sources")["data"]
    assert [row["name"] for row in rows] == ["Bog", "Pond"]
    assert all(set(row) >= ROW and not {"category", "deactivation_reason"} & set(row) for row in rows)
    row = reader.call("GET", "/sources", params={"include": "category"})["data"][1]
    assert (row["category"]["id"], row["category"]["description"]) == (source["category_id"], "Frogs")
    assert "sources" not in row["category"]


def test_one_source(reader: Reader, source: Any) -> None:
    path = f"/sources/{source['id']}"
    row = reader.call("GET", path)["data"]
    assert set(row) >= ROW
    assert row["rss_url"] == row["fetcher_source"] == source["rss_url"]
    assert "category" not in row
    assert reader.call("GET", path, params={"include": "category"})["data"]["category"]["description"] == "Frogs"


# --- POST -----------------------------------------------------------------------------------------------------------
def test_subscribing_by_a_page(reader: Reader, category: int, host: FeedHost) -> None:
    host.pages["/"] = Page(PAGE, "text/html")
    host.pages["/rss"] = Page(posts(1, 2, title="The pond's posts"))
    body = {"url": host.url("/"), "category_id": category}
    answer = reader.call("POST", "/sources", body, status=201)
    assert answer["message"] == "Source created successfully"
    data = answer["data"]
    assert set(data) >= {*ROW, "category", "metadata"}
    assert data["url"] == "https://blog.example/"  # of the site, as the feed names it
    assert data["fetcher_source"] == data["rss_url"] == host.url("/rss")
    assert data["category"]["description"] == "Frogs"
    assert data["metadata"] == {
        "discovered_feeds": [host.url("/rss"), host.url("/comments")],
        "site_title": "The pond",
        "site_description": "All about it",
    }
    assert (data["name"], data["description"]) == ("The pond", "All about it")
    assert len(reader.posts()) == 2  # at once, without a crawl


def test_name_and_description_are_the_callers(reader: Reader, category: int, host: FeedHost) -> None:
    data = reader.subscribe(fill(host, "/feed", 1), category, name=" N\x07ame ", description="  Mine ")
    assert (data["name"], data["description"]) == ("Name", "Mine")


@pytest.mark.parametrize(
    ("body", "field", "text"),
    [
        ({"url": None}, "url", "A URL is required to create a source."),
        ({"url": " "}, "url", "A URL is required to create a source."),
        *(({"url": url}, "url", BAD_URL) for url in ("frogs", "ftp://x.example/", "javascript:alert(1)", 7, [])),
        ({"category_id": None}, "category_id", "A category is required for the source."),
        *(({"category_id": value}, "category_id", NO_CATEGORY) for value in ("x", 999_999, -1, [], 2**63 - 1)),
        ({"name": "x" * 256}, "name", "Source name cannot exceed 255 characters."),
        ({"description": "x" * 501}, "description", "Description cannot exceed 500 characters."),
    ],
)
def test_complaints_about_new_sources(reader: Reader, category: int, body: Any, field: str, text: str) -> None:
    wish = {"url": "https://x.example/", "category_id": category, **body}
    assert reader.refused("POST", "/sources", wish) == {field: [text]}


def test_nothing_given_is_complained_about_in_full(reader: Reader) -> None:
    assert list(reader.refused("POST", "/sources", {})) == ["url", "category_id"]


def test_a_category_of_a_stranger_does_not_exist(reader: Reader, stranger: Reader) -> None:
    body = {"url": "https://x.example/", "category_id": stranger.make_category()}
    assert reader.refused("POST", "/sources", body) == {"category_id": [NO_CATEGORY]}


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (Page(status=500), "Failed to analyze URL"),
        (Page(status=404), "Failed to analyze URL"),
        (Page(b"<html><title>Nothing</title></html>", "text/html"), "No RSS feed discovered for this URL"),
        (Page(b'<link rel="alternate" type="application/rss+xml" href="/gone">', "text/html"), "No RSS feed"),
        (Page(b"{}", "application/feed+json"), "No RSS feed discovered for this URL"),
    ],
)
def test_pages_that_lead_nowhere(reader: Reader, category: int, host: FeedHost, page: Page, message: str) -> None:
    host.pages["/feed"] = page
    body = {"url": host.url("/feed"), "category_id": category}
    answer = reader.call("POST", "/sources", body, status=422)
    assert answer["message"].startswith(message)
    assert list(answer["errors"]) == ["url"]
    assert answer["errors"]["url"][0].endswith(".")
    assert reader.call("GET", "/sources")["data"] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:1/",
        "http://[::ffff:10.0.0.1]/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://127.0.0.1:1/",
        "http://nowhere.invalid/",
        "//",
    ],
)
def test_what_cannot_or_must_not_be_reached(reader: Reader, category: int, url: str) -> None:
    answer = reader.call("POST", "/sources", {"url": url, "category_id": category}, status=422)
    assert list(answer["errors"]) == ["url"]


def test_a_redirect_inside_is_not_followed(reader: Reader, category: int, host: FeedHost) -> None:
    host.pages["/feed"] = Page(status=302, headers={"Location": "http://10.1.2.3/feed"})
    body = {"url": host.url("/feed"), "category_id": category}
    assert reader.call("POST", "/sources", body, status=422)["message"] == "Failed to analyze URL"


def test_the_same_feed_twice_is_refused_by_name(reader: Reader, source: Any) -> None:
    body = {"url": source["rss_url"], "category_id": source["category_id"]}
    answer = reader.call("POST", "/sources", body, status=422)
    assert answer["message"] == "Source already exists"
    assert answer["errors"] == {"url": ["A source with this RSS feed already exists: Pond"]}


def test_ten_readers_of_one_address_cost_one_request(
    reader: Reader, stranger: Reader, source: Any, host: FeedHost
) -> None:
    stranger.subscribe(source["rss_url"], stranger.make_category())
    assert len(stranger.posts()) == 2
    assert len(host.requests_for("/feed")) == 1


# --- PUT ------------------------------------------------------------------------------------------------------------
def test_changing_everything(reader: Reader, source: Any, host: FeedHost) -> None:
    path, toads = f"/sources/{source['id']}", reader.make_category("Toads")
    body = {
        "name": "New",
        "description": "About",
        "url": "https://Site.example",
        "fetcher_source": host.url("/moved"),
        "category_id": toads,
        "active": False,
        "why_deactivated": "Too loud",
    }
    answer = reader.call("PUT", path, body)
    assert answer["message"] == "Source updated successfully"
    data = answer["data"]
    assert data["category"]["description"] == "Toads"
    expected = {
        **{name: body[name] for name in ("name", "description", "category_id", "active", "fetcher_source")},
        "url": "https://site.example/",
        "rss_url": host.url("/moved"),
        "deactivation_reason": "Too loud",
    }
    assert expected.items() <= data.items()
    data = reader.call("PUT", path, {"active": "1", "url": None})["data"]
    assert (data["active"], data["name"], "deactivation_reason" in data) == (True, "New", False)
    assert len(reader.posts()) == 2  # another address is no other source


def test_changing_nothing(reader: Reader, source: Any) -> None:
    data = reader.call("PUT", f"/sources/{source['id']}", {})["data"]
    assert data["name"] == "Pond"
    assert data["category"]["id"] == source["category_id"]


@pytest.mark.parametrize(
    ("body", "field", "text"),
    [
        ({"name": "x" * 256}, "name", "Source name cannot exceed 255 characters."),
        ({"description": "x" * 501}, "description", "Description cannot exceed 500 characters."),
        ({"url": "frogs"}, "url", BAD_URL),
        ({"fetcher_source": "ftp://x.example/"}, "fetcher_source", BAD_URL),
        ({"fetcher_source": "http://10.0.0.1/feed"}, "fetcher_source", ""),
        ({"rss_url": "http://[::1]/feed"}, "fetcher_source", ""),
        ({"category_id": 999_999}, "category_id", NO_CATEGORY),
        ({"active": "perhaps"}, "active", ""),
        ({"why_deactivated": "x" * 501}, "why_deactivated", ""),
    ],
)
def test_complaints_about_changes(reader: Reader, source: Any, body: Any, field: str, text: str) -> None:
    errors = reader.refused("PUT", f"/sources/{source['id']}", body)
    assert list(errors) == [field]
    assert not text or errors[field] == [text]


def test_a_taken_feed_address_is_refused(reader: Reader, source: Any, host: FeedHost) -> None:
    other = reader.subscribe(fill(host, "/other", 1), source["category_id"], name="Bog")
    body = {"fetcher_source": source["rss_url"]}
    answer = reader.call("PUT", f"/sources/{other['id']}", body, status=422)
    assert answer["message"] == "Source already exists"
    assert answer["errors"] == {"fetcher_source": ["A source with this RSS feed already exists: Pond"]}
    assert reader.call("GET", f"/sources/{other['id']}")["data"]["rss_url"] == host.url("/other")


# --- DELETE, refresh ------------------------------------------------------------------------------------------------
def test_deleting_takes_the_posts_along(reader: Reader, source: Any) -> None:
    path = f"/sources/{source['id']}"
    assert reader.call("DELETE", path) == {"message": "Source 'Pond' deleted successfully"}
    assert reader.posts() == []
    reader.unknown("DELETE", path, "Source", str(source["id"]))


def test_refresh_is_queued_and_brings_what_is_new(reader: Reader, source: Any, host: FeedHost) -> None:
    fill(host, "/feed", 5)
    answer = reader.call("POST", f"/sources/{source['id']}/refresh", status=202)
    assert answer["message"] == "Source refresh initiated"
    assert {"source_id": source["id"], "status": "queued"}.items() <= answer["data"].items()
    found = reader.wait_for_job("/posts", lambda answer: answer["meta"]["total"] == 5)
    assert [row["title"] for row in found["data"]] == [f"Post {n}" for n in range(1, 6)]
