from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from jobs.models import Job
from jobs.tests.conftest import queued_job

pytestmark = pytest.mark.django_db

LIST = "/admin/jobs/job/"


@pytest.fixture(autouse=True)
def kind_work(add_kind: Callable[[str, Any], None], wake_ups: list[int]) -> None:
    add_kind("work", lambda context: {})


def running_job(**values: Any) -> Job:
    now = timezone.now()
    return queued_job(
        status="running", fence=1, attempts=1, worker="elsewhere/1", heartbeat_at=now, started_at=now, **values
    )


def page_of(job: Job) -> str:
    return reverse("admin:jobs_job_change", args=[job.pk])


def test_list_tells_how_far_each_job_is(admin_client: Client, make_event: Any) -> None:
    event = make_event()
    running_job(event=event, progress={"done": 1, "total": 4, "message": "asking <b>home.example</b>"})
    queued_job(status="error", error="The home server is dead.")
    html = admin_client.get(LIST).content.decode()
    assert '<progress class="ms-bar" max="100" value="25"' in html
    assert "asking &lt;b&gt;home.example&lt;/b&gt;" in html
    assert "The home server is dead." in html
    assert str(event) in html


def test_list_is_filtered_and_searched(admin_client: Client, make_event: Any) -> None:
    running_job(event=make_event())
    queued_job(subject="something else")
    for query, count in [("status__exact=running", 1), ("kind=work", 2), ("q=monsterdon", 1), ("q=something", 1)]:
        response = admin_client.get(f"{LIST}?{query}")
        assert response.context["cl"].result_count == count, query


def test_ten_jobs_cost_no_more_queries_than_two(admin_client: Client, admin_user: Any, make_event: Any) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert admin_client.get(LIST).status_code == 200
        return len(queries)

    event = make_event()
    for _ in range(2):
        queued_job(event=event, asked_by=admin_user)
    few = count_queries()
    for _ in range(8):
        queued_job(event=event, asked_by=admin_user)
    assert count_queries() == few


def test_page_of_an_active_job_asks_for_itself_until_the_end(admin_client: Client) -> None:
    job = running_job(progress={"done": 1, "total": 2})
    panel = reverse("admin:jobs_job_panel", args=[job.pk])
    page = admin_client.get(page_of(job)).content.decode()
    assert f'hx-get="{panel}"' in page
    response = admin_client.get(panel)
    assert 'value="50"' in response.content.decode()
    assert "HX-Refresh" not in response.headers
    Job.objects.filter(pk=job.pk).update(status="complete", finished_at=timezone.now(), result={"toots": 3})
    response = admin_client.get(panel)
    assert response.headers["HX-Refresh"] == "true"
    assert "hx-get" not in response.content.decode()
    page = admin_client.get(page_of(job)).content.decode()
    assert panel not in page
    assert "&quot;toots&quot;: 3" in page


def test_cancel_is_asked_for_by_post_and_confirmed(admin_client: Client) -> None:
    job = running_job()
    address = f"{LIST}{job.pk}/cancel/"
    assert "Stop this job?" in admin_client.get(address).content.decode()
    job.refresh_from_db()
    assert job.cancel_requested_at is None, "looking changes nothing"
    response = admin_client.post(
        address, {"_form_submitted": "True"}, headers={"HX-Current-URL": "http://testserver/admin/jobs/job/?q=x"}
    )
    assert response.headers["HX-Redirect"] == "http://testserver/admin/jobs/job/?q=x"
    job.refresh_from_db()
    assert job.cancel_requested_at is not None


def test_redirect_leads_to_no_other_site(admin_client: Client) -> None:
    job = queued_job()
    response = admin_client.post(
        f"{LIST}{job.pk}/cancel/", {"_form_submitted": "True"}, headers={"HX-Current-URL": "https://evil.example/"}
    )
    assert response.headers["HX-Redirect"] == page_of(job)


def test_cancel_without_csrf_token_is_refused(admin_user: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    job = queued_job()
    assert client.post(f"{LIST}{job.pk}/cancel/", {"_form_submitted": "True"}).status_code == 403
    job.refresh_from_db()
    assert job.status == "queued"


def test_ended_job_is_done_again_as_a_new_one(admin_client: Client, admin_user: Any, make_event: Any) -> None:
    job = queued_job(event=make_event(), status="error", params={"max": 3})
    response = admin_client.post(f"{LIST}{job.pk}/retry/", {"_form_submitted": "True"})
    again = Job.objects.get(status="queued")
    assert response.headers["HX-Redirect"] == page_of(again)
    assert (again.params, again.asked_by) == ({"max": 3}, admin_user)


def test_doing_again_what_is_being_done_is_told(admin_client: Client) -> None:
    job = queued_job(status="error", exclusive_key="event:1")
    queued_job(exclusive_key="event:1")
    admin_client.post(f"{LIST}{job.pk}/retry/", {"_form_submitted": "True"})
    assert "is already waiting for a worker" in admin_client.get(LIST).content.decode()
    assert Job.objects.count() == 2


def test_buttons_fit_the_state_of_the_job(admin_client: Client) -> None:
    active, ended = running_job(), queued_job(status="complete")
    for job, shown, hidden in [(active, "cancel", "retry"), (ended, "retry", "cancel")]:
        page = admin_client.get(page_of(job)).content.decode()
        assert f"{LIST}{job.pk}/{shown}/" in page
        assert f"{LIST}{job.pk}/{hidden}/" not in page


def test_several_jobs_are_stopped_at_once(admin_client: Client) -> None:
    jobs = [queued_job(), running_job(), queued_job(status="complete")]
    data = {"action": "cancel_selected", "_selected_action": [job.pk for job in jobs]}
    page = admin_client.post(LIST, data, follow=True).content.decode()
    assert "Asked to stop: 2 of 3" in page
    for job in jobs:
        job.refresh_from_db()
    assert [job.status for job in jobs] == ["cancelled", "running", "complete"]
    assert jobs[1].cancel_requested_at is not None


def test_who_may_only_look_can_stop_nothing(client: Client, django_user_model: Any) -> None:
    from django.contrib.auth.models import Permission

    viewer = django_user_model.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(viewer)
    job = queued_job()
    assert client.get(page_of(job)).status_code == 200
    assert client.post(f"{LIST}{job.pk}/cancel/", {"_form_submitted": "True"}).status_code == 403
    assert client.post(f"{LIST}{job.pk}/retry/", {"_form_submitted": "True"}).status_code == 403
    job.refresh_from_db()
    assert job.status == "queued"


def test_active_job_cannot_be_deleted(admin_client: Client) -> None:
    active, ended = running_job(), queued_job(status="complete")
    assert admin_client.post(f"{LIST}{active.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(f"{LIST}{ended.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(Job.objects.all()) == [active]


@pytest.mark.parametrize("name", ["abc", "99999999999999999999", "1234567"])
def test_job_that_does_not_exist_is_not_found(admin_client: Client, name: str) -> None:
    assert admin_client.post(f"{LIST}{name}/cancel/", {"_form_submitted": "True"}).status_code == 404
    assert admin_client.post(f"{LIST}{name}/retry/", {"_form_submitted": "True"}).status_code == 404


@pytest.mark.parametrize("model", ["schedule", "failure"])
def test_queue_models_wear_the_clothes_of_the_admin(admin_client: Client, model: str) -> None:
    from jobs.schedules import ensure_schedules

    ensure_schedules()
    assert admin_client.get(f"/admin/django_q/{model}/").status_code == 200
    assert admin_client.get("/admin/django_q/ormq/").status_code == 404
