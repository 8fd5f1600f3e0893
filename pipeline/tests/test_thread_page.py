"""The page of a thread and the command: who may do what, and one sentence for what cannot be done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command

from events.models import Event
from jobs.models import Job
from pipeline.tests.thread_help import draft, draft_and_approve, prepare, send_now, states, thread_of
from tests.remote.posting import Fault, PostingServer, Reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[PostingServer]:
    with PostingServer() as running:
        yield running


@pytest.fixture
def event(make_event: Any, server: PostingServer, settings: Any) -> Event:
    made = prepare(make_event, server, settings)
    made.crawls.update(is_mock=True)
    return made


@pytest.fixture
def wake_ups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.services.async_task", lambda *arguments, **options: None)


def address(event: Event, rest: str = "") -> str:
    return f"/admin/event/{event.pk}/thread/{rest}"


def press(client: Any, event: Event, what: str, **values: Any) -> str:
    values = {"revision": thread_of(event).revision, **values}
    response = client.post(address(event, what), values)
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def helper(client: Any, django_user_model: Any, *permissions: str) -> Any:
    user = django_user_model.objects.create_user("helper", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def test_page_shows_every_toot_and_nothing_unescaped(admin_client: Any, event: Event) -> None:
    draft(event)
    event.thread.filter(position=1).update(text='<script>alert(1)</script> https://a.example/?x="><b>')
    page = admin_client.get(address(event)).content.decode()
    assert page.count('<li class="ms-toot ') == 7
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert 'alt="graph in words"' in page


def test_draft_is_edited_approved_and_withdrawn(admin_client: Any, event: Event) -> None:
    rows = draft(event)
    shown = press(admin_client, event, f"toot/{rows[1].pk}/save/", text="Mine")
    assert "Mine" in shown
    press(admin_client, event, f"toot/{rows[1].pk}/move/", to=1)
    press(admin_client, event, f"toot/{rows[6].pk}/drop/")
    assert list(event.thread.order_by("position").values_list("role", flat=True))[:2] == ["author", "opening"]
    assert "Back to draft" in press(admin_client, event, "do/approve/")
    assert thread_of(event).approved_by.username == "admin"
    assert "Approve</button>" in press(admin_client, event, "do/withdraw/")


def test_stale_page_changes_nothing(admin_client: Any, event: Event) -> None:
    rows = draft(event)
    shown = press(admin_client, event, f"toot/{rows[1].pk}/save/", text="Mine", revision=0)
    assert "was changed meanwhile" in shown
    assert "was changed meanwhile" in press(admin_client, event, "do/approve/", revision=0)
    assert thread_of(event).state == "draft"


@pytest.mark.usefixtures("wake_ups")
def test_send_and_delete_are_queued_for_who_asked(admin_client: Any, event: Event, admin_user: Any) -> None:
    draft(event)
    assert "is not approved yet" in press(admin_client, event, "do/send/")
    assert "nothing to delete" in press(admin_client, event, "do/delete/")
    assert not Job.objects.filter(kind__in=("send", "delete_thread")).exists()
    press(admin_client, event, "do/approve/")
    assert "withdraw the approval" in press(admin_client, event, "do/regenerate/")
    shown = press(admin_client, event, "do/send/")
    job = Job.objects.get(kind="send")
    assert (job.asked_by, job.exclusive_key) == (admin_user, f"event:{event.pk}")
    assert "waits for a worker" in shown
    assert 'hx-trigger="every 1s"' in shown
    assert "already waiting" in press(admin_client, event, "do/send/")
    press(admin_client, event, "do/cancel/")
    assert Job.objects.get(kind="send").status == "cancelled"
    assert admin_client.get(address(event, "panel/")).status_code == 286


def test_helper_prepares_and_does_not_approve(client: Any, django_user_model: Any, event: Event) -> None:
    rows = draft(event)
    helper(client, django_user_model, "view_event", "change_event")
    assert "Mine" in press(client, event, f"toot/{rows[1].pk}/save/", text="Mine")
    page = client.get(address(event)).content.decode()
    assert "Approve</button>" not in page
    assert "somebody who may post threads approves it" in page
    for what in ("approve", "withdraw", "send", "delete"):
        assert client.post(address(event, f"do/{what}/"), {"revision": 1}).status_code == 403
    assert thread_of(event).state == "draft"


def test_onlooker_changes_nothing(client: Any, django_user_model: Any, event: Event) -> None:
    rows = draft(event)
    helper(client, django_user_model, "view_event")
    assert client.get(address(event)).status_code == 200
    for rest in (f"toot/{rows[0].pk}/save/", "do/regenerate/", "do/cancel/", "texts/try/"):
        assert client.post(address(event, rest), {"revision": 1, "text": "x", "to": 1}).status_code == 403
    assert client.get(address(event, "texts/")).status_code == 403


@pytest.mark.parametrize("rest", ["do/nonsense/", "toot/1/nonsense/"])
def test_unknown_actions_are_not_found(admin_client: Any, event: Event, rest: str) -> None:
    assert admin_client.post(address(event, rest), {"revision": 1}).status_code == 404


def test_helper_cannot_let_drafts_approve_themselves(client: Any, django_user_model: Any, event: Event) -> None:
    helper(client, django_user_model, "view_event", "change_event")
    values = {"post_visibility": "public", "post_language": "en", "post_auto_approve": "on", "thread_closing": "Bye"}
    assert client.post(address(event, "texts/"), values).status_code == 302
    event.refresh_from_db()
    assert (event.thread_closing, event.post_auto_approve) == ("Bye", False)


def test_texts_are_tried_without_being_kept(admin_client: Any, event: Event) -> None:
    shown = admin_client.post(
        address(event, "texts/try/"), {"thread_closing": "Bye <b>{{ people }}"}
    ).content.decode()
    assert "Bye &lt;b&gt;8" in shown
    shown = admin_client.post(address(event, "texts/try/"), {"thread_closing": "{% load x %}"}).content.decode()
    assert "Invalid block tag" in shown
    event.refresh_from_db()
    assert event.thread_closing == ""


def test_bad_text_is_not_saved(admin_client: Any, event: Event) -> None:
    values = {"post_visibility": "public", "post_language": "en", "thread_closing": "{{ nobody }}"}
    page = admin_client.post(address(event, "texts/"), values).content.decode()
    assert "There is no value called “nobody”" in page


def test_error_of_the_last_run_and_what_is_out_stand_on_the_page(
    admin_client: Any, event: Event, server: PostingServer
) -> None:
    draft_and_approve(event)
    server.fail("publish", Fault(Reply(403)), nth=3)
    with pytest.raises(Exception, match="403"):
        send_now(event)
    page = admin_client.get(address(event)).content.decode()
    assert "does not let this token post" in page
    assert "2 of 7 toots are out" in page
    assert "Send the rest" in page
    assert "Delete thread" in page


def test_results_page_links_the_thread(client: Any, event: Event, server: PostingServer) -> None:
    draft_and_approve(event)
    send_now(event)
    Event.objects.filter(pk=event.pk).update(is_published=True)
    page = client.get(f"/events/{event.slug}/").content.decode()
    assert f'href="http://{server.name}/@host/1001"' in page


# --- the command ----------------------------------------------------------------------------------------------------
def command(*arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("post", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.mark.django_db(transaction=True)
def test_command_drafts_approves_sends_and_deletes(event: Event, server: PostingServer) -> None:
    code, _, err = command(event.slug, "--send")
    assert (code, "no draft of a thread yet" in err) == (1, True)
    code, out, _ = command(event.slug, "--approve")
    assert code == 0
    assert f"Approved: 7 toots (@host@{server.name})." in out
    assert server.stored == []
    code, out, _ = command(event.slug, "--send")
    assert code == 0
    assert f"Posted: 7 toots. http://{server.name}/@host/1001" in out
    assert len(server.thread()) == 7
    code, _, err = command(event.slug, "--send", "--approve")
    assert code == 1
    assert "already posted" in err
    code, out, _ = command(event.slug, "--delete", "--json")
    assert json.loads(out)["deleted"] == 7
    assert server.statuses == {}
    code, out, _ = command(event.slug, "--send", "--approve", "--json")
    assert code == 0
    assert json.loads(out)["sent"] == 7
    assert states(event) == ["sent"] * 7


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "arguments",
    [("--send", "--dry-run"), ("--send", "--delete"), ("--delete", "--approve"), ("--send", "--output", "x")],
)
def test_command_does_not_take_what_does_not_go_together(event: Event, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("post", event.slug, *arguments)


def test_helper_sees_but_does_not_set_what_approves_by_itself(
    client: Any, django_user_model: Any, event: Event
) -> None:
    helper(client, django_user_model, "view_event", "change_event", "view_mastodonaccount")
    page = client.get(f"/admin/events/event/{event.pk}/change/").content.decode()
    assert "Approve by itself" in page
    assert 'name="post_auto_approve"' not in page
    assert 'name="post_visibility"' in page
