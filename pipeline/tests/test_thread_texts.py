"""The pages of the texts, of an event and of a series: tried with every letter, kept only when they can be used."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from events.models import Event, Series
from pipeline.models import Analysis
from pipeline.tests.scored_event import make_scored

pytestmark = pytest.mark.django_db
GOOD = {"post_visibility": "public", "post_language": "en"}


@pytest.fixture
def event(make_event: Any) -> Event:
    made: Event = make_scored(make_event())
    return made


@pytest.fixture
def series(db: None) -> Series:
    return Series.objects.create(title="Jellynight", slug="s", hashtag="jelly")


def of(subject: Any, rest: str = "") -> str:
    if isinstance(subject, Series):
        return f"/admin/event/series/{subject.pk}/texts/{rest}"
    return f"/admin/event/{subject.pk}/thread/texts/{rest}"


def typed(client: Any, subject: Any, **values: str) -> str:
    return str(client.post(of(subject, "try/"), values).content.decode())


def test_series_is_tried_with_made_up_numbers_until_an_event_has_some(
    admin_client: Any, event: Event, series: Series
) -> None:
    shown = typed(admin_client, series, thread_closing="{{ event }}: {{ people }} <b>people")
    assert "Jellynight: 231 &lt;b&gt;people" in shown
    assert "With made-up numbers." in shown
    assert shown.count("<li") == 8
    event.series = series
    event.save()
    shown = typed(admin_client, series, thread_closing="{{ people }} people", thread_opening="Hi")
    assert "8 people" in shown and f"With the numbers of {event}." in shown
    series.refresh_from_db()
    assert (series.thread_opening, series.thread_closing) == ("", "")


def test_event_is_tried_before_its_first_analysis(admin_client: Any, event: Event) -> None:
    Analysis.objects.all().delete()
    page = admin_client.get(of(event)).content.decode()
    assert "With made-up numbers." in page and "22 February 2026" in page


def test_mentions_show_as_soon_as_the_box_is_ticked(admin_client: Any, series: Series) -> None:
    assert "@ada@home.example" not in typed(admin_client, series)
    assert "@ada@home.example" in typed(admin_client, series, tag_users="on")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{% if people %}open", "Unclosed tag"),
        ("{% include 'x' %}", "this tag cannot be used here"),
        ("{% for a in people %}{% endfor %}", "this tag cannot be used here"),
        ("{{ people.__class__ }}", "may not begin with underscores"),
        ("{{ settings }}", "There is no value called"),
        ("{{ people|center:9999999 }}", "Invalid filter"),
        ("{{ title }}" * 300, "2000 characters"),
    ],
)
@pytest.mark.parametrize("kind", ["event", "series"])
def test_text_that_cannot_be_used_is_told_and_not_kept(
    admin_client: Any, event: Event, series: Series, kind: str, text: str, sentence: str
) -> None:
    subject: Any = {"event": event, "series": series}[kind]
    if "2000" not in sentence:
        assert sentence in typed(admin_client, subject, thread_closing=text).replace("&#x27;", "'")
    page = admin_client.post(of(subject), {**GOOD, "thread_closing": text}).content.decode()
    assert sentence in page
    subject.refresh_from_db()
    assert subject.thread_closing == ""


def test_saved_texts_of_a_series_are_where_its_events_begin(admin_client: Any, series: Series) -> None:
    page = admin_client.post(of(series), {**GOOD, "thread_closing": "Bye"}, follow=True).content.decode()
    assert "those that are there keep their own" in page
    assert f'href="{of(series)}"' in page
    series.refresh_from_db()
    assert series.thread_closing == "Bye"
    assert LogEntry.objects.get().change_message == "Changed last toot."


def test_series_page_is_for_who_may_change_series(client: Any, django_user_model: Any, series: Series) -> None:
    user = django_user_model.objects.create_user("helper", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["change_event", "view_series"]))
    client.force_login(user)
    assert client.get(of(series)).status_code == client.post(of(series, "try/")).status_code == 403
    assert "Texts, with a preview" not in client.get(f"/admin/events/series/{series.pk}/change/").content.decode()
    Series.objects.filter(pk=series.pk).update(post_auto_approve=True)
    user.user_permissions.add(Permission.objects.get(codename="change_series"))
    page = client.post(of(series), {**GOOD, "thread_closing": "Spam"}, follow=True).content.decode()
    assert "is switched off for Jellynight" in page
    series.refresh_from_db()
    assert (series.thread_closing, series.post_auto_approve) == ("Spam", False)
