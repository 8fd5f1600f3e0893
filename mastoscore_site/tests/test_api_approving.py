"""What turns automatic approval on needs the right to post, and a token that may."""

from __future__ import annotations

from typing import Any

import pytest

from common.api.access import Scope
from events.models import Event, Series

pytestmark = pytest.mark.django_db

EDITS = ("events.add_event", "events.change_event", "events.view_event", "events.view_series")
POSTS = (*EDITS, "pipeline.post_thread")
INI = "[mastoscore]\nhashtag = {0}\nevent_start = 2027-02-22T21:00:00-05:00\n[post]\nauto_approve = yes\n"


def config(hashtag: str) -> dict[str, Any]:
    main = {"hashtag": hashtag, "event_start": "2027-02-22T21:00:00-05:00"}
    return {"config": {"mastoscore": main, "post": {"auto_approve": True}}}


@pytest.fixture(params=["no permission", "no scope", "both"])
def case(request: Any, make_user: Any, make_caller: Any) -> tuple[Any, bool]:
    """A caller, and whether they may."""
    if request.param == "no permission":
        return make_caller(make_user("editor", *EDITS)), False
    scopes = [Scope.READ, Scope.RUN] if request.param == "no scope" else []
    return make_caller(make_user("poster", *POSTS), *scopes), request.param == "both"


def test_no_file_and_no_configuration_turns_it_on_unasked(case: tuple[Any, bool], make_event: Any) -> None:
    caller, may = case
    make_event(slug="here")
    answers = [
        caller.post("/api/v1/events/import?slug=a", {"ini": INI.format("a")}, format="json"),
        caller.put("/api/v1/events/here/ini", {"ini": INI.format("b")}, format="json"),
        caller.post("/api/config/c", config("c"), format="json"),
        caller.put("/api/config/here", config("b"), format="json"),
    ]
    wanted = [201, 200, 201, 200] if may else [422, 422, 400, 400]
    assert [answer.status_code for answer in answers] == wanted
    assert all(("needs the right to post threads" in answer.content.decode()) is not may for answer in answers)
    assert Event.objects.filter(post_auto_approve=True).count() == (3 if may else 0)


def test_copies_and_episodes_inherit_it_only_with_the_right(case: tuple[Any, bool], make_event: Any) -> None:
    caller, may = case
    event = make_event(slug="here", post_auto_approve=True, post_allow_changes=True)
    Series.objects.create(slug="s", title="S", hashtag="s", post_auto_approve=True, post_allow_changes=True)
    assert caller.post("/api/v1/events/here/copy", {}, format="json").status_code == 201
    start = {"start": "2027-01-01T20:00:00Z"}
    assert caller.post("/api/v1/series/s/events", start, format="json").status_code == 201
    made = Event.objects.exclude(pk=event.pk).values_list("post_auto_approve", "post_allow_changes")
    assert list(made) == [(may, may)] * 2
