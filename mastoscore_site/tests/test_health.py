from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from jobs.models import Beat, Job
from jobs.recovery import WORKER_BEAT
from mastoscore_site import health
from pipeline.models import Artifact, Crawl, Toot, Visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker() -> Beat:
    return Beat.objects.create(name=WORKER_BEAT, at=timezone.now())


def readiness(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/readyz")
    assert "no-store" in answer["Cache-Control"]
    return answer.status_code, answer.json()


def wait_in_queue(seconds: float, **values: Any) -> Job:
    job = Job.objects.create(kind="fetch", **values)
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(seconds=seconds))
    return job


# --- alive and ready ------------------------------------------------------------------------------------------------
def test_healthz_needs_nothing(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405


def test_site_with_a_worker_is_ready(client: Client, worker: Beat) -> None:
    wait_in_queue(5)
    status, body = readiness(client)
    assert (status, body["status"]) == (200, "ready")
    assert {name: check["ok"] for name, check in body["checks"].items()} == {
        "database": True,
        "worker": True,
        "queue": True,
        "disk": True,
    }
    assert body["checks"]["queue"]["oldest_seconds"] >= 5
    assert body["checks"]["disk"]["free_mb"] > 0


def test_site_without_a_worker_is_not_ready(client: Client) -> None:
    status, body = readiness(client)
    assert (status, body["status"]) == (503, "not ready")
    assert body["checks"]["worker"] == {"ok": False, "age_seconds": None}
    assert body["checks"]["database"]["ok"]


def test_site_with_a_silent_worker_is_not_ready(client: Client, worker: Beat, settings: Any) -> None:
    settings.WORKER_SILENT_SECONDS = 100
    Beat.objects.update(at=timezone.now() - timedelta(seconds=101))
    status, body = readiness(client)
    assert status == 503
    assert not body["checks"]["worker"]["ok"]
    assert body["checks"]["worker"]["age_seconds"] >= 101


def test_job_that_waits_too_long_makes_it_not_ready(client: Client, worker: Beat, settings: Any) -> None:
    settings.READY_MAX_QUEUE_SECONDS = 600
    wait_in_queue(700, status=Job.Status.RUNNING)
    assert readiness(client)[0] == 200
    wait_in_queue(601)
    status, body = readiness(client)
    assert status == 503
    assert not body["checks"]["queue"]["ok"]


def test_full_disk_makes_it_not_ready(client: Client, worker: Beat, settings: Any) -> None:
    settings.READY_MIN_DISK_MB = 10**9
    status, body = readiness(client)
    assert status == 503
    assert not body["checks"]["disk"]["ok"]


def test_missing_data_folder_makes_it_not_ready_and_is_not_named(client: Client, worker: Beat, settings: Any) -> None:
    settings.DATA_DIR = settings.DATA_DIR / "gone"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "gone" not in answer.content.decode()


def test_database_that_is_gone_is_told_without_words(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise DatabaseError("password authentication failed for user secret")

    monkeypatch.setattr(connection, "cursor", fail)
    monkeypatch.setattr(health, "worker_age", fail)
    monkeypatch.setattr(health, "oldest_queued_age", fail)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == {"ok": False}
    assert "secret" not in answer.content.decode()


# --- metrics --------------------------------------------------------------------------------------------------------
@pytest.fixture
def open_metrics(settings: Any) -> None:
    settings.METRICS_ALLOWED = ["127.0.0.0/8"]


def numbers(client: Client) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return {
        sample.name + str(sorted(sample.labels.items())) if sample.labels else sample.name: sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_metrics_are_not_there_unless_asked_for(client: Client) -> None:
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("Bearer s3cret", 200), ("Bearer s3cre", 403), ("bearer", 403), ("Bearer é", 403), ("", 403), ("s3cret", 403)],
)
def test_metrics_open_with_their_token(client: Client, settings: Any, authorization: str, status: int) -> None:
    settings.METRICS_TOKEN = "s3cret"
    answer = client.get("/metrics", headers={"Authorization": authorization})
    assert answer.status_code == status
    assert status == 200 or b"mastoscore_" not in answer.content


@pytest.mark.parametrize(
    ("allowed", "address", "status"),
    [
        (["192.0.2.7"], "192.0.2.7", 200),
        (["192.0.2.0/24", "2001:db8::/32"], "2001:db8::1", 200),
        (["192.0.2.7"], "192.0.2.8", 403),
        (["192.0.2.7"], "", 403),
    ],
)
def test_metrics_open_to_addresses(
    client: Client, settings: Any, allowed: list[str], address: str, status: int
) -> None:
    settings.METRICS_ALLOWED = allowed
    answer = client.get("/metrics", REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR="192.0.2.7")
    assert answer.status_code == status


def test_metrics_of_an_empty_site_are_readable(client: Client, open_metrics: None) -> None:
    found = numbers(client)
    assert found["mastoscore_queue_length"] == 0
    assert found["mastoscore_toots"] == 0
    assert "mastoscore_worker_silent_seconds" not in found


def test_metrics_tell_jobs_and_how_long_they_took(client: Client, open_metrics: None, worker: Beat) -> None:
    now = timezone.now()
    for seconds in (10, 30):
        Job.objects.create(
            kind="fetch",
            status=Job.Status.COMPLETE,
            started_at=now - timedelta(seconds=seconds),
            finished_at=now,
        )
    Job.objects.create(
        kind="fetch",
        status=Job.Status.COMPLETE,
        started_at=now - timedelta(days=9),
        finished_at=now - timedelta(days=8),
    )
    wait_in_queue(100)
    found = numbers(client)
    complete = "[('kind', 'fetch'), ('status', 'complete')]"
    assert found[f"mastoscore_jobs{complete}"] == 3
    assert found[f"mastoscore_jobs_ended{complete}"] == 2
    assert found[f"mastoscore_job_seconds_mean{complete}"] == pytest.approx(20)
    assert found[f"mastoscore_job_seconds_max{complete}"] == pytest.approx(30)
    assert found["mastoscore_jobs[('kind', 'fetch'), ('status', 'queued')]"] == 1
    assert found["mastoscore_queue_oldest_seconds"] >= 100
    assert found["mastoscore_worker_silent_seconds"] >= 0


def test_metrics_tell_what_crawls_asked_and_found(client: Client, open_metrics: None, make_event: Any) -> None:
    event = make_event()
    crawl = Crawl.objects.create(
        event=event,
        home_server="home.example",
        hashtag="monsterdon",
        window_start=event.start,
        window_end=event.end,
        max_toots=10,
    )
    for server, is_home, outcome, requests in (
        ("home.example", True, "complete", 7),
        ("a.example", False, "refused", 2),
        ("b.example", False, "refused", 3),
        ("c.example", False, "", 1),
    ):
        Visit.objects.create(
            crawl=crawl,
            server=server,
            is_home=is_home,
            outcome=outcome,
            requests=requests,
            received_bytes=10,
            seconds=0.5,
        )
    Toot.objects.create(
        event=event, uri="u", url="u", origin="a.example", author_handle="a@a.example", created_at=event.start
    )
    Artifact.objects.create(event=event, kind="graph", path="a.png", size=123, sha256="0" * 64, code_version="1")
    found = numbers(client)
    assert found["mastoscore_visits[('host', 'other'), ('outcome', 'refused')]"] == 2
    assert found["mastoscore_requests[('host', 'other'), ('outcome', 'refused')]"] == 5
    assert found["mastoscore_requests[('host', 'home'), ('outcome', 'complete')]"] == 7
    assert found["mastoscore_received_bytes[('host', 'other'), ('outcome', 'refused')]"] == 20
    assert found["mastoscore_waited_seconds[('host', 'other'), ('outcome', '')]"] == 0.5
    assert found["mastoscore_crawls[('state', 'running')]"] == 1
    assert found["mastoscore_toots"] == 1
    assert found["mastoscore_artifacts[('kind', 'graph')]"] == 1
    assert found["mastoscore_artifact_bytes"] == 123
    assert found["mastoscore_events"] == 1


def test_metrics_name_no_server_event_or_person(client: Client, open_metrics: None, make_event: Any) -> None:
    make_event()
    text = client.get("/metrics").content.decode()
    assert not re.search(r"monsterdon|home\.example", text)


def test_metrics_cost_the_same_however_much_there_is(
    client: Client, open_metrics: None, make_event: Any, django_assert_num_queries: Any, worker: Beat
) -> None:
    with CaptureQueriesContext(connection) as before:
        client.get("/metrics")
    make_event()
    for number in range(20):
        wait_in_queue(number)
    with django_assert_num_queries(len(before)):
        client.get("/metrics")
