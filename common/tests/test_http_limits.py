"""Servers that send too much, too slowly or for ever, and being told to stop."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time

import brotli
import pytest

from common.errors import RemoteError
from common.http import (
    Aborted,
    Answer,
    Gate,
    InvalidAnswer,
    TimedOut,
    TooLarge,
    Unreachable,
)
from common.tests.loopback import Connection, answering, gzip_of_zeros, open_gate, reply, serve


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_bomb_is_stopped_at_the_limit(encoding: str) -> None:
    bomb = gzip_of_zeros(200) if encoding == "gzip" else brotli.compress(bytes(200_000_000), quality=5)
    assert len(bomb) < 250_000
    with (
        serve(answering(lambda _: reply(bomb, headers=(f"Content-Encoding: {encoding}",)))) as server,
        open_gate(max_bytes=1_000_000) as gate,
    ):
        with pytest.raises(TooLarge):
            gate.get(server.url())


def test_body_over_the_limit_is_refused_by_its_declared_size() -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
        connection.stopping.wait(10)

    with serve(handle) as server, open_gate() as gate, pytest.raises(TooLarge) as caught:
        gate.get(server.url())
    assert caught.value.permanent


def flood(head: bytes, piece: bytes) -> object:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(head)
        while not connection.stopping.is_set():
            connection.send(piece)

    return handle


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000),
        (CHUNKED, b"2710\r\n" + b"x" * 10_000 + b"\r\n"),
        (CHUNKED, b"1;" + b"e" * 10_000 + b"\r\nx\r\n"),
        (CHUNKED + b"0\r\n", b"Trailer: x\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b""), gzip.compress(b"") * 500),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
    ],
)
def test_endless_answers_are_cut_off(head: bytes, piece: bytes) -> None:
    with serve(flood(head, piece)) as server, open_gate(max_bytes=500_000) as gate:  # type: ignore[arg-type]
        with pytest.raises((TooLarge, InvalidAnswer, Unreachable)):
            gate.get(server.url())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"<html>no headers at all</html>\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
        b"\r\n\r\n",
        CHUNKED + b"zz\r\nhello\r\n",
    ],
)
def test_answers_that_are_not_http_are_errors_of_ours(answer: bytes) -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(answer)

    with serve(handle) as server, open_gate() as gate, pytest.raises((InvalidAnswer, Unreachable)):
        gate.get(server.url())


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n", CHUNKED + b"1;"])
def test_dripping_answer_ends_at_the_deadline(head: bytes) -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(head)
        connection.drip(b"x")

    with serve(handle) as server, open_gate(total_seconds=0.3) as gate, pytest.raises(TimedOut) as caught:
        gate.get(server.url())
    assert not caught.value.permanent


def test_dripping_headers_end_at_the_deadline() -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\n")
        connection.drip(b"X: y\r\n")

    with serve(handle) as server, open_gate(total_seconds=0.3) as gate, pytest.raises(TimedOut):
        gate.get(server.url())


def test_silence_ends_at_the_read_limit() -> None:
    with serve(lambda connection: bool(connection.stopping.wait(10))) as server:  # type: ignore[arg-type,return-value]
        with open_gate(read_seconds=0.2) as gate, pytest.raises(TimedOut):
            gate.get(server.url())


def test_request_that_nobody_reads_ends_at_the_deadline() -> None:
    with serve(lambda connection: bool(connection.stopping.wait(10))) as server:  # type: ignore[arg-type,return-value]
        with open_gate(total_seconds=0.3) as gate, pytest.raises(TimedOut):
            gate.post(server.url(), data=bytes(30_000_000))


def test_deadline_spans_redirects() -> None:
    def handle(connection: Connection) -> None:
        while connection.read_request():
            connection.stopping.wait(0.1)
            connection.send(reply(status="302 Found", headers=("Location: /again",)))

    with serve(handle) as server, open_gate(total_seconds=0.35, max_redirects=1000) as gate:
        with pytest.raises(TimedOut):
            gate.get(server.url())


def test_request_may_have_its_own_limits() -> None:
    with serve(answering(lambda _: reply(b"x" * 100))) as server, open_gate() as gate:
        with pytest.raises(TooLarge):
            gate.get(server.url(), max_bytes=99)
        assert len(gate.get(server.url(), max_bytes=100).body) == 100


def run_and_collect(gate: Gate, url: str, count: int) -> tuple[list[BaseException | Answer], list[threading.Thread]]:
    results: list[BaseException | Answer] = []

    def work() -> None:
        try:
            results.append(gate.get(url))
        except RemoteError as error:
            results.append(error)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    return results, threads


def wait_until(condition: object) -> None:
    deadline = time.monotonic() + 5
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.01)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"])
def test_abort_ends_waiting_requests_and_later_ones(head: bytes) -> None:
    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(head)
        connection.stopping.wait(20)

    with serve(handle) as server, open_gate(read_seconds=30, total_seconds=60) as gate:
        results, threads = run_and_collect(gate, server.url(), 8)
        wait_until(lambda: len(server.requests) == 8)
        gate.abort()
        for thread in threads:
            thread.join(10)
        assert [type(result) for result in results] == [Aborted] * 8
        with pytest.raises(Aborted):
            gate.get(server.url())


def test_one_gate_serves_many_threads_and_servers() -> None:
    with serve(answering(lambda request: reply(request.split()[1]))) as server, open_gate() as gate:
        bodies: list[bytes] = []

        def work(number: int) -> None:
            for step in range(10):
                path = f"/{number}/{step}"
                answer = gate.get(server.url(path, host=f"127.0.0.{1}"))
                bodies.append(answer.body)
                assert answer.body == path.encode()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(bodies) == 80


def test_idle_connections_to_many_servers_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.http_pools._MAX_IDLE", 3)
    with contextlib.ExitStack() as stack:
        gate = stack.enter_context(open_gate())
        servers = [stack.enter_context(serve(answering(lambda _: reply(b"ok")))) for _ in range(8)]
        for server in servers:
            gate.get(server.url())
        assert len(gate._pools._pools) == 3
        assert gate.get(servers[7].url()).body == gate.get(servers[0].url()).body == b"ok"
        assert [server.connections for server in servers] == [2, 1, 1, 1, 1, 1, 1, 1]


def test_watcher_thread_ends_with_the_gate() -> None:
    with serve(answering(lambda _: reply(b"ok"))) as server:
        with open_gate() as gate:
            gate.get(server.url())
        wait_until(lambda: not gate._watcher._is_running)


def test_closed_gate_sends_nothing() -> None:
    gate = open_gate()
    gate.close()
    with pytest.raises(Aborted):
        gate.get("http://127.0.0.1:8000/")
