from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from common.errors import NotReadyError, RemoteError
from jobs import identity, runner, services, shutdown
from jobs.context import JobContext
from jobs.models import Job
from jobs.services import AlreadyActive
from jobs.tests.conftest import queued_job, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fast", "wake_ups")]

AddKind = Callable[[str, Any], None]
GONE = f"{identity.this_host()}/4194300"  # above what Linux gives by default


def run_as_worker(job: Job) -> Job:
    runner.run_job(job.pk)
    return Job.objects.get(pk=job.pk)


def in_background(function: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            function()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def stubborn(context: JobContext) -> dict[str, Any]:
    """Works until somebody stops it."""
    while True:
        context.wait(0.01)


# --- in a worker ---
def test_job_runs_once_however_often_it_is_announced(add_kind: AddKind) -> None:
    runs: list[int] = []
    add_kind("work", lambda context: {"run": runs.append(context.job_id)})
    job = queued_job()
    assert [runner.run_job(job.pk) for _ in range(3)] == ["done", "not queued any more", "not queued any more"]
    assert runs == [job.pk]


def test_result_and_last_progress_stand_in_the_row(add_kind: AddKind) -> None:
    def work(context: JobContext) -> dict[str, Any]:
        context.progress(done=1, total=2)
        context.progress(done=2)
        return {"toots": 2}

    add_kind("work", work)
    job = run_as_worker(queued_job())
    assert (job.status, job.result, job.progress) == ("complete", {"toots": 2}, {"done": 2, "total": 2})
    assert job.finished_at is not None
    assert job.error == ""


def test_progress_and_pulse_reach_the_row_while_it_runs(add_kind: AddKind) -> None:
    go_on = threading.Event()

    def work(context: JobContext) -> dict[str, Any]:
        context.progress(done=1)
        assert go_on.wait(20)
        return {}

    add_kind("work", work)
    job = queued_job()
    thread = in_background(lambda: runner.run_job(job.pk))
    wait_until(lambda: Job.objects.get(pk=job.pk).progress == {"done": 1})
    first = Job.objects.get(pk=job.pk).heartbeat_at
    wait_until(lambda: Job.objects.get(pk=job.pk).heartbeat_at != first)
    go_on.set()
    thread.join()


def test_our_own_error_is_told_in_its_words(add_kind: AddKind) -> None:
    def work(context: JobContext) -> dict[str, Any]:
        raise NotReadyError("no toots", user_message="Nothing is fetched yet for x; run fetch first.")

    add_kind("work", work)
    job = run_as_worker(queued_job())
    assert (job.status, job.error) == ("error", "Nothing is fetched yet for x; run fetch first.")


@pytest.mark.parametrize("trouble", [ZeroDivisionError("secret token 123"), SystemExit(3), TypeError()])
def test_bug_is_logged_and_told_without_details(
    add_kind: AddKind, trouble: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def work(context: JobContext) -> dict[str, Any]:
        raise trouble

    add_kind("work", work)
    job = run_as_worker(queued_job())
    assert job.status == "error"
    assert job.error == f"Something went wrong in the program itself (job {job.pk}); the log has the details."
    assert "Traceback" in caplog.text


def test_result_that_is_no_json_is_an_error_not_a_lost_job(add_kind: AddKind) -> None:
    add_kind("work", lambda context: {"servers": {1, 2}})
    assert run_as_worker(queued_job()).status == "error"


def test_kind_that_no_longer_exists_is_an_error() -> None:
    job = run_as_worker(queued_job(kind="gone"))
    assert job.status == "error"
    assert "gone" in job.error


def test_cancel_stops_a_running_job_and_keeps_its_partial_result(add_kind: AddKind) -> None:
    aborted = threading.Event()

    def work(context: JobContext) -> dict[str, Any]:
        context.keep_partial({"toots": 7})
        with context.on_stop(aborted.set):
            return stubborn(context)

    add_kind("work", work)
    job = queued_job()
    thread = in_background(lambda: runner.run_job(job.pk))
    wait_until(lambda: Job.objects.get(pk=job.pk).status == "running")
    services.request_cancel(job.pk)
    thread.join(20)
    job.refresh_from_db()
    assert (job.status, job.result, job.error) == ("cancelled", {"toots": 7}, "")
    assert aborted.wait(10)


def test_error_on_the_way_out_of_a_cancel_is_still_a_cancel(add_kind: AddKind) -> None:
    def work(context: JobContext) -> dict[str, Any]:
        while not context.stopping():
            context.control.wait(0.01)
        raise RemoteError("the connection was closed")

    add_kind("work", work)
    job = queued_job()
    thread = in_background(lambda: runner.run_job(job.pk))
    wait_until(lambda: Job.objects.get(pk=job.pk).status == "running")
    services.request_cancel(job.pk)
    thread.join(20)
    assert Job.objects.get(pk=job.pk).status == "cancelled"


def test_job_that_ends_before_it_hears_of_the_cancel_is_complete(add_kind: AddKind) -> None:
    def work(context: JobContext) -> dict[str, Any]:
        services.request_cancel(context.job_id)
        return {"all": True}

    add_kind("work", work)
    job = run_as_worker(queued_job())
    assert (job.status, job.result) == ("complete", {"all": True})


def test_job_taken_away_stops_and_writes_nothing(add_kind: AddKind) -> None:
    add_kind("work", stubborn)
    job = queued_job()
    thread = in_background(lambda: runner.run_job(job.pk))
    wait_until(lambda: Job.objects.get(pk=job.pk).status == "running")
    Job.objects.filter(pk=job.pk).update(fence=9, worker="elsewhere/1")
    thread.join(20)
    assert not thread.is_alive()
    job.refresh_from_db()
    assert (job.status, job.worker, job.finished_at) == ("running", "elsewhere/1", None)


def test_deleted_job_stops(add_kind: AddKind) -> None:
    add_kind("work", stubborn)
    job = queued_job()
    thread = in_background(lambda: runner.run_job(job.pk))
    wait_until(lambda: Job.objects.get(pk=job.pk).status == "running")
    Job.objects.all().delete()
    thread.join(20)
    assert not thread.is_alive()


def test_stopping_worker_gives_its_job_back_and_takes_no_other(
    add_kind: AddKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "_flag", None)
    shutdown.prepare()
    add_kind("work", stubborn)
    job, other = queued_job(), queued_job()
    thread = in_background(lambda: runner.run_job(job.pk))
    wait_until(lambda: Job.objects.get(pk=job.pk).status == "running")
    shutdown.ask()
    thread.join(20)
    job.refresh_from_db()
    assert (job.status, job.attempts, job.woken_at) == ("queued", 0, None)
    assert runner.run_job(other.pk) == "the worker is being stopped"
    assert Job.objects.get(pk=other.pk).status == "queued"


def test_chore_that_fails_is_logged_and_the_next_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise ConnectionError("the queue is away")

    assert not runner.run_chore(broken)
    assert "broken failed" in caplog.text
    assert runner.run_chore(lambda: None)


# --- in the foreground ---
class Lines:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def progress(self, snapshot: dict[str, Any]) -> None:
        self.heard.append(snapshot)

    def line(self, text: str) -> None:
        self.heard.append(text)


def test_foreground_has_the_same_row_and_tells_its_listener(
    add_kind: AddKind, make_event: Any, wake_ups: list[int]
) -> None:
    def work(context: JobContext) -> dict[str, Any]:
        context.say(f"about {context.event.slug}")
        context.progress(done=1)
        return {"max": context.params["max"]}

    add_kind("work", work)
    lines = Lines()
    event = make_event()
    job = services.run_in_foreground("work", event=event, params={"max": 3}, listener=lines)
    assert (job.status, job.result, job.exclusive_key) == ("complete", {"max": 3}, f"event:{event.pk}")
    assert (job.attempts, job.worker) == (1, identity.this_worker())
    assert lines.heard == [f"about {event.slug}", {"message": f"about {event.slug}", "done": 1}]
    assert wake_ups == [], "no worker is needed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_cancels_a_foreground_job_and_keeps_what_there_is(add_kind: AddKind, number: int) -> None:
    def work(context: JobContext) -> dict[str, Any]:
        context.keep_partial({"toots": 2})
        os.kill(os.getpid(), number)
        return stubborn(context)

    add_kind("work", work)
    before = signal.getsignal(number)
    job = services.run_in_foreground("work")
    assert (job.status, job.result) == ("cancelled", {"toots": 2})
    assert signal.getsignal(number) is before


def test_second_ctrl_c_does_not_wait_for_a_check(add_kind: AddKind) -> None:
    def deaf(context: JobContext) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        return {"went": "on"}

    add_kind("work", deaf)
    assert services.run_in_foreground("work").status == "cancelled"


def test_deaf_foreground_job_is_marked_cancelled_and_its_process_lives(add_kind: AddKind) -> None:
    def deaf(context: JobContext) -> dict[str, Any]:
        services.request_cancel(context.job_id)
        wait_until(lambda: Job.objects.get(pk=context.job_id).status == "cancelled")
        return {"went": "on"}

    add_kind("work", deaf)
    job = services.run_in_foreground("work")
    assert (job.status, job.result) == ("cancelled", None)


def test_foreground_refuses_an_event_that_a_living_worker_has(add_kind: AddKind, make_event: Any) -> None:
    add_kind("work", stubborn)
    event = make_event()
    first = services.enqueue("work", event=event)
    services.claim(first.pk)
    with pytest.raises(AlreadyActive, match="already running") as caught:
        services.run_in_foreground("work", event=event)
    assert caught.value.job.pk == first.pk


def test_foreground_takes_over_the_same_job_from_a_dead_process(add_kind: AddKind, make_event: Any) -> None:
    add_kind("work", lambda context: {"attempt": context.job.attempts})
    event = make_event()
    dead = services.enqueue("work", event=event, params={"max": 3})
    services.claim(dead.pk)
    Job.objects.filter(pk=dead.pk).update(worker=GONE)
    job = services.run_in_foreground("work", event=event, params={"max": 3})
    assert (job.pk, job.status, job.result) == (dead.pk, "complete", {"attempt": 2})


def test_foreground_takes_over_a_waiting_job_of_the_same_kind(add_kind: AddKind, make_event: Any) -> None:
    add_kind("work", lambda context: {})
    event = make_event()
    waiting = services.enqueue("work", event=event)
    job = services.run_in_foreground("work", event=event)
    assert (job.pk, job.status) == (waiting.pk, "complete")


@pytest.mark.parametrize(
    ("kind", "params", "words"), [("other", {}, "The work"), ("work", {"max": 1}, "other options")]
)
def test_foreground_leaves_a_waiting_job_that_does_something_else(
    add_kind: AddKind, make_event: Any, kind: str, params: dict[str, Any], words: str
) -> None:
    add_kind("work", lambda context: {})
    add_kind("other", lambda context: {})
    event = make_event()
    waiting = services.enqueue("work", event=event)
    with pytest.raises(AlreadyActive, match=words) as caught:
        services.run_in_foreground(kind, event=event, params=params)
    assert f"manage.py cancel_job {waiting.pk}" in caught.value.user_message
    assert Job.objects.get(pk=waiting.pk).status == "queued"


def test_foreground_inside_a_transaction_is_refused(add_kind: AddKind) -> None:
    from django.db import transaction

    add_kind("work", lambda context: {})
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction=True"):
        services.run_in_foreground("work")


def test_nothing_is_logged_when_all_goes_well(add_kind: AddKind, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    add_kind("work", lambda context: {})
    services.run_in_foreground("work")
    assert caplog.records == []
