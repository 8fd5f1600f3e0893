"""What two addresses of one page have in common, as a short key. Pure."""

from __future__ import annotations

import hashlib
from urllib.parse import unquote, urlsplit

from feeds.trackers import without_tracking

_DEFAULT_PORTS = (":80", ":443")


def link_digest(url: str) -> str:
    """32 hex digits, equal for addresses that mean the same page; "" for what is no address of a page.

    Scheme, ``www.``, default port, case of the host, tracking parameters, order of the others, fragment and a slash
    at the end make no difference. The front page of a site gets none either: feeds that know no better name it for
    all of their entries.
    """
    try:
        parts = urlsplit(without_tracking(url))
        host = parts.netloc.lower()
    except ValueError:
        return ""
    for port in _DEFAULT_PORTS:
        host = host.removesuffix(port)
    host = host.rstrip(".").removeprefix("www.")
    path = unquote(parts.path).rstrip("/")
    if parts.scheme.lower() not in ("http", "https") or not host or not (path or parts.query):
        return ""
    query = "&".join(sorted(filter(None, parts.query.split("&"))))
    return hashlib.sha256(f"{host}{path}?{query}".encode("utf-8", "replace")).hexdigest()[:32]
