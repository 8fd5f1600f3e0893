"""HTTP ``Link`` headers (RFC 8288): feeds, hubs and the address a feed calls its own. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from feeds.links import absolute_url

_MAX_HEADER_CHARS = 20_000
_LINK = re.compile(r"<([^<>]{1,2000})>((?:\s*;\s*[\w!#$&+.^`|~*-]{1,40}(?:\s*=\s*(?:\"[^\"]*+\"|[^\s\",;]*+))?)*+)")
_PARAMETER = re.compile(r";\s*([\w!#$&+.^`|~*-]{1,40})\s*=\s*(?:\"([^\"]*+)\"|([^\s\",;]*+))")


@dataclass(frozen=True, slots=True)
class HeaderLink:
    """One link: absolute address, relations and media type in lower case."""

    url: str
    rels: tuple[str, ...]
    media_type: str
    title: str


def parse_link_header(header: str, *, base: str) -> list[HeaderLink]:
    """The links of the header (several headers joined by commas are one), at most 50; odd parts are passed over."""
    found = []
    for match in list(_LINK.finditer(header[:_MAX_HEADER_CHARS]))[:50]:
        url = absolute_url(match[1], base)
        values = {name.lower(): quoted or bare for name, quoted, bare in reversed(_PARAMETER.findall(match[2]))}
        if url:
            rels = tuple(values.get("rel", "").lower().split())
            media_type = values.get("type", "").partition(";")[0].strip().lower()
            found.append(HeaderLink(url, rels, media_type, values.get("title", "")))
    return found


def hub_links(header: str, *, url: str) -> tuple[tuple[str, ...], str]:
    """The WebSub hubs that a ``Link`` header offers, and the address the feed has there ("" if it names none)."""
    links = parse_link_header(header, base=url)
    hubs = dict.fromkeys(link.url for link in links if "hub" in link.rels)
    return tuple(hubs), next((link.url for link in links if "self" in link.rels), "")
