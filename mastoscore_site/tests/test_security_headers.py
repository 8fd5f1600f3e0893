"""What every answer says to a browser, whatever kind it is and whoever gave it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from pipeline.tests.scored_event import make_scored

pytestmark = pytest.mark.django_db

EVENT = "/api/v1/events/monsterdon-20260222"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# What may stand in a policy: scripts of our own files only, but for the theme of the backstage.
PAGE = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
FILE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"
API = [
    ("/api/v1/me", 200),
    (EVENT, 200),
    (f"{EVENT}/ini", 200),
    (f"{EVENT}/toots.csv", 200),
    ("/api/v1/events?page=x", 422),
    ("/api/v1/events/unknown", 404),
    ("/api/v1/nothing", 404),
    ("/api/config/list", 200),
    ("/api/config/unknown", 404),
    ("/api/schema", 200),
    ("/api/docs", 200),
]
PAGES = [
    ("/", 200),
    ("/nothing", 404),
    ("/events/unknown/", 404),
    ("/events/monsterdon-20260222/", 200),
    ("/healthz", 200),
    ("/metrics", 404),
    ("/static/img/favicon.svg", 200),
]


@pytest.fixture(autouse=True)
def scored(make_event: Any) -> None:
    make_scored(make_event(is_published=True))


def check(answer: Any, status: int, policy: str) -> None:
    assert answer.status_code == status
    assert {name: answer[name] for name in ALWAYS} == ALWAYS
    assert answer["Content-Security-Policy"].startswith(policy)
    assert "unsafe-eval" not in answer["Content-Security-Policy"]
    assert "X-Powered-By" not in answer


@pytest.mark.parametrize(("path", "status"), API)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_answer_of_the_api_is_guarded_and_not_kept(root: APIClient, path: str, status: int, accept: str) -> None:
    answer = root.get(path, headers={"Accept": accept})
    if answer.status_code != 406:  # a file is no page
        check(answer, status, PAGE)
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-RateLimit-Remaining"]


@pytest.mark.parametrize("name", ["graph.png", "graph", "artifacts/index.md"])
def test_file_can_do_nothing_in_a_browser(root: APIClient, name: str) -> None:
    answer = root.get(f"{EVENT}/{name}", headers={"Accept": "image/png, */*"})
    check(answer, 200, FILE)
    assert answer["X-RateLimit-Remaining"]


@pytest.mark.parametrize(("path", "status"), PAGES)
def test_page_is_guarded(client: Client, path: str, status: int) -> None:
    check(client.get(path), status, PAGE)


def test_refusals_before_any_view_are_guarded(stranger: APIClient) -> None:
    check(stranger.get("/api/v1/me"), 401, PAGE)
    check(stranger.post(EVENT, b"x" * 2_600_000, content_type="application/json"), 413, PAGE)
    check(stranger.get("/", headers={"Host": "elsewhere.example"}), 400, PAGE)
    check(stranger.get("/api/v1/me", headers={"Host": "elsewhere.example"}), 400, PAGE)


def test_backstage_alone_may_use_what_its_theme_needs(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    for path in ("/admin/", "/admin/events/event/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "'unsafe-eval'" in answer["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert {name: answer[name] for name in ALWAYS} == ALWAYS


def test_session_needs_the_csrf_token_for_every_change(make_user: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("rita", is_superuser=True))
    for method, path in (("post", "/api/v1/events"), ("patch", EVENT), ("delete", EVENT), ("post", "/api/fetch")):
        answer = getattr(client, method)(path, {}, content_type="application/json")
        assert answer.status_code == 403
        assert "CSRF" in str(answer.json())
    assert client.get(EVENT).status_code == 200


@pytest.mark.parametrize("path", ["/login/", "/admin/login/", "/reader/manage/opml", "/nothing"])
def test_body_that_no_form_sends_is_refused_before_it_is_read(client: Client, path: str) -> None:
    refused = client.post(path, b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="900000000")
    assert refused.status_code == 413
    assert "at most 8 MB" in refused.content.decode()
    assert "Content-Security-Policy" in refused
