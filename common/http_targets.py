"""Addresses of requests, taken apart and checked before anything is sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from common.addresses import PrivateHost, may_contact, parse_address
from common.http_errors import AddressNotAllowed, InvalidAnswer
from common.servers import normalise_server

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Page after page is asked for at the same address, so those of usual length are remembered for a while.
_MOST_REMEMBERED = 1024
_REMEMBERED_CHARS = 300
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9._~=&+-]*")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. ``server`` is host and port as people write them, ``url`` has no fragment."""

    scheme: str
    host: str
    port: int
    url: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def server(self) -> str:
        return self.host if self.port in _DEFAULT_PORTS.values() else f"{self.host}:{self.port}"


def find_target(url: str, private_hosts: Sequence[PrivateHost], *, sent_by: str = "") -> Target:
    """The target of an address; AddressNotAllowed or InvalidAnswer when it is none that we ask.

    http or https only, no user or password in it, port 80, 443, from 1024 up, or a private host's own.
    ``sent_by`` is the server that redirects there.
    """
    page, mark, query = url.partition("?")
    if mark and _PLAIN_QUERY.fullmatch(query):  # it says nothing about where the request goes
        target = find_target(page, private_hosts, sent_by=sent_by)
        return Target(target.scheme, target.host, target.port, f"{target.url}?{query}")
    read = _known_target if len(url) <= _REMEMBERED_CHARS else _read_target
    return read(url, tuple(private_hosts), sent_by)


def _read_target(url: str, private_hosts: tuple[PrivateHost, ...], sent_by: str) -> Target:
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise _no_address(sent_by) from None
    scheme, host = (parts.scheme or "").lower(), parts.host or ""
    if scheme and scheme not in _DEFAULT_PORTS:
        raise _refused(sent_by or host, "only http and https are spoken here")
    if not scheme or not host or "%" in host:
        raise _no_address(sent_by)
    if parts.auth is not None:
        raise _refused(sent_by or host, "addresses with a user or password in them are not asked")
    port = parts.port or _DEFAULT_PORTS[scheme]
    if port not in (80, 443) and port < 1024 and port not in {entry.port for entry in private_hosts}:
        raise _refused(sent_by or host, f"port {port} is not contacted")
    return Target(scheme, host, port, parts._replace(fragment=None).url)


_known_target = lru_cache(maxsize=_MOST_REMEMBERED)(_read_target)


def is_closed(target: Target, private_hosts: Sequence[PrivateHost]) -> bool:
    """Whether its host is an address that we do not contact, or no name at all. A name may turn out so later."""
    if parse_address(target.host) is None:
        return normalise_server(target.server) is None  # 0x7f.1 is no name, but resolvers know what it means
    return not may_contact(target.host, target.port, scheme=target.scheme, private_hosts=private_hosts)


def _no_address(sent_by: str) -> InvalidAnswer:
    who = f"{sent_by} redirects to" if sent_by else "this is"
    return InvalidAnswer(f"{who} no address", server=sent_by, user_message=f"{who} no address.".capitalize())


def _refused(server: str, reason: str) -> AddressNotAllowed:
    return AddressNotAllowed(
        f"{server}: {reason}", server=server, user_message=f"{server} is not contacted: {reason}."
    )
