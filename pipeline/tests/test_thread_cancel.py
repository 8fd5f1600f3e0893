"""A thread that is stopped while it goes out: within seconds, and with every toot known to be out or not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import MastoscoreError
from jobs.context import JobCancelled, StopReason
from pipeline.tests.thread_help import (
    Lines,
    assert_complete,
    context,
    draft_and_approve,
    prepare,
    send_now,
    states,
)
from pipeline.thread import send
from pipeline.thread.courier import UNSEEN
from tests.remote.posting import (
    Fault,
    PostingServer,
    Reply,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The re-check has tests of its own."""
    monkeypatch.setattr("pipeline.thread.send.recheck_thread", lambda *arguments: None)


@pytest.fixture
def server() -> Iterator[PostingServer]:
    with PostingServer() as running:
        yield running


@pytest.fixture
def event(make_event: Any, server: PostingServer, settings: Any) -> Any:
    return prepare(make_event, server, settings)


def test_cancel_stops_between_toots_and_says_what_is_out(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    ctx = context(event)
    server.hook = lambda asked, when: (
        (ctx.control.stop(StopReason.CANCEL) if (asked.kind, asked.nth, when) == ("publish", 3, "before") else None)
        or False
    )
    with pytest.raises(JobCancelled):
        send.run(ctx)
    out = states(event).count("sent")
    assert out == len(server.statuses) == 3, "what was being sent is seen to; then it stops"
    assert ctx.control.partial is not None
    assert ctx.control.partial["sent"] == out
    assert f"{out} of 7 toots are out: http://{server.name}/@host/1001" in ctx.listener.said[-1]  # type: ignore[union-attr]
    server.hook = None
    send_now(event)
    assert_complete(event, server)
    assert len(server.stored) == 7


class Impatient(Lines):
    """Cancels as soon as it hears that the server wants a long pause."""

    def __init__(self, control: Any) -> None:
        super().__init__()
        self.control = control

    def line(self, text: str) -> None:
        super().line(text)
        if "asks us to wait" in text:
            self.control.stop(StopReason.CANCEL)


PAUSE = {"Retry-After": "600"}
TOO_MANY, BUSY = Fault(Reply(429, {}, PAUSE)), Fault(Reply(503, {}, PAUSE))


def cancelled(event: Any) -> dict[str, Any]:
    """Send, and cancel when a long pause is asked for; what the job's result says."""
    ctx = context(event)
    ctx.listener = Impatient(ctx.control)
    with pytest.raises(JobCancelled):
        send.run(ctx)
    assert ctx.control.partial is not None
    return ctx.control.partial


def finish(event: Any, server: PostingServer) -> None:
    server._faults.clear()
    server.forget_everything_but_statuses()
    send_now(event)
    assert_complete(event, server)


@pytest.mark.parametrize("fault", [TOO_MANY, BUSY], ids=["429", "503"])
def test_cancel_in_a_long_pause_leaves_the_toot_planned(event: Any, server: PostingServer, fault: Fault) -> None:
    draft_and_approve(event)
    server.fail("publish", fault, nth=3)
    partial = cancelled(event)
    assert states(event)[:4] == ["sent", "sent", "planned", "planned"]
    assert (partial["sent"], partial["in_doubt"]) == (2, 0)
    assert len(server.stored) == 2
    finish(event, server)
    assert len(server.stored) == 7


def test_toot_stored_by_a_busy_server_is_found_when_the_job_is_cancelled(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.fail("publish", Fault(BUSY.reply, is_late=True), nth=3)
    assert cancelled(event)["in_doubt"] == 0
    assert states(event)[:4] == ["sent", "sent", "sent", "planned"]
    finish(event, server)
    assert len(server.stored) == 7


def test_toot_stays_in_doubt_only_if_the_server_does_not_tell(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.fail("publish", Fault(BUSY.reply, is_late=True), nth=3)
    server.fail("own", BUSY, nth=2)
    assert cancelled(event)["in_doubt"] == 1
    assert states(event)[:4] == ["sent", "sent", "sending", "planned"]
    finish(event, server)
    assert len(server.stored) == 7


def test_answer_has_to_do_when_a_toot_cannot_be_read_back_in_time(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.fail("read", TOO_MANY, nth=3)
    assert cancelled(event)["in_doubt"] == 0
    assert states(event)[:4] == ["sent", "sent", "sent", "planned"]
    assert event.thread.get(position=3).note == UNSEEN
    finish(event, server)
    assert event.thread.get(position=3).note == ""


def test_what_was_only_answered_and_is_not_there_is_noticed_by_the_next_run(
    event: Any, server: PostingServer
) -> None:
    draft_and_approve(event)
    server.fail("read", TOO_MANY, nth=1)
    server.drops_silently = True
    cancelled(event)
    assert states(event)[0] == "sent"
    server.drops_silently = False
    with pytest.raises(MastoscoreError, match="said that it took toot 1, but does not have it"):
        send_now(event)
    finish(event, server)


def test_root_that_was_only_answered_is_known_for_one_and_removed(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.makes_roots = True
    server.fail("read", TOO_MANY, nth=2)
    cancelled(event)
    assert states(event)[:2] == ["sent", "failed"]
    assert [stray["id"] for stray in event.thread.get(position=2).strays] == ["1002"]
    server.makes_roots = False
    finish(event, server)
    assert server.deleted == ["1002"]


def test_stalled_look_at_a_toot_just_sent_ends_soon_after_the_cancel(
    event: Any, server: PostingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.thread.outbox._FINISHING_SECONDS", 0.2)
    draft_and_approve(event)
    ctx, released = context(event), threading.Event()

    def stall(asked: Any, when: str) -> bool:
        if (asked.kind, asked.nth, when) == ("read", 2, "before"):
            ctx.control.stop(StopReason.CANCEL)
            released.wait(60)
        return False

    server.hook = stall
    with pytest.raises(JobCancelled):
        send.run(ctx)
    assert not released.is_set()
    released.set()
    assert states(event)[:3] == ["sent", "sent", "planned"]
    assert event.thread.get(position=2).note == UNSEEN
    server.hook = None
    finish(event, server)
