"""Names, addresses and certificates: what the gate makes sure of before a byte is sent."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from common.http import Aborted, AddressNotAllowed, TimedOut, Unreachable
from common.tests.loopback import Connection, answering, open_gate, reply, serve


def resolve_to(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> list[str]:
    """Make the resolver say one list of addresses after the other (the last one for ever); gives the names asked."""
    asked: list[str] = []

    def fake(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        addresses = rounds[min(len(asked), len(rounds) - 1)]
        asked.append(host)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        return [
            (
                family,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port) if family == socket.AF_INET else (address, port, 0, 0),
            )
            for family, address in zip(families, addresses, strict=True)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", fake)
    return asked


def test_name_is_resolved_once_per_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve_to(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    with serve(answering(lambda _: reply(b"ok"))) as server, open_gate("127.0.0.1") as gate:
        for _ in range(3):
            assert gate.get(server.url(host="toots.example")).body == b"ok"
    assert asked == ["toots.example"]
    assert f"Host: toots.example:{server.port}\r\n".encode() in server.requests[0]


def test_resolver_that_changes_its_mind_gets_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])

    def handle(connection: Connection) -> None:
        connection.read_request()
        connection.send(reply(b"ok", headers=("Connection: close",)))

    with serve(handle) as server, open_gate("127.0.0.1") as gate:
        assert gate.get(server.url(host="toots.example")).body == b"ok"
        with pytest.raises(AddressNotAllowed):
            gate.get(server.url(host="toots.example"))
        assert server.connections == 1


def test_closed_addresses_of_a_name_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["127.0.0.2", "10.0.0.1", "::1", "127.0.0.1"])
    with serve(answering(lambda _: reply(b"ok")), host="127.0.0.1") as server, open_gate("127.0.0.1") as gate:
        assert gate.get(server.url(host="toots.example")).body == b"ok"


def test_next_address_is_tried_when_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["127.0.0.3", "::1", "127.0.0.1"])
    with serve(answering(lambda _: reply(b"ok"))) as server, open_gate("127.0.0.0/8", "::1") as gate:
        assert gate.get(server.url(host="toots.example")).body == b"ok"


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::1", "64:ff9b::a00:1", "::ffff:127.0.0.1"])
def test_name_with_closed_address_is_not_contacted(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolve_to(monkeypatch, [address])
    with open_gate("127.9.9.9") as gate, pytest.raises(AddressNotAllowed) as caught:
        gate.get("https://inside.example/")
    assert address not in str(caught.value)


def test_public_name_is_never_asked_over_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["93.184.216.34"])
    with open_gate() as gate, pytest.raises(AddressNotAllowed, match="plain http"):
        gate.get("http://public.example/")


def test_unknown_name_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, [])
    with open_gate() as gate, pytest.raises(Unreachable) as caught:
        gate.get("https://gone.example/")
    assert not caught.value.permanent
    assert "gone.example" in caught.value.user_message


@pytest.mark.parametrize("host", [f"{'a' * 64}.example", "a..example", f"{'a.' * 130}example"])
def test_impossible_name_is_an_error_of_ours(host: str) -> None:
    with open_gate() as gate, pytest.raises((Unreachable, AddressNotAllowed)):
        gate.get(f"https://{host}/", total_seconds=5)


@contextlib.contextmanager
def stuck_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    asked, released = threading.Event(), threading.Event()

    def fake(*args: Any, **options: Any) -> list[Any]:
        asked.set()
        released.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", fake)
    try:
        yield asked
    finally:
        released.set()


def test_stuck_resolver_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with stuck_resolver(monkeypatch), open_gate(total_seconds=0.2) as gate, pytest.raises(TimedOut):
        gate.get("https://slow.example/")


def test_abort_does_not_wait_for_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    with stuck_resolver(monkeypatch) as asked, open_gate(total_seconds=60) as gate:
        threading.Thread(target=lambda: (asked.wait(10), gate.abort()), daemon=True).start()
        with pytest.raises(Aborted):
            gate.get("https://slow.example/")


@contextlib.contextmanager
def deaf_listener() -> Iterator[int]:
    """A port whose queue of waiting connections is full: another one neither succeeds nor fails."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_connection_that_is_never_taken_ends_at_the_connect_limit() -> None:
    with deaf_listener() as port, open_gate(connect_seconds=0.2) as gate, pytest.raises(TimedOut):
        gate.get(f"http://127.0.0.1:{port}/")


def test_connection_that_is_never_taken_ends_with_abort() -> None:
    with deaf_listener() as port, open_gate(connect_seconds=30, total_seconds=60) as gate:
        threading.Timer(0.2, gate.abort).start()
        with pytest.raises(Aborted):
            gate.get(f"http://127.0.0.1:{port}/")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_side(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def client_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_valid_certificate_is_accepted_and_its_connection_kept(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, ["127.0.0.1"])
    with serve(answering(lambda _: reply(b"safe")), tls=server_side(authority, "toots.example")) as server:
        with open_gate(ssl_context=client_side(authority)) as gate:
            for _ in range(3):
                assert gate.get(server.url(scheme="https", host="toots.example")).body == b"safe"
    assert server.connections == 1


def test_certificate_of_an_address_is_checked_against_the_address(authority: trustme.CA) -> None:
    with serve(answering(lambda _: reply(b"safe")), tls=server_side(authority, "127.0.0.1")) as server:
        with open_gate(ssl_context=client_side(authority)) as gate:
            assert gate.get(server.url(scheme="https")).body == b"safe"


def test_certificate_for_another_name_is_refused(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["127.0.0.1"])
    with serve(answering(lambda _: reply(b"safe")), tls=server_side(authority, "other.example")) as server:
        with (
            open_gate(ssl_context=client_side(authority)) as gate,
            pytest.raises(Unreachable, match="certificate") as caught,
        ):
            gate.get(server.url(scheme="https", host="toots.example"), token="hush")
    assert caught.value.permanent
    assert server.requests == []


def test_certificate_of_unknown_authority_is_refused_by_default(authority: trustme.CA) -> None:
    with serve(answering(lambda _: reply(b"safe")), tls=server_side(authority, "127.0.0.1")) as server:
        with open_gate() as gate, pytest.raises(Unreachable, match="certificate"):
            gate.get(server.url(scheme="https"))


def test_server_that_speaks_no_tls_is_unreachable() -> None:
    def handle(connection: Connection) -> None:
        connection.sock.recv(100)
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with serve(handle) as server, open_gate() as gate, pytest.raises(Unreachable):
        gate.get(server.url(scheme="https"))


def test_redirect_from_tls_to_plain_text_carries_no_token(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(answering(lambda _: reply(b"plain"))) as plain:
        answer = reply(status="302 Found", headers=(f"Location: {plain.url()}",))
        with serve(answering(lambda _: answer), tls=server_side(authority, "127.0.0.1")) as server:
            with open_gate(ssl_context=client_side(authority)) as gate:
                gate.get(server.url(scheme="https"), headers={"Authorization": "hush"})
    assert b"hush" in server.requests[0] and b"hush" not in plain.requests[0]


@pytest.mark.parametrize("is_shaking_hands", [True, False])
def test_dripping_tls_server_ends_at_the_deadline(authority: trustme.CA, is_shaking_hands: bool) -> None:
    def drip_handshake(connection: Connection) -> None:
        connection.sock.recv(10)
        connection.send(b"\x16\x03\x03\x40\x00")  # a long record follows, byte by byte
        connection.drip(b"\x00")

    def drip_body(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.drip(b"x")

    tls = None if is_shaking_hands else server_side(authority, "127.0.0.1")
    with serve(drip_handshake if is_shaking_hands else drip_body, tls=tls) as server:
        with open_gate(ssl_context=client_side(authority), total_seconds=0.4) as gate, pytest.raises(TimedOut):
            gate.get(server.url(scheme="https"))


@pytest.mark.parametrize("is_shaking_hands", [True, False])
def test_abort_ends_a_silent_tls_server(authority: trustme.CA, is_shaking_hands: bool) -> None:
    reached = threading.Event()

    def stay_silent(connection: Connection) -> None:
        connection.sock.recv(10)
        reached.set()
        connection.stopping.wait(20)

    tls = None if is_shaking_hands else server_side(authority, "127.0.0.1")
    with serve(stay_silent, tls=tls) as server:
        with open_gate(ssl_context=client_side(authority), read_seconds=30, total_seconds=60) as gate:
            threading.Thread(target=lambda: (reached.wait(10), gate.abort()), daemon=True).start()
            with pytest.raises(Aborted):
                gate.get(server.url(scheme="https"))
