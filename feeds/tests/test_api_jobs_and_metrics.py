"""The contract's rows on jobs and metrics, over HTTP; the queue is worked off in the test's own process."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from feeds import refresh
from feeds.models import Feed, Post, Source
from jobs.models import Beat, Job
from jobs.recovery import WORKER_BEAT
from jobs.runner import run_job
from tests.remote.feed_host import FeedHost, Page, item, posts, rss

from .api import Caller, sign_in
from .making import ask_all, subscribe

pytestmark = pytest.mark.django_db(transaction=True)

LONG = " ".join(f"Sentence number {n} says something about frogs in the garden." for n in range(30))


@pytest.fixture
def call(anna: Any) -> Caller:
    return sign_in(anna)


@pytest.fixture
def post(anna: Any, host: FeedHost) -> Post:
    host.pages["/feed"] = Page(rss(item(1, text=f"<p>{LONG}</p>")))
    subscribe(anna, host.url(), name="Pond")
    ask_all()
    return Post.objects.get()


def test_a_summary_as_a_job(call: Caller, bert: Any, post: Post, wake_ups: list[int]) -> None:
    answer = call("POST", f"/jobs/posts/{post.pk}/summary", {}, status=202)
    data = answer["data"]
    assert data["cache_key"] == f"summary_post_{post.pk}_3"
    assert data["status_check_url"] == f"/api/v1/jobs/summary-status/summary_post_{post.pk}_3"
    expected = {"post_id", "post_title", "sentences", "job_dispatched", "estimated_completion", "check_status_url"}
    assert expected <= set(data)
    path = f"/jobs/summary-status/{data['cache_key']}"
    waiting = call("GET", path)
    assert waiting["status"] == waiting["data"]["status"] == "processing"
    assert {"cache_key", "started_at"} <= set(waiting["data"])
    run_job(wake_ups[0])
    done = call("GET", path)
    assert done["status"] == done["data"]["status"] == "completed"
    assert done["data"]["summary"].count("Sentence number") == 3
    assert {"sentences", "completed_at", "cache_key", "post_id", "generated_at"} <= set(done["data"])
    assert call("GET", f"/jobs/summary/{data['cache_key']}/status")["status"] == "completed"
    assert sign_in(bert)("GET", path, status=404)["status"] == "not_found"


def test_a_summary_job_that_fails_says_why(call: Caller, post: Post, wake_ups: list[int]) -> None:
    type(post.entry).objects.update(content="")
    call("POST", f"/jobs/posts/{post.pk}/summary", {"sentences": 5}, status=202)
    run_job(wake_ups[0])
    answer = call("GET", f"/jobs/summary-status/summary_post_{post.pk}_5", status=422)
    assert answer["status"] == "failed"
    assert answer["message"] == "Summary generation failed"
    assert answer["error"].endswith(".")


@pytest.mark.parametrize("sentences", [0, 11, "x", 2.5])
def test_a_summary_job_takes_one_to_ten_sentences(call: Caller, post: Post, sentences: Any) -> None:
    answer = call("POST", f"/jobs/posts/{post.pk}/summary", {"sentences": sentences}, status=422)
    assert list(answer["errors"]) == ["sentences"]


def test_an_unknown_summary_is_404(call: Caller) -> None:
    assert call("GET", "/jobs/summary-status/summary_post_7_3", status=404) == {
        "status": "not_found",
        "message": "Summary job not found or expired",
        "error": "Invalid cache key or job expired",
    }


def test_a_refresh_as_a_job(call: Caller, post: Post, host: FeedHost, wake_ups: list[int]) -> None:
    host.pages["/feed"] = Page(posts(1, 2, 3))
    call("POST", f"/jobs/sources/{post.source_id}/refresh", status=202)
    run_job(wake_ups[0])
    job = Job.objects.get()
    assert job.status == Job.Status.COMPLETE
    assert job.result is not None
    assert job.result["success"] is True
    assert job.result["new_posts"] == 2


def test_queue_status_counts_what_is_there(call: Caller, post: Post, wake_ups: list[int]) -> None:
    call("POST", f"/jobs/sources/{post.source_id}/refresh", status=202)
    Job.objects.create(kind="score", status=Job.Status.ERROR, finished_at=timezone.now())
    answer = call("GET", "/jobs/queue-status")
    assert answer["message"] == "Queue status retrieved successfully"
    data = answer["data"]
    assert data["queues"]["refresh"] == {"pending_jobs": 1, "failed_jobs": 0}
    assert data["queues"]["default"] == {"pending_jobs": 0, "failed_jobs": 1}
    assert (data["total_pending"], data["total_failed"], data["system_healthy"]) == (1, 1, False)
    Beat.objects.create(name=WORKER_BEAT, at=timezone.now())
    assert call("GET", "/jobs/queue/status")["data"]["system_healthy"] is True


def test_jobs_and_metrics_have_allowances_of_their_own(call: Caller) -> None:
    assert call.ask("GET", "/jobs/queue-status")["X-RateLimit-Limit"] == "30"
    assert call.ask("GET", "/metrics/system")["X-RateLimit-Limit"] == "120"
    assert call.ask("GET", "/sources")["X-RateLimit-Limit"] == "60"


def test_metrics_of_a_source(call: Caller, post: Post, host: FeedHost) -> None:
    path = f"/metrics/sources/{post.source_id}"
    answer = call("GET", path)
    assert answer["message"] == "Source metrics retrieved successfully"
    data = answer["data"]
    assert (data["source_id"], data["source_name"], data["source_url"]) == (post.source_id, "Pond", host.url())
    metrics = data["metrics"]
    assert metrics["last_fetched_at"].endswith("Z")
    assert metrics["status"] == "active"
    assert metrics["status_description"] == "Working normally"
    assert (metrics["consecutive_failures"], metrics["next_attempt_at"]) == (0, None)
    assert (metrics["posts_count"], metrics["unread_posts_count"]) == (1, 1)
    assert (metrics["is_healthy"], metrics["is_failed"], metrics["should_skip_backoff"]) == (True, False, False)
    assert metrics["latest_post_date"].endswith("Z")
    host.pages["/feed"] = Page(status=500)
    fetched_at = Feed.objects.get().fetched_at
    for _ in range(2):
        ask_all()
    metrics = call("GET", path)["data"]["metrics"]
    assert metrics["status"] == "warning"
    assert metrics["status_description"] == "Issues detected (2 recent failures)"
    assert "500" in metrics["last_error_message"]
    assert metrics["should_skip_backoff"] is True
    assert Feed.objects.get().fetched_at == fetched_at
    for _ in range(3):
        ask_all()
    metrics = call("GET", path)["data"]["metrics"]
    assert metrics["status_description"] == "Not working (5 consecutive failures)"
    assert (metrics["is_healthy"], metrics["is_failed"]) == (False, True)


def test_metrics_of_the_system_are_the_users_own(call: Caller, bert: Any, post: Post, host: FeedHost) -> None:
    subscribe(bert, host.url("/his"))
    ask_all()
    data = call("GET", "/metrics/system")["data"]
    assert data["sources"] == {
        "total_sources": 1,
        "active_sources": 1,
        "healthy_sources": 1,
        "warning_sources": 0,
        "failed_sources": 0,
    }
    assert data["posts"]["total_posts"] == data["posts"]["unread_posts"] == data["posts"]["posts_this_month"] == 1
    assert data["categories"] == {"total_categories": 1, "categories_with_sources": 1}
    assert set(data["performance"]) == {
        "sources_updated_today",
        "average_fetch_duration_ms",
        "fastest_source_ms",
        "slowest_source_ms",
    }
    assert data["errors"] == {
        "sources_with_errors": 0,
        "total_consecutive_failures": 0,
        "sources_in_backoff": 0,
    }
    assert data["cache_duration"] == "5 minutes"
    his = sign_in(bert)("GET", "/metrics/system")["data"]
    assert his["errors"] == {"sources_with_errors": 1, "total_consecutive_failures": 1, "sources_in_backoff": 1}


def test_health_lists_the_worst_first_and_only_what_is_switched_on(call: Caller, anna: Any, host: FeedHost) -> None:
    for name, failures in (("bad", 2), ("worse", 7), ("off", 9), ("good", 0)):
        source = subscribe(anna, host.url(f"/{name}"), name=name)
        health = "active" if not failures else "warning" if failures < 5 else "failed"
        Feed.objects.filter(pk=source.feed_id).update(failures=failures, health=health)
    Source.objects.filter(name="off").update(active=False)
    data = call("GET", "/metrics/sources-health")["data"]
    assert data["summary"] == {"total": 4, "active": 3, "inactive": 1, "healthy": 1, "warning": 1, "failed": 2}
    assert [row["name"] for row in data["problematic_sources"]] == ["worse", "bad"]
    assert set(data["problematic_sources"][0]) == {
        *("id", "name", "status", "consecutive_failures", "last_error_at", "last_error_message"),
        "status_description",
    }


def test_recent_activity(call: Caller, post: Post) -> None:
    answer = call("GET", "/metrics/recent-activity")
    assert answer["message"] == "Recent processing activity retrieved successfully"
    data = answer["data"]
    assert data["recent_posts_count"] == 1
    assert data["time_range"] == "Last 24 hours"
    row = data["recently_updated_sources"][0]
    assert set(row) == {
        *("source_id", "source_name", "last_fetched_at", "duration_ms", "status", "consecutive_failures"),
    }


def test_crawl_status_tells_whether_the_clock_runs(
    call: Caller, anna: Any, post: Post, host: FeedHost, wake_ups: list[int]
) -> None:
    data = call("GET", "/metrics/crawl-status")["data"]
    assert (data["status"], data["needs_attention"], data["last_crawl_at"]) == ("no_data", False, None)
    Feed.objects.update(next_due_at=timezone.now())
    assert refresh.queue_refresh() == 1
    assert refresh.queue_refresh() == 0
    host.pages["/feed"] = Page(status=500)
    run_job(wake_ups[0])
    assert call("GET", "/metrics/crawl-status")["data"]["status"] == "no_data"  # all failed: that was no crawl
    host.pages["/feed"] = Page(posts(1))
    Feed.objects.update(next_due_at=timezone.now())
    refresh.queue_refresh()
    run_job(wake_ups[1])
    data = call("GET", "/metrics/crawl-status")["data"]
    assert (data["status"], data["is_recent"], data["should_show_warning"]) == ("ok", True, False)
    assert (data["threshold_minutes"], data["warning_threshold_minutes"]) == (80, 120)
    for minutes, status, needs_attention in ((79, "ok", False), (100, "ok", True), (130, "warning", True)):
        Beat.objects.update(at=timezone.now() - timedelta(minutes=minutes))
        data = call("GET", "/metrics/crawl-status")["data"]
        assert (data["status"], data["needs_attention"], data["minutes_ago"]) == (status, needs_attention, minutes)
        assert data["minutes_since_last_crawl"] == minutes
        assert data["should_show_warning"] is (status == "warning")
