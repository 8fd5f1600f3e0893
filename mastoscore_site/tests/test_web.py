from __future__ import annotations

import http.server
import socket
import threading

import pytest

from common.errors import ConfigurationError
from mastoscore_site.web import Address, AddressTaken, address_of, is_answering, listen, parse_bind


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", Address("127.0.0.1", 8000)),
        (" 0.0.0.0:80 ", Address("0.0.0.0", 80)),
        ("[::1]:8000", Address("::1", 8000)),
        ("localhost:0", Address("localhost", 0)),
        ("8000", Address("127.0.0.1", 8000)),
        (":8000", Address("127.0.0.1", 8000)),
    ],
)
def test_address_to_listen_on_is_read(text: str, address: Address) -> None:
    assert parse_bind(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:8000", "[nonsense]:80", "a b:80", "1:²"],
)
def test_address_that_makes_no_sense_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_bind(text)
    assert f"“{text}” is not an address to listen on" in caught.value.user_message


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (Address("127.0.0.1", 80), "http://127.0.0.1:80/"),
        (Address("0.0.0.0", 8000), "http://127.0.0.1:8000/"),
        (Address("::", 8000), "http://[::1]:8000/"),
    ],
)
def test_url_can_be_opened_on_this_machine(address: Address, url: str) -> None:
    assert address.url == url


def test_free_port_is_found_and_a_taken_one_is_told() -> None:
    with listen(Address("127.0.0.1", 0)) as listener:
        address = address_of(listener, Address("127.0.0.1", 0))
        assert address.port > 0
        with pytest.raises(AddressTaken, match=f"Port {address.port} of 127.0.0.1 is taken by another program"):
            listen(address)


@pytest.mark.parametrize(
    ("host", "words"),
    [("192.0.2.1", "not an address of this machine"), ("no..host", "does not know the address")],
)
def test_address_of_another_machine_is_told(host: str, words: str) -> None:
    with pytest.raises(AddressTaken, match=words):
        listen(Address(host, 0))


def test_answering_means_that_a_web_server_speaks() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        address = Address("127.0.0.1", server.server_port)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert is_answering(address)  # 501 is an answer
        thread.join()
    assert not is_answering(address)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not is_answering(Address("127.0.0.1", silent.getsockname()[1]))
