"""What comes back through the gate, and how little of it has to be trusted."""

from __future__ import annotations

import gzip
import json
import traceback
import zlib

import brotli
import pytest

from common.errors import ConfigurationError, RemoteError
from common.http import (
    Answer,
    InvalidAnswer,
    Unreachable,
    policy_from_settings,
)
from common.tests.loopback import Connection, answering, open_gate, reply, serve


def test_answer_carries_status_headers_body_and_sizes() -> None:
    body = b'{"a": 1}'
    with serve(answering(lambda _: reply(body, headers=("X-Two: a", "x-two: b")))) as server, open_gate() as gate:
        answer = gate.get(server.url("/path?x=1#part"), params={"y": "ü"})
    assert (answer.status_code, answer.body, answer.json()) == (200, body, {"a": 1})
    assert answer.headers["X-TWO"] == "a, b"
    assert answer.received_bytes == len(body)
    assert answer.seconds >= 0
    assert answer.url == server.url("/path?x=1&y=%C3%BC")
    assert server.requests[0].startswith(b"GET /path?x=1&y=%C3%BC HTTP/1.1\r\n")


@pytest.mark.parametrize("status", ["201 Created", "304 Not Modified", "404 Not Found", "500 Oh", "299 Odd"])
def test_any_status_is_an_answer(status: str) -> None:
    with serve(answering(lambda _: reply(b"", status=status))) as server, open_gate() as gate:
        assert gate.get(server.url()).status_code == int(status[:3])


def test_requests_say_who_asks_and_nothing_else() -> None:
    with serve(answering(lambda _: reply(b"ok"))) as server, open_gate() as gate:
        gate.get(server.url())
    lines = server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET / HTTP/1.1"
    assert sorted(line for line in lines[1:] if line) == [
        "Accept-Encoding: gzip, deflate, br",
        "Accept: */*",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: Mastoscore/test (+https://example.org)",
    ]


def test_json_is_posted_with_its_type_and_length() -> None:
    received = []

    def handle(connection: Connection) -> None:
        head = connection.read_request()
        body = head.partition(b"\r\n\r\n")[2]
        while len(body) < 20:
            body += connection.sock.recv(100)
        received.append(body)
        connection.send(reply(b"{}"))

    with serve(handle) as server, open_gate() as gate:
        gate.post(server.url(), json={"status": "h\u00e9llo \U0001f419"})
    assert json.loads(received[0]) == {"status": "h\u00e9llo \U0001f419"}
    assert b"Content-Type: application/json\r\n" in server.requests[0]


def test_cookies_are_not_sent_back() -> None:
    answer = reply(b"ok", headers=("Set-Cookie: id=1; Path=/", "Set-Cookie: other=2"))
    with serve(answering(lambda _: answer)) as server, open_gate() as gate:
        gate.get(server.url())
        gate.get(server.url())
    assert len(server.requests) == 2
    assert all(b"cookie" not in request.lower() for request in server.requests)


def test_head_asks_for_headers_only() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nContent-Encoding: gzip\r\n\r\n"
    with serve(answering(lambda _: head)) as server, open_gate() as gate:
        for _ in range(2):
            answer = gate.request("head", server.url())
            assert (answer.body, answer.headers["content-length"]) == (b"", "99999999")
        assert server.connections == 1


@pytest.mark.parametrize("token", ["hush\nX-Evil: 1", "hush\u20ac"])
def test_token_that_cannot_be_sent_is_refused_without_quoting_it(token: str) -> None:
    with serve(answering(lambda _: reply())) as server, open_gate() as gate:
        with pytest.raises(InvalidAnswer) as caught:
            gate.get(server.url(), token=token)
    assert not any("hush" in str(cause) for cause in chain_of(caught.value))
    assert not any(b"Evil" in request for request in server.requests)


def test_proxies_and_passwords_of_the_host_are_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serve(answering(lambda _: reply(b"ok"))) as server, open_gate() as gate:
        assert gate.get(server.url()).body == b"ok"


def test_connection_stays_open_between_requests() -> None:
    with serve(answering(lambda _: reply(b"ok"))) as server, open_gate() as gate:
        for _ in range(5):
            gate.get(server.url())
        assert server.connections == 1


@pytest.mark.parametrize("make_end", [Connection.reset, lambda connection: connection.sock.close()])
def test_connection_that_dies_on_reuse_is_replaced_once(make_end: object) -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(reply(b"first" if connection.number == 1 else b"second"))
        connection.read_request()
        if connection.number == 1:
            make_end(connection)  # type: ignore[operator]

    with serve(handle) as server, open_gate() as gate:
        assert gate.get(server.url()).body == b"first"
        assert gate.get(server.url()).body == b"second"
        assert server.connections == 2


def test_post_is_never_sent_twice() -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(reply(b"first"))
        connection.read_request()
        connection.reset()

    with serve(handle) as server, open_gate() as gate:
        gate.get(server.url())
        with pytest.raises(Unreachable):
            gate.post(server.url(), data=b"x")
        assert len(server.requests) == 2


def test_new_connection_that_dies_is_not_tried_again() -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.reset()

    with serve(handle) as server, open_gate() as gate:
        with pytest.raises(Unreachable) as caught:
            gate.get(server.url())
        assert server.connections == 1
        assert not caught.value.permanent


def test_half_an_answer_on_a_kept_connection_is_not_asked_for_again() -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(reply(b"first"))
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Le")
        connection.reset()

    with serve(handle) as server, open_gate() as gate:
        gate.get(server.url())
        with pytest.raises(RemoteError):
            gate.get(server.url())
        assert len(server.requests) == 2


def test_body_that_ends_early_is_no_answer() -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    with serve(handle) as server, open_gate() as gate, pytest.raises(Unreachable, match="hung up"):
        gate.get(server.url())


def test_body_without_length_ends_with_the_connection() -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.0 200 OK\r\n\r\nall of it")

    with serve(handle) as server, open_gate() as gate:
        assert gate.get(server.url()).body == b"all of it"


def chunked(*pieces: bytes, headers: str = "") -> bytes:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))
    return f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{headers}\r\n".encode() + chunks


def test_chunks_are_put_together_and_counted() -> None:
    with serve(answering(lambda _: chunked(b"one ", b"two"))) as server, open_gate() as gate:
        answer = gate.get(server.url())
        assert (answer.body, answer.received_bytes) == (b"one two", 7)
        assert gate.get(server.url()).body == b"one two"
        assert server.connections == 1


TEXT = b"toot " * 1000
RAW_DEFLATE = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("GZIP, identity", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:2500]) + gzip.compress(TEXT[2500:])),
        ("gzip", gzip.compress(TEXT) + b"\x00\x00 left over"),
        ("deflate", zlib.compress(TEXT)),
        ("br", brotli.compress(TEXT)),
        ("deflate", RAW_DEFLATE.compress(TEXT) + RAW_DEFLATE.flush()),
        ("identity", TEXT),
        ("", TEXT),
    ],
)
def test_compressed_bodies_are_unfolded(encoding: str, body: bytes) -> None:
    with serve(answering(lambda _: reply(body, headers=(f"Content-Encoding: {encoding}",)))) as server:
        with open_gate() as gate:
            answer = gate.get(server.url())
    assert answer.body == TEXT
    assert answer.received_bytes == len(body)


@pytest.mark.parametrize(
    ("encoding", "body", "error"),
    [
        ("gzip", b"this is not gzip", InvalidAnswer),
        ("deflate", b"this is not deflate", InvalidAnswer),
        ("br", b"this is not brotli", InvalidAnswer),
        ("br", brotli.compress(TEXT)[:-8], Unreachable),
        ("zstd", b"whatever", InvalidAnswer),
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT)), InvalidAnswer),
        ("gzip", gzip.compress(TEXT)[:-20], Unreachable),
    ],
)
def test_bodies_that_do_not_unfold_are_named(encoding: str, body: bytes, error: type[RemoteError]) -> None:
    with serve(answering(lambda _: reply(body, headers=(f"Content-Encoding: {encoding}",)))) as server:
        with open_gate() as gate, pytest.raises(error):
            gate.get(server.url())


def test_refused_connection_is_unreachable() -> None:
    with serve(answering(lambda _: reply())) as server:
        pass
    with open_gate() as gate, pytest.raises(Unreachable) as caught:
        gate.get(server.url())
    assert not caught.value.permanent
    assert "127.0.0.1" in caught.value.user_message


def test_errors_quote_no_query_and_no_token() -> None:
    with serve(answering(lambda _: reply())) as server:
        pass
    with open_gate() as gate, pytest.raises(Unreachable) as caught:
        gate.get(server.url("/search?api_key=hush"), params={"key": "hush"}, token="hush")
    assert "hush" not in caught.value.user_message
    assert "hush" not in "".join(traceback.format_exception_only(caught.value))
    assert not any("hush" in str(cause) for cause in chain_of(caught.value))


def test_errors_of_broken_answers_quote_no_query(caplog: pytest.LogCaptureFixture) -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nbad header\r\nContent-Length: x, y\r\n\r\n")
        connection.reset()

    with serve(handle) as server, open_gate() as gate, pytest.raises(RemoteError) as caught:
        gate.get(server.url("/search?api_key=hush"))
    assert not any("hush" in str(cause) for cause in chain_of(caught.value))
    assert "hush" not in caplog.text


def chain_of(error: BaseException) -> list[BaseException]:
    """The error with all it was raised from or while handling."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        if (current := waiting.pop()) is not None:
            chain.append(current)
            waiting += [current.__cause__, current.__context__]
    return chain


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("127.1.0.17:8000", "http://127.1.0.17:8000"),
        ("127.1.0.17:8001", "https://127.1.0.17:8001"),
        ("127.2.0.1", "http://127.2.0.1"),
        ("mastodon.social", "https://mastodon.social"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("10.0.0.1", "https://10.0.0.1"),
    ],
)
def test_private_hosts_are_asked_over_http_and_all_others_over_https(server: str, url: str) -> None:
    with open_gate("127.1.0.0/16:8000", "127.2.0.1", "[::1]:8000") as gate:
        assert gate.base_url(server) == url


def test_policy_says_who_we_are_and_whom_to_write_to(settings: object) -> None:
    settings.MASTOSCORE_CONTACT = "ops@example.org\r\nX-Evil: 1"  # type: ignore[attr-defined]
    settings.PROJECT_URL = "https://example.org/mastoscore"  # type: ignore[attr-defined]
    settings.MASTOSCORE_PRIVATE_HOSTS = ["127.1.0.0/16:8000"]  # type: ignore[attr-defined]
    policy = policy_from_settings(extra_private_hosts=["127.0.0.1:9000"])
    assert policy.user_agent.startswith("Mastoscore/0")
    assert "(+https://example.org/mastoscore; ops@example.org" in policy.user_agent
    assert "\r" not in policy.user_agent and "\n" not in policy.user_agent
    assert [entry.port for entry in policy.private_hosts] == [8000, 9000]
    with pytest.raises(ConfigurationError):
        policy_from_settings(extra_private_hosts=["nas.lan"])


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        (b"\xef\xbb\xbf[1]", [1]),
        (b'["half a pair \\ud83d"]', ["half a pair \ud83d"]),
        (b'["wrong byte \xff"]', ["wrong byte \ufffd"]),
    ],
)
def test_json_with_one_broken_string_is_still_read(body: bytes, value: object) -> None:
    assert Answer("https://a.example/", 200, {}, body, 0.1, len(body)).json() == value


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"<html>login</html>", b"[" * 200_000, b"\xff\xfe", b"[1,", b"9" * 9999]
)
def test_what_is_no_json_is_an_invalid_answer(body: bytes) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        Answer("https://a.example/x?key=hush", 200, {}, body, 0.1, len(body)).json()
    assert "a.example" in str(caught.value) and "hush" not in str(caught.value)
