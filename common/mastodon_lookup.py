"""One toot, looked up again where it was written: is it still there, still public, what does its author say today?

Asked as a stranger, first by the Mastodon API, then by ActivityPub (https://www.w3.org/TR/activitypub/#retrieving-objects),
which servers of every kind speak. Spells API paths and keys, as ``common.mastodon`` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from common.errors import RemoteError
from common.http import Answer, Gate
from common.json_reading import NotJson, read_json
from common.mastodon_errors import NotFound, raise_for_status
from common.robots import RobotsRules
from common.servers import server_of_url
from common.toots import Toot, parse_status
from common.uris import identify

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
_ACTIVITY = 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
_LOOKUP_SECONDS = 15.0
_MAX_FIELDS = 50


class Standing(Enum):
    SHOWN = "shown"
    NOT_PUBLIC = "not public any more"
    GONE = "deleted"
    UNKNOWN = "not found out"


@dataclass(frozen=True, slots=True)
class Finding:
    """``toot``: as it is now, if it was shown (its counts only if the API told them). ``detail``: why not known."""

    standing: Standing
    toot: Toot | None = None
    detail: str = ""


def look_up(gate: Gate, uri: str, url: str, *, robots: RobotsRules) -> Finding:
    """What the toot's own server says of it. Never raises a RemoteError: that is UNKNOWN with a sentence."""
    try:
        found = _by_api(gate, uri, url, robots)
        return found or _by_activity(gate, uri, robots)
    except RemoteError as error:
        return Finding(Standing.UNKNOWN, detail=error.user_message)


def judge(toot: Toot) -> Finding:
    """A copy of the toot as a finding."""
    standing = Standing.SHOWN if toot.visibility == "public" else Standing.NOT_PUBLIC
    return Finding(standing, toot)


def _by_api(gate: Gate, uri: str, url: str, robots: RobotsRules) -> Finding | None:
    """None if the API does not know; that it does not have the toot is for the toot's own address to confirm."""
    server = server_of_url(uri)
    if server is None:
        return Finding(Standing.UNKNOWN, detail="It has no address to ask at.")
    for id in dict.fromkeys(filter(None, (_last_part(uri), _last_part(url)))):
        path = f"/api/v1/statuses/{id}"
        if not robots.allows(path):
            continue
        answer = _get(gate, f"{gate.base_url(server)}{path}", "application/json")
        if answer.status_code == 410:
            return Finding(Standing.GONE)
        toot = parse_status(_json_of(answer), server=server) if answer.status_code == 200 else None
        if toot is not None and toot.uri == uri:
            return judge(toot)
    return None


def _by_activity(gate: Gate, uri: str, robots: RobotsRules) -> Finding:
    server = server_of_url(uri)
    if server is None or not robots.allows(urlsplit(uri).path or "/"):
        return Finding(Standing.UNKNOWN, detail=f"{server or 'Its server'} asks robots like us to stay away.")
    answer = _get(gate, _address_of(gate, uri, server), _ACTIVITY)
    try:
        raise_for_status(answer, server)
    except NotFound:
        return Finding(Standing.GONE)
    value = _json_of(answer)
    if not isinstance(value, dict) or _spelt(value.get("id")) != uri:
        return Finding(Standing.UNKNOWN, detail=f"{server} does not show its toots to other programs.")
    if value.get("type") == "Tombstone":
        return Finding(Standing.GONE)
    if not _PUBLIC & _texts(value.get("to")):
        return Finding(Standing.NOT_PUBLIC)
    return _toot_of(gate, server, uri, value)


def _toot_of(gate: Gate, server: str, uri: str, value: dict[str, Any]) -> Finding:
    actor = _actor(gate, server, value.get("attributedTo"))
    status = {
        "uri": uri,
        "url": next(iter(_texts(value.get("url"))), uri),
        "content": value.get("content"),
        "spoiler_text": value.get("summary"),
        "created_at": value.get("published"),
        "edited_at": value.get("updated"),
        "visibility": "public",
        "account": actor,
    }
    toot = parse_status(status, server=server)
    if toot is None:
        return Finding(Standing.UNKNOWN, detail=f"{server} sent something that makes no sense.")
    return Finding(Standing.SHOWN, toot)


def _actor(gate: Gate, server: str, address: object) -> dict[str, Any]:
    """The author as an account of the API; RemoteError when they cannot be asked for, as then no wish is known."""
    if not isinstance(address, str) or server_of_url(address) != server:
        return {}
    answer = _get(gate, _address_of(gate, address, server), _ACTIVITY)
    raise_for_status(answer, server)
    value = _json_of(answer)
    value = value if isinstance(value, dict) else {}
    fields = value.get("attachment")
    return {
        "username": value.get("preferredUsername"),
        "display_name": value.get("name"),
        "url": address,
        "note": value.get("summary"),
        "fields": fields[:_MAX_FIELDS] if isinstance(fields, list) else [],
        "bot": value.get("type") in ("Service", "Application"),
        "discoverable": value.get("discoverable"),
        "indexable": value.get("indexable"),
    }


def _get(gate: Gate, address: str, accept: str) -> Answer:
    return gate.get(address, headers={"Accept": accept}, total_seconds=_LOOKUP_SECONDS, max_redirects=3)


def _address_of(gate: Gate, address: str, server: str) -> str:
    """The same address under the scheme that the gate uses for that server."""
    parts = urlsplit(address)
    query = f"?{parts.query}" if parts.query else ""
    return f"{gate.base_url(server)}{parts.path or '/'}{query}"


def _json_of(answer: Answer) -> object:
    try:
        return read_json(answer.body)
    except NotJson:
        return None


def _last_part(address: str) -> str:
    part = urlsplit(address).path.rstrip("/").rpartition("/")[2]
    return part if _ID.fullmatch(part) else ""


def _spelt(address: object) -> str:
    found = identify(address)
    return found[0] if found else ""


def _texts(value: object) -> set[str]:
    rows = value if isinstance(value, list) else [value]
    return {row for row in rows if isinstance(row, str)}
