"""Where the gate lets itself be sent, and what it takes along."""

from __future__ import annotations

import pytest

from common.addresses import may_contact
from common.http import (
    AddressNotAllowed,
    InvalidAnswer,
    TooManyRedirects,
    Unreachable,
    parse_private_hosts,
)
from common.tests.loopback import Connection, answering, gzip_of_zeros, open_gate, reply, serve


def redirect(location: str, status: str = "302 Found") -> bytes:
    return reply(b"moved", status=status, headers=(f"Location: {location}",))


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_get_follows_redirects(status: str) -> None:
    def make_answer(request: bytes) -> bytes:
        return redirect("../b#part", status) if b" /a/x " in request else reply(b"there")

    with serve(answering(make_answer)) as server, open_gate() as gate:
        answer = gate.get(server.url("/a/x"), params=None)
        assert (answer.url, answer.body) == (server.url("/b"), b"there")


def test_redirect_loop_ends() -> None:
    with serve(answering(lambda _: redirect("/again"))) as server, open_gate(max_redirects=3) as gate:
        with pytest.raises(TooManyRedirects):
            gate.get(server.url())
        assert len(server.requests) == 4


def test_post_does_not_follow_redirects() -> None:
    with serve(answering(lambda _: redirect("/b", "307 Temporary"))) as server, open_gate() as gate:
        assert gate.post(server.url(), data=b"").status_code == 307
        assert len(server.requests) == 1


def test_redirect_with_an_endless_text_is_followed_without_reading_it() -> None:
    def handle(connection: Connection) -> None:
        request = connection.read_request()
        if b" /b " in request:
            connection.send(reply(b"there"))
            return
        bomb = gzip_of_zeros(50)
        head = f"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
        connection.send(head.encode() + bomb)

    with serve(handle) as server, open_gate(max_bytes=1000) as gate:
        assert gate.get(server.url("/a")).body == b"there"


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://[::1]:8000/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fec0::1]/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "http://user:hush@127.0.0.1/",
        "http://127.0.0.1:22/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:8000/_x",
        "javascript:alert(1)",
    ],
)
def test_redirect_to_closed_address_is_not_followed(location: str) -> None:
    with serve(answering(lambda _: redirect(location))) as server, open_gate() as gate:
        with pytest.raises(AddressNotAllowed) as caught:
            gate.get(server.url())
    assert caught.value.permanent
    assert "hush" not in f"{caught.value} {caught.value.user_message}"


@pytest.mark.parametrize("location", ["http://[::1", "http://%00/", "http://a%b/", "https://exa mple/"])
def test_redirect_to_nowhere_is_an_invalid_answer(location: str) -> None:
    with serve(answering(lambda _: redirect(location))) as server, open_gate() as gate:
        with pytest.raises((InvalidAnswer, AddressNotAllowed, Unreachable)):
            gate.get(server.url())
    assert len(server.requests) == 1


@pytest.mark.parametrize("address", ["http://93.184.216.34/", "http://93.184.216.34:8000/"])
def test_plain_http_to_the_open_internet_is_refused(address: str) -> None:
    with serve(answering(lambda _: redirect(address))) as server, open_gate() as gate:
        with pytest.raises(AddressNotAllowed, match="plain http"):
            gate.get(server.url())


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "localhost"],
)
def test_loopback_in_every_spelling_is_closed_unless_allowed(host: str) -> None:
    with serve(answering(lambda _: reply(b"secret"))) as server:
        with open_gate("127.9.9.9") as gate, pytest.raises(AddressNotAllowed):
            gate.get(server.url(host=host))
        assert server.connections == 0
        with open_gate("127.0.0.0/8") as gate:
            assert gate.get(server.url(host=host)).body == b"secret"


def test_private_host_is_open_on_its_own_port_only() -> None:
    with serve(answering(lambda _: reply(b"ok"))) as server:
        with open_gate(f"127.0.0.1:{server.port}") as gate:
            assert gate.get(server.url()).body == b"ok"
        with open_gate(f"127.0.0.1:{server.port - 1}") as gate, pytest.raises(AddressNotAllowed):
            gate.get(server.url())


def test_token_is_sent_to_its_own_server_only() -> None:
    with serve(answering(lambda _: reply(b"other"))) as other:
        with serve(answering(lambda _: redirect(other.url()))) as server, open_gate() as gate:
            with pytest.raises(InvalidAnswer) as caught:
                gate.get(server.url(), token="hush")
            assert other.requests == []
            assert b"Authorization: Bearer hush\r\n" in server.requests[0]
            assert "hush" not in f"{caught.value} {caught.value.user_message}"


def test_token_follows_redirects_on_its_own_server() -> None:
    def make_answer(request: bytes) -> bytes:
        return redirect("/b") if b" /a " in request else reply(b"there")

    with serve(answering(make_answer)) as server, open_gate() as gate:
        assert gate.get(server.url("/a"), token="hush").body == b"there"
    assert all(b"Authorization: Bearer hush\r\n" in request for request in server.requests)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_secret_headers_are_dropped_when_host_or_port_change(host: str) -> None:
    with serve(answering(lambda _: reply(b"other")), host=host) as other:
        with serve(answering(lambda _: redirect(other.url(host=host)))) as server, open_gate() as gate:
            gate.get(server.url(), headers={"authorization": "hush", "X-Api-Key": "hush", "Accept": "text/plain"})
    assert b"hush" in server.requests[0]
    assert b"hush" not in other.requests[0]
    assert b"Accept: text/plain" in other.requests[0]
    assert b"referer" not in other.requests[0].lower()


def test_an_answer_tells_the_redirects_that_led_to_it() -> None:
    def answer(request: bytes) -> bytes:
        path = request.split(b" ")[1]
        onward = {b"/a": ("301 Moved Permanently", "/b"), b"/b": ("302 Found", "/c")}.get(path)
        return reply(b"there") if onward is None else reply(status=onward[0], headers=(f"Location: {onward[1]}",))

    with serve(answering(answer)) as server, open_gate() as gate:
        found = gate.get(server.url("/a"))
        assert [(redirect.status_code, redirect.url) for redirect in found.redirects] == [
            (301, server.url("/b")),
            (302, server.url("/c")),
        ]
        assert gate.get(server.url("/c")).redirects == ()


def test_plain_http_is_spoken_with_public_addresses_only_where_the_policy_says_so() -> None:
    private = parse_private_hosts(["127.0.0.1"])
    for address, expected in (("93.184.215.14", True), ("10.0.0.1", False), ("169.254.169.254", False)):
        assert not may_contact(address, 80, scheme="http", private_hosts=private)
        assert may_contact(address, 80, scheme="http", private_hosts=private, allows_plain_http=True) is expected
