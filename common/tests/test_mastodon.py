from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from common.errors import RemoteError
from common.http import InvalidAnswer, Unreachable
from common.mastodon import (
    InstanceLimits,
    MastodonServer,
    NotFound,
    RateLimited,
    RemoteRefused,
    ServerFault,
    hashtag_path,
    retry_after_seconds,
)
from common.tests.loopback import Server, answering, open_gate, reply, serve
from common.tests.test_toots import STATUS

NOW = datetime(2026, 2, 23, 2, 0, tzinfo=UTC)


@contextlib.contextmanager
def asking(
    make_answer: Callable[[bytes], bytes] | bytes, *, token: str = ""
) -> Iterator[tuple[MastodonServer, Server]]:
    handler = answering(make_answer if callable(make_answer) else lambda _: make_answer)
    with serve(handler) as server, open_gate() as gate:
        yield MastodonServer(gate, f"127.0.0.1:{server.port}", token=token), server


def json_reply(value: Any, **options: Any) -> bytes:
    return reply(json.dumps(value).encode(), **options)


def page_of(*ids: Any) -> list[dict[str, Any]]:
    return [{**STATUS, "id": id, "uri": f"https://toots.example/users/ann/statuses/{id}"} for id in ids]


def query_of(request: bytes) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.split()[1].decode()).query)


def test_hashtag_page_gives_toots_and_where_to_go_on() -> None:
    rows = [*page_of("9", "8"), None, {"id": "7", "uri": None}, {**STATUS, "id": None}, "x"]
    with asking(
        json_reply(rows, headers=("X-RateLimit-Remaining: 299", "X-RateLimit-Reset: 2026-02-23T02:05:00.1Z"))
    ) as (
        client,
        server,
    ):
        page = client.hashtag_page("Monsterdon")
    assert [toot.local_id for toot in page.toots] == ["9", "8", ""]
    assert (page.row_count, page.unreadable, page.last_id) == (6, 3, "7")
    assert all(toot.server == client.server for toot in page.toots)
    assert (page.answer.status_code, page.answer.rate_remaining) == (200, 299)
    assert page.answer.rate_reset_at == datetime(2026, 2, 23, 2, 5, 0, 100000, UTC)
    assert page.answer.received_bytes == len(json.dumps(rows))
    assert server.requests[0].startswith(b"GET /api/v1/timelines/tag/Monsterdon?limit=40 HTTP/1.1\r\n")
    assert b"Accept: application/json\r\n" in server.requests[0]
    assert b"Authorization" not in server.requests[0]


def test_page_is_asked_for_with_cursor_scope_and_token() -> None:
    with asking(json_reply([]), token="hush") as (client, server):
        page = client.hashtag_page("café?", max_id="01FWMC&x", is_local=True, limit=20)
    assert (page.toots, page.row_count, page.last_id) == ((), 0, None)
    assert query_of(server.requests[0]) == {"limit": ["20"], "max_id": ["01FWMC&x"], "local": ["true"]}
    assert server.requests[0].startswith(b"GET /api/v1/timelines/tag/caf%C3%A9%3F?")
    assert b"Authorization: Bearer hush\r\n" in server.requests[0]
    assert hashtag_path("a/b") == "/api/v1/timelines/tag/a%2Fb"


def test_one_broken_row_does_not_lose_the_page() -> None:
    body = json.dumps([*page_of("9"), {**STATUS, "content": "half \ud83d"}]).encode()
    with asking(reply(body)) as (client, _):
        page = client.hashtag_page("monsterdon")
    assert (len(page.toots), page.unreadable) == (2, 0)


@pytest.mark.parametrize(
    ("status", "body", "error", "is_final"),
    [
        ("401 Unauthorized", b'{"error":"This method requires an authenticated user"}', RemoteRefused, True),
        ("403 Forbidden", b"<html>no</html>", RemoteRefused, True),
        ("422 Unprocessable", b"", RemoteRefused, True),
        ("404 Not Found", b"<html>", NotFound, True),
        ("410 Gone", b"", NotFound, True),
        ("429 Too Many", b"", RateLimited, False),
        ("500 Oh", b'{"error": {"message": "boom", "code": "X"}}', ServerFault, False),
        ("503 Busy", b"\xff\xfe", ServerFault, False),
        ("400 Bad", b'{"error": 5}', InvalidAnswer, True),
        ("418 Teapot", b"[]", InvalidAnswer, True),
        ("304 Not Modified", b"", InvalidAnswer, True),
        ("200 OK", b'{"error":"This method requires an authenticated user"}', InvalidAnswer, True),
        ("200 OK", b"<!DOCTYPE html><html>login</html>", InvalidAnswer, True),
        ("200 OK", b"", InvalidAnswer, True),
        ("200 OK", b"[" * 100_000, InvalidAnswer, True),
        ("200 OK", b"null", InvalidAnswer, True),
    ],
)
def test_answers_other_than_a_page_are_named(
    status: str, body: bytes, error: type[RemoteError], is_final: bool
) -> None:
    with asking(reply(body, status=status)) as (client, _), pytest.raises(error) as caught:
        client.hashtag_page("monsterdon")
    assert type(caught.value) is error
    assert caught.value.permanent is is_final
    assert caught.value.status_code == int(status[:3])
    assert caught.value.server == client.server
    assert client.server in caught.value.user_message


def test_words_of_the_server_go_to_the_log_without_the_token() -> None:
    body = json.dumps({"error": "token hush\nis wrong " + "x" * 1000}).encode()
    with asking(reply(body, status="401 No"), token="hush") as (client, _), pytest.raises(RemoteRefused) as caught:
        client.hashtag_page("monsterdon")
    assert "token … is wrong" in str(caught.value) and len(str(caught.value)) < 300
    assert "hush" not in f"{caught.value}{caught.value.user_message}"


@pytest.mark.parametrize(
    ("body", "speaks_api"),
    [
        (b'{"error":"Not Found"}', True),
        (b'{"error":{"code":"UNKNOWN_API_ENDPOINT"}}', False),
        (b"<html>", False),
        (b"", False),
    ],
)
def test_missing_hashtag_is_told_from_missing_api(body: bytes, speaks_api: bool) -> None:
    with asking(reply(body, status="404 Not Found")) as (client, _), pytest.raises(NotFound) as caught:
        client.hashtag_page("monsterdon")
    assert caught.value.speaks_api is speaks_api


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((), None),
        (("Retry-After: 7",), 7),
        (("Retry-After: 99999",), 3600),
        (("Retry-After: soon",), None),
        (("X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 30"), 30),
        (("X-RateLimit-Remaining: 5", "X-RateLimit-Reset: 30"), None),
    ],
)
def test_rate_limit_says_when_to_come_back(headers: tuple[str, ...], seconds: float | None) -> None:
    with asking(reply(status="429 Too Many", headers=headers)) as (client, _), pytest.raises(RateLimited) as caught:
        client.hashtag_page("monsterdon")
    assert caught.value.retry_after == (seconds if seconds is None else pytest.approx(seconds, abs=5))


def http_date(seconds: int) -> str:
    return (NOW + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("1.5", 1.5),
        (http_date(90), 90),
        (http_date(-90), 0),
        (f"60, {http_date(90)}", 90),
        (f"{http_date(30)}, 60", 60),
        (http_date(999_999), 3600),
        ("Monday, 23-Feb-26 02:01:00 GMT", 60),
        ("-5", None),
        ("", None),
        ("later", None),
        ("Mon, 99 Feb 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_spellings(text: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": text}, now=NOW) == seconds


def test_two_retry_after_headers_of_a_fault_are_read_together() -> None:
    answer = reply(status="503 Busy", headers=("Retry-After: 5", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"))
    with asking(answer) as (client, _), pytest.raises(ServerFault) as caught:
        client.hashtag_page("monsterdon")
    assert caught.value.retry_after == 5


def test_dead_server_is_unreachable() -> None:
    with serve(answering(lambda _: reply())) as server:
        pass
    with open_gate() as gate, pytest.raises(Unreachable):
        MastodonServer(gate, f"127.0.0.1:{server.port}").hashtag_page("monsterdon")


def test_credentials_tell_whose_token_it_is() -> None:
    account = {"id": "1", "username": "host", "acct": "host", "display_name": "Host\x00", "source": {"privacy": "x"}}
    account |= {"url": "https://a.example/@host", "note": "x" * 9000, "bot": False}
    with asking(json_reply(account), token="hush") as (client, server):
        facts = client.verify_credentials()
        assert facts.server_url == server.url("")
    assert (facts.username, facts.display_name) == ("host", "Host")
    assert facts.raw == {
        "id": "1",
        "username": "host",
        "acct": "host",
        "display_name": "Host",
        "url": "https://a.example/@host",
        "bot": False,
    }
    assert b"Authorization: Bearer hush\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        ("401 No", b'{"error":"The access token is invalid"}', RemoteRefused),
        ("400 Bad", b"<html>", RemoteRefused),
        ("422 Unprocessable", b"", RemoteRefused),
        ("403 Forbidden", b"", RemoteRefused),
        ("404 Not Found", b"", NotFound),
        ("200 OK", b"{}", InvalidAnswer),
        ("200 OK", b"[]", InvalidAnswer),
        ("200 OK", b'{"username": 5}', InvalidAnswer),
    ],
)
def test_bad_token_is_refused_in_every_way_servers_say_so(status: str, body: bytes, error: type[RemoteError]) -> None:
    with asking(reply(body, status=status), token="hush") as (client, _), pytest.raises(error) as caught:
        client.verify_credentials()
    assert "hush" not in f"{caught.value}{caught.value.user_message}"


def limits_from(answers: dict[str, bytes]) -> InstanceLimits:
    def make_answer(request: bytes) -> bytes:
        return answers.get(request.split()[1].decode(), reply(status="404 Not Found"))

    with asking(make_answer) as (client, _):
        return client.instance_limits()


def test_limits_are_read_from_v2_then_v1_then_assumed() -> None:
    v2 = {
        "configuration": {
            "statuses": {"max_characters": 1000, "characters_reserved_per_url": 25, "max_media_attachments": 6},
            "media_attachments": {"description_limit": 420},
        }
    }
    v1 = {"max_toot_chars": 5000, "description_limit": 900, "configuration": None}
    assert limits_from({"/api/v2/instance": json_reply(v2)}) == InstanceLimits(1000, 25, 420, 6)
    assert limits_from({"/api/v1/instance": json_reply(v1)}) == InstanceLimits(5000, 23, 900, 4)
    assert limits_from({}) == InstanceLimits(500, 23, 1500, 4)


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"configuration": {"statuses": {"max_characters": "many"}}}']
)
def test_limits_that_make_no_sense_are_assumed(body: bytes) -> None:
    assert limits_from({"/api/v2/instance": reply(body), "/api/v1/instance": reply(body)}) == InstanceLimits()
    assert limits_from({"/api/v2/instance": reply(body, status="500 Oh")}) == InstanceLimits()
