"""The backstage of the pipeline: lists that answer questions, the event's panel, its buttons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.models import Event
from jobs import services
from jobs.models import Job
from pipeline.models import Crawl, Visit
from pipeline.phase_states import list_recent_jobs, list_steps
from pipeline.tests.scored_event import add_crawl, add_toot, analyse, make_scored

MakeEvent = Callable[..., Event]
LISTS = ("crawl", "visit", "toot", "analysis", "artifact", "threadtoot")


@pytest.fixture
def scored(make_event: MakeEvent) -> Event:
    return make_scored(make_event())


@pytest.fixture
def host(admin_client: Client) -> Client:
    return admin_client


@pytest.fixture(autouse=True)
def wake_ups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The jobs that workers were told of; none listens here."""
    told: list[int] = []
    monkeypatch.setattr(services, "async_task", lambda function, job_id, **options: told.append(job_id))
    return told


def signed_in_with(*codenames: str) -> Client:
    user = User.objects.create_user("helper", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def html_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    return response.content.decode()


def start_job(event: Event, **values: Any) -> Job:
    defaults = {"kind": "score", "status": "running", "exclusive_key": f"event:{event.pk}"}
    return Job.objects.create(event=event, heartbeat_at=timezone.now(), **{**defaults, **values})


# --- lists ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", LISTS)
def test_lists_open_search_and_filter(host: Client, scored: Event, name: str) -> None:
    rows = 'class="field-'
    assert rows in html_of(host, f"/admin/pipeline/{name}/?q=monsterdon")
    assert rows not in html_of(host, f"/admin/pipeline/{name}/?q=nothing-like-it")


@pytest.mark.parametrize("name", [name for name in LISTS if name != "threadtoot"])
def test_what_phases_wrote_can_be_read_but_not_edited(host: Client, scored: Event, name: str) -> None:
    pk = {"crawl": scored.crawls, "toot": scored.toots, "artifact": scored.artifacts}.get(name)
    row = pk.first() if pk is not None else Visit.objects.first() if name == "visit" else scored.analysis
    address = f"/admin/pipeline/{name}/{row.pk}/change/"
    assert 'name="_save"' not in html_of(host, address)
    assert host.post(address, {"text": "x"}).status_code == 403
    assert host.get(f"/admin/pipeline/{name}/add/").status_code == 403
    assert host.post(f"/admin/pipeline/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_report_per_server_says_in_words_what_each_did(host: Client, scored: Event) -> None:
    crawl = scored.crawls.get()
    other = add_crawl(Event.objects.create(**_copy_of(scored)), {"elsewhere.example": "robots"})
    html = html_of(host, f"/admin/pipeline/visit/?crawl__id__exact={crawl.pk}")
    assert "does not let strangers read hashtags" in html
    assert "took too long" in html
    assert "elsewhere.example" not in html
    assert "asks robots to stay away" in html_of(host, f"/admin/pipeline/visit/?crawl__id__exact={other.pk}")


def _copy_of(event: Event) -> dict[str, Any]:
    return {
        "slug": "other",
        "event_title": "Other",
        "hashtag": event.hashtag,
        "start": event.start + timedelta(days=7),
        "duration": event.duration,
    }


def test_toots_are_found_by_their_words_and_by_author(host: Client, scored: Event) -> None:
    assert "Toot number 7" in html_of(host, "/admin/pipeline/toot/?q=number+7")
    by_author = html_of(host, "/admin/pipeline/toot/?q=user3@origin.example")
    assert "Toot number 3" in by_author
    assert "Toot number 7" not in by_author


def test_hostile_toot_is_text_in_the_admin_too(host: Client, make_event: MakeEvent) -> None:
    event = make_event()
    toot = add_toot(
        event, 1, text="<script>alert(1)</script>", author_name="<img src=x onerror=a()>", url="javascript:alert(1)"
    )
    for address in ("/admin/pipeline/toot/", f"/admin/pipeline/toot/{toot.pk}/change/"):
        html = html_of(host, address)
        assert "<script>alert(1)" not in html
        assert "<img src=x" not in html
        assert 'href="javascript:' not in html


def test_pictures_are_shown_in_the_list_of_files(host: Client, scored: Event) -> None:
    artifact = scored.artifacts.get(kind="graph")
    html = html_of(host, "/admin/pipeline/artifact/")
    assert f"/events/{scored.slug}/files/{artifact.path.rpartition('/')[2]}?v={artifact.sha256[:12]}" in html


@pytest.mark.parametrize("name", LISTS)
def test_lists_cost_the_same_for_many_rows(host: Client, make_event: MakeEvent, scored: Event, name: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            html_of(host, f"/admin/pipeline/{name}/")
        return len(queries)

    cost()
    few = cost()
    for week in range(1, 5):
        values = _copy_of(scored) | {"slug": f"w{week}", "start": scored.start + timedelta(days=7 * week)}
        make_scored(make_event(**values))
    assert cost() == few


# --- thread ---------------------------------------------------------------------------------------------------------
def test_planned_toot_of_a_thread_can_be_edited(host: Client, scored: Event) -> None:
    toot = scored.thread.first()
    assert toot is not None
    response = host.post(f"/admin/pipeline/threadtoot/{toot.pk}/change/", {"text": "Better words"})
    assert response.status_code == 302
    toot.refresh_from_db()
    assert toot.text == "Better words"


@pytest.mark.parametrize("state", ["sending", "sent", "failed"])
def test_toot_that_is_on_its_way_cannot_be_edited(host: Client, scored: Event, state: str) -> None:
    toot = scored.thread.first()
    assert toot is not None
    scored.thread.update(state=state)
    assert host.post(f"/admin/pipeline/threadtoot/{toot.pk}/change/", {"text": "Late words"}).status_code == 403
    toot.refresh_from_db()
    assert toot.text != "Late words"


def test_thread_preview_shows_the_rows_as_they_are_now(host: Client, scored: Event) -> None:
    scored.thread.filter(position=1).update(
        text="Edited <b>words</b>", media=[{"path": "2026/02/22/graph.png", "description": "A graph"}]
    )
    html = html_of(host, f"/admin/event/{scored.pk}/thread/")
    assert "Edited &lt;b&gt;words" in html
    assert f'src="/events/{scored.slug}/files/graph.png"' in html


# --- the event's panel ----------------------------------------------------------------------------------------------
def test_panel_of_a_new_event_tells_where_to_begin(host: Client, make_event: MakeEvent) -> None:
    html = html_of(host, f"/admin/events/event/{make_event().pk}/change/")
    assert "Nothing was done for this event yet" in html
    assert html.count("not yet") >= 7
    assert "Score now" in html
    assert "hx-trigger" not in _panel(html)


def test_panel_of_a_scored_event_shows_numbers_pictures_and_refusals(host: Client, scored: Event) -> None:
    panel = _panel(html_of(host, f"/admin/events/event/{scored.pk}/change/"))
    assert "<b>8</b> toots" in panel
    assert 'alt="graph in words"' in panel
    assert "3 servers: 1 answered, 1 would rather not, 1 could not" in panel
    assert "closed.example" in panel
    assert f"/admin/event/{scored.pk}/thread/" in panel


def test_panel_follows_a_running_job_and_stops_asking_at_its_end(host: Client, scored: Event) -> None:
    job = start_job(
        scored,
        progress={"phase": "fetch", "progress_percent": 42, "total_servers": 9, "completed_servers": 4},
    )
    address = f"/admin/event/{scored.pk}/phases/"
    response = host.get(address)
    html = response.content.decode()
    assert response.status_code == 200
    assert f'hx-get="{address}" hx-trigger="every 2s"' in html
    assert 'value="42"' in html
    assert "4 of 9 servers" in html
    Job.objects.filter(pk=job.pk).update(status="complete", finished_at=timezone.now())
    ended = host.get(address)
    assert ended.status_code == 286
    assert "hx-trigger" not in ended.content.decode()


def test_panel_shows_the_sentence_of_a_failed_job(host: Client, make_event: MakeEvent) -> None:
    event = make_event()
    start_job(event, kind="fetch", status="error", error="home.example is <b>away</b>.", finished_at=timezone.now())
    panel = _panel(html_of(host, f"/admin/events/event/{event.pk}/change/"))
    assert "home.example is &lt;b&gt;away&lt;/b&gt;." in panel
    assert "ms-failed" in panel


def test_panel_costs_the_same_for_many_toots_and_servers(host: Client, scored: Event) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            host.get(f"/admin/event/{scored.pk}/phases/")
        return len(queries)

    few = cost()
    for number in range(20, 50):
        add_toot(scored, number)
        Visit.objects.create(crawl=scored.crawls.get(), server=f"s{number}.example", outcome="refused")
        start_job(scored, kind="graph", status="complete", finished_at=timezone.now())
    assert cost() == few


def test_panel_and_preview_need_permission(client: Client, scored: Event) -> None:
    stranger = signed_in_with()
    for name in ("phases", "thread"):
        assert client.get(f"/admin/event/{scored.pk}/{name}/").status_code == 302
        assert stranger.get(f"/admin/event/{scored.pk}/{name}/").status_code == 403
    assert stranger.post(f"/admin/event/{scored.pk}/cancel/").status_code == 403


# --- buttons --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["score", "fetch", "analyse", "graph", "wordcloud", "poster", "blog", "post"])
def test_button_queues_its_job_and_links_to_it(
    host: Client, make_event: MakeEvent, kind: str, admin_user: User
) -> None:
    event = make_event()
    response = host.post(f"/admin/events/event/{event.pk}/do/{kind}/", follow=True)
    job = Job.objects.get()
    assert (job.kind, job.status, job.event, job.asked_by) == (kind, "queued", event, admin_user)
    assert f"/admin/jobs/job/{job.pk}/change/" in response.content.decode()


def test_second_press_is_told_of_the_first_job(host: Client, make_event: MakeEvent) -> None:
    event = make_event()
    first = start_job(event)
    response = host.post(f"/admin/events/event/{event.pk}/do/fetch/", follow=True)
    assert Job.objects.count() == 1
    html = response.content.decode()
    assert "is at work on this event already" in html
    assert f"Job {first.pk} (score)" in html


def test_cancel_stops_a_waiting_job_and_asks_a_running_one(host: Client, make_event: MakeEvent) -> None:
    event = make_event()
    job = start_job(event)
    response = host.post(f"/admin/event/{event.pk}/cancel/")
    assert "is being stopped" in response.content.decode()
    job.refresh_from_db()
    assert job.cancel_requested_at is not None
    Job.objects.update(status="queued", cancel_requested_at=None)
    assert host.post(f"/admin/event/{event.pk}/cancel/").status_code == 286
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_buttons_and_cancel_want_post_csrf_and_permission(make_event: MakeEvent, admin_user: User) -> None:
    event = make_event()
    start_job(event)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)
    assert strict.post(f"/admin/event/{event.pk}/cancel/").status_code == 403
    assert strict.get(f"/admin/event/{event.pk}/cancel/").status_code == 405
    assert strict.post(f"/admin/events/event/{event.pk}/do/score/").status_code == 403
    viewer = signed_in_with("view_event")
    assert viewer.post(f"/admin/event/{event.pk}/cancel/").status_code == 403
    assert viewer.post(f"/admin/events/event/{event.pk}/do/score/").status_code == 403
    assert "hx-post" not in viewer.get(f"/admin/event/{event.pk}/phases/").content.decode()
    assert Job.objects.filter(cancel_requested_at__isnull=False).count() == 0


# --- how far an event is --------------------------------------------------------------------------------------------
def states_of(event: Event) -> dict[str, str]:
    fresh = Event.objects.get(pk=event.pk)
    return {step.phase: step.state for step in list_steps(fresh, list_recent_jobs(fresh))}


def test_phases_are_done_missing_out_of_date_failed_or_running(scored: Event) -> None:
    scored.crawls.update(finished_at=scored.start)
    start_job(scored, kind="post", status="complete", finished_at=timezone.now())
    assert states_of(scored) == {
        "fetch": "done",
        "analyse": "done",
        "graph": "done",
        "wordcloud": "done",
        "poster": "missing",
        "blog": "done",
        "post": "done",
    }
    Crawl.objects.create(
        event=scored,
        state="complete",
        home_server="home.example",
        hashtag="monsterdon",
        window_start=scored.start,
        window_end=scored.end,
        max_toots=1,
        finished_at=timezone.now(),
    )
    assert states_of(scored)["analyse"] == "stale"
    analyse(scored)
    job = start_job(scored, kind="poster", status="error", error="No poster.", finished_at=timezone.now())
    assert states_of(scored)["poster"] == "failed"
    Job.objects.filter(pk=job.pk).update(status="running")
    assert states_of(scored)["poster"] == "running"


def test_unchanged_analysis_is_not_out_of_date_after_its_job(scored: Event) -> None:
    scored.crawls.update(finished_at=timezone.now())
    assert states_of(scored)["analyse"] == "stale"
    start_job(scored, kind="analyse", status="complete", finished_at=timezone.now())
    assert states_of(scored)["analyse"] == "done"


def test_event_list_says_how_the_last_job_went(host: Client, scored: Event) -> None:
    start_job(scored, kind="fetch", status="error", finished_at=timezone.now())
    assert "fetch: failed" in html_of(host, "/admin/events/event/")


# --- the start page -------------------------------------------------------------------------------------------------
def test_start_page_shows_events_work_and_failures(host: Client, scored: Event) -> None:
    start_job(scored, progress={"phase": "fetch", "progress_percent": 10})
    start_job(
        scored, kind="blog", status="error", error="The disk is full.", exclusive_key="", finished_at=timezone.now()
    )
    html = html_of(host, "/admin/")
    for words in ("Monsterdon: The Blob (1958)", "8 toots", 'value="10"', "The disk is full."):
        assert words in html


def test_start_page_shows_nothing_that_may_not_be_seen(scored: Event) -> None:
    start_job(scored, status="error", error="The disk is full.")
    html = html_of(signed_in_with("view_optout"), "/admin/")
    assert "The Blob" not in html
    assert "The disk is full." not in html
    assert "Opt-outs" in html
    assert "Jobs" not in html


def test_event_can_be_deleted_with_all_its_results(host: Client, scored: Event) -> None:
    response = host.post(f"/admin/events/event/{scored.pk}/delete/", {"post": "yes"})
    assert response.status_code == 302
    assert not Event.objects.exists()
    assert not Visit.objects.exists()


def _panel(html: str) -> str:
    start = html.index('id="ms-phases"')
    return html[start : html.index("</section>", start)]
