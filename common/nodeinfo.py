"""What software a server runs, by its own word: NodeInfo, https://nodeinfo.diaspora.software/protocol.html"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from common.http import Answer, Gate, InvalidAnswer
from common.mastodon_errors import NotFound, RemoteRefused, raise_for_status
from common.servers import server_of_url
from common.text import clean_line

PATH = "/.well-known/nodeinfo"
_SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
_MAX_CHARS = 100
_MAX_LINKS = 20


@dataclass(frozen=True, slots=True)
class Software:
    """Name in lower case and version; both empty when the server has no NodeInfo that makes sense."""

    name: str = ""
    version: str = ""


def fetch_software(gate: Gate, server: str) -> Software:
    """Asks twice: for the index, and for the document it names on the same server. Raises only what may pass by."""
    try:
        path = _find_document(_read(gate.get(f"{gate.base_url(server)}{PATH}"), server), server)
        if path is None:
            return Software()
        value = _read(gate.get(f"{gate.base_url(server)}{path}"), server)
    except (NotFound, RemoteRefused, InvalidAnswer):
        return Software()
    software = value.get("software")
    known: dict[str, Any] = software if isinstance(software, dict) else {}
    return Software(_line(known.get("name")).lower(), _line(known.get("version")))


def _find_document(index: dict[str, Any], server: str) -> str | None:
    """Path of the document of the newest schema; one on another host is nobody's word."""
    links = index.get("links")
    found = [
        (link["rel"], link["href"])
        for link in (links[:_MAX_LINKS] if isinstance(links, list) else [])
        if isinstance(link, dict) and isinstance(link.get("rel"), str) and isinstance(link.get("href"), str)
    ]
    fitting = [(rel, href) for rel, href in found if rel.startswith(_SCHEMA) and server_of_url(href) == server]
    return urlsplit(max(fitting)[1]).path or None if fitting else None


def _read(answer: Answer, server: str) -> dict[str, Any]:
    raise_for_status(answer, server)
    value = answer.json()
    return value if isinstance(value, dict) else {}


def _line(value: object) -> str:
    return clean_line(value[:_MAX_CHARS]) if isinstance(value, str) else ""
