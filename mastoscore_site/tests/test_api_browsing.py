"""The API in a browser: every form asks for what its call takes, and nobody sees a form of what they may not do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from pipeline.tests.scored_event import make_scored

pytestmark = pytest.mark.django_db

EVENT = "/api/v1/events/monsterdon-20260222"
VIEW = ("events.view_event", "events.view_series", "events.view_optout")
EDIT = (*VIEW, "events.change_event", "events.add_event", "events.add_series")
POST = (*VIEW, "pipeline.post_thread")
# address: what its forms ask for, by method
FORMS = {
    f"{EVENT}/fetch": {"POST": {"mock", "mode"}},
    f"{EVENT}/analyse": {"POST": {"refresh"}},
    f"{EVENT}/graph": {"POST": set()},
    f"{EVENT}/wordcloud": {"POST": set()},
    f"{EVENT}/poster": {"POST": set()},
    f"{EVENT}/poster/choose": {"POST": {"poster_url"}},
    f"{EVENT}/blog": {"POST": {"copy_files"}},
    f"{EVENT}/score": {"POST": {"mock", "skip_fetch", "refresh", "copy_files"}},
    f"{EVENT}/copy": {"POST": {"weeks", "episode_title"}},
    f"{EVENT}/thread": {"POST": set()},
    "/api/v1/events/import": {"POST": {"ini"}},
}
PUBLIC_FORMS = {
    f"{EVENT}/thread/approve": {"POST": {"revision"}},
    f"{EVENT}/thread/send": {"POST": set()},
    f"{EVENT}/thread/withdraw": {"POST": set()},
    f"{EVENT}/thread/delete": {"POST": set()},
}
OWN_FORMS = {
    "/api/v1/sources": {"POST": {"url", "name", "description", "category_id"}},
    "/api/v1/categories": {"POST": {"description"}},
}
READS = [EVENT, "/api/v1/events", "/api/v1/series", "/api/v1/optouts", f"{EVENT}/toots", f"{EVENT}/phases"]
_FORM = re.compile(r'<form action="[^"]*" method="post"([^>]*)>(.*?)</form>', re.DOTALL)
_FIELD = re.compile(r'<(?:input|select|textarea)[^>]* name="([^"]+)"')


@pytest.fixture(autouse=True)
def scored(make_event: Any, fresh_allowances: None) -> None:
    make_scored(make_event())


def forms_at(client: Client, path: str) -> dict[str, set[str]]:
    """Method -> names of the fields, of the forms that are not for raw data."""
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer["Content-Type"].startswith("text/html"), answer.content[:200]
    assert answer.status_code in (200, 404, 405)
    found = {}
    for attributes, inner in _FORM.findall(answer.content.decode()):
        if "data-raw" not in attributes:
            method = re.search(r'data-method="(\w+)"', attributes)
            found[method[1] if method else "POST"] = {*_FIELD.findall(inner)} - {"csrfmiddlewaretoken"}
    return found


def sign_in(make_user: Any, *permissions: str) -> Client:
    client = Client()
    client.force_login(make_user("somebody", *permissions))
    return client


def test_form_asks_for_what_the_call_takes(make_user: Any) -> None:
    client = sign_in(make_user, *EDIT)
    found = {path: forms_at(client, path) for path in (*FORMS, *OWN_FORMS)}
    assert found == {**FORMS, **OWN_FORMS}
    assert {path: forms_at(client, path) for path in PUBLIC_FORMS} == {path: {} for path in PUBLIC_FORMS}
    assert {"slug", "hashtag", "start"} <= forms_at(client, "/api/v1/events")["POST"]
    assert set(forms_at(client, EVENT)) == {"PUT"}


def test_who_may_post_sees_the_forms_for_that(make_user: Any) -> None:
    client = sign_in(make_user, *POST)
    assert {path: forms_at(client, path) for path in PUBLIC_FORMS} == PUBLIC_FORMS
    assert {path: forms_at(client, path) for path in FORMS} == {path: {} for path in FORMS}


def test_who_may_look_sees_no_form(make_user: Any) -> None:
    client = sign_in(make_user, *VIEW)
    for path in (*READS, *FORMS, *PUBLIC_FORMS):
        assert forms_at(client, path) == {}, path


def test_what_is_not_there_has_no_form(make_user: Any) -> None:
    client = sign_in(make_user, *EDIT, "events.delete_event")
    assert set(forms_at(client, EVENT)) == {"PUT", "DELETE"}
    for path in ("/api/v1/events/unknown", "/api/v1/events/unknown/graph"):
        assert forms_at(client, path) == {}
