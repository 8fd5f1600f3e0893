"""What is the host's own stays: never adopted, never deleted; and what was approved is what goes out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from common.errors import MastoscoreError
from common.mastodon_posting import OwnMedia, OwnStatus
from events.models import MastodonAccount
from events.thread_texts import ValidThreadText
from jobs.models import Job
from jobs.services import MayNotCancel, request_cancel
from pipeline import paths
from pipeline.phases import post
from pipeline.services import delete_event
from pipeline.tests.thread_help import context, delete_now, draft, draft_and_approve, prepare, send_now, thread_of
from pipeline.thread import approval, edit, ledger, send
from pipeline.thread.reconcile import Mark, Wanted, find_sent, html_keys, plain_key
from tests.remote.posting import FAULT_AFTER_STORING, LOST_ANSWER, PostingServer

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "https://blog.example/x/"


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


def own(id: str, html: str, **values: Any) -> OwnStatus:
    facts = {"url": "", "reply_to": "", "visibility": "public", "created_at": NOON, "media": (), **values}
    return OwnStatus(id=id, html=html, **facts)


def found_ids(statuses: list[OwnStatus], **values: Any) -> tuple[str, list[str], list[str]]:
    wanted = Wanted(**{"text": LINK, "parent": "p", "visibility": "public", **values})
    found = find_sent(statuses, wanted, Mark(frozenset({"old"}), NOON), known=())
    return found.ours.id if found.ours else "", [s.id for s in found.others], [s.id for s in found.unsure]


def test_links_emoji_and_mentions_are_part_of_what_is_compared() -> None:
    assert plain_key("🎉") != plain_key("❤️") != ""
    assert plain_key("...") == "..."
    link = '<a href="https://a.example/b"><span class="invisible">https://</span><span>a.example/b</span></a>'
    assert plain_key("See https://a.example/b") in html_keys(f"<p>See {link}</p>")
    assert plain_key("See https://a.example/c") not in html_keys(f"<p>See {link}</p>")
    short = '<a href="https://a.example/long/way">a.example/lo…</a>'
    assert plain_key("https://a.example/long/way") in html_keys(short)
    mention = '<a href="https://b.example/@ada" class="mention">@<span>ada</span></a> & #Film'
    assert plain_key("@ada@b.example & #Film") in html_keys(mention.replace("&", "&amp;"))


def test_only_what_is_newer_than_the_mark_and_alike_in_everything_is_ours() -> None:
    earlier = NOON - timedelta(minutes=1)
    assert found_ids([own("old", LINK), own("2", LINK, created_at=earlier), own("3", "<p>🎉</p>")]) == ("", [], [])
    assert found_ids([own("4", LINK), own("5", LINK, reply_to="p")]) == ("5", ["4"], [])
    picture = (OwnMedia("m", True, ""),)
    assert found_ids([own("6", LINK, media=picture), own("7", LINK, spoiler="x")]) == ("", [], ["6", "7"])
    assert found_ids([own("8", LINK, reply_to="other")]) == ("", [], [])
    assert found_ids([own("9", "")], text="") == ("", [], [])


def put(server: PostingServer, text: str) -> str:
    status = server._make_status({"status": text}, None)
    server.statuses[status["id"]] = status
    return str(status["id"])


@pytest.mark.parametrize("fault", [FAULT_AFTER_STORING, LOST_ANSWER])
def test_own_toots_without_words_stay_when_the_answer_to_a_link_is_lost(
    event: Any, server: PostingServer, fault: Any
) -> None:
    rows = draft(event)
    edit.edit_toot(event, rows[-1].pk, text=LINK)
    mine = [put(server, text) for text in ("", "https://other.example/", "🎉", LINK, rows[0].text)]
    approval.approve(event)
    server.fail("publish", fault, nth=1)
    server.fail("publish", fault, nth=len(rows))
    send_now(event)
    assert server.deleted == []
    assert set(mine) <= set(server.statuses)
    assert len(server.statuses) == len(mine) + len(rows)
    delete_now(event)
    assert set(server.statuses) == set(mine)


def test_picture_drawn_anew_after_approval_needs_another(event: Any, server: PostingServer) -> None:
    rows = draft_and_approve(event)
    path = paths.data_dir() / next(row.media[0]["path"] for row in rows if row.media)
    path.write_bytes(path.read_bytes() + b"new")
    with pytest.raises(MastoscoreError, match="was drawn anew"):
        send_now(event)
    assert server.stored == []
    assert thread_of(event).state == "draft"
    assert "approve it again" in thread_of(event).error
    approval.approve(event)
    send_now(event)


def test_account_changed_after_approval_needs_another(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    event.posting_account = MastodonAccount.objects.create(server="other.example", username="host", token="t")
    event.save()
    with pytest.raises(MastoscoreError, match="it was approved for @host@127"):
        send_now(event)
    assert thread_of(event).state == "draft"


def test_job_whose_user_is_gone_sends_nothing(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    ctx = context(event)
    ctx.job.params = {}
    with pytest.raises(ledger.NotAllowed):
        send.run(ctx)
    assert server.stored == []


def test_draft_asked_for_by_who_may_not_post_waits_for_a_person(event: Any, django_user_model: Any) -> None:
    event.post_auto_approve = True
    event.save()
    post.run(context(event, "post", asked_by=django_user_model.objects.create_user("helper")))
    assert thread_of(event).state == "draft"
    post.run(context(event, "post"))
    assert thread_of(event).state == "approved"


def test_event_with_toots_out_is_not_deleted(event: Any, admin_client: Any) -> None:
    draft_and_approve(event)
    send_now(event)
    with pytest.raises(ledger.AlreadyPosted, match="delete the thread first"):
        delete_event(event)
    page = f"/admin/events/event/{event.pk}/delete/"
    admin_client.post(page, {"post": "yes"})
    assert thread_of(event).state == "sent"
    delete_now(event)
    delete_event(event)


def test_toot_that_turns_up_after_it_was_reworded_is_removed(event: Any, server: PostingServer) -> None:
    draft_and_approve(event)
    server.drops_silently = True
    with pytest.raises(MastoscoreError, match="does not have it"):
        send_now(event)
    server.drops_silently = False
    row = event.thread.get(position=1)
    late = put(server, row.posted_text)
    approval.withdraw(event)
    edit.edit_toot(event, row.pk, text="Other words")
    approval.approve(event)
    send_now(event)
    assert server.deleted == [late]
    assert server.thread()[0] == "Other words"


def test_who_may_not_post_does_not_stop_a_thread_either(event: Any, django_user_model: Any) -> None:
    job = Job.objects.create(kind="send", event=event, exclusive_key="x")
    with pytest.raises(MayNotCancel):
        request_cancel(job.pk, by=django_user_model.objects.create_user("helper"))
    request_cancel(job.pk, by=django_user_model.objects.create_superuser("boss"))
    assert Job.objects.get(pk=job.pk).status == "cancelled"


@pytest.mark.parametrize(
    "text", ["{{ toots|divisibleby:0 }}", "{{ toots|truncatechars:1e999 }}", "\x00{{ title }}", "\ud800"]
)
def test_text_that_breaks_filters_or_databases_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValidationError):
        ValidThreadText("opening")(text)
