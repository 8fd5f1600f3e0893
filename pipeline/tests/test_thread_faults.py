"""The thread sent to servers with faults: what is stored is never stored twice, what came out wrong is taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import MastoscoreError
from pipeline import paths
from pipeline.tests.thread_help import (
    assert_complete,
    context,
    draft_and_approve,
    prepare,
    send_now,
    states,
    thread_of,
)
from pipeline.thread import send
from tests.remote.posting import (
    ERROR_500,
    FAULT_AFTER_STORING,
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


@pytest.mark.parametrize("honours_keys", [True, False])
@pytest.mark.parametrize("fault", [FAULT_AFTER_STORING, LOST_ANSWER, Fault(ERROR_500), Fault(hang_up=True)])
@pytest.mark.parametrize("nth", [1, 4])
def test_doubtful_answer_makes_no_second_copy(
    event: Any, server: PostingServer, fault: Fault, nth: int, honours_keys: bool
) -> None:
    server.honours_keys = honours_keys
    draft_and_approve(event)
    server.fail("publish", fault, nth=nth)
    send_now(event)
    assert_complete(event, server)
    assert len(server.stored) == 7


def test_run_that_gave_up_in_doubt_is_continued_by_the_next(event: Any, server: PostingServer) -> None:
    server.honours_keys = False
    draft_and_approve(event)
    server.fail("publish", LOST_ANSWER, nth=3)
    server.fail("own", *[Fault(ERROR_500)] * 20, nth=2)  # the first notes what was there before
    with pytest.raises(MastoscoreError):
        send_now(event)
    assert states(event)[:4] == ["sent", "sent", "sending", "planned"]
    assert "a fault of its own" in thread_of(event).error
    server._faults.clear()
    server.forget_everything_but_statuses()
    send_now(event)
    assert_complete(event, server)
    assert len(server.stored) == 7
    assert thread_of(event).error == ""


def test_revoked_token_stops_between_toots_and_a_new_one_goes_on(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.fail("publish", Fault(Reply(401, {"error": "The access token was revoked"})), nth=4)
    with pytest.raises(MastoscoreError, match="401"):
        send_now(event)
    assert states(event)[:5] == ["sent", "sent", "sent", "failed", "planned"]
    assert "does not accept the token any more" in thread_of(event).error
    assert len(json.loads(paths.posts(event).read_bytes())) == 3
    server.tokens = {"new-token"}
    event.home_account.token = "new-token"
    event.home_account.save()
    send_now(event)
    assert_complete(event, server)


def test_limits_are_waited_for_as_told(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    too_many = Fault(Reply(429, {"error": "Too many requests"}, {"Retry-After": "1"}))
    server.fail("publish", too_many, nth=2)
    server.fail("upload", too_many)
    ctx = context(event)
    waits: list[float] = []
    ctx.wait = waits.append  # type: ignore[method-assign]
    send.run(ctx)
    assert waits.count(1.0) == 2
    assert_complete(event, server)


def test_used_up_limit_is_waited_for_before_the_next_request(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    answer = server.answer

    def limited(asked: Any) -> Reply:
        reply = answer(asked)
        used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7"} if asked.kind == "publish" else {}
        return Reply(reply.status, reply.body, {**reply.headers, **used_up})

    server.answer = limited  # type: ignore[method-assign]
    ctx = context(event)
    waits: list[float] = []
    ctx.wait = waits.append  # type: ignore[method-assign]
    send.run(ctx)
    assert len([seconds for seconds in waits if 5 < seconds <= 7]) == 7


def test_root_instead_of_reply_is_noticed_and_removed(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.makes_roots = True
    with pytest.raises(MastoscoreError, match=r"Toot 2 came out as a thread of its own.* It was removed again"):
        send_now(event)
    assert server.deleted == ["1002"]
    assert states(event)[:2] == ["sent", "failed"]
    server.makes_roots = False
    send_now(event)
    assert_complete(event, server)


def test_misplaced_toot_whose_answer_was_lost_is_removed_when_found(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.fail("publish", LOST_ANSWER, nth=2)
    server.hook = lambda asked, when: bool(setattr(server, "makes_roots", asked.kind == "publish" and asked.nth == 2))
    send_now(event)
    assert server.deleted == ["1002"]
    assert_complete(event, server)
    assert "gone astray" in event.thread.get(position=2).note


def test_misplaced_toot_that_cannot_be_removed_is_kept_in_mind(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.makes_roots = True
    server.fail("delete", *[Fault(Reply(403, {"error": "no"}))] * 5)
    with pytest.raises(MastoscoreError, match="could not be removed"):
        send_now(event)
    assert [stray["id"] for stray in event.thread.get(position=2).strays] == ["1002"]
    server.makes_roots = False
    server._faults.clear()
    send_now(event)
    assert_complete(event, server)
    assert event.thread.get(position=2).strays == []


def test_answer_to_a_toot_that_is_gone_says_so(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.hook = lambda asked, when: bool(
        server.statuses.clear() if (asked.kind, asked.nth, when) == ("publish", 3, "before") else None
    )
    with pytest.raises(MastoscoreError) as caught:
        send_now(event)
    assert f"Toot 2 of the thread is not on {server.name} any more" in caught.value.user_message
    assert states(event)[2] == "failed"


def test_toot_that_is_dropped_in_silence_is_noticed(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.drops_silently = True
    with pytest.raises(MastoscoreError, match="said that it took toot 1, but does not have it"):
        send_now(event)
    assert states(event)[0] == "failed"
    server.drops_silently = False
    send_now(event)
    assert_complete(event, server)


def test_server_that_understands_json_only_gets_json_only(event: Any, server: PostingServer) -> None:
    server.is_form_emptied = True
    draft_and_approve(event)
    send_now(event)
    assert_complete(event, server)


def test_empty_toot_is_taken_back(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    real = server._make_status
    server._make_status = lambda values, parent: {**real(values, parent), "content": ""}  # type: ignore[method-assign]
    with pytest.raises(MastoscoreError, match=r"Toot 1 came out empty\. It was removed again"):
        send_now(event)
    assert server.statuses == {}


def test_server_that_is_unlisted_by_default_is_told_public(event: Any, server: PostingServer) -> None:
    server.default_visibility = "unlisted"
    draft_and_approve(event)
    send_now(event)
    assert {status["visibility"] for status in server.stored} == {"public"}


def test_narrower_visibility_is_noted_and_wider_taken_back(
    make_event: Any, server: PostingServer, settings: Any
) -> None:
    event = prepare(make_event, server, settings, post_visibility="unlisted")
    draft_and_approve(event)
    server.turns_public_into = "public"
    with pytest.raises(MastoscoreError, match="came out as public, though unlisted was asked for"):
        send_now(event)
    assert server.statuses == {}
    server.turns_public_into = "private"
    send_now(event)
    assert_complete(event, server)
    assert "made it private instead of unlisted" in event.thread.get(position=1).note


# --- pictures -------------------------------------------------------------------------------------------------------
def test_picture_that_takes_a_while_is_waited_for(event: Any, server: PostingServer, monkeypatch: Any) -> None:
    monkeypatch.setattr("pipeline.thread.pictures._FIRST_POLL_SECONDS", 0.01)
    server.media_polls = 3
    draft_and_approve(event)
    send_now(event)
    assert_complete(event, server)
    assert server.count("media") == 8


def test_picture_the_server_does_not_know_when_asked_is_posted_all_the_same(
    event: Any, server: PostingServer, monkeypatch: Any
) -> None:
    monkeypatch.setattr("pipeline.thread.pictures._FIRST_POLL_SECONDS", 0.01)
    server.media_polls, server.media_is_unknown = 3, True
    draft_and_approve(event)
    send_now(event)
    assert_complete(event, server)
    assert server.count("media") == 2


def test_picture_that_never_gets_ready_stops_with_a_sentence(
    event: Any, server: PostingServer, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("pipeline.thread.pictures._FIRST_POLL_SECONDS", 0.01)
    settings.MASTOSCORE_MEDIA_SECONDS = 0.1
    server.media_polls = 10_000
    draft_and_approve(event)
    with pytest.raises(MastoscoreError) as caught:
        send_now(event)
    assert "still working on the picture of toot 6" in caught.value.user_message
    assert states(event) == ["sent"] * 5 + ["failed", "planned"]
    uploads = server.count("upload")
    server.media_polls = 0
    for media in server.media.values():
        media["polls"] = 0
    send_now(event)
    assert_complete(event, server)
    assert server.count("upload") == uploads + 1, "the picture handed over before is used"


def test_picture_that_fails_is_handed_over_again_next_time(
    event: Any, server: PostingServer, monkeypatch: Any
) -> None:
    monkeypatch.setattr("pipeline.thread.pictures._FIRST_POLL_SECONDS", 0.01)
    server.media_fails = True
    draft_and_approve(event)
    with pytest.raises(MastoscoreError) as caught:
        send_now(event)
    assert f"{server.name} does not take the picture of toot 6 (it answered 422)" in caught.value.user_message
    server.media_fails = False
    send_now(event)
    assert_complete(event, server)


def test_words_for_a_picture_are_set_again_when_the_server_forgot_them(event: Any, server: PostingServer) -> None:
    server.forgets_descriptions = True
    draft_and_approve(event)
    send_now(event)
    assert server.count("describe") == 2
    assert {media["description"] for media in server.media.values()} == {"graph in words", "words in words"}
    assert {row.note for row in event.thread.all()} == {""}


def test_toot_that_lost_its_picture_is_taken_back(event: Any, server: PostingServer) -> None:
    server.drops_media = True
    draft_and_approve(event)
    with pytest.raises(MastoscoreError, match="Toot 6 came out without its picture"):
        send_now(event)
    assert len(server.statuses) == 5
    server.drops_media = False
    send_now(event)
    assert_complete(event, server)


def test_picture_file_that_is_gone_is_named(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    paths.graph(event).unlink()
    with pytest.raises(MastoscoreError) as caught:
        send_now(event)
    assert f"The picture {paths.graph(event).name} of toot 6 is gone" in caught.value.user_message
