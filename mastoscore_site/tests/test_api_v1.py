"""``/api/v1`` at work: events, jobs, results, thread, as a client sees them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from common.api.access import Scope
from events.models import Event, MastodonAccount, OptOut, Series
from jobs.models import Job
from mastoscore_site.tests.api_table import TABLE
from pipeline.models import Thread, Toot
from pipeline.tests.scored_event import add_crawl, add_toot, make_scored

pytestmark = pytest.mark.django_db

SLUG = "monsterdon-20260222"
EVENT = f"/api/v1/events/{SLUG}"
NEW = {
    "slug": "otherdon-20260301",
    "event_title": "Otherdon",
    "hashtag": "otherdon",
    "start": "2026-03-01T20:00:00Z",
    "duration": "2:00:00",
    "timezone": "Europe/Berlin",
}
MakeUser = Callable[..., User]
MakeCaller = Callable[..., APIClient]


@pytest.fixture
def scored(make_event: Any) -> Event:
    return make_scored(make_event())


# --- events ---------------------------------------------------------------------------------------------------------
def test_event_is_made_changed_copied_and_deleted(root: APIClient, db: None) -> None:
    made = root.post("/api/v1/events", NEW)
    assert made.status_code == 201, made.content
    assert made["Location"].endswith("/api/v1/events/otherdon-20260301")
    body = made.json()
    assert (body["duration"], body["end"], body["local_date"]) == ("2:00:00", "2026-03-01T22:00:00Z", "2026-03-01")
    changed = root.patch("/api/v1/events/otherdon-20260301", {"episode_title": "Them!", "top_n": 5})
    assert (changed.status_code, changed.json()["title"]) == (200, "Otherdon: Them!")
    copied = root.post("/api/v1/events/otherdon-20260301/copy", {"weeks": 2, "episode_title": "It"})
    assert (copied.status_code, copied.json()["slug"]) == (201, "otherdon-20260315")
    assert root.delete("/api/v1/events/otherdon-20260315").status_code == 204
    assert list(Event.objects.values_list("slug", flat=True)) == ["otherdon-20260301"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"hashtag": "#two words"}, "hashtag"),
        ({"timezone": "Nowhere"}, "timezone"),
        ({"duration": "0:00:00"}, "duration"),
        ({"duration": 90}, "duration"),
        ({"start": "9999-12-31T23:59:59Z"}, "start"),
        ({"hours_margin": 1000}, "hours_margin"),
        ({"home_account": 987654}, "home_account"),
        ({"series": "unknown"}, "series"),
        ({"autoscore": "perhaps"}, "autoscore"),
        ({"thread_opening": "{% nonsense %}"}, "thread_opening"),
    ],
)
def test_wrong_value_is_told_by_its_field(root: APIClient, db: None, values: dict[str, Any], field: str) -> None:
    answer = root.post("/api/v1/events", {**NEW, **values})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_taken_slug_and_taken_date_are_conflicts(root: APIClient, db: None) -> None:
    assert root.post("/api/v1/events", NEW).status_code == 201
    assert root.post("/api/v1/events", NEW).status_code == 409
    assert root.post("/api/v1/events", {**NEW, "slug": "another"}).status_code == 409


def test_fields_that_are_not_for_callers_are_passed_over(root: APIClient, db: None) -> None:
    hidden = {
        "id": 77,
        "local_date": "1999-01-01",
        "hashtag_key": "x",
        "ini_name": "x.ini",
        "kept_options": {"a": {"b": "c"}},
        "autoscored_at": "2026-01-01T00:00:00Z",
        "created_at": "2000-01-01T00:00:00Z",
        "is_over": True,
        "token": "secret",
    }
    assert root.post("/api/v1/events", {**NEW, **hidden}).status_code == 201
    event = Event.objects.get()
    assert (str(event.local_date), event.hashtag_key, event.ini_name) == ("2026-03-01", "otherdon", "")
    assert (event.kept_options, event.autoscored_at, event.created_at.year > 2000) == ({}, None, True)


def test_who_may_not_post_may_not_open_the_way_to_posting(
    make_user: MakeUser, make_caller: MakeCaller, make_event: Any
) -> None:
    make_event()
    editor = make_caller(make_user("editor", "events.change_event", "events.view_event"))
    poster = make_caller(make_user("poster", "events.change_event", "pipeline.post_thread"))
    for name in ("post_auto_approve", "post_allow_changes"):
        assert editor.patch(EVENT, {name: False}).status_code == 200
        assert list(editor.patch(EVENT, {name: True}).json()["errors"]) == [name]
        assert poster.patch(EVENT, {name: True}).status_code == 200


def test_list_is_filtered_searched_and_ordered(root: APIClient, make_event: Any) -> None:
    series = Series.objects.create(slug="weekly", title="Weekly", hashtag="monsterdon")
    make_event(series=series, is_published=True)
    make_event(slug="older", start=datetime(2025, 2, 23, 2, tzinfo=UTC), episode_title="Them!")

    def slugs(**query: str) -> list[str]:
        answer = root.get("/api/v1/events", query)
        assert answer.status_code == 200, answer.content
        return [row["slug"] for row in answer.json()["data"]]

    assert slugs() == [SLUG, "older"]
    assert slugs(ordering="start") == ["older", SLUG]
    assert slugs(search="them monsterdon") == ["older"]
    assert slugs(series="weekly") == slugs(is_published="true") == slugs(since="2026-01-01") == [SLUG]
    assert slugs(hashtag="#Monsterdon", until="2026-01-01T00:00:00Z") == ["older"]
    for wrong in ({"ordering": "password"}, {"is_published": "perhaps"}, {"since": "soon"}, {"search": "x" * 101}):
        assert root.get("/api/v1/events", wrong).status_code == 422


def test_ini_file_goes_out_and_in(root: APIClient, make_event: Any) -> None:
    make_event(kept_options={"extra": {"mine": "kept"}})
    text = root.get(f"{EVENT}/ini")
    assert (text.status_code, text["Content-Type"]) == (200, "text/plain; charset=utf-8")
    changed = text.content.decode().replace("The Blob (1958)", "Them!")
    assert root.put(f"{EVENT}/ini", changed, content_type="text/plain").json()["episode_title"] == "Them!"
    assert root.post("/api/v1/events/import", {"ini": changed}).status_code == 409
    assert root.delete(EVENT).status_code == 204
    assert (
        root.post("/api/v1/events/import?slug=new-one", changed, content_type="text/plain").json()["slug"]
        == "new-one"
    )
    assert Event.objects.get().kept_options["extra"] == {"mine": "kept"}
    for body in (b"nonsense", b"\xff\xfe", b"\0", b"[mastoscore]\ntop_n = many\n", b"x" * 300_000):
        answer = root.put("/api/v1/events/new-one/ini", body, content_type="text/plain")
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["ini"]), body[:20]


def test_account_never_shows_its_token(root: APIClient, db: None) -> None:
    account = MastodonAccount.objects.create(server="home.example", username="host", token="very-secret-token")
    for path in ("/api/v1/accounts", f"/api/v1/accounts/{account.pk}"):
        text = root.get(path).content.decode()
        assert "very-secret" not in text
        assert account.__dict__["token"] not in text
        assert '"has_token":true' in text


# --- jobs -----------------------------------------------------------------------------------------------------------
def test_phase_is_a_job_to_follow(root: APIClient, make_event: Any) -> None:
    make_event()
    started = root.post(f"{EVENT}/fetch", {"mock": True})
    assert started.status_code == 202
    job = started.json()
    assert started["Location"].endswith(f"/api/v1/jobs/{job['id']}")
    assert (job["kind"], job["event"], job["status"], job["params"]) == (
        "fetch",
        SLUG,
        "queued",
        {"mock": True, "mode": ""},
    )
    again = root.post(f"{EVENT}/score")
    assert (again.status_code, again.json()["job_id"]) == (409, job["id"])
    assert root.post(f"/api/v1/jobs/{job['id']}/retry").status_code == 409
    assert root.delete(EVENT).status_code == 409
    cancelled = root.post(f"/api/v1/jobs/{job['id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    assert root.post(f"/api/v1/jobs/{job['id']}/cancel").status_code == 409
    assert root.get(f"/api/v1/jobs/{job['id']}/wait?seconds=20").json()["status"] == "cancelled"
    retried = root.post(f"/api/v1/jobs/{job['id']}/retry").json()
    assert (retried["status"], retried["params"]) == ("queued", job["params"])
    assert [row["id"] for row in root.get("/api/v1/jobs?is_active=true").json()["data"]] == [retried["id"]]
    assert root.get("/api/v1/jobs?kind=graph").json()["data"] == []


def test_waiting_ends_after_its_seconds(root: APIClient, make_event: Any) -> None:
    job = Job.objects.create(kind="fetch", event=make_event(), status="running")
    assert root.get(f"/api/v1/jobs/{job.pk}/wait?seconds=1").json()["status"] == "running"
    assert root.get(f"/api/v1/jobs/{job.pk}/wait?seconds=soon").status_code == 422


def test_jobs_of_others_do_not_exist(make_user: MakeUser, make_caller: MakeCaller) -> None:
    ines, other = make_user("ines"), make_user("other")
    mine = Job.objects.create(kind="refresh_feeds", asked_by=ines)
    theirs = Job.objects.create(kind="refresh_feeds", asked_by=other)
    caller = make_caller(ines)
    assert [row["id"] for row in caller.get("/api/v1/jobs").json()["data"]] == [mine.pk]
    for call in ("", "/wait"):
        assert caller.get(f"/api/v1/jobs/{theirs.pk}{call}").status_code == 404
    for call in ("/cancel", "/retry"):
        assert caller.post(f"/api/v1/jobs/{theirs.pk}{call}").status_code == 404
    assert caller.post(f"/api/v1/jobs/{mine.pk}/cancel").status_code == 202


def test_sending_is_not_done_again_by_who_may_not_post(
    make_user: MakeUser, make_caller: MakeCaller, make_event: Any
) -> None:
    event = make_event()
    boss = make_user("boss", is_superuser=True)
    for kind, params in (("send", {}), ("post", {"send": True}), ("delete_thread", {})):
        job = Job.objects.create(kind=kind, params=params, event=event, status="error")
        assert make_caller(boss, Scope.RUN).post(f"/api/v1/jobs/{job.pk}/retry").status_code == 403
    assert Job.objects.filter(status="queued").count() == 0


# --- results --------------------------------------------------------------------------------------------------------
def test_toots_come_in_pages_by_cursor(root: APIClient, scored: Event) -> None:
    address: str | None = f"{EVENT}/toots?per_page=3&ordering=-boosts"
    boosts: list[int] = []
    while address:
        page = root.get(address).json()
        boosts += [row["boosts"] for row in page["data"]]
        address = page["links"]["next"]
    assert boosts == sorted(boosts, reverse=True)
    assert len(boosts) == 8
    assert len(root.get(f"{EVENT}/toots?min_boosts=7&language=en").json()["data"]) == 2
    for wrong in ("min_boosts=-1", "min_boosts=9999999999999999999", "ordering=text", "since=x", "cursor=x"):
        assert root.get(f"{EVENT}/toots?{wrong}").status_code == 422, wrong


def test_who_asks_not_to_be_quoted_is_left_out(
    root: APIClient, make_user: MakeUser, make_caller: MakeCaller, scored: Event
) -> None:
    add_toot(scored, 50, author_handle="shy@a.example", author_wishes="nobot")
    add_toot(scored, 51, author_handle="shy@a.example")
    add_toot(scored, 52, author_handle="out@b.example")
    add_toot(scored, 53, author_handle="some@closed.example")
    add_toot(scored, 54, withdrawn="deleted")
    OptOut.objects.create(target="Out@b.example")
    OptOut.objects.create(target="closed.example")

    def authors(caller: APIClient, query: str = "") -> set[str]:
        rows = caller.get(f"{EVENT}/toots{query}").json()["data"]
        return {row["author_handle"] for row in rows}

    hidden = {"shy@a.example", "out@b.example", "some@closed.example", "user54@origin.example"}
    assert not authors(root) & hidden
    assert authors(root, "?everyone=true") >= hidden
    assert "shy" not in b"".join(root.get(f"{EVENT}/toots.jsonl")).decode()  # type: ignore[arg-type]
    viewer = make_caller(make_user("viewer", "events.view_event"))
    assert viewer.get(f"{EVENT}/toots?everyone=true").status_code == 403
    assert viewer.get(f"{EVENT}/toots.csv?everyone=true").status_code == 403


def test_toots_come_as_csv_and_as_lines_of_json(root: APIClient, scored: Event) -> None:
    answer = root.get(f"{EVENT}/toots.csv")
    rows = list(csv.DictReader(b"".join(answer).decode().splitlines()))  # type: ignore[arg-type]
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    assert len(rows) == 8
    lines = b"".join(root.get(f"{EVENT}/toots.jsonl")).splitlines()  # type: ignore[arg-type]
    assert [json.loads(line)["uri"] for line in lines] == [row["uri"] for row in rows]


def test_picture_comes_by_suffix_and_by_what_is_accepted(root: APIClient, scored: Event) -> None:
    facts = root.get(f"{EVENT}/graph").json()
    assert facts["description"] == "graph in words"
    pictures = [
        root.get(f"{EVENT}/graph.png"),
        root.get(f"{EVENT}/graph", headers={"Accept": "image/png"}),
        root.get(facts["file"]),
    ]
    for picture in pictures:
        assert (picture.status_code, picture["Content-Type"]) == (200, "image/png")
        assert b"".join(picture).startswith(b"\x89PNG")  # type: ignore[arg-type]
        assert picture["Content-Security-Policy"].startswith("default-src 'none'")
        assert picture["X-Content-Type-Options"] == "nosniff"
    again = root.get(f"{EVENT}/graph.png", headers={"If-None-Match": pictures[0]["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    missing = root.get(f"{EVENT}/graph", headers={"Accept": "image/svg+xml"})
    assert (missing.status_code, missing.json()) == (404, {"message": "There is no graph yet."})


def test_results_are_told(root: APIClient, scored: Event) -> None:
    assert root.get(f"{EVENT}/analysis").json()["results"]["total_toots"] == 8
    coverage = root.get(f"{EVENT}/coverage").json()
    assert coverage["servers"] == {"total": 3, "good": 1, "closed": 1, "trouble": 1, "waiting": 0}
    servers = root.get(f"{EVENT}/servers?outcome=refused").json()["data"]
    assert [row["server"] for row in servers] == ["closed.example"]
    assert root.get(f"{EVENT}/blog").json()["content"] == "+++\n+++\n"
    names = {row["name"] for row in root.get(f"{EVENT}/artifacts").json()["data"]}
    assert {"index.md", "monsterdon-20260222.png"} <= names
    assert root.get(f"{EVENT}/artifacts/..%2F..%2Fsecret.key").status_code == 404
    assert {row["phase"] for row in root.get(f"{EVENT}/phases").json()} >= {"fetch", "post"}


# --- thread ---------------------------------------------------------------------------------------------------------
def test_thread_is_edited_approved_and_sent(root: APIClient, scored: Event) -> None:
    thread = root.get(f"{EVENT}/thread").json()
    first, second = thread["toots"]
    assert thread["state"] == "draft"
    address = f"{EVENT}/thread/toots/{second['id']}"
    edited = root.patch(address, {"text": "Mine", "position": 1, "revision": thread["revision"]}).json()
    assert [toot["text"] for toot in edited["toots"]] == ["Mine", first["text"]]
    assert root.patch(address, {"text": "Late", "revision": thread["revision"]}).status_code == 409
    too_long = root.patch(address, {"text": "x" * 501})
    assert (too_long.status_code, list(too_long.json()["errors"])) == (422, ["text"])
    assert root.patch(f"{EVENT}/thread/toots/987654", {"text": "x"}).status_code == 404
    assert root.post(f"{EVENT}/thread/send").status_code == 409
    assert root.post(f"{EVENT}/thread/approve", {"revision": 0}).status_code == 409
    assert root.post(f"{EVENT}/thread/approve", {"revision": edited["revision"]}).json()["state"] == "approved"
    assert root.patch(address, {"text": "Frozen"}).status_code == 409
    sent = root.post(f"{EVENT}/thread/send")
    assert (sent.status_code, sent.json()["kind"]) == (202, "send")
    Job.objects.all().delete()
    assert root.post(f"{EVENT}/thread/withdraw").json()["state"] == "draft"
    assert [toot["text"] for toot in root.delete(address).json()["toots"]] == [first["text"]]
    nothing = root.post(f"{EVENT}/thread/delete")
    assert (nothing.status_code, "nothing to delete" in nothing.json()["message"]) == (409, True)
    scored.thread.update(state="sent")
    assert root.post(f"{EVENT}/thread/delete").json()["kind"] == "delete_thread"
    Job.objects.all().delete()
    Thread.objects.update(state=Thread.State.SENT)
    for call in ("", "/send"):
        assert root.post(f"{EVENT}/thread{call}").status_code == 409


# --- lists ----------------------------------------------------------------------------------------------------------
def _fill(make_event: Any, count: int) -> None:
    """So many more rows in every list."""
    event = Event.objects.filter(slug=SLUG).first() or make_scored(make_event())
    for number in range(count):
        stamp = Event.objects.count() + Toot.objects.count()
        series = Series.objects.create(slug=f"series-{stamp}", title=f"Series {stamp}", hashtag="x")
        account = MastodonAccount.objects.create(server=f"s{stamp}.example", token="t")
        make_event(slug=f"e-{stamp}", hashtag=f"tag{stamp}", series=series, home_account=account)
        OptOut.objects.create(target=f"out{stamp}.example")
        add_toot(event, 1000 + stamp, author_handle=f"a{stamp}@b.example")
        Job.objects.create(kind="fetch", event=event, status="complete", asked_by=User.objects.first())
        event.artifacts.create(kind="journal", path=f"x/{stamp}.json", size=1, sha256="0" * 64)
        event.thread.create(position=100 + event.thread.count(), role="boosts", text=f"Part {number}")
    add_crawl(event, {f"s{number}.example": "complete" for number in range(count)})


LISTS = [
    path.removeprefix("GET ")
    for path in TABLE
    if path.startswith("GET /api/v1/")
    and path.endswith(("events", "series", "accounts", "optouts", "/jobs", "toots", "servers", "artifacts", "thread"))
]
LISTS.append("/api/config/list")


@pytest.mark.parametrize("path", LISTS)
def test_list_costs_the_same_however_long(root: APIClient, make_event: Any, path: str) -> None:
    counts = []
    root.get("/api/v1/jobs")  # the first call of a minute begins its window,
    root.get("/api/v1/me")  # in each of the two allowances
    for more in (2, 8):
        _fill(make_event, more)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = root.get(path.format(slug=SLUG))
        assert answer.status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


@pytest.mark.parametrize("path", [path for path in LISTS if not path.endswith(("thread", "config/list"))])
def test_page_is_never_larger_than_its_bound(root: APIClient, make_event: Any, path: str) -> None:
    make_scored(make_event())
    assert root.get(path.format(slug=SLUG), {"per_page": 10**9}).json()["meta"]["per_page"] <= 1000
