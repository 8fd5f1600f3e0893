"""The thread sent to servers that behave, and to servers that do not: always once, always whole, always told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import MastoscoreError
from pipeline import paths
from pipeline.core.toot_text import count_characters
from pipeline.phases import post
from pipeline.tests.thread_help import (
    ROLES,
    assert_complete,
    context,
    delete_now,
    draft,
    draft_and_approve,
    prepare,
    send_now,
    states,
    thread_of,
)
from pipeline.thread import approval, edit
from pipeline.thread.ledger import AlreadyPosted
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


def test_rehearsal_on_a_server_of_its_own_keeps_to_its_limits(event: Any, server: PostingServer) -> None:
    event.crawls.update(is_mock=True)
    server.max_characters = 200
    event.posting_account = event.home_account
    event.save()
    rows = draft_and_approve(event)
    assert max(count_characters(row.text, 23) for row in rows) <= 200
    send_now(event)
    assert_complete(event, server)


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
