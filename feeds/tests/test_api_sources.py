"""The contract's rows on sources and categories, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feeds.models import Category, Feed, Post, Source
from jobs.models import Job
from tests.remote.feed_host import FeedHost, Page, posts

from .api import Caller, sign_in
from .making import ask_all, subscribe

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(anna: Any) -> Caller:
    return sign_in(anna)


@pytest.fixture
def drawer(anna: Any) -> Category:
    return Category.objects.create(user=anna, description="Frogs")


def test_subscribing_to_a_feed_brings_its_posts_at_once(call: Caller, drawer: Category, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1, 2), etag=b'"1"')
    answer = call("POST", "/sources", {"url": host.url(), "category_id": drawer.pk}, status=201)
    assert answer["message"] == "Source created successfully"
    data = answer["data"]
    assert data["name"] == "A blog"
    assert data["url"] == "https://blog.example/"
    assert data["fetcher_source"] == data["rss_url"] == host.url()
    assert data["active"] is True
    assert data["category_id"] == drawer.pk
    assert data["category"]["description"] == "Frogs"
    assert "deactivation_reason" not in data
    assert host.url() in str(data["metadata"]["discovered_feeds"])
    assert data["metadata"]["site_title"] == "A blog"
    assert data["metadata"]["site_description"] == "About frogs"
    assert Post.objects.count() == 2
    ask_all()
    assert [asked.is_conditional for asked in host.asked] == [False, True]


def test_subscribing_by_a_page_finds_all_its_feeds_and_takes_the_first_readable(
    call: Caller, drawer: Category, host: FeedHost
) -> None:
    page = (
        "<html><head><title>Frog pond</title>"
        "<link rel='alternate' type='application/atom+xml' href='/broken' title='Broken'>"
        "<link rel='alternate' type='application/rss+xml' href='/rss' title='All'></head></html>"
    )
    host.pages["/"] = Page(page.encode(), "text/html")
    host.pages["/broken"] = Page(b"<html>oops</html>", "text/html")
    host.pages["/rss"] = Page(posts(1))
    body = {"url": host.url("/"), "category_id": drawer.pk, "name": " Mine ", "description": ""}
    data = call("POST", "/sources", body, status=201)["data"]
    assert data["name"] == "Mine"
    assert data["rss_url"] == host.url("/rss")
    assert all(path in str(data["metadata"]["discovered_feeds"]) for path in (host.url("/broken"), host.url("/rss")))


def test_a_feed_that_others_read_is_not_asked_again(
    call: Caller, bert: Any, drawer: Category, host: FeedHost
) -> None:
    host.pages["/feed"] = Page(posts(1, 2))
    subscribe(bert, host.url())
    ask_all()
    data = call("POST", "/sources", {"url": host.url(), "category_id": drawer.pk}, status=201)["data"]
    assert data["name"] == "A blog"
    assert len(host.asked) == 1
    assert Post.objects.filter(source=data["id"]).count() == 2


@pytest.mark.parametrize(
    ("body", "field", "text"),
    [
        ({}, "url", "A URL is required to create a source."),
        ({"url": "  "}, "url", "A URL is required to create a source."),
        ({"url": "ftp://x.example/"}, "url", "Please provide a valid URL (must start with http:// or https://)."),
        ({"url": "frogs"}, "url", "Please provide a valid URL (must start with http:// or https://)."),
        ({"url": 7}, "url", "Please provide a valid URL (must start with http:// or https://)."),
        ({"category_id": None}, "category_id", "A category is required for the source."),
        ({"category_id": "x"}, "category_id", "The selected category does not exist."),
        ({"category_id": 999_999}, "category_id", "The selected category does not exist."),
        ({"name": "x" * 256}, "name", "Source name cannot exceed 255 characters."),
        ({"description": "x" * 501}, "description", "Description cannot exceed 500 characters."),
    ],
)
def test_complaints(call: Caller, drawer: Category, body: Any, field: str, text: str) -> None:
    good = {"url": "https://x.example/", "category_id": drawer.pk} if body else {"category_id": drawer.pk}
    answer = call("POST", "/sources", {**good, **body}, status=422)
    assert answer == {"message": "The given data was invalid.", "errors": {field: [text]}}


def test_a_foreign_category_does_not_exist(call: Caller, bert: Any) -> None:
    foreign = Category.objects.create(user=bert, description="His")
    answer = call("POST", "/sources", {"url": "https://x.example/", "category_id": foreign.pk}, status=422)
    assert answer["errors"] == {"category_id": ["The selected category does not exist."]}


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (Page(status=500), "Failed to analyze URL"),
        (Page(b"", status=404), "Failed to analyze URL"),
        (Page(b"<html><title>No feeds</title></html>", "text/html"), "No RSS feed discovered for this URL"),
    ],
)
def test_pages_that_lead_nowhere(call: Caller, drawer: Category, host: FeedHost, page: Page, message: str) -> None:
    host.pages["/feed"] = page
    answer = call("POST", "/sources", {"url": host.url(), "category_id": drawer.pk}, status=422)
    assert answer["message"] == message
    assert answer["errors"]["url"][0].endswith(".")
    assert not Source.objects.exists()
    assert not Feed.objects.exists()


def test_private_addresses_are_not_asked(call: Caller, drawer: Category, settings: Any) -> None:
    settings.MASTOSCORE_PRIVATE_HOSTS = []
    body = {"url": "http://127.0.0.1:8009/feed", "category_id": drawer.pk}
    assert call("POST", "/sources", body, status=422)["message"] == "Failed to analyze URL"


def test_the_same_feed_twice_is_refused_by_name(call: Caller, drawer: Category, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    body = {"url": host.url(), "category_id": drawer.pk, "name": "Pond"}
    call("POST", "/sources", body, status=201)
    answer = call("POST", "/sources", body, status=422)
    assert answer["message"] == "Source already exists"
    assert answer["errors"] == {"url": ["A source with this RSS feed already exists: Pond"]}


def test_list_and_one(call: Caller, anna: Any, bert: Any, host: FeedHost) -> None:
    for name in ("b", "a"):
        subscribe(anna, host.url(f"/{name}"), name=name)
    subscribe(bert, host.url("/c"), name="c")
    answer = call("GET", "/sources")
    assert [row["name"] for row in answer["data"]] == ["a", "b"]
    assert answer["meta"]["per_page"] == 500
    assert "category" not in answer["data"][0]
    assert call("GET", "/sources", include="category")["data"][0]["category"]["description"] == "Blogs"
    number = answer["data"][0]["id"]
    assert call("GET", f"/sources/{number}", include="category")["data"]["category"]["description"] == "Blogs"


def test_lists_cost_the_same_whatever_their_length(call: Caller, anna: Any, host: FeedHost) -> None:
    counts = []
    for number in range(1, 7):
        subscribe(anna, host.url(f"/{number}"), category=f"Category {number}")
        if number in (1, 6):
            for path in ("/sources", "/categories"):
                with CaptureQueriesContext(connection) as queries:
                    call("GET", path, include="category")
                counts.append(len([query for query in queries if "feeds_" in query["sql"]]))
    assert counts[:2] == counts[2:] == [2, 2]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/sources/{}", None),
        ("PUT", "/sources/{}", {"name": ""}),
        ("DELETE", "/sources/{}", None),
        ("POST", "/sources/{}/refresh", None),
        ("POST", "/jobs/sources/{}/refresh", None),
        ("GET", "/metrics/sources/{}", None),
    ],
)
def test_unknown_and_foreign_sources_are_404(
    call: Caller, bert: Any, host: FeedHost, method: str, path: str, body: Any
) -> None:
    foreign = subscribe(bert, host.url())
    for number in (foreign.pk, 999_999, "x"):
        answer = call(method, path.format(number), body, status=404)
        assert answer["message"] == f"No query results for model [App\\Models\\Source] {number}"
    assert Source.objects.filter(pk=foreign.pk).exists()


def test_changing_a_source(call: Caller, anna: Any, host: FeedHost) -> None:
    source = subscribe(anna, host.url(), name="Old")
    drawer = Category.objects.create(user=anna, description="New drawer")
    body = {
        "name": "New",
        "description": "About",
        "url": "https://Site.example",
        "category_id": drawer.pk,
        "active": False,
        "why_deactivated": "Too loud",
    }
    answer = call("PUT", f"/sources/{source.pk}", body)
    assert answer["message"] == "Source updated successfully"
    data = answer["data"]
    assert (data["name"], data["description"], data["url"]) == ("New", "About", "https://site.example/")
    assert (data["active"], data["deactivation_reason"]) == (False, "Too loud")
    assert data["category"]["id"] == drawer.pk
    data = call("PUT", f"/sources/{source.pk}", {"active": "1", "interval_minutes": 30})["data"]
    assert data["active"] is True
    assert data["interval_minutes"] == 30
    assert "deactivation_reason" not in data
    assert call("PUT", f"/sources/{source.pk}", {})["data"]["name"] == "New"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x" * 256}, "name"),
        ({"description": "x" * 501}, "description"),
        ({"url": "nonsense"}, "url"),
        ({"fetcher_source": "nonsense"}, "fetcher_source"),
        ({"category_id": 999_999}, "category_id"),
        ({"active": "x"}, "active"),
        ({"why_deactivated": "x" * 501}, "why_deactivated"),
        ({"interval_minutes": 5}, "interval_minutes"),
    ],
)
def test_complaints_about_changes(call: Caller, anna: Any, host: FeedHost, body: Any, field: str) -> None:
    source = subscribe(anna, host.url())
    assert list(call("PUT", f"/sources/{source.pk}", body, status=422)["errors"]) == [field]


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/feed", "https://[::1]/feed", "https://169.254.169.254/", "http://100.64.1.1:8080/"]
)
def test_private_feed_address_is_refused_when_it_is_saved(call: Caller, anna: Any, host: FeedHost, url: str) -> None:
    source = subscribe(anna, host.url())
    answer = call("PUT", f"/sources/{source.pk}", {"fetcher_source": url, "name": "New"}, status=422)
    assert "do not contact" in answer["errors"]["fetcher_source"][0]
    source.refresh_from_db()
    assert (source.feed.url, source.name) == (host.url(), host.url())


def test_a_taken_feed_address_is_refused(call: Caller, anna: Any, host: FeedHost) -> None:
    source = subscribe(anna, host.url("/one"))
    subscribe(anna, host.url("/two"), name="Second")
    answer = call("PUT", f"/sources/{source.pk}", {"fetcher_source": host.url("/two")}, status=422)
    assert answer["message"] == "Source already exists"
    assert answer["errors"] == {"fetcher_source": ["A source with this RSS feed already exists: Second"]}


def test_deleting_a_source_takes_its_posts(call: Caller, anna: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    source = subscribe(anna, host.url(), name="Pond")
    ask_all()
    answer = call("DELETE", f"/sources/{source.pk}")
    assert answer == {"message": "Source 'Pond' deleted successfully"}
    assert Post.objects.count() == Feed.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_refresh_is_queued_once(call: Caller, anna: Any, host: FeedHost, wake_ups: list[int]) -> None:
    source = subscribe(anna, host.url(), name="Pond")
    answer = call("POST", f"/sources/{source.pk}/refresh", status=202)
    job = Job.objects.get()
    assert answer["message"] == "Source refresh initiated"
    assert answer["data"] == {"source_id": source.pk, "status": "queued", "job_id": job.pk}
    answer = call("POST", f"/jobs/sources/{source.pk}/refresh", status=202)
    assert answer["message"] == "Source refresh job dispatched successfully"
    expected = {"source_id": source.pk, "source_name": "Pond", "job_id": job.pk, "job_dispatched": True}
    assert expected.items() <= answer["data"].items()
    assert {"status", "estimated_completion"} <= set(answer["data"])
    assert wake_ups == [job.pk]


# --- categories -----------------------------------------------------------------------------------------------------
def test_categories(call: Caller, anna: Any, bert: Any, host: FeedHost) -> None:
    Category.objects.create(user=bert, description="His")
    answer = call("POST", "/categories", {"description": " Toads "}, status=201)
    assert answer["message"] == "Category created successfully"
    assert answer["data"]["description"] == "Toads"
    assert answer["data"]["sources_count"] == 0
    subscribe(anna, host.url(), category="Frogs", name="Pond")
    rows = call("GET", "/categories")["data"]
    assert [(row["description"], row["sources_count"]) for row in rows] == [("Frogs", 1), ("Toads", 0)]
    assert set(rows[0]) == {"id", "description", "sources_count", "created_at", "updated_at"}
    one = call("GET", f"/categories/{rows[0]['id']}")["data"]
    assert [source["name"] for source in one["sources"]] == ["Pond"]
    answer = call("PUT", f"/categories/{rows[0]['id']}", {"description": "Frogs"})
    assert answer["message"] == "Category updated successfully"
    assert call("PUT", f"/categories/{rows[0]['id']}", {"description": "Newts"})["data"]["description"] == "Newts"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Category description is required."),
        ({"description": "  "}, "Category description is required."),
        ({"description": "ab"}, "Category description must be at least 3 characters."),
        ({"description": "x" * 256}, "Category description cannot exceed 255 characters."),
        ({"description": "frogs"}, "A category with this description already exists."),
    ],
)
def test_complaints_about_categories(call: Caller, anna: Any, drawer: Category, body: Any, text: str) -> None:
    other = Category.objects.create(user=anna, description="Toads")
    for method, path, status in (("POST", "/categories", 422), ("PUT", f"/categories/{other.pk}", 422)):
        assert call(method, path, body, status=status)["errors"] == {"description": [text]}


def test_another_users_category_of_that_name_is_no_hindrance(call: Caller, bert: Any) -> None:
    Category.objects.create(user=bert, description="Frogs")
    call("POST", "/categories", {"description": "Frogs"}, status=201)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_unknown_and_foreign_categories_are_404(call: Caller, bert: Any, method: str) -> None:
    foreign = Category.objects.create(user=bert, description="His")
    for number in (foreign.pk, 999_999):
        answer = call(method, f"/categories/{number}", {"description": ""}, status=404)
        assert answer == {"message": f"No query results for model [App\\Models\\Category] {number}"}
    assert Category.objects.filter(pk=foreign.pk).exists()


def test_deleting_a_category_moves_its_sources(call: Caller, anna: Any, drawer: Category, host: FeedHost) -> None:
    answer = call("DELETE", f"/categories/{drawer.pk}")
    assert answer["message"] == "Category deleted successfully"
    assert answer["data"] == {"sources_moved": 0, "moved_to_category": None}
    source = subscribe(anna, host.url(), category="Frogs")
    answer = call("DELETE", f"/categories/{source.category_id}")
    assert answer["data"] == {"sources_moved": 1, "moved_to_category": "Uncategorized"}
    source.refresh_from_db()
    assert source.category.description == "Uncategorized"
    answer = call("DELETE", f"/categories/{source.category_id}", status=422)
    assert "Uncategorized" in answer["message"]
    assert Source.objects.count() == 1
