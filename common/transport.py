"""Connections that check the address they connect to, in pools of urllib3.

The host name stays what it was for Host header, SNI and certificate; only which addresses it may stand for is ours to
say, at the moment of connecting, so that neither redirects nor a resolver that changes its mind get past.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import logging
import socket
import ssl
import threading
from functools import partial
from typing import Any, cast

import certifi
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from common.addresses import is_public, may_contact, parse_address
from common.errors import RemoteError
from common.http_errors import AddressNotAllowed, TimedOut, Unreachable
from common.lines import Line, current_line, shut

# It warns of odd headers and full pools, quoting addresses with their query, which may hold a key.
# As filters, not as levels: whoever sets up logging anew later may change a level of urllib3's.
for _name in ("urllib3.connectionpool", "urllib3.connection"):
    logging.getLogger(_name).addFilter(lambda record: record.levelno >= logging.ERROR)

_MAX_ADDRESSES = 6
_shared_context: list[ssl.SSLContext] = []
_shared_context_lock = threading.Lock()


def shared_ssl_context() -> ssl.SSLContext:
    """One context for the process, as loading the CA bundle takes 20 ms."""
    with _shared_context_lock:
        if not _shared_context:
            context = ssl.create_default_context(cafile=certifi.where())
            context.set_alpn_protocols(["http/1.1"])
            _shared_context.append(context)
        return _shared_context[0]


class _MeteredFile(io.RawIOBase):
    """What arrives on a socket, counted on its line: headers, chunk sizes and body alike."""

    def __init__(self, source: io.RawIOBase, line: Line) -> None:
        super().__init__()
        self._source = source
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        received = cast("int | None", self._source.readinto(buffer))
        if received:
            self._line.count(received)
        return received

    def fileno(self) -> int:
        return self._source.fileno()

    def close(self) -> None:
        self._source.close()
        super().close()


class _MeteredSocket:
    """The part of a socket that http.client asks an answer's bytes from."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        source = cast(io.RawIOBase, self._sock.makefile("rb", buffering=0))
        return io.BufferedReader(_MeteredFile(source, current_line()), 65_536)


class _MeteredResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast(socket.socket, _MeteredSocket(sock)), *args, **kwargs)


class _Checked(HTTPConnection):
    """A connection to a checked address that the line of its request can shut."""

    response_class = _MeteredResponse
    _exchanges = 0
    _scheme = "http"

    def _new_conn(self) -> socket.socket:
        self._exchanges = 0
        line = current_line()
        addresses = find_addresses(self._dns_host, self.port, self._scheme, line)
        seconds = self.timeout if isinstance(self.timeout, int | float) else line.seconds_left()
        return _connect_to_any(addresses, line, seconds, list(self.socket_options or ()))

    def request(self, *args: Any, **kwargs: Any) -> None:
        line = current_line()
        if self.sock is not None:
            line.attach(partial(shut, self.sock))
            line.is_reused = self._exchanges > 0
        super().request(*args, **kwargs)
        self._exchanges += 1


class _CheckedTls(_Checked, HTTPSConnection):
    _scheme = "https"
    _handle: socket.socket | None = None

    def connect(self) -> None:
        """Shake hands while the line holds a second handle: the first one becomes useless when TLS takes it over."""
        try:
            super().connect()
            current_line().attach(partial(shut, self.sock))
        finally:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        self._handle = sock.dup()
        try:
            current_line().attach(partial(shut, self._handle))
        except RemoteError:
            sock.close()
            raise
        return sock


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedTls


def open_pool(scheme: str, host: str, port: int, ssl_context: ssl.SSLContext) -> HTTPConnectionPool:
    """The way to one server: one connection that stays open between requests."""
    if scheme == "https":
        return _HttpsPool(host, port, maxsize=1, ssl_context=ssl_context)
    return _HttpPool(host, port, maxsize=1)


Address = tuple[socket.AddressFamily, Any]


def find_addresses(host: str, port: int, scheme: str, line: Line) -> list[Address]:
    """Family and socket address of every address of ``host`` that we may contact, asked for once, in their order.

    Unreachable if there is no such name, AddressNotAllowed if it has only addresses that are closed to us.
    """
    literal = parse_address(host)
    if literal is not None:
        family = socket.AF_INET if literal.version == 4 else socket.AF_INET6
        found: list[Address] = [(family, (str(literal), port))]
    else:
        found = list(dict.fromkeys((answer[0], answer[4]) for answer in _Lookup(host, port).wait(line)))
    allowed = [
        (family, address)
        for family, address in found
        if may_contact(
            str(address[0]),
            port,
            scheme=scheme,
            private_hosts=line.private_hosts,
            allows_plain_http=line.allows_plain_http,
        )
    ]
    if not found:
        raise _unknown_name(line.server)
    if not allowed:
        raise _closed_address(line.server, scheme, [str(address[0]) for _, address in found])
    return allowed[:_MAX_ADDRESSES]


class _Lookup:
    """A question to the resolver in a thread of its own, as it can neither be stopped nor given a deadline."""

    def __init__(self, host: str, port: int) -> None:
        self._question = (host, port)
        self._answers: list[Any] = []
        self._ended = threading.Event()

    def wait(self, line: Line) -> list[Any]:
        """What getaddrinfo says; nothing when it knows no such name."""
        line.attach(self._ended.set)
        threading.Thread(target=self._ask, name="gate-lookup", daemon=True).start()
        self._ended.wait(line.seconds_left())
        line.check()
        return self._answers

    def _ask(self) -> None:
        # UnicodeError: a label longer than names may have.
        with contextlib.suppress(OSError, UnicodeError):
            self._answers = socket.getaddrinfo(*self._question, type=socket.SOCK_STREAM)
        self._ended.set()


def _connect_to_any(
    addresses: list[Address], line: Line, seconds: float, options: list[tuple[Any, ...]]
) -> socket.socket:
    trouble: OSError | None = None
    for family, address in addresses:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            line.attach(partial(shut, sock))
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(max(0.001, min(seconds, line.seconds_left())))
            sock.connect(address)
        except OSError as error:
            sock.close()
            trouble = error
            line.check()
        except RemoteError:
            sock.close()
            raise
        else:
            return sock
    raise _no_connection(line.server, trouble) from trouble


def _unknown_name(server: str) -> Unreachable:
    return Unreachable(
        f"no address found for {server}",
        server=server,
        user_message=f"{server} could not be reached: there is no such name.",
    )


def _closed_address(server: str, scheme: str, addresses: list[str]) -> AddressNotAllowed:
    parsed = [address for address in map(parse_address, addresses) if address is not None]
    if scheme == "http" and any(map(is_public, parsed)):
        return AddressNotAllowed(
            f"{server} would be asked over plain http, which we speak to private hosts only",
            server=server,
            user_message=f"{server} was to be asked without encryption, which we do not do.",
        )
    return AddressNotAllowed(
        f"{server} has no address that we contact",
        server=server,
        user_message=f"{server} has an address that we do not contact (private or reserved).",
    )


def _no_connection(server: str, trouble: OSError | None) -> RemoteError:
    if isinstance(trouble, TimeoutError):
        return TimedOut(
            f"{server} did not take the connection in time",
            server=server,
            user_message=f"{server} took too long to answer.",
        )
    reason = (trouble.strerror if trouble else None) or "no connection"
    return Unreachable(
        f"cannot connect to {server}: {reason}", server=server, user_message=f"{server} could not be reached."
    )
