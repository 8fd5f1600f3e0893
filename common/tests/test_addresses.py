from __future__ import annotations

import ipaddress

import pytest

from common.addresses import is_public, may_contact, parse_address, parse_private_hosts
from common.errors import ConfigurationError

CLOSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::10.0.0.1",
    "100::1",
    "2001::1",
    "2001:0:5ef5:79fd::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
OPEN = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "172.15.0.1",
    "192.167.0.1",
    "223.255.255.1",
]
OPEN += ["2606:4700::1111", "2a01:4f8::1", "2400:cb00::1", "2001:4860:4860::8888", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", CLOSED)
def test_address_that_is_not_of_the_open_internet_is_closed(text: str) -> None:
    assert not may_contact(text, 443, scheme="https", private_hosts=())


@pytest.mark.parametrize("text", OPEN)
def test_public_address_is_open_over_https_only(text: str) -> None:
    assert may_contact(text, 443, scheme="https", private_hosts=())
    assert not may_contact(text, 80, scheme="http", private_hosts=())


def test_no_address_at_all_is_not_contacted() -> None:
    assert not may_contact("localhost", 443, scheme="https", private_hosts=parse_private_hosts(["0.0.0.0/0"]))


@pytest.mark.parametrize(
    ("entry", "address", "port", "is_allowed"),
    [
        ("127.1.0.0/16:8000", "127.1.0.17", 8000, True),
        ("127.1.0.0/16:8000", "127.1.0.17", 8001, False),
        ("127.1.0.0/16:8000", "127.2.0.17", 8000, False),
        ("127.0.0.1", "127.0.0.1", 4242, True),
        ("127.0.0.1", "127.0.0.2", 4242, False),
        ("127.0.0.1", "::ffff:127.0.0.1", 4242, True),
        ("10.1.2.3/8", "10.9.9.9", 80, True),
        ("::1", "::1", 8000, True),
        ("[::1]:8000", "::1", 8000, True),
        ("[::1]:8000", "::1", 8001, False),
        ("fd00::/8", "fd12::1", 443, True),
        ("[fd00::/8]:8000", "fd12::1", 8000, True),
        ("[fd00::]/8:8000", "fd12::1", 8001, False),
    ],
)
def test_private_host_opens_its_addresses_and_port_for_both_schemes(
    entry: str, address: str, port: int, is_allowed: bool
) -> None:
    hosts = parse_private_hosts([entry])
    for scheme in ("http", "https"):
        assert may_contact(address, port, scheme=scheme, private_hosts=hosts) is is_allowed


def test_empty_entries_of_a_list_setting_are_skipped() -> None:
    assert parse_private_hosts(["", "  "]) == ()


@pytest.mark.parametrize(
    "entry",
    [
        "localhost",
        "127.0.0.1:0",
        "127.0.0.1:70000",
        "127.0.0.1:",
        "127.0.0.1:+80",
        "127.0.0.1/33",
        "nas.lan:80",
        "[::1",
        "*",
    ],
)
def test_wrong_private_host_is_named(entry: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_private_hosts(["127.0.0.1", entry])
    assert entry in str(caught.value) and entry in caught.value.user_message


def test_mapped_address_is_taken_for_what_it_maps() -> None:
    assert parse_address("[::ffff:127.0.0.1]") == ipaddress.ip_address("127.0.0.1")
    assert parse_address("2130706433") is None
    assert not is_public(ipaddress.ip_address("169.254.169.254"))
