"""Threads that go out without anybody looking: turned on only by those who may post them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from events.ini_text import IniError
from events.models import Event, Series
from events.services import (
    APPROVING_FIELDS,
    copy_event_to_next_week,
    create_event_from_series,
    import_event_text,
    replace_config,
    store_config,
)

pytestmark = pytest.mark.django_db

BOTH_ON = dict.fromkeys(APPROVING_FIELDS, True)
ASKED = "\n[post]\nauto_approve = yes\nallow_changes = yes\n"


def flags(event: Event) -> list[bool]:
    event.refresh_from_db()
    return [getattr(event, name) for name in APPROVING_FIELDS]


@pytest.fixture
def editor(make_event: Any) -> Client:
    """Signed in as one who may do everything with events, and not post."""
    user = User.objects.create_user("editor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="events"))
    client = Client()
    client.force_login(user)
    return client


def test_file_may_not_open_the_way_without_the_right(sample: str) -> None:
    with pytest.raises(IniError) as caught:
        import_event_text(sample + ASKED, name="a.ini")
    assert caught.value.problems == [
        "[post] auto_approve: “yes” needs the right to post threads.",
        "[post] allow_changes: “yes” needs the right to post threads.",
    ]
    assert not Event.objects.exists()
    event = import_event_text(sample + ASKED, name="a.ini", may_post=True).event
    assert flags(event) == [True, True]


def test_what_is_open_already_may_stay_and_be_shut(sample: str) -> None:
    event = import_event_text(sample + ASKED, name="a.ini", may_post=True).event
    assert flags(import_event_text(sample + ASKED, name="a.ini").event) == [True, True]
    import_event_text(sample + ASKED.replace("yes", "no"), name="a.ini")
    assert flags(event) == [False, False]


def test_configuration_may_not_open_the_way_without_the_right(make_event: Any) -> None:
    event = make_event()
    sections = {
        "mastoscore": {"hashtag": "monsterdon", "event_start": "2026-02-22T21:00:00-05:00"},
        "post": {"auto_approve": "yes"},
    }
    for store in (
        lambda: replace_config(event, sections),
        lambda: store_config(event.slug, sections, is_replacing=True),
        lambda: store_config("another", {**sections, "mastoscore": {**sections["mastoscore"], "hashtag": "x"}}),
    ):
        with pytest.raises(IniError, match="auto_approve: “yes” needs the right"):
            store()
    assert flags(event) == [False, False]
    assert flags(replace_config(event, sections, may_post=True).event) == [True, False]


@pytest.mark.parametrize("may_post", [False, True])
def test_copies_and_episodes_inherit_it_only_with_the_right(make_event: Any, may_post: bool) -> None:
    copy = copy_event_to_next_week(make_event(**BOTH_ON), may_post=may_post)
    series = Series.objects.create(title="S", slug="s", hashtag="s", **BOTH_ON)
    episode = create_event_from_series(series, datetime(2026, 2, 22, 20, tzinfo=UTC), may_post=may_post)
    assert flags(copy) == flags(episode) == [may_post, may_post]


def test_command_line_may(sample: str, tmp_path: Any) -> None:
    path = tmp_path / "a.ini"
    path.write_text(sample + ASKED)
    call_command("import_event", str(path))
    assert flags(Event.objects.get()) == [True, True]


def test_editor_cannot_import_it_on_the_page(editor: Client, sample: str) -> None:
    file = SimpleUploadedFile("a.ini", (sample + ASKED).encode())
    page = editor.post(reverse("admin:events_event_import_ini"), {"file": file, "slug": ""})
    assert "needs the right to post threads" in page.content.decode()
    assert not Event.objects.exists()


def test_editor_cannot_copy_it_on_the_pages(editor: Client, make_event: Any) -> None:
    event = make_event(**BOTH_ON)
    editor.post(reverse("admin:events_event_copy_to_next_week", args=[event.pk]), {"weeks": "1"})
    action = {"action": "copy_selected_to_next_week", "_selected_action": Event.objects.latest("start").pk}
    editor.post(reverse("admin:events_event_changelist"), action)
    series = Series.objects.create(title="S", slug="s", hashtag="s", **BOTH_ON)
    start = {"start_0": "2027-01-01", "start_1": "20:00:00"}
    editor.post(reverse("admin:events_series_new_event", args=[series.pk]), start)
    made = Event.objects.exclude(pk=event.pk)
    assert [flags(other) for other in made] == [[False, False]] * 3
