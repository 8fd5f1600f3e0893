"""Right before sending: what is gone, hidden, edited or unwanted by its author makes way, and somebody is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from common.robots import parse_robots
from events.guarding import save_guarded
from events.models import MastodonAccount, OptOut
from jobs import turns
from pipeline.tests.scored_event import add_toot, analyse, make_scored
from pipeline.tests.thread_help import context, draft, draft_and_approve, send_now, thread_of
from pipeline.thread import approval, edit, lookup, send
from pipeline.thread.recheck import ChangedSinceApproval
from tests.remote.fediverse import NOON, make_status
from tests.remote.posting import TOKEN, Fault, PostingServer, Reply

pytestmark = pytest.mark.django_db
ACTIVITY = "https://www.w3.org/ns/activitystreams#Public"


@pytest.fixture
def server() -> Iterator[PostingServer]:
    with PostingServer() as running:
        yield running


@pytest.fixture
def origin() -> Iterator[PostingServer]:
    with PostingServer() as running:
        yield running


def status_of(origin: PostingServer, number: int, **values: Any) -> dict[str, Any]:
    return make_status(origin.name, number, NOON, user=f"user{number}", content=f"<p>Toot {number}</p>", **values)


@pytest.fixture
def event(make_event: Any, server: PostingServer, origin: PostingServer, settings: Any) -> Any:
    """Eight toots of one origin that shows them all; top 3 by boosts: 8, 7, 6."""
    settings.MASTOSCORE_PRIVATE_HOSTS = [server.name, origin.name]
    settings.MASTOSCORE_RETRY_PAUSES = [0.01]
    account = MastodonAccount.objects.create(server=server.name, username="host", token=TOKEN)
    made = make_scored(make_event(home_account=account), toots=0)
    for number in range(1, 9):
        status = status_of(origin, number)
        add_toot(
            made,
            number,
            uri=status["uri"],
            url=status["url"],
            origin=origin.name,
            author_handle=f"user{number}@{origin.name}",
            text=f"Toot {number}",
            html=status["content"],
            replies=0,
        )
        origin.pages[f"/api/v1/statuses/{number}"] = Reply(body=status)
    analyse(made)
    made.thread.all().delete()
    return made


def boosts_in(event: Any) -> list[str]:
    text = event.thread.get(role="boosts").text
    return [line.split(":")[0] for line in text.split("\n") if line[:1].isdigit()]


def hide(origin: PostingServer, number: int, reply: Reply | None = None) -> None:
    origin.pages[f"/api/v1/statuses/{number}"] = reply or Reply(404, {"error": "Record not found"})


def test_unchanged_thread_goes_out_as_it_was_approved(
    event: Any, server: PostingServer, origin: PostingServer
) -> None:
    texts = [row.text for row in draft_and_approve(event)]
    send_now(event)
    assert server.thread() == texts
    assert thread_of(event).changes == []
    shown = {uri for row in event.thread.all() for uri in row.sources}
    asked = [a.path for a in origin.asked if a.path.startswith("/api/")]
    assert sorted(asked) == sorted(f"/api/v1/statuses/{uri.rpartition('/')[2]}" for uri in shown)
    assert {a.headers.get("authorization", "") for a in origin.asked} == {""}, "origins are asked as a stranger"


def bury(origin: PostingServer, number: int) -> None:
    uri = status_of(origin, number)["uri"]
    origin.pages[f"/users/user{number}/statuses/{number}"] = Reply(body={"id": uri, "type": "Tombstone"})


GONE = {
    "deleted": lambda origin: hide(origin, 8),
    "gone for good": lambda origin: hide(origin, 8, Reply(410)),
    "tombstone": lambda origin: (hide(origin, 8), bury(origin, 8)),
    "followers only": lambda origin: hide(origin, 8, Reply(body=status_of(origin, 8, visibility="private"))),
    "unlisted": lambda origin: hide(origin, 8, Reply(body=status_of(origin, 8, visibility="unlisted"))),
    "nobot in the profile": lambda origin: hide(
        origin, 8, Reply(body=status_of(origin, 8, account={"note": "<p>#nobot</p>", "acct": "user8"}))
    ),
    "noindex": lambda origin: hide(
        origin, 8, Reply(body=status_of(origin, 8, account={"noindex": True, "acct": "user8"}))
    ),
    "opted out here": lambda origin: OptOut.objects.create(target=f"user8@{origin.name}"),
}


@pytest.mark.parametrize("what", GONE)
def test_next_in_rank_moves_up_and_the_draft_goes_back(
    event: Any, server: PostingServer, origin: PostingServer, what: str
) -> None:
    draft_and_approve(event)
    assert boosts_in(event) == ["1. User 8", "2. User 7", "3. User 6"]
    GONE[what](origin)
    with pytest.raises(ChangedSinceApproval, match="approve it again"):
        send_now(event)
    assert server.stored == []
    assert boosts_in(event) == ["1. User 7", "2. User 6", "3. User 5"]
    thread = thread_of(event)
    assert thread.state == "draft"
    assert any("the next in rank took the place" in change["text"] for change in thread.changes)
    assert all("User 8" not in row.text for row in event.thread.all())
    approval.approve(event)
    send_now(event)
    assert server.thread() == [row.text for row in event.thread.order_by("position")]


def test_event_may_allow_changes(event: Any, server: PostingServer, origin: PostingServer) -> None:
    event.post_allow_changes = True
    event.save()
    draft_and_approve(event)
    hide(origin, 8)
    send_now(event)
    assert boosts_in(event) == ["1. User 7", "2. User 6", "3. User 5"]
    assert server.thread() == [row.posted_text for row in event.thread.order_by("position")]


def test_thread_approved_by_itself_needs_nobody(event: Any, server: PostingServer, origin: PostingServer) -> None:
    event.post_auto_approve = True
    event.save()
    draft(event)
    assert thread_of(event).approved_how == "auto"
    hide(origin, 8)
    send_now(event)
    assert boosts_in(event)[0] == "1. User 7"


def test_who_moved_up_is_looked_up_as_well(event: Any, server: PostingServer, origin: PostingServer) -> None:
    event.post_allow_changes = True
    event.save()
    draft_and_approve(event)
    for number in (8, 7, 5):
        hide(origin, number)
    send_now(event)
    assert boosts_in(event) == ["1. User 6", "2. User 4", "3. User 3"]


def test_own_words_are_not_replaced_without_asking(event: Any, server: PostingServer, origin: PostingServer) -> None:
    event.post_allow_changes = True
    event.save()
    draft(event)
    row = event.thread.get(role="boosts")
    edit.edit_toot(event, row.pk, text="My favourite was User 8")
    approval.approve(event)
    hide(origin, 8)
    with pytest.raises(ChangedSinceApproval, match="Your own words in toot 3 had to go"):
        send_now(event)
    assert server.stored == []


def test_edited_text_is_shown_as_it_is_now(event: Any, server: PostingServer, origin: PostingServer) -> None:
    event.thread_entry = "{{ rank }}. {{ name }}: {{ text }}"
    event.post_allow_changes = True
    event.save()
    draft_and_approve(event)
    assert "Toot 8" in event.thread.get(role="boosts").text
    origin.pages["/api/v1/statuses/8"] = Reply(
        body={**status_of(origin, 8), "content": "<p>Better words</p>", "edited_at": "2026-02-23T14:00:00Z"}
    )
    send_now(event)
    assert "1. User 8: Better words" in event.thread.get(role="boosts").posted_text
    assert "was edited" in thread_of(event).changes[0]["text"]


def test_edit_that_is_not_shown_changes_nothing(event: Any, server: PostingServer, origin: PostingServer) -> None:
    draft_and_approve(event)
    origin.pages["/api/v1/statuses/8"] = Reply(body={**status_of(origin, 8), "content": "<p>Better words</p>"})
    send_now(event)
    assert thread_of(event).changes == []
    assert event.toots.get(uri__endswith="/8").text == "Better words"


def test_origin_that_does_not_answer_is_noted_and_its_toots_stay(
    event: Any, server: PostingServer, origin: PostingServer
) -> None:
    draft_and_approve(event)
    for path in list(origin.pages):
        origin.pages[path] = Reply(503)
    origin.pages |= {f"/users/user{n}/statuses/{n}": Reply(503) for n in range(1, 9)}
    send_now(event)
    notes = thread_of(event).changes
    assert [note["is_change"] for note in notes] == [False]
    assert "could not be looked up again" in notes[0]["text"]


def test_copy_on_our_own_server_speaks_for_a_silent_origin(
    event: Any, server: PostingServer, origin: PostingServer
) -> None:
    draft_and_approve(event)
    for path in list(origin.pages):
        origin.pages[path] = Reply(401, {"error": "This method requires an authenticated user"})
    origin.pages |= {f"/users/user{n}/statuses/{n}": Reply(401) for n in range(1, 9)}
    server._do_search = lambda asked: Reply(  # type: ignore[method-assign]
        body={"statuses": [status_of(origin, 8, visibility="private")] if asked.query["q"].endswith("/8") else []}
    )
    with pytest.raises(ChangedSinceApproval):
        send_now(event)
    assert boosts_in(event)[0] == "1. User 7"


def test_servers_without_the_api_are_asked_by_activitypub(
    event: Any, server: PostingServer, origin: PostingServer
) -> None:
    draft_and_approve(event)
    for number in range(1, 9):
        uri = f"http://{origin.name}/users/user{number}"
        hide(origin, number, Reply(404))
        markers = "#nobots" if number == 8 else ""
        origin.pages[f"/users/user{number}"] = Reply(
            body={"id": uri, "type": "Person", "preferredUsername": f"user{number}", "summary": markers}
        )
        origin.pages[f"/users/user{number}/statuses/{number}"] = Reply(
            body={
                "id": f"{uri}/statuses/{number}",
                "type": "Note",
                "to": [ACTIVITY] if number != 7 else [f"{uri}/followers"],
                "attributedTo": uri,
                "published": "2026-02-23T12:00:00Z",
                "content": f"<p>Toot {number}</p>",
            }
        )
    with pytest.raises(ChangedSinceApproval):
        send_now(event)
    assert boosts_in(event) == ["1. User 6", "2. User 5", "3. User 4"]


def test_robots_that_are_unwanted_do_not_ask(event: Any, server: PostingServer, origin: PostingServer) -> None:
    draft_and_approve(event)
    cache.set(f"robots:{origin.name}", parse_robots("User-agent: *\nDisallow: /\n"), 60)
    send_now(event)
    assert origin.asked == []
    assert "stay away" in thread_of(event).changes[0]["text"]


def test_half_sent_thread_is_looked_at_again_and_goes_on_behind_what_is_out(
    event: Any, server: PostingServer, origin: PostingServer
) -> None:
    event.post_allow_changes = True
    event.save()
    draft_and_approve(event)
    server.fail("publish", Fault(Reply(403)), nth=4)
    with pytest.raises(Exception, match="403"):
        send_now(event)
    out = [row.posted_text for row in event.thread.filter(state="sent").order_by("position")]
    favourites = event.thread.get(role="favourites")
    number = favourites.sources[0].rpartition("/")[2]
    hide(origin, int(number))
    hide(origin, 8)  # stands in a toot that is out: too late
    send_now(event)
    assert server.thread()[: len(out)] == out
    assert f"User {number}:" not in "".join(server.thread()[len(out) :])
    assert "User 8" in server.thread()[2]


def test_practice_is_not_looked_up(event: Any, server: PostingServer, origin: PostingServer) -> None:
    event.crawls.update(is_mock=True)
    draft_and_approve(event)
    send.run(context(event))
    assert origin.asked == []


def test_origin_that_other_work_of_ours_is_asking_is_left_alone(
    event: Any, server: PostingServer, origin: PostingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "_PATIENCE_SECONDS", 0.0)
    draft_and_approve(event)
    with transaction.atomic():
        turns.take([origin.name], turns.new_holder())
    send_now(event)
    assert not origin.asked
    notes = " ".join(str(note) for note in thread_of(event).changes)
    assert f"{origin.name} was being asked for something else." in notes


def test_turns_are_given_back_after_looking_up(event: Any, server: PostingServer, origin: PostingServer) -> None:
    draft_and_approve(event)
    send_now(event)
    assert origin.asked
    assert not turns.taken_by_somebody().exists()


def test_thread_that_approved_itself_goes_to_a_person_once_that_is_switched_off(
    event: Any, server: PostingServer, origin: PostingServer
) -> None:
    event.post_auto_approve = True
    event.save()
    draft(event)
    event.thread_entry = "{{ rank }}. Buy now"
    assert "is switched off" in save_guarded(event, may_post=False)[0]
    hide(origin, 8)
    with pytest.raises(ChangedSinceApproval, match="approve it again"):
        send_now(event)
    assert server.stored == []
    assert thread_of(event).state == "draft"
