"""What the web server really calls; Django's test client makes its requests another way."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.test import RequestFactory

from mastoscore_site.handler import HouseHandler

pytestmark = [pytest.mark.django_db, pytest.mark.urls("mastoscore_site.tests.api_urls")]


def call(method: str, path: str, content_type: str, body: bytes = b"", authorization: str = "") -> tuple[int, Any]:
    environ = RequestFactory()._base_environ(
        REQUEST_METHOD=method,
        PATH_INFO=path,
        QUERY_STRING="a=%C3%BC",
        CONTENT_TYPE=content_type,
        CONTENT_LENGTH=str(len(body)),
        HTTP_AUTHORIZATION=authorization,
        SERVER_NAME="localhost",
    )
    environ["wsgi.input"] = io.BytesIO(body)
    handler = HouseHandler()
    answer: Any = handler.get_response(handler.request_class(environ))
    return answer.status_code, json.loads(answer.content)


@pytest.mark.parametrize("charset", ["utf-16", "hex", "bz2_codec", "idna", "punycode", "nonsense", "utf-8"])
def test_charset_of_the_body_does_not_touch_the_query(charset: str, root: Any) -> None:
    authorization = root._credentials["HTTP_AUTHORIZATION"]
    assert call("GET", "/api/v1/echo", f"text/plain; charset={charset}", authorization=authorization) == (
        200,
        {"query": {"a": ["ü"]}},
    )


@pytest.mark.parametrize("charset", ["utf-16", "hex", "bz2_codec", "idna", "punycode", "nonsense"])
def test_json_in_another_charset_is_415(charset: str, root: Any) -> None:
    authorization = root._credentials["HTTP_AUTHORIZATION"]
    status, body = call("POST", "/api/v1/echo", f"application/json; charset={charset}", b"{}", authorization)
    assert status == 415
    assert "message" in body
