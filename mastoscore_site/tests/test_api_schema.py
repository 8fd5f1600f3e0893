from __future__ import annotations

from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from common.api.access import Needs
from mastoscore_site.api_errors import is_api_path, shape_of
from mastoscore_site.api_views import NoSuchRoute

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["mastoscore_site.urls", "mastoscore_site.tests.api_urls"])
def document(request: pytest.FixtureRequest, capsys: Any) -> Any:
    """The document of the site, and of our sample of every kind of view."""
    made = SchemaGenerator(urlconf=request.param).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert capsys.readouterr().err == "" or "tests" in request.param  # what drf-spectacular could not make out
    return made


def operations(document: Any) -> list[tuple[str, str, Any]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_document_is_valid_openapi_3_1(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    validate_schema(document)  # type: ignore[no-untyped-call]


def test_paths_have_no_slash_at_the_end(document: Any) -> None:
    assert document["paths"]
    assert [path for path in document["paths"] if path.endswith("/")] == []


def test_every_operation_tells_its_errors_and_who_may_call_it(document: Any) -> None:
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        answers = operation["responses"]
        expected = {"401", "403", "429", "500"} | ({"406", "422"} if shape_of(path) == "message" else {"400"})
        expected |= {"404"} if "{" in path and shape_of(path) == "message" else set()
        expected |= {"400", "413", "415"} if "requestBody" in operation else set()
        assert set(answers) >= expected, where
        assert "scope `" in operation["description"] or "no token is needed" in operation["description"], where
        name = "Problem" if shape_of(path) == "message" else "MastoscoreProblem"
        reference = answers["401"]["content"]["application/json"]["schema"]["$ref"]
        assert reference == f"#/components/schemas/{name}", where


def test_every_answer_tells_the_rate_headers(document: Any) -> None:
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(answer["headers"]), (
                f"{method} {path} {status}"
            )
        assert "Retry-After" in operation["responses"]["429"]["headers"]


def test_token_and_session_are_the_ways_in(document: Any) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["token"]["scheme"] == "bearer"
    assert schemes["cookieAuth"]["in"] == "cookie"
    assert document["paths"]["/api/v1/me"]["get"]["security"] == [{"token": []}, {"cookieAuth": []}]


def test_every_view_of_the_api_says_who_may_call_it() -> None:
    """The default permission answers 500 for a call that ``access`` does not name; here it is found before."""
    forgotten = []
    for path, pattern in flatten_patterns(get_resolver("mastoscore_site.urls"), ""):
        view = getattr(pattern.callback, "cls", None)
        if not is_api_path(f"/{path}".replace("^", "")) or view is None or view is NoSuchRoute:
            continue
        actions = getattr(pattern.callback, "actions", None)
        calls = actions.values() if actions else [m for m in view.http_method_names if hasattr(view, m)]
        forgotten += [
            f"{view.__name__}.{call}"
            for call in calls
            if call not in ("options", "head") and not isinstance(view.access.get(call), Needs)
        ]
    assert forgotten == []


def flatten_patterns(resolver: URLResolver, prefix: str) -> list[tuple[str, URLPattern]]:
    found: list[tuple[str, URLPattern]] = []
    for pattern in resolver.url_patterns:
        path = f"{prefix}{pattern.pattern}"
        found += flatten_patterns(pattern, path) if isinstance(pattern, URLResolver) else [(path, pattern)]
    return found


def test_document_is_served_to_everybody(client: Client) -> None:
    for path in ("/api/schema", "/api/schema/"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/json"
        assert answer.json()["info"]["title"] == "Mastoscore"


def test_swagger_ui_comes_from_our_own_files(client: Client) -> None:
    page = client.get("/api/docs").content.decode()
    assert 'data-schema="/api/schema"' in page
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert f"/static/drf_spectacular_sidecar/swagger-ui-dist/{name}" in page
        assert finders.find(f"drf_spectacular_sidecar/swagger-ui-dist/{name}")
    assert "http://" not in page.split("<main")[1].replace("http://www.w3.org", "")
    assert "cdn." not in page


def test_page_of_the_documentation_fails_in_json(client: Client) -> None:
    answer = client.get("/api/docs", headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthenticated."})
