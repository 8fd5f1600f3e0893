"""Rows of the Mastoscore contract that need a state which the contract's own conversation never gets into."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from events.models import Event
from jobs.models import Job
from pipeline.mastoscore import fetching

pytestmark = pytest.mark.django_db

SLUG = "monsterdon-20260222"
EVENT = {
    "slug": SLUG,
    "event_title": "Monsterdon",
    "hashtag": "monsterdon",
    "start": "2026-03-01T20:00:00Z",
}


@pytest.fixture
def running(make_event: Any) -> Job:
    """A fetch whose worker does not listen."""
    now = timezone.now()
    progress = {"servers_todo": 2, "servers_done": 1, "total_toots": 40}
    return Job.objects.create(
        kind="fetch", event=make_event(), status="running", started_at=now, heartbeat_at=now, progress=progress
    )


def test_job_that_does_not_stop_in_ten_seconds_is_told_with_what_there_is(
    root: APIClient, running: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fetching.CANCEL_SECONDS == 10
    monkeypatch.setattr(fetching, "CANCEL_SECONDS", 0.3)
    answer = root.post("/api/fetch/cancel", {"job_id": running.pk}, format="json")
    body = answer.json()
    assert answer.status_code == 400
    assert (body["success"], body["job_id"]) == (False, running.pk)
    assert body["error"] == "The job was asked to stop and has not stopped yet."
    assert body["partial_results"] == running.progress
    running.refresh_from_db()
    assert running.cancel_requested_at is not None  # and it will, as soon as it listens


def test_job_that_ended_by_itself_meanwhile_is_not_called_cancelled(
    root: APIClient, running: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_instead(job: Job, seconds: float, **by: Any) -> Job:
        Job.objects.filter(pk=job.pk).update(status="complete", finished_at=timezone.now())
        return Job.objects.get(pk=job.pk)

    monkeypatch.setattr(fetching, "cancel_and_wait", end_instead)
    answer = root.post("/api/fetch/cancel", {"job_id": running.pk}, format="json")
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert "ended before it could be stopped" in answer.json()["error"]


def test_search_for_posters_without_a_key_is_503(root: APIClient, make_event: Any, settings: Any) -> None:
    settings.TMDB_API_KEY = ""
    make_event(episode_title="The Blob (1958)")
    answer = root.post("/api/blog/search-posters", {"config_file": SLUG}, format="json")
    assert (answer.status_code, list(answer.json())) == (503, ["error"])
    other = root.get(f"/api/v1/events/{SLUG}/poster/search")
    assert (other.status_code, list(other.json())) == (503, ["message"])


def test_client_that_asks_every_second_is_not_locked_out(root: APIClient, running: Job) -> None:
    """By the usual numbers: a minute of polling takes nothing from other calls."""
    for path in (f"/api/jobs/{running.pk}", f"/api/fetch/ready?config_file={SLUG}"):
        for _ in range(70):
            assert root.get(path).status_code == 200
    answers = [root.get("/api/config/list"), root.post("/api/fetch", {"config_file": SLUG}, format="json")]
    assert [answer.status_code for answer in answers] == [200, 202]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["59", "29"]


@pytest.mark.parametrize("slug", ["import", "list"])
def test_slug_that_no_address_could_lead_to_is_refused(root: APIClient, make_event: Any, slug: str) -> None:
    answer = root.post("/api/v1/events", {**EVENT, "slug": slug}, format="json")
    sentence = f"“{slug}” is a word of our addresses; choose another slug."
    assert (answer.status_code, answer.json()["errors"]) == (422, {"slug": [sentence]})
    event = make_event()
    ini = root.get(f"/api/v1/events/{event.slug}/ini").content.decode()
    event.delete()
    imported = root.post(f"/api/v1/events/import?slug={slug}", {"ini": ini}, format="json")
    assert (imported.status_code, sentence in str(imported.json()["errors"])) == (422, True)
    assert not Event.objects.exists()
