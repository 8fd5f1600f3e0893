"""What every answer below /api carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("mastoscore_site.tests.api_urls")]
RATE_HEADERS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}

# status: a call that gets it
CALLS: dict[int, Callable[[APIClient, APIClient], Any]] = {
    200: lambda root, stranger: root.get("/api/v1/me"),
    202: lambda root, stranger: root.post("/api/v1/things/monsterdon-20260222/fetch"),
    204: lambda root, stranger: root.delete("/api/v1/things/monsterdon-20260222"),
    400: lambda root, stranger: root.generic("POST", "/api/v1/echo", b"{", "application/json"),
    401: lambda root, stranger: stranger.get("/api/v1/me"),
    403: lambda root, stranger: stranger.get("/api/v1/plain-refusal"),
    404: lambda root, stranger: stranger.get("/api/nothing"),
    405: lambda root, stranger: root.put("/api/v1/echo"),
    406: lambda root, stranger: root.get("/api/v1/me", HTTP_ACCEPT="text/csv"),
    411: lambda root, stranger: root.post("/api/v1/echo", HTTP_TRANSFER_ENCODING="chunked"),
    413: lambda root, stranger: root.post("/api/v1/echo", CONTENT_LENGTH="99999999"),
    415: lambda root, stranger: root.generic("POST", "/api/v1/echo", b"x", "text/plain"),
    422: lambda root, stranger: root.post("/api/v1/things", {}),
    500: lambda root, stranger: stranger.get("/api/v1/plain-failure"),
    502: lambda root, stranger: stranger.get("/api/v1/fail/remote"),
}


@pytest.mark.parametrize("status", CALLS)
def test_every_answer_tells_the_allowance_and_is_kept_by_no_cache(
    status: int, root: APIClient, stranger: APIClient, make_event: Any
) -> None:
    make_event()
    answer = CALLS[status](root, stranger)
    assert answer.status_code == status
    assert set(answer.headers) >= RATE_HEADERS
    assert all(int(answer[name]) >= 0 for name in RATE_HEADERS)
    assert answer["Cache-Control"] == "no-store, no-cache, must-revalidate, max-age=0"
    assert (answer["Pragma"], answer["Expires"]) == ("no-cache", "0")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in answer["Content-Security-Policy"]


def test_pictures_keep_their_own_caching(root: APIClient) -> None:
    answer = root.get("/api/v1/picture")
    assert answer["Cache-Control"] == "private, max-age=60"
    assert "Pragma" not in answer
    assert set(answer.headers) >= RATE_HEADERS


def test_pages_beside_the_api_are_left_alone(stranger: APIClient) -> None:
    for path in ("/", "/apiary", "/healthz"):
        answer = stranger.get(path)
        assert not RATE_HEADERS & set(answer.headers)


@pytest.mark.parametrize("broken", ["mastoscore_site.api_rates.count_call", "mastoscore_site.api_auth.find_token"])
def test_database_that_does_not_answer_is_503(broken: str, root: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> Any:
        raise OperationalError("connection to server at 10.0.0.5 failed")

    monkeypatch.setattr(broken, fail)
    answer = root.get("/api/v1/me")
    assert answer.status_code == 503
    assert answer.json() == {"message": "The database is busy; try again in a moment."}
    assert set(answer.headers) >= RATE_HEADERS


# --- other sites ----------------------------------------------------------------------------------------------------
ASK = {
    "HTTP_ORIGIN": "https://reader.example",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "authorization",
}


def test_other_sites_may_not_call_unless_named(root: APIClient, stranger: APIClient) -> None:
    for answer in (stranger.options("/api/v1/me", **ASK), root.get("/api/v1/me", HTTP_ORIGIN=ASK["HTTP_ORIGIN"])):
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_site_that_is_named_may_call(settings: Any, root: APIClient, stranger: APIClient) -> None:
    settings.API_CORS_ORIGINS = ["https://reader.example"]
    question = stranger.options("/api/v1/me", **ASK)
    assert question.status_code == 204
    assert question["Access-Control-Allow-Origin"] == "https://reader.example"
    assert "Authorization" in question["Access-Control-Allow-Headers"]
    assert "PATCH" in question["Access-Control-Allow-Methods"]
    for answer in (
        root.get("/api/v1/me", HTTP_ORIGIN="https://reader.example"),
        stranger.get("/api/v1/me", HTTP_ORIGIN="https://reader.example"),
        stranger.get("/api/v1/nothing", HTTP_ORIGIN="https://reader.example"),
    ):
        assert answer["Access-Control-Allow-Origin"] == "https://reader.example"
        assert "X-RateLimit-Remaining" in answer["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer
        assert "Origin" in answer["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", "https://reader.example.evil.example", "null", ""])
def test_site_that_is_not_named_may_not(origin: str, settings: Any, root: APIClient, stranger: APIClient) -> None:
    settings.API_CORS_ORIGINS = ["https://reader.example"]
    for answer in (
        root.get("/api/v1/me", HTTP_ORIGIN=origin),
        stranger.options("/api/v1/me", **{**ASK, "HTTP_ORIGIN": origin}),
    ):
        assert "Access-Control-Allow-Origin" not in answer
        assert "Origin" in answer["Vary"]


def test_star_lets_every_site_call_without_session(settings: Any, root: APIClient) -> None:
    settings.API_CORS_ORIGINS = ["*"]
    answer = root.get("/api/v1/me", HTTP_ORIGIN="https://anything.example")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
