"""What goes out without the help of requests goes out as requests would send it."""

from __future__ import annotations

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from common.http_errors import InvalidAnswer
from common.http_preparing import prepare
from common.http_targets import find_target

SAFE = st.text("ABCxyz019/._~-", max_size=30)
ODD = st.text("aZ9/._~-%?=&#+ \"'<>[]{}|\\^`äü…", max_size=30)


@given(st.sampled_from(["a.example", "A.Example", "127.0.0.1", "[::1]", "bücher.example"]), SAFE | ODD)
def test_addresses_are_spelt_as_requests_spells_them(host: str, path: str) -> None:
    target = find_target(f"https://{host}/{path}", ())

    sent = prepare("GET", target, {}, params={"max_id": "1"})

    assert sent.url == requests.Request("GET", target.url, params={"max_id": "1"}).prepare().url


@given(st.sampled_from(["http://A.example", "https://a.example/x", "https://a.example:8443/"]), SAFE | ODD)
def test_query_changes_nothing_about_where_a_request_goes(page: str, query: str) -> None:
    url = f"{page}?{query}"

    target = find_target(url, ())

    assert target.origin == find_target(page, ()).origin
    assert target.url == parse_url(url)._replace(fragment=None).url


@pytest.mark.parametrize("value", ["Bearer abc", "text/html, */*;q=0.1", "", "Gr\u00fc\u00dfe"])
def test_headers_that_requests_takes_are_taken(value: str) -> None:
    target = find_target("https://a.example/", ())

    assert prepare("GET", target, {"X-Some-Thing": value}).headers == {"X-Some-Thing": value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "s3cret\r\nX-B: b"),
        ("X-A", " s3cret"),
        ("X-A", "s3cret\n"),
        ("X A\n", "s3cret"),
        ("X:A", "s3cret"),
        ("", "s3cret"),
    ],
)
def test_headers_that_would_smuggle_something_in_are_refused_without_being_quoted(name: str, value: str) -> None:
    target = find_target("https://a.example/", ())

    with pytest.raises(InvalidAnswer) as caught:
        prepare("GET", target, {name: value})

    assert "s3cret" not in f"{caught.value} {caught.value.user_message} {caught.value.__context__}"
