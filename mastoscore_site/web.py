"""Where the site listens: the address a person gave, the socket, and whether somebody answers there."""

from __future__ import annotations

import errno
import http.client
import ipaddress
import socket
from dataclasses import dataclass

from common.errors import ConfigurationError, MastoscoreError


class AddressTaken(MastoscoreError):
    """The site cannot listen where it was told to."""


@dataclass(frozen=True, slots=True)
class Address:
    """``host`` is an address or a name of this machine; IPv6 without brackets. Port 0: any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """For a browser on this machine."""
        return f"http://{Address(_LOCAL.get(self.host, self.host), self.port)}/"


_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def parse_bind(text: str) -> Address:
    """``address:port``, ``[IPv6]:port`` or a bare port on 127.0.0.1; ConfigurationError otherwise."""
    host, _, port = text.strip().rpartition(":")
    complaint = ConfigurationError(f"“{text}” is not an address to listen on; write it like 127.0.0.1:8000.")
    if not (port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise complaint
    if not host:
        host = "127.0.0.1"
    elif host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise complaint
    elif ":" in host or "/" in host or " " in host:
        raise complaint
    return Address(host, int(port))


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def listen(address: Address) -> socket.socket:
    """A listening socket, to be handed to the web server; AddressTaken with a sentence if that cannot be."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise AddressTaken(f"This machine does not know the address {address.host}.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise AddressTaken(_why_not(address, error)) from error
    return listener


def _why_not(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {address.port} of {address.host} is taken by another program; choose one with --bind."
    if error.errno == errno.EACCES:
        return f"Port {address.port} is not open to you; choose one above 1023 with --bind."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address.host} is not an address of this machine."
    return f"Cannot listen on {address}: {error.strerror}."


def address_of(listener: socket.socket, asked: Address) -> Address:
    """The address with the port that was really given."""
    return Address(asked.host, listener.getsockname()[1])


def is_answering(address: Address) -> bool:
    """Whether a web server answers there, whatever it says."""
    host = _LOCAL.get(address.host, address.host)
    connection = http.client.HTTPConnection(host, address.port, timeout=1)
    try:
        connection.request("GET", "/", headers={"Host": "localhost"})
        connection.getresponse().close()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
