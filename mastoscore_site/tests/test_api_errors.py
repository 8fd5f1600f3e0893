from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from mastoscore_site.api_errors import flatten
from mastoscore_site.tests.api_urls import FAILURES

pytestmark = [pytest.mark.django_db, pytest.mark.urls("mastoscore_site.tests.api_urls")]
MakeUser = Callable[..., User]
INVALID = "The given data was invalid."
SERVER_ERROR = {"message": "Server Error", "error": "An unexpected error occurred"}

# how: (status, body of /api/v1, status and body of a route of the Mastoscore contract where it differs)
ANSWERS: dict[str, tuple[int, dict[str, Any]]] = {
    "bug": (500, SERVER_ERROR),
    "recursion": (500, SERVER_ERROR),
    "not-found": (404, {"message": "Not found."}),
    "not-found-with-words": (404, {"message": "No query results for model [App\\Models\\Post] 999"}),
    "http404": (404, {"message": "Not found."}),
    "validation": (
        422,
        {
            "message": INVALID,
            "errors": {
                "name": ["This field is required."],
                "start.date": ["Wrong."],
                "ids.1.id": ["Not a number."],
            },
        },
    ),
    "validation-sentence": (422, {"message": INVALID, "errors": {"non_field_errors": ["That does not work."]}}),
    "model-validation": (
        422,
        {"message": INVALID, "errors": {"slug": ["Taken."], "non_field_errors": ["Both at once."]}},
    ),
    "problem": (409, {"message": "Posted already.", "job_id": 3}),
    "invalid": (422, {"message": INVALID, "errors": {"seconds": ["At most 60."]}}),
    "not-ready": (409, {"message": "Nothing is fetched yet; run fetch first."}),
    "configuration": (422, {"message": "No such zone.", "errors": {"non_field_errors": ["No such zone."]}}),
    "unknown-event": (404, {"message": "There is no event “nothing”."}),
    "conflict": (409, {"message": "There is one."}),
    "invalid-event": (422, {"message": INVALID, "errors": {"non_field_errors": ["One.", "Two."]}}),
    "already-active": (409, {"message": "It is running.", "job_id": 7}),
    "remote": (502, {"message": "The server did not answer."}),
    "protected": (409, {"message": "Something else still uses it."}),
    "integrity": (409, {"message": "This does not fit with what somebody else has saved meanwhile."}),
    "locked": (503, {"message": "The database is busy; try again in a moment."}),
    "suspicious": (400, {"message": "The request cannot be read."}),
}


def test_every_failure_has_its_row() -> None:
    assert set(ANSWERS) == set(FAILURES)


@pytest.mark.parametrize("how", ANSWERS)
def test_failure_has_one_shape(how: str, stranger: APIClient) -> None:
    status, body = ANSWERS[how]
    answer = stranger.get(f"/api/v1/fail/{how}")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == body


@pytest.mark.parametrize("how", ANSWERS)
def test_failure_has_the_contracts_shape_on_its_routes(how: str, stranger: APIClient) -> None:
    status, body = ANSWERS[how]
    answer = stranger.get(f"/api/fail/{how}", HTTP_ACCEPT="text/html")
    assert answer["Content-Type"] == "application/json"
    assert answer.status_code == (400 if status == 422 else status)
    expected = body if status == 500 else {"error" if key == "message" else key: body[key] for key in body}
    assert answer.json() == expected


def test_headers_of_a_problem_are_sent(stranger: APIClient) -> None:
    assert stranger.get("/api/v1/fail/problem")["Location"] == "/api/v1/jobs/3"
    assert stranger.get("/api/v1/fail/remote")["Retry-After"] == "9"
    assert stranger.get("/api/v1/fail/locked")["Retry-After"] == "2"


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", ["/api/v1/fail/bug", "/api/v1/plain-failure"])
def test_bug_is_logged_and_not_told(
    path: str, debug: bool, stranger: APIClient, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG = debug
    with caplog.at_level(logging.ERROR):
        answer = stranger.get(path)
    assert answer.status_code == 500
    assert answer.json() == SERVER_ERROR
    assert any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)


def test_page_of_an_error_becomes_json(stranger: APIClient) -> None:
    answer = stranger.get("/api/v1/plain-refusal")
    assert answer.status_code == 403
    assert answer.json() == {"message": "You do not have permission to perform this action."}


def test_host_that_is_not_ours_gets_json(stranger: APIClient) -> None:
    answer = stranger.get("/api/v1/me", HTTP_HOST="evil.example")
    assert answer.status_code == 400
    assert answer.json() == {"message": "The request cannot be read."}


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/api/v1/nothing", "message"),
        ("/api/v1/nothing/", "message"),
        ("/api/v1/things/none-such/nor-this", "message"),
        ("/api/v1//me", "message"),
        ("/api/nothing", "error"),
        ("/api/v2/me", "error"),
        ("/api//", "error"),
    ],
)
def test_unknown_route_is_404(method: str, path: str, key: str, root: APIClient) -> None:
    answer = getattr(root, method)(path, HTTP_ACCEPT="text/html")
    assert answer.status_code == 404
    assert answer.json() == {key: "Not found."}


@pytest.mark.parametrize("path", ["/api/v1/echo", "/api/v1/echo/"])
def test_slash_at_the_end_is_optional(path: str, root: APIClient) -> None:
    assert root.post(path, {"a": 1}).status_code == 200


def test_unknown_row_is_404(root: APIClient) -> None:
    for path in ("/api/v1/things/none-such", "/api/v1/things/none-such/coverage"):
        assert root.get(path).json() == {"message": "Not found."}


def test_null_character_in_the_path_is_404(root: APIClient) -> None:
    answer = root.get("/api/v1/things/a%00b")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found."})


def test_method_that_is_not_there_is_405(root: APIClient, stranger: APIClient) -> None:
    answer = root.delete("/api/v1/echo")
    assert answer.status_code == 405
    assert answer.json() == {"message": 'Method "DELETE" not allowed.'}
    assert set(answer["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert root.put("/api/v1/things", {}).status_code == 405
    assert stranger.delete("/api/v1/echo").status_code == 401


def test_type_that_cannot_be_given_is_406(root: APIClient, stranger: APIClient) -> None:
    answer = root.get("/api/v1/things", HTTP_ACCEPT="application/xml")
    assert answer.status_code == 406
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {"message": "Could not satisfy the request Accept header."}
    assert stranger.get("/api/v1/things", HTTP_ACCEPT="application/xml").status_code == 401


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/xml", 415),
        ("text/plain", 415),
        ("", 415),
        ("nonsense", 415),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=nonsense", 415),
        ("application/json; charset=UTF-8", 200),
        ("application/json; charset=utf8", 200),
    ],
)
def test_body_of_another_type_is_415(content_type: str, status: int, root: APIClient) -> None:
    answer = root.generic("POST", "/api/v1/echo?a=ü", b"{}", content_type=content_type)
    assert answer.status_code == status, answer.content
    if status == 415:
        assert "message" in answer.json()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b" ",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xff\xfe"}',
        b"\xff\xfe{\x00}\x00",
        b'{"a": 1} {"b": 2}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 40 + b"]" * 40,
        b'{"a": ' + b"9" * 10_000 + b"}",
        b'{"a": 9223372036854775808}',
        b'{"a": 1e999}',
        b'{"a": -1e999}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_body_that_is_not_json_is_400(body: bytes, root: APIClient) -> None:
    for path, key in (("/api/v1/echo", "message"), ("/api/echo", "error")):
        answer = root.generic("POST", path, body, content_type="application/json")
        assert answer.status_code == (200 if body == b"" else 400), answer.content
        assert body == b"" or list(answer.json()) == [key]


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_body_that_is_no_object_is_400(body: bytes, root: APIClient) -> None:
    answer = root.generic("POST", "/api/echo", body, content_type="application/json")
    assert (answer.status_code, answer.json()) == (400, {"error": "The body must be a JSON object."})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"a": "x\\u0000y"}', "a"),
        (b'{"a": {"b": ["x", "\\u0000"]}}', "a.b.1"),
        (b'{"a\\u0000": 1}', "non_field_errors"),
        (b'{"a": {"\\u0000": 1}}', "a"),
        (b'{"a": "\\ud800"}', "a"),
        (b'["\\udfff"]', "0"),
    ],
)
def test_text_that_no_database_takes_is_422(body: bytes, field: str, root: APIClient) -> None:
    answer = root.generic("POST", "/api/v1/echo", body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["message"] == INVALID
    assert list(answer.json()["errors"]) == [field]


def test_null_character_in_a_form_is_422(root: APIClient) -> None:
    for format_name in ("multipart", "urlencoded"):
        if format_name == "multipart":
            answer = root.post("/api/v1/echo", {"a": "x\0y"}, format="multipart")
        else:
            answer = root.generic("POST", "/api/v1/echo", b"a=x%00y", "application/x-www-form-urlencoded")
        assert answer.status_code == 422
        assert list(answer.json()["errors"]) == ["a"]


def test_null_character_in_the_query_is_422(root: APIClient, stranger: APIClient) -> None:
    answer = root.get("/api/v1/things?search=a%00b")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["search"]
    assert root.get("/api/v1/things?a%00b=c").status_code == 422
    assert stranger.get("/api/v1/things?search=a%00b").status_code == 401


def test_query_that_is_not_utf8_is_read_all_the_same(root: APIClient) -> None:
    assert root.get("/api/v1/echo?a=%FF").json() == {"query": {"a": ["\ufffd"]}}


def test_query_with_too_many_parameters_is_400(root: APIClient) -> None:
    assert root.get("/api/v1/echo?" + "&".join(f"a{number}=1" for number in range(1100))).status_code == 400


def test_form_is_a_body_too(root: APIClient) -> None:
    answer = root.post("/api/v1/echo", {"a": "1"}, format="multipart")
    assert answer.json() == {"body": {"a": "1"}}


def test_broken_form_is_400(root: APIClient) -> None:
    answer = root.generic("POST", "/api/v1/echo", b"x", content_type="multipart/form-data")
    assert answer.status_code == 400


def test_large_body_is_413(root: APIClient, settings: Any) -> None:
    settings.API_MAX_BODY_BYTES = 1000
    body = json.dumps({"a": "x" * 1000})
    for path, key in (("/api/v1/echo", "message"), ("/api/echo", "error"), ("/api/v1/nothing", "message")):
        answer = root.generic("POST", path, body, content_type="application/json")
        assert answer.status_code == 413
        assert answer.json() == {key: "The body is too large: at most 1000 bytes are read."}
    assert root.generic("POST", "/api/v1/echo", '{"a": 1}', content_type="application/json").status_code == 200


def test_body_without_a_length_is_411(root: APIClient) -> None:
    answer = root.generic(
        "POST", "/api/v1/echo", b"", content_type="application/json", HTTP_TRANSFER_ENCODING="chunked"
    )
    assert answer.status_code == 411


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "²"])
def test_length_that_is_no_number_is_400(length: str, root: APIClient) -> None:
    assert root.generic("POST", "/api/v1/echo", b"{}", "application/json", CONTENT_LENGTH=length).status_code == 400


def test_validation_of_a_serializer_names_the_fields(root: APIClient) -> None:
    answer = root.post("/api/v1/things", {"slug": "x y", "top_n": "many"})
    assert answer.status_code == 422
    assert answer.json()["message"] == INVALID
    assert {"slug", "top_n", "hashtag", "event_title", "start"} <= set(answer.json()["errors"])


def test_number_beyond_the_column_is_422_not_500(root: APIClient) -> None:
    answer = root.post("/api/v1/things", {"slug": "x", "top_n": 9223372036854775807})
    assert answer.status_code == 422
    assert "top_n" in answer.json()["errors"]


@pytest.mark.parametrize(
    ("detail", "flat"),
    [
        ([], {}),
        ({}, {}),
        ("Wrong.", {"non_field_errors": ["Wrong."]}),
        ({"a": "Wrong."}, {"a": ["Wrong."]}),
        ({"a": {"non_field_errors": ["Wrong."]}}, {"a.non_field_errors": ["Wrong."]}),
        ({"post_ids": {1: ["Not a number."]}}, {"post_ids.1": ["Not a number."]}),
        ([{"a": ["One."]}, {}, {"a": ["Two."]}], {"0.a": ["One."], "2.a": ["Two."]}),
    ],
)
def test_nested_details_are_flattened(detail: Any, flat: dict[str, list[str]]) -> None:
    assert flatten(detail) == flat
