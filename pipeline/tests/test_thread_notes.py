"""What tries leave behind outlives the rows it came from: nothing of ours stays on the account unnoticed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import MastoscoreError
from pipeline.forgetting.erase import forget
from pipeline.models import ThreadToot
from pipeline.services import delete_event
from pipeline.tests.thread_help import delete_now, draft, draft_and_approve, prepare, send_now, states, thread_of
from pipeline.thread import approval, edit, ledger, notes
from tests.remote.posting import ERROR_500, Fault, PostingServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.thread.send.recheck_thread", lambda *arguments: None)


@pytest.fixture
def server() -> Iterator[PostingServer]:
    with PostingServer() as running:
        yield running


@pytest.fixture
def event(make_event: Any, server: PostingServer, settings: Any) -> Any:
    return prepare(make_event, server, settings)


def late(server: PostingServer, text: str, parent: str | None = None, **values: Any) -> str:
    """A toot of ours that turns up long after everybody gave up on it."""
    status = server._make_status({"status": text, **values}, parent)
    server.statuses[status["id"]] = status
    return str(status["id"])


def give_up_at(event: Any, server: PostingServer, position: int) -> ThreadToot:
    """Send until the toot at that position is in doubt; it is not there. Then the thread is a draft again."""
    draft_and_approve(event)
    server.fail("publish", *[Fault(ERROR_500)] * 9, nth=position)
    with pytest.raises(MastoscoreError, match="answered 500"):
        send_now(event)
    server._faults.clear()
    row: ThreadToot = event.thread.get(position=position)
    assert notes.is_in_doubt(row)
    return row


def test_note_of_a_dropped_picture_finds_it_at_its_own_place(event: Any, server: PostingServer) -> None:
    row = give_up_at(event, server, 6)
    assert row.media
    parent = event.thread.get(position=5).remote_id
    event.thread.filter(pk=row.pk).update(state="failed")
    approval.withdraw(event)
    edit.drop_toot(event, row.pk)
    heir = event.thread.get(position=1)
    assert heir.former[0]["parent"] == parent and heir.former[0]["media"] == 1
    stray = late(server, row.posted_text, parent, media_ids=[next(iter(server.media))])
    mine = late(server, row.posted_text)  # the host's own words, without a picture
    approval.approve(event)
    send_now(event)
    assert server.deleted == [stray]
    assert mine in server.statuses
    assert states(event) == ["sent"] * 6


def test_moved_toot_is_looked_for_where_it_was_sent(event: Any, server: PostingServer) -> None:
    row = give_up_at(event, server, 3)
    parent = event.thread.get(position=2).remote_id
    event.thread.filter(pk=row.pk).update(state="failed")
    approval.withdraw(event)
    edit.move_toot(event, row.pk, to=5)
    stray = late(server, row.posted_text, parent)
    approval.approve(event)
    send_now(event)
    assert server.deleted == [stray]
    assert server.thread() == [toot.posted_text for toot in event.thread.order_by("position")]


def test_new_draft_remembers_what_was_tried(event: Any, server: PostingServer) -> None:
    row = give_up_at(event, server, 1)
    event.thread.filter(pk=row.pk).update(state="planned")
    approval.withdraw(event)
    draft(event)
    assert [entry["text"] for entry in event.thread.get(position=1).former] == [row.posted_text]
    stray = late(server, row.posted_text)
    approval.approve(event)
    send_now(event)
    assert server.deleted == [stray]


def test_draft_with_old_tries_is_cleaned_up_before_its_event_goes(event: Any, server: PostingServer) -> None:
    row = give_up_at(event, server, 1)
    event.thread.filter(pk=row.pk).update(state="planned")
    approval.withdraw(event)
    draft(event)
    stray = late(server, row.posted_text)
    with pytest.raises(MastoscoreError, match="delete the thread first"):
        delete_event(event)
    delete_now(event)
    assert server.deleted == [stray]
    delete_event(event)


def test_deleting_looks_for_everything_and_then_forgets_it(event: Any, server: PostingServer) -> None:
    row = give_up_at(event, server, 2)
    stray = late(server, row.posted_text, event.thread.get(position=1).remote_id)
    delete_now(event)
    assert stray in server.deleted and server.statuses == {}
    assert not notes.may_be_elsewhere(event) and not ledger.has_begun(event)
    delete_event(event)


# --- an author who is forgotten ------------------------------------------------------------------------------------
@pytest.fixture
def target(event: Any) -> str:
    """Whoever is in the most boosted."""
    return str(event.toots.order_by("-boosts").values_list("author_handle", flat=True)[0])


def texts_kept(event: Any) -> str:
    rows = event.thread.values_list("text", "posted_text", "former", "note", "error")
    return repr([*rows, thread_of(event).history])


def test_toot_in_doubt_that_shows_them_is_not_sent_and_removed_if_it_turns_up(
    event: Any, server: PostingServer, target: str
) -> None:
    row = give_up_at(event, server, 3)
    name = event.toots.get(author_handle=target).author_name
    assert name in row.posted_text
    forget(target)
    assert row.pk not in event.thread.values_list("pk", flat=True)
    assert name not in texts_kept(event)
    stray = late(server, row.posted_text, event.thread.get(position=2).remote_id)
    with pytest.raises(MastoscoreError, match="drawn anew"):
        send_now(event)
    approval.approve(event)
    send_now(event)
    assert server.deleted == [stray]
    assert name not in " ".join(server.thread())
    assert thread_of(event).state == "sent"


def test_last_row_with_something_to_look_for_stays_without_words(
    event: Any, server: PostingServer, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = give_up_at(event, server, 1)
    text = f"{target} and nobody else"
    event.thread.exclude(pk=row.pk).delete()
    event.thread.update(text=text, posted_text=text, is_edited=True, state="failed")
    approval.withdraw(event)
    forget(target)
    kept = event.thread.get()
    assert (kept.text, kept.former[0]["text"], bool(kept.former[0]["said"])) == ("", "", True)
    assert target not in texts_kept(event)
    stray = late(server, text)
    delete_now(event)
    assert server.deleted == [stray]


def test_twin_of_an_emptied_toot_is_still_found(event: Any, server: PostingServer, target: str) -> None:
    draft_and_approve(event)
    server.fail("publish", Fault(ERROR_500), nth=3)
    server.honours_keys = False
    send_now(event)
    row = event.thread.get(position=3)
    assert row.attempts == 2
    forget(target)
    twin = late(server, row.posted_text, event.thread.get(position=2).remote_id)
    delete_now(event)
    assert twin in server.deleted and server.statuses == {}
