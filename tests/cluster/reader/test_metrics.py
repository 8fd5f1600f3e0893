"""Section 1.3 of the reader's contract, metrics: the keys that both documents agree on, per user."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.cluster.reader.client import MOMENT, Reader, fill
from tests.remote.feed_host import FeedHost, Page

SYSTEM = {
    "sources": {"total_sources", "active_sources", "healthy_sources", "warning_sources", "failed_sources"},
    "posts": {"total_posts", "unread_posts", "posts_today", "posts_this_week", "posts_this_month"},
    "categories": {"total_categories", "categories_with_sources"},
    "performance": {
        *("sources_updated_today", "average_fetch_duration_ms", "fastest_source_ms", "slowest_source_ms"),
    },
    "errors": {"sources_with_errors", "total_consecutive_failures", "sources_in_backoff"},
}
OF_A_SOURCE = {
    *("last_fetched_at", "last_fetch_duration_ms", "consecutive_failures", "status", "status_description"),
    *("last_error_at", "last_error_message", "next_attempt_at", "should_skip_backoff", "posts_count"),
    *("unread_posts_count", "latest_post_date", "is_healthy", "is_failed"),
}


def break_down(reader: Reader, host: FeedHost, path: str, name: str) -> Any:
    """A source whose refresh has failed once."""
    source = reader.subscribe(fill(host, path, 2), reader.make_category(name), name=name)
    host.pages[path] = Page(b"<html>We are moving house</html>", "text/html")
    reader.call("POST", f"/sources/{source['id']}/refresh", status=202)
    where = f"/metrics/sources/{source['id']}"
    reader.wait_for_job(where, lambda answer: answer["data"]["metrics"]["consecutive_failures"] == 1)
    return source


def test_metrics_of_a_source(reader: Reader, host: FeedHost) -> None:
    source = reader.subscribe(fill(host, "/feed", 3), reader.make_category(), name="Pond")
    reader.call("PATCH", f"/posts/{reader.posts()[0]['id']}/read-status", {"read": True})
    answer = reader.call("GET", f"/metrics/sources/{source['id']}")
    assert answer["message"] == "Source metrics retrieved successfully"
    data = answer["data"]
    assert (data["source_id"], data["source_name"]) == (source["id"], "Pond")
    assert data["source_url"] == host.url("/feed")
    numbers = data["metrics"]
    assert set(numbers) == OF_A_SOURCE
    expected = {
        "consecutive_failures": 0,
        "status": "active",
        "status_description": "Working normally",
        "last_error_at": None,
        "last_error_message": None,
        "next_attempt_at": None,
        "should_skip_backoff": False,
        "posts_count": 3,
        "unread_posts_count": 2,
        "latest_post_date": "2026-08-04T10:00:00Z",
        "is_healthy": True,
        "is_failed": False,
    }
    assert expected.items() <= numbers.items()
    assert MOMENT.fullmatch(numbers["last_fetched_at"])
    assert isinstance(numbers["last_fetch_duration_ms"], int)


def test_metrics_of_a_failing_source(reader: Reader, host: FeedHost) -> None:
    source = break_down(reader, host, "/feed", "Pond")
    numbers = reader.call("GET", f"/metrics/sources/{source['id']}")["data"]["metrics"]
    assert numbers["status"] == "warning"
    assert numbers["status_description"] == "Issues detected (1 recent failures)"
    assert MOMENT.fullmatch(numbers["last_error_at"])
    failed_at, next_at = (datetime.fromisoformat(numbers[name]) for name in ("last_error_at", "next_attempt_at"))
    assert next_at - failed_at == timedelta(hours=2)
    assert numbers["should_skip_backoff"] is True
    assert numbers["last_error_message"].endswith(".")
    assert MOMENT.fullmatch(numbers["last_fetched_at"])  # of the last success


def test_metrics_of_the_system_are_the_users_own(reader: Reader, stranger: Reader, host: FeedHost) -> None:
    break_down(reader, host, "/broken", "Broken")
    working = reader.subscribe(fill(host, "/working", 3, first=5), reader.make_category("Working"))
    reader.call("PUT", f"/sources/{working['id']}", {"active": False})
    reader.make_category("Empty")
    answer = reader.call("GET", "/metrics/system")
    assert answer["message"] == "System processing statistics retrieved successfully"
    data = answer["data"]
    assert set(data) == {*SYSTEM, "generated_at", "cache_duration"}
    assert {name: set(data[name]) for name in SYSTEM} == SYSTEM
    assert data["cache_duration"] == "5 minutes"
    assert list(data["sources"].values()) == [2, 1, 1, 1, 0]
    assert list(data["posts"].values()) == [5, 5, 5, 5, 5]
    assert list(data["categories"].values()) == [3, 2]
    assert data["performance"]["sources_updated_today"] == 2
    assert list(data["errors"].values()) == [1, 1, 1]
    assert set(stranger.call("GET", "/metrics/system")["data"]["sources"].values()) == {0}


def test_sources_health(reader: Reader, host: FeedHost) -> None:
    broken = break_down(reader, host, "/broken", "Broken")
    paused = break_down(reader, host, "/paused", "Paused")
    reader.call("PUT", f"/sources/{paused['id']}", {"active": False})
    reader.subscribe(fill(host, "/working", 1), reader.make_category("Working"))
    answer = reader.call("GET", "/metrics/sources-health")
    assert answer["message"] == "Sources health summary retrieved successfully"
    data = answer["data"]
    assert set(data) == {"summary", "problematic_sources", "generated_at"}
    expected = {"total": 3, "active": 2, "inactive": 1, "healthy": 1, "warning": 2, "failed": 0}
    assert data["summary"] == expected
    (row,) = data["problematic_sources"]
    keys = {"id", "name", "status", "consecutive_failures", "last_error_at", "last_error_message"}
    assert set(row) == {*keys, "status_description"}
    assert (row["id"], row["status"], row["consecutive_failures"]) == (broken["id"], "warning", 1)


def test_recent_activity(reader: Reader, host: FeedHost) -> None:
    category = reader.make_category()
    for name in ("First", "Second"):
        reader.subscribe(fill(host, f"/{name}", 2), category, name=name)
    answer = reader.call("GET", "/metrics/recent-activity")
    assert answer["message"] == "Recent processing activity retrieved successfully"
    data = answer["data"]
    assert set(data) == {"recent_posts_count", "recently_updated_sources", "time_range", "generated_at"}
    assert (data["recent_posts_count"], data["time_range"]) == (4, "Last 24 hours")
    rows = data["recently_updated_sources"]
    assert [row["source_name"] for row in rows] == ["Second", "First"]
    keys = {"source_id", "source_name", "last_fetched_at", "duration_ms", "status", "consecutive_failures"}
    assert all(set(row) == keys for row in rows)


def test_crawl_status_has_the_keys_of_all_three_versions(reader: Reader) -> None:
    answer = reader.call("GET", "/metrics/crawl-status")
    assert answer["message"] == "Crawl status retrieved successfully"
    data = answer["data"]
    assert set(data) == {
        *("last_successful_crawl", "minutes_since_last_crawl", "is_recent", "warning_threshold_minutes"),
        *("should_show_warning", "human_readable", "status", "message", "last_crawl_at", "minutes_ago"),
        *("threshold_minutes", "needs_attention"),
    }
    assert data["status"] in ("ok", "no_data")
    assert (data["warning_threshold_minutes"], data["threshold_minutes"]) == (120, 80)
    assert (data["needs_attention"], data["should_show_warning"]) == (False, False)
