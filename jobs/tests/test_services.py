from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from jobs import kinds, services
from jobs.models import Job
from jobs.services import AlreadyActive
from jobs.tests.conftest import queued_job

Status = Job.Status


def nothing(context: Any) -> dict[str, Any]:
    return {}


@pytest.fixture(autouse=True)
def kind_work(add_kind: Callable[[str, Any], None], wake_ups: list[int]) -> None:
    add_kind("work", nothing)
    add_kind("other", nothing)


# --- asked for ---
@pytest.mark.django_db(transaction=True)
def test_worker_is_told_after_the_commit_and_not_before(wake_ups: list[int]) -> None:
    with transaction.atomic():
        job = services.enqueue("work", params={"max": 5})
        assert wake_ups == []
    assert wake_ups == [job.pk]
    stored = Job.objects.get(pk=job.pk)
    assert (stored.status, stored.params, stored.exclusive_key) == ("queued", {"max": 5}, "")


@pytest.mark.django_db(transaction=True)
def test_job_that_is_rolled_back_is_never_announced(wake_ups: list[int]) -> None:
    class Undo(Exception):
        pass

    with pytest.raises(Undo), transaction.atomic():
        services.enqueue("work")
        raise Undo
    assert wake_ups == []
    assert Job.objects.count() == 0


def test_second_job_of_an_event_is_refused_with_the_first(make_event: Any) -> None:
    event = make_event()
    first = services.enqueue("work", event=event)
    with pytest.raises(AlreadyActive) as caught:
        services.enqueue("other", event=event)
    assert caught.value.job == first
    assert caught.value.user_message == f"The work of {event} is already waiting for a worker (job {first.pk})."
    assert Job.objects.count() == 1


def test_event_is_free_again_when_its_job_ended(make_event: Any) -> None:
    event = make_event()
    first = services.enqueue("work", event=event)
    services.request_cancel(first.pk)
    assert services.enqueue("work", event=event).pk != first.pk


@pytest.mark.django_db
def test_jobs_without_a_key_do_not_exclude_each_other() -> None:
    services.enqueue("work")
    services.enqueue("work")
    assert Job.objects.filter(status=Status.QUEUED).count() == 2


@pytest.mark.django_db
def test_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(kinds.UnknownKind, match=r"other, .*work"):
        services.enqueue("wrok")
    assert Job.objects.count() == 0


def test_asking_again_makes_a_new_job_with_the_same_wishes(make_event: Any, admin_user: Any) -> None:
    event = make_event()
    first = services.enqueue("work", event=event, params={"max": 5})
    services.request_cancel(first.pk)
    again = services.ask_again(first, asked_by=admin_user)
    assert again.pk != first.pk
    assert (again.kind, again.event, again.params, again.exclusive_key) == (
        "work",
        event,
        {"max": 5},
        f"event:{event.pk}",
    )
    assert again.asked_by == admin_user


# --- taken ---
@pytest.mark.django_db
def test_claim_takes_the_job_and_notes_who_and_when() -> None:
    job = services.claim(queued_job().pk)
    assert job is not None
    assert (job.status, job.fence, job.attempts) == ("running", 1, 1)
    assert job.worker and job.heartbeat_at and job.started_at


@pytest.mark.django_db
@pytest.mark.parametrize("status", [Status.RUNNING, Status.COMPLETE, Status.CANCELLED, Status.ERROR])
def test_second_worker_leaves_claimed_job_alone(status: Job.Status) -> None:
    job = queued_job(status=status, fence=4, worker="elsewhere/1")
    assert services.claim(job.pk) is None
    job.refresh_from_db()
    assert (job.fence, job.worker) == (4, "elsewhere/1")


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_at_once_exactly_one_gets_the_job() -> None:
    job = queued_job()
    start = threading.Barrier(6)
    claims: list[Job | None] = []

    def try_it() -> None:
        start.wait()
        claims.append(services.claim(job.pk))
        connection.close()

    threads = [threading.Thread(target=try_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claims) == 6
    assert len([claim for claim in claims if claim is not None]) == 1
    job.refresh_from_db()
    assert (job.fence, job.attempts) == (1, 1)


@pytest.mark.django_db
def test_worker_whose_fence_is_old_cannot_write() -> None:
    mine = services.claim(queued_job().pk)
    assert mine is not None
    Job.objects.filter(pk=mine.pk).update(fence=2, worker="elsewhere/1")
    assert not services.pulse(mine, {"done": 1})
    assert not services.finish(mine, Status.COMPLETE, result={"toots": 3})
    assert not services.release(mine)
    assert services.is_cancel_requested(mine) is None
    stored = Job.objects.get(pk=mine.pk)
    assert (stored.status, stored.progress, stored.result, stored.worker) == ("running", {}, None, "elsewhere/1")


@pytest.mark.django_db
def test_cancel_written_meanwhile_survives_progress_and_pulse() -> None:
    mine = services.claim(queued_job().pk)
    assert mine is not None
    services.request_cancel(mine.pk)
    assert services.pulse(mine, {"done": 1})
    assert services.is_cancel_requested(mine) is True


@pytest.mark.django_db
def test_released_job_waits_as_if_it_had_not_been_tried() -> None:
    mine = services.claim(queued_job().pk)
    assert mine is not None
    assert services.release(mine)
    stored = Job.objects.get(pk=mine.pk)
    assert (stored.status, stored.attempts, stored.worker, stored.woken_at) == ("queued", 0, "", None)
    assert stored.fence == 1, "the fence never goes back"


@pytest.mark.django_db
def test_job_whose_cancel_was_asked_for_is_not_released() -> None:
    mine = services.claim(queued_job().pk)
    assert mine is not None
    services.request_cancel(mine.pk)
    assert not services.release(mine)
    assert Job.objects.get(pk=mine.pk).status == "running"


@pytest.mark.django_db
def test_text_a_database_cannot_keep_is_cleaned() -> None:
    mine = services.claim(queued_job().pk)
    assert mine is not None
    assert services.finish(mine, Status.ERROR, error="zero \x00 and half \ud83d a pair")
    assert Job.objects.get(pk=mine.pk).error == "zero  and half ? a pair"


# --- stopped ---
@pytest.mark.django_db
def test_waiting_job_is_cancelled_at_once() -> None:
    job = services.request_cancel(queued_job().pk)
    assert job is not None
    assert job.status == "cancelled"
    assert job.finished_at is not None
    assert services.claim(job.pk) is None


@pytest.mark.django_db
def test_running_job_is_asked_to_stop_and_the_first_request_counts() -> None:
    mine = services.claim(queued_job().pk)
    assert mine is not None
    first = services.request_cancel(mine.pk)
    second = services.request_cancel(mine.pk)
    assert first is not None and second is not None
    assert first.status == "running"
    assert first.cancel_requested_at == second.cancel_requested_at


@pytest.mark.django_db
def test_cancel_of_an_ended_or_unknown_job_changes_nothing() -> None:
    job = queued_job(status=Status.COMPLETE)
    after = services.request_cancel(job.pk)
    assert after is not None
    assert (after.status, after.cancel_requested_at) == ("complete", None)
    assert services.request_cancel(10_000_000) is None


# --- cleared away ---
@pytest.mark.django_db
def test_only_jobs_that_ended_long_ago_are_removed(settings: Any) -> None:
    settings.JOBS_KEEP_DAYS = 30
    now = timezone.now()
    old = queued_job(status=Status.COMPLETE, finished_at=now - timedelta(days=31))
    young = queued_job(status=Status.ERROR, finished_at=now - timedelta(days=29))
    active = queued_job(created_at=now - timedelta(days=400))
    assert services.clean_up() == 1
    assert set(Job.objects.all()) == {young, active}
    assert not Job.objects.filter(pk=old.pk).exists()
