from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from common.errors import RemoteError
from jobs.context import Control, JobCancelled, JobContext, JobLost, JobReleased, JobStopped, StopReason
from jobs.models import Job
from jobs.progress import percent_of
from jobs.tests.conftest import wait_until


class Notes:
    def __init__(self) -> None:
        self.snapshots: list[dict[str, Any]] = []
        self.lines: list[str] = []

    def progress(self, snapshot: dict[str, Any]) -> None:
        self.snapshots.append(snapshot)

    def line(self, text: str) -> None:
        self.lines.append(text)


def test_progress_is_merged_and_heard_at_once() -> None:
    notes = Notes()
    context = JobContext.detached("fetch", listener=notes)
    context.progress(done=1, total=4)
    context.progress(done=2, at=datetime(2026, 2, 22, tzinfo=UTC))
    assert notes.snapshots == [
        {"done": 1, "total": 4},
        {"done": 2, "total": 4, "at": "2026-02-22T00:00:00Z"},
    ]


def test_what_is_said_is_heard_and_kept_as_message() -> None:
    notes = Notes()
    context = JobContext.detached("fetch", listener=notes)
    context.say("asking home.example")
    assert notes.lines == ["asking home.example"]
    assert context.control.snapshot == {"message": "asking home.example"}


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object()])
def test_progress_that_is_no_json_is_a_bug_of_the_caller(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        JobContext.detached("fetch").progress(value=value)


def test_news_are_taken_once() -> None:
    context = JobContext.detached("fetch")
    assert context.control.take_news() is None
    context.progress(done=1)
    assert context.control.take_news() == {"done": 1}
    assert context.control.take_news() is None


@pytest.mark.parametrize(
    ("reason", "error"),
    [(StopReason.CANCEL, JobCancelled), (StopReason.LOST, JobLost), (StopReason.RELEASE, JobReleased)],
)
def test_check_raises_what_kind_of_stop_it_is(reason: StopReason, error: type[JobStopped]) -> None:
    context = JobContext.detached("fetch")
    context.check_cancelled()
    assert not context.stopping()
    context.control.stop(reason)
    assert context.stopping()
    with pytest.raises(error):
        context.check_cancelled()


def test_stop_passes_through_code_that_deals_with_failures() -> None:
    context = JobContext.detached("fetch")
    context.control.stop(StopReason.CANCEL)

    with pytest.raises(JobCancelled), contextlib.suppress(RemoteError, Exception):
        context.check_cancelled()


def test_first_reason_counts_but_a_lost_job_is_lost() -> None:
    control = Control()
    control.stop(StopReason.CANCEL)
    control.stop(StopReason.RELEASE)
    assert control.reason is StopReason.CANCEL
    control.stop(StopReason.LOST)
    assert control.reason is StopReason.LOST


def test_callback_is_called_when_the_stop_comes() -> None:
    context = JobContext.detached("fetch")
    closed = threading.Event()
    with context.on_stop(closed.set):
        assert not closed.is_set()
        context.control.stop(StopReason.CANCEL)
        assert closed.wait(10)


def test_callback_set_too_late_is_called_at_once() -> None:
    context = JobContext.detached("fetch")
    context.control.stop(StopReason.CANCEL)
    closed: list[bool] = []
    with context.on_stop(lambda: closed.append(True)):
        assert closed == [True]


def test_callback_is_forgotten_after_its_block() -> None:
    context = JobContext.detached("fetch")
    closed: list[bool] = []
    with context.on_stop(lambda: closed.append(True)):
        pass
    context.control.stop(StopReason.CANCEL)
    assert closed == []


def test_waiting_ends_with_the_stop() -> None:
    context = JobContext.detached("fetch")
    stopped: list[bool] = []

    def wait_long() -> None:
        try:
            context.wait(600)
        except JobCancelled:
            stopped.append(True)

    thread = threading.Thread(target=wait_long)
    thread.start()
    context.control.stop(StopReason.CANCEL)
    wait_until(lambda: stopped)
    thread.join()


def test_phases_of_a_larger_job_share_the_stop_and_name_themselves() -> None:
    notes = Notes()
    score = JobContext(Job(kind="score", params={"mock": True}), Control(), notes)
    fetch = score.phase("fetch", max=10)
    fetch.progress(done=1, total=2)
    analyse = score.phase("analyse")
    analyse.progress(done=5)
    assert (fetch.kind, fetch.params, analyse.params, score.params) == ("fetch", {"max": 10}, {}, {"mock": True})
    assert notes.snapshots == [
        {"phase": "fetch", "phases_done": []},
        {"phase": "fetch", "phases_done": [], "done": 1, "total": 2},
        {"phase": "analyse", "phases_done": ["fetch"]},
        {"phase": "analyse", "phases_done": ["fetch"], "done": 5},
    ]
    score.control.stop(StopReason.CANCEL)
    with pytest.raises(JobCancelled):
        analyse.check_cancelled()


def test_partial_results_of_phases_stand_beside_each_other() -> None:
    score = JobContext.detached("score")
    score.phase("fetch").keep_partial({"toots": 3})
    score.phase("analyse").keep_partial({"num_toots": 2})
    assert score.control.partial == {"fetch": {"toots": 3}, "analyse": {"num_toots": 2}}


@pytest.mark.parametrize(
    ("progress", "percent"),
    [
        ({}, None),
        ({"done": 1, "total": 4}, 25),
        ({"done": 9, "total": 4}, 100),
        ({"done": 1, "total": 0}, None),
        ({"progress_percent": 40, "done": 1, "total": 4}, 40),
        ({"progress_percent": "x"}, None),
        ({"progress_percent": True}, None),
    ],
)
def test_share_is_read_from_what_phases_report(progress: dict[str, Any], percent: int | None) -> None:
    assert percent_of(progress) == percent
