from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import identity, recovery, services
from jobs.models import Beat, Job
from jobs.tests.conftest import queued_job

pytestmark = pytest.mark.django_db

Status = Job.Status
ALIVE = f"{identity.this_host()}/{os.getpid()}"


@pytest.fixture
def gone() -> str:
    """A worker of this host whose process has ended."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return f"{identity.this_host()}/{process.pid}"


@pytest.fixture(autouse=True)
def empty_queue(monkeypatch: pytest.MonkeyPatch, wake_ups: list[int]) -> None:
    set_queue_size(monkeypatch, 0)


def set_queue_size(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    class Queue:
        def queue_size(self) -> int:
            return size

    monkeypatch.setattr(recovery, "get_broker", Queue)


def running_job(*, silent_seconds: float = 0, worker: str = "elsewhere/1", **values: Any) -> Job:
    pulse = timezone.now() - timedelta(seconds=silent_seconds)
    return queued_job(status=Status.RUNNING, fence=1, attempts=1, worker=worker, heartbeat_at=pulse, **values)


def test_job_without_pulse_is_queued_again_and_announced(wake_ups: list[int]) -> None:
    job = running_job(silent_seconds=31)
    assert recovery.recover() == recovery.Recovered(requeued=1, ended=0, woken=1)
    job.refresh_from_db()
    assert (job.status, job.attempts, job.worker) == ("queued", 1, "")
    assert wake_ups == [job.pk]
    again = services.claim(job.pk)
    assert again is not None
    assert (again.attempts, again.fence) == (2, 2)


@pytest.mark.parametrize("worker", ["elsewhere/1", ALIVE], ids=["elsewhere", "here"])
def test_job_with_a_pulse_is_left_alone(worker: str) -> None:
    job = running_job(silent_seconds=20, worker=worker)
    assert recovery.recover() == recovery.Recovered(0, 0, 0)
    job.refresh_from_db()
    assert job.status == "running"


def test_job_of_a_process_that_is_gone_does_not_wait_for_the_pulse(gone: str) -> None:
    job = running_job(worker=gone)
    recovery.recover()
    job.refresh_from_db()
    assert job.status == "queued"


def test_killed_process_that_nobody_asked_for_yet_counts_as_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and still in the table
    assert identity.is_gone(f"{identity.this_host()}/{process.pid}")
    process.wait()


@pytest.mark.parametrize("worker", ["", "elsewhere/1", "nonsense", f"{identity.this_host()}/x", ALIVE], ids=range(5))
def test_worker_is_not_taken_for_dead_when_in_doubt(worker: str) -> None:
    assert not identity.is_gone(worker)


def test_after_three_attempts_it_ends_with_a_sentence(gone: str) -> None:
    job = running_job(worker=gone)
    Job.objects.filter(pk=job.pk).update(attempts=3)
    assert recovery.recover().ended == 1
    job.refresh_from_db()
    assert job.status == "error"
    assert job.error.startswith("The program was stopped in the middle of this job 3 times;")
    assert job.finished_at is not None


def test_dead_job_whose_cancel_was_asked_for_ends_cancelled(gone: str) -> None:
    job = running_job(worker=gone, cancel_requested_at=timezone.now())
    recovery.recover()
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_pulse_written_meanwhile_saves_the_job() -> None:
    seen_dead = running_job(silent_seconds=31)
    Job.objects.filter(pk=seen_dead.pk).update(heartbeat_at=timezone.now())
    assert recovery._update_dead(seen_dead, status=Status.QUEUED) == 0


def test_waiting_job_is_announced_again_after_a_minute(wake_ups: list[int]) -> None:
    now = timezone.now()
    forgotten = queued_job(woken_at=now - timedelta(seconds=61))
    queued_job(woken_at=now - timedelta(seconds=30))
    assert recovery.recover().woken == 1
    assert wake_ups == [forgotten.pk]
    assert recovery.recover().woken == 0


def test_full_queue_is_not_filled_further(wake_ups: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    hour_ago = timezone.now() - timedelta(hours=1)
    jobs = [queued_job(woken_at=hour_ago) for _ in range(5)]
    set_queue_size(monkeypatch, 5)
    assert recovery.recover().woken == 0
    set_queue_size(monkeypatch, 3)
    assert recovery.recover().woken == 2
    assert wake_ups == [job.pk for job in jobs[:2]]


def test_starting_worker_has_everything_announced(wake_ups: list[int]) -> None:
    job = queued_job(woken_at=timezone.now())
    recovery.recover(is_start=True)
    assert wake_ups == [job.pk]


def test_recovery_of_a_key_leaves_other_keys_and_tells_no_worker(gone: str, wake_ups: list[int]) -> None:
    mine = running_job(worker=gone, exclusive_key="event:1")
    other = running_job(worker=gone, exclusive_key="event:2")
    recovery.recover_key("event:1")
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.status, other.status) == ("queued", "running")
    assert wake_ups == []


def test_recovery_as_a_task_leaves_a_sign_of_life() -> None:
    recovery.recover_as_task()
    first = Beat.objects.get(name="worker").at
    recovery.recover_as_task()
    assert Beat.objects.get(name="worker").at > first
