"""Which IP addresses we contact: the public ones, and the private hosts named in the settings. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from common.errors import ConfigurationError

# https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast.
_CLOSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # CGNAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata service of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Only 2000::/3 is global unicast, which leaves out loopback, IPv4-compatible, NAT64, unique-local, link-local,
# site-local and multicast at once; inside it these are closed.
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)


@dataclass(frozen=True, slots=True)
class PrivateHost:
    """Addresses that may be contacted although they are not public, over plain http; ``port`` None means any."""

    network: IPv4Network | IPv6Network
    port: int | None

    def holds(self, address: IPv4Address | IPv6Address, port: int) -> bool:
        return address in self.network and self.port in (None, port)


def parse_private_hosts(texts: Iterable[str]) -> tuple[PrivateHost, ...]:
    """``address-or-network[:port]``, IPv6 with a port in brackets; ConfigurationError names the wrong entry."""
    return tuple(_parse_private_host(text.strip()) for text in texts if text.strip())


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as its digits say, without zone, IPv4-mapped ones as the IPv4 address they mean; else None."""
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address is one of the open internet. Expects mapped ones unwrapped by ``parse_address``."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


def is_private_host(address: IPv4Address | IPv6Address, port: int, private_hosts: Sequence[PrivateHost]) -> bool:
    return any(host.holds(address, port) for host in private_hosts)


def may_contact(
    text: str, port: int, *, scheme: str, private_hosts: Sequence[PrivateHost], allows_plain_http: bool = False
) -> bool:
    """Whether this address may be contacted: private hosts over both schemes, public addresses over https.

    ``allows_plain_http``: public addresses over http too, for what everybody may read, such as feeds.
    """
    address = parse_address(text)
    if address is None:
        return False
    if is_private_host(address, port, private_hosts):
        return True
    return (scheme == "https" or allows_plain_http) and is_public(address)


def _parse_private_host(text: str) -> PrivateHost:
    network_text, port_text = text, ""
    if text.startswith("["):
        network_text, bracket, rest = text[1:].partition("]")
        if not bracket:
            raise _wrong_entry(text)
        suffix, colon, port_text = rest.partition(":")
        network_text += suffix
    elif text.count(":") == 1:
        network_text, colon, port_text = text.partition(":")
    else:
        colon = ""
    try:
        network = ipaddress.ip_network(network_text, strict=False)
        port = int(port_text) if colon else None
    except ValueError:
        raise _wrong_entry(text) from None
    if port is not None and not (port_text.isascii() and port_text.isdigit() and 0 < port < 65536):
        raise _wrong_entry(text)
    return PrivateHost(network, port)


def _wrong_entry(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"private host {text!r} is not address-or-network[:port]",
        user_message=f"“{text}” is not a private host; write an address or network with an optional port, "
        "like 127.1.0.0/16:8000 or [::1]:8000.",
    )
