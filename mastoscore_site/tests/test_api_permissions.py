"""Who may call what: every operation x every kind of caller. An operation without a row fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from common.api.access import Scope
from events.models import OptOut, Series
from jobs.models import Job
from mastoscore_site.tests.api_table import TABLE
from pipeline.tests.scored_event import add_thread

pytestmark = pytest.mark.django_db

SLUG = "monsterdon-20260222"
LOOKS = (
    "events.view_event",
    "events.view_series",
    "events.view_mastodonaccount",
    "events.view_optout",
    "jobs.view_job",
)
CHANGES = (
    *(f"events.{verb}_{model}" for verb in ("add", "change", "delete") for model in ("event", "series", "optout")),
    "jobs.change_job",
)
# Who may call operations of each kind; everybody else gets 403, who is not signed in 401.
EVERYBODY = {"nobody", "viewer", "editor", "poster", "reading token", "running token", "root"}
MAY = {
    "VIEW": EVERYBODY - {"nobody"},
    "EDIT": {"editor", "running token", "root"},
    "POST": {"poster", "root"},
    "SIGNED": EVERYBODY,
    "SIGNED_RUN": EVERYBODY - {"reading token"},
    "SEES_JOB": EVERYBODY - {"nobody"},
    "STOPS_JOB": {"editor", "running token", "root"},
}
# To whom a thing does not exist: 404 instead of 403.
BLIND = {"SEES_JOB": {"nobody"}, "STOPS_JOB": {"nobody"}}


@pytest.fixture
def callers(make_user: Callable[..., Any], make_caller: Callable[..., APIClient]) -> dict[str, APIClient]:
    boss = make_user("boss", is_superuser=True)
    return {
        "nobody": make_caller(make_user("nobody")),
        "viewer": make_caller(make_user("viewer", *LOOKS)),
        "editor": make_caller(make_user("editor", *LOOKS, *CHANGES)),
        "poster": make_caller(make_user("poster", *LOOKS, "pipeline.post_thread")),
        "reading token": make_caller(boss, Scope.READ),
        "running token": make_caller(boss, Scope.RUN),
        "root": make_caller(boss),
    }


@pytest.fixture(scope="module")
def operations() -> set[str]:
    document = SchemaGenerator(urlconf="mastoscore_site.urls").get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}


@pytest.fixture
def address(make_event: Any) -> Callable[[str], str]:
    """Fills in what stands in braces: our event, series, job, opt-out and toot; elsewhere what is not there."""
    event = make_event()
    Series.objects.create(slug=SLUG, title="Monsterdon", hashtag="monsterdon")
    ids = {
        "jobs": Job.objects.create(kind="fetch", event=event, status="complete").pk,
        "accounts": event.home_account.pk,
        "optouts": OptOut.objects.create(target="gone.example").pk,
    }
    toot = add_thread(event)[0].pk

    def fill(path: str) -> str:
        kind = path.removeprefix("/api/v1/").partition("/")[0]
        values = {
            "slug": SLUG,
            "suffix": "csv" if "toots" in path else "jpg" if "poster" in path else "png",
            "toot": toot,
            "id": ids.get(kind, 987654),
            "name": "none",
            "file": "none.png",
            "key": "none",
            "job_id": 987654,
            "source_id": 987654,
            "post_id": 987654,
        }
        return path.format(**values)

    return fill


def test_every_operation_has_its_row(operations: set[str]) -> None:
    assert sorted(operations - set(TABLE)) == []
    assert sorted(set(TABLE) - operations) == []


@pytest.mark.parametrize("operation", TABLE)
def test_call_is_answered_by_who_calls(
    operation: str, callers: dict[str, APIClient], stranger: APIClient, address: Callable[[str], str]
) -> None:
    who, status = TABLE[operation]
    method, path = operation.split()
    expected = {name: status if name in MAY[who] else 403 for name in callers} | {"stranger": 401}
    expected |= dict.fromkeys(BLIND.get(who, ()), 404)
    assert {
        name: _call(caller, method, address(path)) for name, caller in {**callers, "stranger": stranger}.items()
    } == expected


def _call(caller: APIClient, method: str, path: str) -> int:
    """The status; what the call changed is undone."""
    with transaction.atomic():
        status: int = getattr(caller, method.lower())(path).status_code
        transaction.set_rollback(True)
    return status
