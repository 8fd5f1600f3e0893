"""From where a request comes."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(request: HttpRequest) -> IpAddress | None:
    """The address of the client; None when it cannot be told (a Unix socket).

    Behind ``PROXIES`` proxies of our own it is the entry of ``X-Forwarded-For`` that the outermost of them wrote;
    what stands further left is the client's own word. Without proxies the header is not looked at.
    """
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    proxies: int = settings.PROXIES
    text = hops[-proxies] if 0 < proxies <= len(hops) else request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def client_key(request: HttpRequest) -> str:
    """One key for one customer of a provider: an IPv4 address, or the /64 network that an IPv6 host may roam in."""
    address = client_address(request)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address or "unknown")
