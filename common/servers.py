"""Names of servers: one spelling each, so that one server is asked once."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from common.errors import ConfigurationError

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def normalise_server(text: str) -> str | None:
    """The one spelling of a server's name: lower case, IDN as ``xn--``, no trailing dot, port unless 80 or 443.

    Takes ``host``, ``host:port`` or ``[v6]:port``; None for anything that cannot be the name of a host,
    among it single labels (``localhost``) and hosts with a path or user part.
    """
    text = text.strip().lower()
    if not text or len(text) > 262 or any(c in text for c in "/@?#\\ \t\r\n%"):
        return None
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or port == 0:
        return None
    suffix = f":{port}" if port not in (None, 80, 443) else ""
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host)}]{suffix}"
        except ValueError:
            return None
    host = host.rstrip(".")
    try:
        return f"{ipaddress.IPv4Address(host)}{suffix}"
    except ValueError:
        pass  # not a dotted address: a name, looked at below
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if labels[-1].isdigit():  # 127.1, 0x7f.1 and friends: numbers that resolvers take for addresses
        return None
    return f"{host}{suffix}"


def server_of_url(url: str) -> str | None:
    """The server named in an http(s) address, or None if there is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https"):
        return None
    return normalise_server(parts.netloc.rpartition("@")[2])


def parse_server(text: str) -> str:
    """What a person typed for a server (name or address) as a name; ConfigurationError if it is none."""
    server = server_of_url(text) if "://" in text else normalise_server(text.strip().rstrip("/"))
    if server is None:
        raise ConfigurationError(
            f"{text!r} is not a server", user_message=f"“{text}” is not the name or address of a server."
        )
    return server
