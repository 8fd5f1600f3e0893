"""Section 1.3 of the reader's contract, jobs: asked for over HTTP, done by the worker, looked at over HTTP."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.cluster.house import wait_until
from tests.cluster.reader.client import LONG, MOMENT, Reader, fill
from tests.remote.feed_host import FeedHost, Page, item, rss


@pytest.fixture
def source(reader: Reader, host: FeedHost) -> Any:
    return reader.subscribe(fill(host, "/feed", 1), reader.make_category(), name="Pond")


def test_refresh_job_brings_posts(reader: Reader, source: Any, host: FeedHost) -> None:
    fill(host, "/feed", 4)
    answer = reader.call("POST", f"/jobs/sources/{source['id']}/refresh", status=202)
    assert answer["message"] == "Source refresh job dispatched successfully"
    data = answer["data"]
    expected = {"source_id": source["id"], "source_name": "Pond", "job_dispatched": True, "status": "queued"}
    assert expected.items() <= data.items()
    assert {"job_id", "estimated_completion"} <= set(data)
    assert MOMENT.fullmatch(data["estimated_completion"])
    reader.wait_for_job("/posts", lambda answer: answer["meta"]["total"] == 4)
    assert len(host.requests_for("/feed")) == 2


def test_asking_for_a_refresh_waits_for_no_feed(reader: Reader, source: Any, host: FeedHost) -> None:
    """The feed answers only after the answer to the request for its refresh was there."""
    hold = threading.Event()
    host.pages["/feed"] = Page(rss(item(1), item(2)), hold=hold)
    reader.call("POST", f"/sources/{source['id']}/refresh", status=202)
    assert len(reader.posts()) == 1
    hold.set()
    reader.wait_for_job("/posts", lambda answer: answer["meta"]["total"] == 2)


def test_refresh_job_of_a_broken_feed_shows_in_its_metrics(reader: Reader, source: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(status=500)
    reader.call("POST", f"/jobs/sources/{source['id']}/refresh", status=202)
    path = f"/metrics/sources/{source['id']}"
    found = reader.wait_for_job(path, lambda answer: answer["data"]["metrics"]["consecutive_failures"] == 1)
    numbers = found["data"]["metrics"]
    assert (numbers["status"], numbers["is_healthy"], numbers["is_failed"]) == ("warning", False, False)
    assert "500" in numbers["last_error_message"]
    assert numbers["should_skip_backoff"] is True
    fill(host, "/feed", 2)  # a manual refresh does not wait for the back-off
    reader.call("POST", f"/jobs/sources/{source['id']}/refresh", status=202)
    reader.wait_for_job(path, lambda answer: answer["data"]["metrics"]["is_healthy"])


@pytest.mark.parametrize(("body", "sentences"), [({}, 3), ({"sentences": 1}, 1), ({"sentences": "10"}, 10)])
def test_summary_job_goes_from_processing_to_completed(
    reader: Reader, source: Any, body: Any, sentences: int
) -> None:
    post = reader.posts()[0]["id"]
    answer = reader.call("POST", f"/jobs/posts/{post}/summary", body, status=202)
    assert answer["message"] == "Summary generation job dispatched successfully"
    data, key = answer["data"], f"summary_post_{post}_{sentences}"
    expected = {
        "post_id": post,
        "post_title": "Post 1",
        "sentences": sentences,
        "cache_key": key,
        "job_dispatched": True,
        "status": "queued",
        "status_check_url": f"/api/v1/jobs/summary-status/{key}",
        "check_status_url": f"{reader.address}api/v1/jobs/summary-status/{key}",
    }
    assert expected.items() <= data.items()
    assert MOMENT.fullmatch(data["estimated_completion"])
    seen: list[str] = []

    def is_done(answer: Any) -> bool:
        assert answer["status"] == answer["data"]["status"]
        if answer["status"] == "processing":
            assert {"status", "cache_key", "started_at"} <= set(answer["data"])
        seen.append(answer["status"])
        return bool(answer["status"] == "completed")

    done = reader.wait_for_job(f"/jobs/summary-status/{key}", is_done)
    assert set(seen) <= {"processing", "completed"}  # never "not found" between asking and starting
    assert done["message"]
    keys = {"status", "cache_key", "summary", "sentences", "completed_at", "post_id", "generated_at"}
    assert keys <= set(done["data"])
    assert done["data"]["summary"].count("Sentence number") == sentences
    assert MOMENT.fullmatch(done["data"]["completed_at"])
    assert reader.call("GET", f"/jobs/summary/{key}/status")["status"] == "completed"


def test_a_queued_summary_is_processing_at_once(reader: Reader, source: Any) -> None:
    """Whether or not a worker has begun: the first look never finds nothing."""
    key = f"summary_post_{reader.posts()[0]['id']}_7"
    reader.call("POST", f"/jobs/posts/{reader.posts()[0]['id']}/summary", {"sentences": 7}, status=202)
    assert reader.call("GET", f"/jobs/summary-status/{key}")["status"] in ("processing", "completed")


def test_a_key_means_something_to_its_owner_only(reader: Reader, stranger: Reader, source: Any) -> None:
    post = reader.posts()[0]["id"]
    reader.call("POST", f"/jobs/posts/{post}/summary", status=202)
    for asking, key in (
        (stranger, f"summary_post_{post}_3"),
        (reader, f"summary_post_{post}_4"),
        (reader, "summary_post_x"),
        (reader, "x" * 500),
    ):
        assert asking.call("GET", f"/jobs/summary-status/{key}", status=404) == {
            "status": "not_found",
            "message": "Summary job not found or expired",
            "error": "Invalid cache key or job expired",
        }


def test_a_summary_that_cannot_be_made_says_why(reader: Reader, host: FeedHost) -> None:
    host.pages["/empty"] = Page(rss("<item><title>Only a title</title><guid>t</guid></item>"))
    reader.subscribe(host.url("/empty"), reader.make_category())
    post = reader.posts()[0]["id"]
    reader.call("POST", f"/jobs/posts/{post}/summary", status=202)
    path = f"/jobs/summary-status/summary_post_{post}_3"
    wait_until(lambda: reader.send("GET", path).status_code == 422, "the failure")
    answer = reader.call("GET", path, status=422)
    assert answer["status"] == "failed"
    assert answer["message"] == "Summary generation failed"
    assert answer["error"].endswith(".")


@pytest.mark.parametrize("sentences", [0, 11, -1, "x", 2.5, [], "9" * 40])
def test_a_summary_job_takes_one_to_ten(reader: Reader, source: Any, sentences: Any) -> None:
    path = f"/jobs/posts/{reader.posts()[0]['id']}/summary"
    assert list(reader.refused("POST", path, {"sentences": sentences})) == ["sentences"]


@pytest.mark.parametrize("path", ["/jobs/queue-status", "/jobs/queue/status"])
def test_queue_status_counts_what_is_there(reader: Reader, path: str) -> None:
    answer = reader.call("GET", path)
    assert answer["message"] == "Queue status retrieved successfully"
    data = answer["data"]
    assert {"queues", "total_pending", "total_failed", "system_healthy", "generated_at"} <= set(data)
    assert {"default", "refresh"} <= set(data["queues"])
    for name, total in (("pending_jobs", "total_pending"), ("failed_jobs", "total_failed")):
        assert data[total] == sum(queue[name] for queue in data["queues"].values())
    assert data["system_healthy"] is True
    assert MOMENT.fullmatch(data["generated_at"])


def test_a_summary_is_of_what_the_post_says_now(reader: Reader, source: Any, host: FeedHost) -> None:
    """An edited post is summarised anew, not from what was kept."""
    post = reader.posts()[0]["id"]
    before = reader.call("POST", f"/posts/{post}/summary")["data"]["summary"]
    text = LONG.replace("frogs", "toads")
    host.pages["/feed"] = Page(rss(item(1, text=f"<p>{text}</p>")))
    reader.call("POST", f"/sources/{source['id']}/refresh", status=202)
    reader.wait_for_job(f"/posts/{post}", lambda answer: "toads" in answer["data"]["content"])
    after = reader.call("POST", f"/posts/{post}/summary")["data"]["summary"]
    assert ("frogs" in before, "toads" in after) == (True, True)
