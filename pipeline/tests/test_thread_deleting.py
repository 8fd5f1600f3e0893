"""A thread taken back, and what may be done with it then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import MastoscoreError
from events.models import MastodonAccount
from pipeline import paths
from pipeline.services import ask_to_send
from pipeline.tests.thread_help import (
    assert_complete,
    delete_now,
    draft,
    draft_and_approve,
    prepare,
    send_now,
    states,
    thread_of,
)
from pipeline.thread import approval
from pipeline.thread.ledger import AlreadyPosted, NotApproved
from tests.remote.posting import (
    ERROR_500,
    LOST_ANSWER,
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


def test_deleting_goes_backwards_and_is_recorded(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    send_now(event)
    result = delete_now(event)
    assert server.deleted == ["1009", "1007", "1005", "1004", "1003", "1002", "1001"]
    assert server.statuses == {}
    assert result["deleted"] == 7
    assert states(event) == ["deleted"] * 7
    assert thread_of(event).state == "deleted"
    assert json.loads(paths.posts(event).read_bytes()) == []
    assert "1001" not in paths.blog_page(event).read_text()


def test_new_draft_after_deleting_keeps_the_old_toots_in_the_history(event: Any, server: PostingServer) -> None:
    old = draft_and_approve(event)
    send_now(event)
    delete_now(event)
    with pytest.raises(AlreadyPosted, match="posted and deleted"):
        send_now(event)
    with pytest.raises(AlreadyPosted, match="posted and deleted"):
        ask_to_send(event, asked_by=None)
    draft_and_approve(event)
    history = thread_of(event).history
    assert [toot["text"] for toot in history[0]["toots"]] == [row.text for row in old]
    assert history[0]["toots"][0]["id"] == "1001"
    assert history[0]["toots"][0]["deleted_at"]
    send_now(event)
    assert_complete(event, server)


def test_interrupted_deletion_is_finished_by_the_next(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    send_now(event)
    server.fail("delete", Fault(Reply(403, {"error": "no"})), nth=3)
    with pytest.raises(MastoscoreError):
        delete_now(event)
    assert thread_of(event).state == "deleting"
    assert len(server.statuses) == 5
    delete_now(event)
    assert server.statuses == {}
    assert thread_of(event).state == "deleted"


def test_half_a_thread_can_be_deleted_with_the_toot_in_doubt(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.fail("publish", LOST_ANSWER, nth=3)
    server.fail("own", *[Fault(ERROR_500)] * 20, nth=2)  # the first notes what was there before
    with pytest.raises(MastoscoreError):
        send_now(event)
    server._faults.clear()
    assert len(server.statuses) == 3
    delete_now(event)
    assert server.statuses == {}


def test_nothing_to_delete_says_so(event: Any, server: PostingServer) -> None:
    draft(event)
    with pytest.raises(MastoscoreError, match="nothing to delete"):
        delete_now(event)


def test_draft_is_not_made_anew_over_an_approved_or_posted_thread(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    with pytest.raises(MastoscoreError, match="is approved; withdraw"):
        draft(event)
    send_now(event)
    with pytest.raises(AlreadyPosted):
        draft(event)


def test_withdrawn_approval_is_needed_again(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    approval.withdraw(event)
    with pytest.raises(NotApproved):
        send_now(event)


def test_another_account_does_not_continue_a_thread(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.fail("publish", Fault(Reply(403)), nth=3)
    with pytest.raises(MastoscoreError):
        send_now(event)
    event.posting_account = MastodonAccount.objects.create(server="other.example", token="x")
    event.save()
    with pytest.raises(MastoscoreError, match="was posted by @host@"):
        send_now(event)
