"""Events that score themselves: once each, when their hour has come."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections

from common.times import now_utc
from jobs.models import Job
from jobs.schedules import ensure_schedules
from jobs.services import enqueue
from pipeline import schedules
from pipeline.schedules import WITHIN_DAYS, autoscore

HOUR = timedelta(hours=1)


def make_ended(make_event: Any, ended_before: timedelta, **values: Any) -> Any:
    """An event that ended so long ago."""
    return make_event(start=now_utc() - timedelta(minutes=90) - ended_before, **{"autoscore": True, **values})


@pytest.mark.parametrize(
    ("ended_before", "is_queued"),
    [
        (-3 * HOUR, False),
        (1 * HOUR, False),
        (2 * HOUR + timedelta(minutes=1), True),
        (timedelta(days=WITHIN_DAYS), True),
        (timedelta(days=WITHIN_DAYS) + 3 * HOUR, False),
    ],
)
def test_event_is_scored_from_its_hour_on_for_a_week(
    make_event: Any, ended_before: timedelta, is_queued: bool
) -> None:
    event = make_ended(make_event, ended_before)
    assert autoscore() == int(is_queued)
    event.refresh_from_db()
    assert (event.autoscored_at is not None) is is_queued
    assert [(job.kind, job.event_id) for job in Job.objects.all()] == ([("score", event.pk)] if is_queued else [])


def test_delay_is_the_events_own(make_event: Any) -> None:
    make_ended(make_event, 3 * HOUR, autoscore_delay=timedelta(hours=4))
    assert autoscore() == 0
    make_ended(make_event, 3 * HOUR, slug="other", hashtag="other", autoscore_delay=timedelta(0))
    assert autoscore() == 1


def test_event_is_scored_once(make_event: Any) -> None:
    make_ended(make_event, 3 * HOUR)
    assert [autoscore(), autoscore()] == [1, 0]
    Job.objects.update(status=Job.Status.COMPLETE)
    assert autoscore() == 0
    assert Job.objects.count() == 1


def test_unmarked_event_is_left_alone(make_event: Any) -> None:
    make_ended(make_event, 3 * HOUR, autoscore=False)
    assert autoscore() == 0


def test_event_with_a_job_at_work_waits_for_the_next_round(make_event: Any) -> None:
    event = make_ended(make_event, 3 * HOUR)
    job = enqueue("fetch", event=event)
    assert autoscore() == 0
    event.refresh_from_db()
    assert event.autoscored_at is None
    Job.objects.filter(pk=job.pk).update(status=Job.Status.COMPLETE)
    assert autoscore() == 1


def test_one_busy_event_does_not_hold_up_the_others(make_event: Any) -> None:
    enqueue("fetch", event=make_ended(make_event, 4 * HOUR))
    other = make_ended(make_event, 3 * HOUR, slug="other", hashtag="other")
    assert autoscore() == 1
    other.refresh_from_db()
    assert other.autoscored_at is not None


def test_claim_is_undone_when_the_job_cannot_be_made(make_event: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    event = make_ended(make_event, 3 * HOUR)

    def fail(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(schedules, "enqueue", fail)
    with pytest.raises(RuntimeError):
        autoscore()
    event.refresh_from_db()
    assert event.autoscored_at is None


@pytest.mark.django_db(transaction=True)
def test_rounds_at_the_same_moment_queue_one_job(make_event: Any) -> None:
    make_ended(make_event, 3 * HOUR)
    barrier, counts = threading.Barrier(4), []

    def play_round() -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            counts.append(autoscore())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=play_round) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 0, 1]
    assert Job.objects.filter(kind="score").count() == 1


@pytest.mark.django_db
def test_autoscore_comes_round_by_itself() -> None:
    from django_q.models import Schedule

    ensure_schedules()
    assert Schedule.objects.get(name="autoscore").func == "pipeline.schedules.autoscore"
