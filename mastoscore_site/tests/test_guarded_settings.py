"""At every door: who may not post changes what a thread would say, and it does not approve itself any more."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from events.guarding import APPROVING_FIELDS, FREE_FIELDS, list_changes, save_guarded
from events.models import Event, MastodonAccount, Series
from events.services import export_event_text

pytestmark = pytest.mark.django_db

BOTH_ON = dict.fromkeys(APPROVING_FIELDS, True)
SPAM = "Buy now: https://spam.example/"
EVENT = "/api/v1/events/monsterdon-20260222"
CONFIG = "/api/config/monsterdon-20260222"


class Hand:
    """Somebody at the admin and at the API."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client()
        self.client.force_login(user)

    def send(self, method: str, address: str, body: Any) -> str:
        content = body if isinstance(body, str) else json.dumps(body)
        kind = "text/plain" if isinstance(body, str) else "application/json"
        response = self.client.generic(method, address, content, content_type=kind)
        assert response.status_code in (200, 201), response.content
        return str(response.content.decode())

    def save_form(self, address: str, **values: Any) -> str:
        """Open the page, change those fields, save; what the next page tells."""
        form = self.client.get(address).context["adminform"].form
        given: dict[str, Any] = {}
        for field in form:
            if not field.field.disabled:
                given |= _as_posted(field)
        answer = self.client.post(address, {**given, **values}, follow=True)
        assert answer.redirect_chain, answer.context["adminform"].form.errors
        return str(answer.content.decode())


def _as_posted(field: Any) -> dict[str, Any]:
    value = field.value()
    if hasattr(field.field.widget, "decompress") and not isinstance(value, list):
        parts = field.field.widget.decompress(value)
        return {f"{field.html_name}_{number}": part for number, part in enumerate(parts)}
    if value is None or value is False:
        return {}
    return {field.html_name: "on" if value is True else value}


@pytest.fixture
def event(make_event: Any) -> Event:
    made: Event = make_event(**BOTH_ON)
    return made


@pytest.fixture
def series(db: None) -> Series:
    return Series.objects.create(title="S", slug="s", hashtag="s", **BOTH_ON)


def hand(*more: str) -> Hand:
    user = User.objects.create_user("hand", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="events"))
    user.user_permissions.add(*Permission.objects.filter(codename__in=more))
    return Hand(user)


def flags(subject: Any) -> list[bool]:
    subject.refresh_from_db()
    return [getattr(subject, name) for name in APPROVING_FIELDS]


def ini_of(event: Event) -> str:
    event.graph_title = SPAM
    return export_event_text(event)


def _thread_texts(hand: Hand, event: Event) -> str:
    ticked = dict.fromkeys(APPROVING_FIELDS, "on")  # which counts only for who may tick them
    values = {"post_visibility": "public", "post_language": "en", "thread_closing": SPAM, **ticked}
    return str(hand.client.post(f"/admin/event/{event.pk}/thread/texts/", values, follow=True).content.decode())


def _import_page(hand: Hand, event: Event) -> str:
    file = SimpleUploadedFile("a.ini", ini_of(event).encode())
    page = hand.client.post(reverse("admin:events_event_import_ini"), {"file": file, "slug": event.slug}, follow=True)
    return str(page.content.decode())


def _whole_config(hand: Hand, event: Event) -> dict[str, Any]:
    config: dict[str, Any] = hand.client.get(CONFIG).json()["config"]
    return {"config": {**config, "graph": {**config.get("graph", {}), "graph_title": SPAM}}}


DOORS: dict[str, Callable[[Hand, Event], str]] = {
    "admin page": lambda hand, event: hand.save_form(
        reverse("admin:events_event_change", args=[event.pk]), thread_closing=SPAM
    ),
    "page of the texts": _thread_texts,
    "INI file on the page": _import_page,
    "API, some settings": lambda hand, event: hand.send("PATCH", EVENT, {"thread_closing": SPAM}),
    "API, all settings": lambda hand, event: hand.send(
        "PUT", EVENT, {**hand.client.get(EVENT).json(), "thread_closing": SPAM}
    ),
    "API, INI file": lambda hand, event: hand.send("PUT", f"{EVENT}/ini", ini_of(event)),
    "Mastoscore's API": lambda hand, event: hand.send("PUT", CONFIG, _whole_config(hand, event)),
    "Mastoscore's API, written over": lambda hand, event: hand.send(
        "POST", CONFIG, {**_whole_config(hand, event), "overwrite": True}
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_change_is_kept_and_the_event_does_not_approve_itself_any_more(event: Event, door: str) -> None:
    somebody = hand()
    told = DOORS[door](somebody, event)
    assert flags(event) == [False, False]
    assert SPAM in (event.thread_closing, event.graph_title)
    assert "is switched off for" in told
    assert "you may not post threads" in told
    entry = (
        LogEntry.objects.latest("pk")
        if "page" not in door
        else LogEntry.objects.get(change_message__startswith="Switched off")
    )
    assert (entry.user, entry.object_id) == (somebody.user, str(event.pk))
    assert "“approve by itself” and “allow late changes”" in entry.change_message


@pytest.mark.parametrize("door", DOORS)
def test_who_may_post_changes_it_and_it_stays_on(event: Event, door: str) -> None:
    told = DOORS[door](hand("post_thread"), event)
    assert flags(event) == [True, True]
    assert SPAM in (event.thread_closing, event.graph_title)
    assert "is switched off" not in told


SERIES_DOORS: dict[str, Callable[[Hand, Series], str]] = {
    "admin page": lambda hand, series: hand.save_form(
        reverse("admin:events_series_change", args=[series.pk]), thread_closing=SPAM
    ),
    "API": lambda hand, series: hand.send("PATCH", "/api/v1/series/s", {"thread_closing": SPAM}),
}


@pytest.mark.parametrize("door", SERIES_DOORS)
def test_series_does_not_hand_down_what_a_helper_wrote(series: Series, door: str) -> None:
    told = SERIES_DOORS[door](hand(), series)
    assert flags(series) == [False, False]
    assert series.thread_closing == SPAM
    assert "is switched off for" in told


@pytest.mark.parametrize("door", ["admin page", "API, some settings"])
def test_what_has_no_part_in_the_thread_leaves_it_on(event: Event, door: str) -> None:
    somebody = hand()
    if door == "admin page":
        somebody.save_form(reverse("admin:events_event_change", args=[event.pk]), blog_tags="film", is_published="on")
    else:
        somebody.send("PATCH", EVENT, {"blog_tags": "film", "is_published": True})
    assert flags(event) == [True, True]
    assert event.blog_tags == "film"


def test_command_line_may(event: Event, tmp_path: Any) -> None:
    path = tmp_path / "monsterdon-20260222.ini"
    path.write_text(ini_of(event))
    call_command("import_event", str(path))
    assert flags(event) == [True, True]
    assert event.graph_title == SPAM


def test_everything_counts_that_is_not_named_as_free(event: Event) -> None:
    names = {field.name for field in Event._meta.concrete_fields}
    assert names > FREE_FIELDS
    guarded = names - FREE_FIELDS - set(APPROVING_FIELDS)
    assert {"hashtag", "start", "slug", "episode_title", "posting_account", "stop_words", "tag_users"} < guarded
    assert {f"thread_{name}" for name in ("opening", "author", "heading", "entry", "closing")} < guarded


def test_line_ends_of_a_browser_are_no_change(event: Event) -> None:
    event.thread_closing = "a\nb"
    event.save()
    after = Event.objects.get(pk=event.pk)
    after.thread_closing = "a\r\nb"
    assert list_changes(event, after) == []
    after.posting_account = MastodonAccount.objects.create(server="home.example", username="other")
    assert list_changes(event, after) == ["posting account"]


def test_old_page_does_not_switch_it_on_again(event: Event) -> None:
    opened = Event.objects.get(pk=event.pk)
    Event.objects.filter(pk=event.pk).update(**dict.fromkeys(APPROVING_FIELDS, False))
    assert save_guarded(opened, may_post=False) == []
    assert flags(event) == [False, False]
    new = Event(slug="n", event_title="N", hashtag="n", start=event.start, **BOTH_ON)
    save_guarded(new, may_post=False)
    assert flags(new) == [False, False]
