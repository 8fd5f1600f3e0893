"""Addresses of feeds: one spelling each, so that one address is fetched once. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from common.errors import RemoteError
from common.http_targets import find_target
from feeds.errors import InvalidAddress
from feeds.models import MAX_ADDRESS_CHARS

_INVALID = "Please provide a valid URL (must start with http:// or https://)."


def normalise_address(text: str) -> str:
    """The address with scheme and host in lower case, without fragment and default port.

    ``feed:`` in front, as some buttons have it, is dropped. InvalidAddress when it is no http(s) address.
    """
    address = text.strip()
    if address.lower().startswith("feed:"):
        address = address[5:] if address[5:].lower().startswith(("http://", "https://")) else f"https:{address[5:]}"
    if not address.lower().startswith(("http://", "https://")) or len(address) > MAX_ADDRESS_CHARS:
        raise InvalidAddress(_INVALID)
    try:
        target = find_target(address, ())
    except RemoteError:
        raise InvalidAddress(_INVALID) from None
    parts = urlsplit(target.url)
    if parts.hostname is None or len(target.url) > MAX_ADDRESS_CHARS:
        raise InvalidAddress(_INVALID)
    is_default = target.port == (443 if target.scheme == "https" else 80)
    netloc = target.host if is_default else f"{target.host}:{target.port}"
    return parts._replace(scheme=target.scheme, netloc=netloc.lower(), path=parts.path or "/").geturl()


def host_of(address: str) -> str:
    """Host with port of a normalised address: what gets one request at a time."""
    return urlsplit(address).netloc


def address_or_empty(text: str) -> str:
    """The address in its one spelling, or "" when it is none."""
    try:
        return normalise_address(text)
    except InvalidAddress:
        return ""
