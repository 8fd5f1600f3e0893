"""The draft: written from the event's own texts, changed by people, approved by those who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError

from common.errors import MastoscoreError
from events.models import Event, MastodonAccount
from events.services import copy_event_to_next_week
from jobs.models import Job
from pipeline.models import ThreadToot
from pipeline.phases import score
from pipeline.tests.scored_event import make_scored
from pipeline.tests.thread_help import ROLES, context, draft, draft_and_approve, states, thread_of
from pipeline.thread import approval, edit, plan
from pipeline.thread.ledger import ChangedMeanwhile, NotAllowed, State

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(make_event: Any, settings: Any) -> Event:
    """Scored; its account's server is nowhere."""
    settings.MASTOSCORE_PRIVATE_HOSTS = ["127.9.9.9:1025"]
    made = make_scored(make_event(home_account=MastodonAccount.objects.create(server="127.9.9.9:1025")))
    made.crawls.update(is_mock=True)
    made.thread.all().delete()
    return made


def roles(event: Event) -> list[str]:
    return list(event.thread.order_by("position").values_list("role", flat=True))


def row(event: Event, role: str) -> ThreadToot:
    return event.thread.get(role=role)


def refused(match: str) -> Any:
    return pytest.raises(MastoscoreError, match=match)


# --- texts ----------------------------------------------------------------------------------------------------------
def test_event_has_its_own_words(event: Event) -> None:
    event.thread_opening = "{{ toots|thousands }} toots by {{ people }} people at {{ title }} on {{ date }}"
    event.thread_heading = "Top by {{ ranking|lower }}"
    event.thread_entry = "{{ rank }}) {{ name }}: “{{ text }}” ({{ count }})"
    event.thread_closing = "See you next week"
    event.save()
    rows = {toot.role: toot.text for toot in draft(event)}
    assert rows["opening"] == "8 toots by 8 people at Monsterdon: The Blob (1958) on 22 February 2026\n\n#monsterdon"
    assert rows["boosts"].startswith("Top by most boosted\n\n1) User 8: “Toot number 8 monsterdon” (8 boosts)")
    assert rows["closing"] == "See you next week"


def test_text_that_comes_out_empty_leaves_its_toot_away(event: Event) -> None:
    event.thread_author = "{# nobody #}"
    event.save()
    draft(event)
    assert roles(event) == [role for role in ROLES if role != "author"]


def test_bad_text_is_refused_when_saved_and_told_when_drafted(event: Event) -> None:
    event.thread_entry = "{{ name.title }}"
    with pytest.raises(ValidationError) as caught:
        event.full_clean()
    assert "There is no value called “name.title”" in caught.value.message_dict["thread_entry"][0]
    event.save()
    with refused("The text “toot in a ranking” of the thread: There is no value called"):
        draft(event)


def test_copy_of_an_event_takes_the_words_along(event: Event) -> None:
    event.thread_closing = "Bye"
    event.save()
    assert copy_event_to_next_week(event).thread_closing == "Bye"


def test_nothing_in_a_quoted_text_mentions_tags_or_links(event: Event) -> None:
    event.toots.filter(uri__endswith="/8").update(text="@bob@b.example look #spam https://evil.example {{ title }}")
    event.thread_entry = "{{ rank }}. {{ text }}"
    event.save()
    draft(event)
    assert "1. bob at b.example look spam evil.example {{ title }}" in row(event, "boosts").text


def test_words_give_way_before_the_link_does(event: Event) -> None:
    event.thread_entry = "{{ rank }}. {{ name }}: {{ text }} {{ link }}"
    event.save()
    event.toots.filter(uri__endswith="/8").update(text="word " * 300, author_name="A long name " * 20)
    draft(event)
    assert "https://origin.example/@u/8" in row(event, "boosts").text


# --- changed by people ----------------------------------------------------------------------------------------------
def test_toot_is_edited_and_marked(event: Event) -> None:
    draft(event)
    before = thread_of(event).revision
    edit.edit_toot(event, row(event, "author").pk, text="  Thank you all!\r\n")
    changed = row(event, "author")
    assert (changed.text, changed.is_edited) == ("Thank you all!", True)
    assert thread_of(event).revision == before + 1
    assert not row(event, "opening").is_edited


def test_words_of_a_picture_are_edited(event: Event) -> None:
    draft(event)
    edit.edit_toot(event, row(event, "graph").pk, descriptions=["It goes up."])
    assert row(event, "graph").media[0]["description"] == "It goes up."
    assert row(event, "graph").media[0]["path"].endswith(".png")


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"text": "x" * 501}, "Toot 6 has 501 characters; 500 are allowed"),
        ({"text": " \n"}, "Toot 6 has no text"),
        ({"text": "\u200b\u2060"}, "Toot 6 has no text"),
        ({"text": "👨‍👩‍👧‍👦" * 501}, "Toot 6 has 501 characters"),
        ({"descriptions": [""]}, "picture of toot 6 has no alternative text"),
        ({"descriptions": ["x" * 1501]}, "has 1,501 characters; 1,500 are allowed"),
        ({"descriptions": []}, "has 1 picture"),
        ({"revision": 0}, "was changed meanwhile"),
    ],
)
def test_what_does_not_fit_is_refused(event: Event, values: dict[str, Any], match: str) -> None:
    draft(event)
    before = row(event, "graph")
    with refused(match):
        edit.edit_toot(event, before.pk, **values)
    assert row(event, "graph").text == before.text


def test_toots_are_moved_and_dropped(event: Event) -> None:
    draft(event)
    edit.move_toot(event, row(event, "graph").pk, to=2)
    assert roles(event) == ["opening", "graph", "author", "boosts", "favourites", "replies", "wordcloud"]
    edit.move_toot(event, row(event, "graph").pk, to=99)
    assert roles(event)[-1] == "graph"
    edit.drop_toot(event, row(event, "opening").pk)
    assert roles(event)[0] == "author"
    assert list(event.thread.order_by("position").values_list("position", flat=True)) == [1, 2, 3, 4, 5, 6]
    with refused("not in the draft any more"):
        edit.drop_toot(event, 999_999)
    draft(event)
    assert roles(event) == ROLES


def test_last_toot_stays(event: Event) -> None:
    draft(event)
    for role in ROLES[1:]:
        edit.drop_toot(event, row(event, role).pk)
    with refused("at least one toot"):
        edit.drop_toot(event, row(event, "opening").pk)


def test_what_is_out_stays_where_and_what_it_is(event: Event) -> None:
    draft(event)
    event.thread.filter(position__lte=2).update(state="sent")
    edit.move_toot(event, row(event, "wordcloud").pk, to=1)
    assert roles(event)[:3] == ["opening", "author", "wordcloud"]
    for action in (edit.drop_toot, lambda event, pk: edit.edit_toot(event, pk, text="x")):
        with refused("Toot 1 is out already"):
            action(event, row(event, "opening").pk)


def test_score_again_keeps_the_words_of_a_person(event: Event) -> None:
    draft(event)
    edit.edit_toot(event, row(event, "author").pk, text="Mine")
    result = score.draft_if_not_posted(context(event, "post"))
    assert "was edited by hand" in result["skipped"]
    assert row(event, "author").text == "Mine"


# --- approved -------------------------------------------------------------------------------------------------------
def poster(django_user_model: Any) -> Any:
    user = django_user_model.objects.create_user("poster")
    user.user_permissions.add(Permission.objects.get(codename="post_thread"))
    return user


def test_approving_freezes_the_draft(event: Event, django_user_model: Any) -> None:
    draft(event)
    user = poster(django_user_model)
    approval.approve(event, user, revision=thread_of(event).revision)
    thread = thread_of(event)
    assert (thread.state, thread.approved_by, thread.approved_how) == (State.APPROVED, user, "person")
    for action in (
        lambda: edit.edit_toot(event, row(event, "author").pk, text="x"),
        lambda: edit.drop_toot(event, row(event, "author").pk),
        lambda: draft(event),
    ):
        with refused("is approved; withdraw the approval"):
            action()
    approval.approve(event, user)
    approval.withdraw(event, user)
    assert thread_of(event).state == State.DRAFT
    assert thread_of(event).approved_by is None
    edit.edit_toot(event, row(event, "author").pk, text="x")


def test_who_may_prepare_may_not_approve(event: Event, django_user_model: Any) -> None:
    draft(event)
    helper = django_user_model.objects.create_user("helper")
    with pytest.raises(NotAllowed):
        approval.approve(event, helper)
    with pytest.raises(NotAllowed):
        approval.withdraw(event, helper)
    assert thread_of(event).state == State.DRAFT


def test_nobody_approves_what_they_did_not_see(event: Event) -> None:
    draft(event)
    seen = thread_of(event).revision
    edit.edit_toot(event, row(event, "author").pk, text="Changed behind your back")
    with pytest.raises(ChangedMeanwhile):
        approval.approve(event, revision=seen)


def test_thread_that_is_being_sent_is_not_withdrawn(event: Event) -> None:
    draft_and_approve(event)
    Job.objects.create(kind="send", event=event, status="running")
    with refused("is being sent; cancel that first"):
        approval.withdraw(event)


def test_approving_by_itself_is_off_unless_the_event_says_so(event: Event) -> None:
    draft(event)
    assert thread_of(event).state == State.DRAFT
    event.post_auto_approve = True
    event.save()
    draft(event)
    assert (thread_of(event).state, thread_of(event).approved_how) == (State.APPROVED, "auto")
    assert states(event) == ["planned"] * 7


def test_draft_changed_or_settings_shut_while_it_is_made_waits_for_a_person(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    event.post_auto_approve = True
    event.save()
    store = plan.store_draft

    def stored_and_edited(*arguments: Any) -> Any:
        thread = store(*arguments)
        edit.edit_toot(event, event.thread.get(position=1).pk, text="Mine")
        return thread

    with monkeypatch.context() as patch:
        patch.setattr(plan, "store_draft", stored_and_edited)
        draft(event)
    assert thread_of(event).state == State.DRAFT
    ctx = context(event, "post")
    Event.objects.filter(pk=event.pk).update(post_auto_approve=False)
    plan.make_draft(ctx)
    assert thread_of(event).state == State.DRAFT
