"""What a server asks robots to leave alone: robots.txt by RFC 9309.

https://www.rfc-editor.org/rfc/rfc9309.html: the most specific rule counts, not the first one, and rules may hold
``*`` and ``$``; the parser of the standard library knows neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

from common.http import Gate, InvalidAnswer, LeadsElsewhere, TooLarge, TooManyRedirects
from common.mastodon_errors import raise_for_status

AGENT = "mastoscore"
_MAX_BYTES = 500_000  # what RFC 9309 asks of a reader
_MAX_RULES = 5_000

Verdict = Literal["allowed", "forbidden", "none"]


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """The rules for us: (path pattern, whether it allows). ``has_file`` False means the server has no robots.txt."""

    rules: tuple[tuple[str, bool], ...] = ()
    has_file: bool = True

    def allows(self, path: str) -> bool:
        """Whether we may ask for the path (with its query): the longest rule that fits says so, a draw allows."""
        if path == "/robots.txt":
            return True
        asked = _spelt(path)
        fitting = [(len(pattern), is_allowed) for pattern, is_allowed in self.rules if _fits(pattern, asked)]
        return max(fitting)[1] if fitting else True

    def verdict(self, path: str) -> Verdict:
        if not self.has_file:
            return "none"
        return "allowed" if self.allows(path) else "forbidden"


def fetch_robots(gate: Gate, server: str, *, base_url: str = "") -> RobotsRules:
    """What ``server`` asks of us; ``base_url`` is where it is, unless it is where the gate would look for it.

    No file (any 4xx but 429) allows everything; other failures are raised as they are. So does one that is no file of
    rules by any reading: endless, behind endless redirects, or on another server.
    """
    try:
        base_url = base_url or gate.base_url(server)
        answer = gate.get(f"{base_url}/robots.txt", max_bytes=_MAX_BYTES, headers={"Accept": "text/plain"})
    except (TooLarge, TooManyRedirects, InvalidAnswer, LeadsElsewhere):
        return RobotsRules(has_file=False)
    if 400 <= answer.status_code < 500 and answer.status_code != 429:
        return RobotsRules(has_file=False)
    raise_for_status(answer, server)
    return parse_robots(answer.body.decode("utf-8-sig", "replace"))


def parse_robots(text: str, agent: str = AGENT) -> RobotsRules:
    """The rules of the groups that name ``agent``, else of those for ``*``; other lines are passed over."""
    groups: dict[str, list[tuple[str, bool]]] = {}
    agents: list[str] = []
    is_naming = False
    for line in text.splitlines():
        field, colon, value = line.partition("#")[0].partition(":")
        field, value = field.strip().lower(), value.strip()
        if not colon:
            continue
        if field == "user-agent":
            agents = [*agents, _product(value)] if is_naming else [_product(value)]
            groups.setdefault(agents[-1], [])
            is_naming = True
        elif field in ("allow", "disallow"):
            is_naming = False
            for name in agents:
                if value and len(groups[name]) < _MAX_RULES:
                    groups[name].append((_spelt(value), field == "allow"))
    return RobotsRules(tuple(groups.get(agent, groups.get("*", []))))


def _product(value: str) -> str:
    return value.partition("/")[0].strip().lower()


def _spelt(path: str) -> str:
    """One spelling for what may be percent-encoded or not; ``*``, ``$`` and ``%2F`` keep their meaning."""
    parts = path.replace("%2f", "%2F").split("%2F")
    return "%2F".join(quote(unquote(part), safe="/*$?=&:,;@+!~'()[]") for part in parts)


def _fits(pattern: str, path: str) -> bool:
    """Whether the pattern fits from the start of the path. Piece after piece, so that many ``*`` cost nothing."""
    is_whole = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if not rest:
        return not is_whole or at == len(path)
    last = rest.pop() if is_whole else ""
    for piece in rest:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not is_whole or (path.endswith(last) and len(path) - len(last) >= at)
