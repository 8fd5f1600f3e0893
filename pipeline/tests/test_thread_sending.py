"""The thread sent to servers that behave, and to servers that do not: always once, always whole, always told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import MastoscoreError
from events.models import MastodonAccount
from jobs.context import JobCancelled, StopReason
from pipeline import paths
from pipeline.phases import post
from pipeline.tests.thread_help import (
    ROLES,
    context,
    delete_now,
    draft,
    draft_and_approve,
    prepare,
    send_now,
    states,
    thread_of,
)
from pipeline.thread import approval, edit, send
from pipeline.thread.ledger import AlreadyPosted, NotApproved
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


def assert_complete(event: Any, server: PostingServer) -> None:
    """Exactly one complete thread, as the ledger says."""
    rows = list(event.thread.order_by("position"))
    assert server.thread() == [row.posted_text for row in rows]
    assert [row.remote_id for row in rows] == sorted(server.statuses, key=int)
    assert {row.state for row in rows} == {"sent"}
    assert thread_of(event).state == "sent"


def test_thread_goes_out_in_order_with_pictures_and_their_words(event: Any, server: PostingServer) -> None:
    rows = draft_and_approve(event)
    result = send_now(event)
    assert_complete(event, server)
    assert server.thread() == [row.text for row in rows]
    assert (result["sent"], result["total"]) == (7, 7)
    assert result["url"] == event.thread.get(position=1).url == f"http://{server.name}/@host/1001"
    assert [status["visibility"] for status in server.stored] == ["public"] * 7
    assert [status["language"] for status in server.stored] == ["en"] * 7
    pictures = {
        status["text"]: [server.media[id]["description"] for id in status["media_ids"]] for status in server.stored
    }
    assert pictures[rows[5].text] == ["graph in words"]
    assert pictures[rows[6].text] == ["words in words"]
    assert all(not words for text, words in pictures.items() if text not in (rows[5].text, rows[6].text))
    sent = [asked for asked in server.asked if asked.kind == "publish"]
    assert all(asked.headers["content-type"] == "application/json" for asked in sent)
    assert len({asked.headers["idempotency-key"] for asked in sent}) == 7
    assert all(row.sent_at is not None and row.note == "" for row in event.thread.all())


def test_addresses_are_in_the_file_and_on_the_blog_page(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    result = send_now(event)
    posts = json.loads(paths.posts(event).read_bytes())
    assert [post["role"] for post in posts] == ROLES
    assert [post["url"] for post in posts] == list(event.thread.order_by("position").values_list("url", flat=True))
    assert event.artifacts.filter(kind="posts").count() == 1
    assert posts[0]["url"] in paths.blog_page(event).read_text()
    assert set(result["files"]) == {paths.below_data(paths.posts(event)), paths.below_data(paths.blog_page(event))}


def test_event_says_how_public_in_what_language_and_under_which_warning(
    make_event: Any, server: PostingServer, settings: Any
) -> None:
    event = prepare(
        make_event, server, settings, post_visibility="unlisted", post_language="de", post_content_warning="Film"
    )
    draft_and_approve(event)
    send_now(event)
    assert {(s["visibility"], s["language"], s["spoiler_text"]) for s in server.stored} == {
        ("unlisted", "de", "Film")
    }


# --- what may not be sent -------------------------------------------------------------------------------------------
def refused(event: Any, server: PostingServer, sentence: str) -> None:
    with pytest.raises(MastoscoreError) as caught:
        send_now(event)
    assert sentence in caught.value.user_message
    assert server.stored == []


def test_nothing_is_sent_without_a_draft(event: Any, server: PostingServer) -> None:
    refused(event, server, "no draft of a thread yet")


def test_nothing_is_sent_that_nobody_approved(event: Any, server: PostingServer) -> None:
    draft(event)
    refused(event, server, "is not approved yet")
    assert server.asked == [asked for asked in server.asked if asked.kind == "instance"]


def test_thread_that_is_out_is_not_sent_again(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    send_now(event)
    with pytest.raises(AlreadyPosted, match="already posted"):
        send_now(event)
    assert_complete(event, server)


def test_event_without_account_says_so(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    event.home_account = None
    event.save()
    refused(event, server, "has no account to post with")


def test_account_without_token_says_so(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    event.home_account.token = ""
    event.home_account.save()
    refused(event, server, "There is no token for @host@")


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_wrong_or_expired_token_says_so(event: Any, server: PostingServer, status: int) -> None:
    draft_and_approve(event)
    server.fail("verify", Fault(Reply(status)))
    refused(event, server, "does not accept the token of @host@")


def test_token_of_somebody_else_says_so(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.username = "other"
    refused(event, server, f"belongs to @other@{server.name}")


def test_known_missing_scope_is_told_before_anything_is_asked(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    event.home_account.scopes = "read write:media"
    event.home_account.save()
    refused(event, server, "may not do what is needed (write:statuses)")


def test_missing_scope_told_by_the_server_is_one_sentence(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.fail("publish", Fault(Reply(403, {"error": "This action is outside the authorized scopes"})))
    refused(event, server, "does not let this token post")
    assert states(event)[0] == "failed"
    send_now(event)
    assert_complete(event, server)


def test_texts_too_long_for_the_server_are_named_before_anything_is_sent(event: Any, server: PostingServer) -> None:
    rows = draft(event)
    event.thread.filter(pk=rows[2].pk).update(text="x" * 501)
    with pytest.raises(MastoscoreError, match="Toot 3 has 501 characters; 500 are allowed"):
        approval.approve(event)
    event.thread.filter(pk=rows[2].pk).update(text="short")
    approval.approve(event)
    server.max_characters = 120
    refused(event, server, "are allowed (limits of 127.0.0.1")


def test_rehearsal_is_not_posted_on_a_real_server(event: Any, server: PostingServer, settings: Any) -> None:
    event.crawls.update(is_mock=True)
    draft_and_approve(event)
    settings.MASTOSCORE_PRIVATE_HOSTS = []
    refused(event, server, "a rehearsal is not posted")


def test_user_without_the_right_sends_and_deletes_nothing(
    event: Any, server: PostingServer, django_user_model: Any
) -> None:
    draft_and_approve(event)
    user = django_user_model.objects.create_user("helper")
    with pytest.raises(MastoscoreError, match="may prepare a thread"):
        send_now(event, asked_by=user)
    with pytest.raises(MastoscoreError, match="may prepare a thread"):
        delete_now(event, asked_by=user)
    assert server.stored == []


# --- servers with faults --------------------------------------------------------------------------------------------
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


# --- taken back -----------------------------------------------------------------------------------------------------
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


# --- for clients that know no drafts --------------------------------------------------------------------------------
def post_and_send(event: Any, **options: Any) -> dict[str, Any]:
    return post.run(context(event, "post", send=True, **options))


def test_one_job_drafts_approves_and_sends(event: Any, server: PostingServer, admin_user: Any) -> None:
    assert post_and_send(event, asked_by=admin_user)["sent"] == 7
    assert_complete(event, server)
    assert thread_of(event).approved_by == admin_user
    with pytest.raises(AlreadyPosted):
        post_and_send(event)


def test_one_job_keeps_the_words_of_a_person(event: Any, server: PostingServer) -> None:
    rows = draft(event)
    edit.edit_toot(event, rows[1].pk, text="My own words")
    post_and_send(event)
    assert server.thread()[1] == "My own words"


def test_one_job_goes_on_where_another_stopped(event: Any, server: PostingServer) -> None:
    server.fail("publish", Fault(Reply(403)), nth=3)
    with pytest.raises(MastoscoreError):
        post_and_send(event)
    post_and_send(event)
    assert_complete(event, server)


def test_one_job_asked_for_without_the_right_does_nothing(
    event: Any, server: PostingServer, django_user_model: Any
) -> None:
    with pytest.raises(MastoscoreError, match="may prepare a thread"):
        post_and_send(event, asked_by=django_user_model.objects.create_user("helper"))
    assert not event.thread.exists()
