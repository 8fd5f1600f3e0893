"""The first of the four steps: one conditional request to the address of a feed, through the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.conf import settings

from common.http import Gate, Redirect, policy_from_settings

MAX_BYTES = 5_000_000
TOTAL_SECONDS = 20.0
MAX_VALIDATOR_BYTES = 4096

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_PERMANENT = (301, 308)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave us to recognise its last answer by, byte for byte. Empty: nothing was given."""

    etag: bytes = b""
    last_modified: bytes = b""

    @property
    def headers(self) -> dict[str, str]:
        """As a conditional request sends them; latin-1 keeps every byte."""
        pairs = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return {name: value.decode("latin-1") for name, value in pairs if value}


NOTHING_KNOWN = Validators()


@dataclass(frozen=True, slots=True)
class Retrieved:
    """An answer with any status. ``moved_to``: where permanent redirects (301, 308) alone led, or ""."""

    status_code: int
    url: str
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    validators: Validators
    moved_to: str
    seconds: float


def open_gate() -> Gate:
    """The gate with the limits for feeds: 5 MB and 20 seconds, also for unencrypted addresses unless forbidden."""
    policy = replace(
        policy_from_settings(),
        total_seconds=TOTAL_SECONDS,
        read_seconds=TOTAL_SECONDS,
        max_bytes=MAX_BYTES,
        allows_plain_http=settings.MASTOSCORE_FEEDS_OVER_HTTP,
    )
    return Gate(policy)


def retrieve(gate: Gate, url: str, known: Validators) -> Retrieved:
    """Ask for the feed unless it is what we know; RemoteError when there is no answer."""
    answer = gate.get(url, headers={"Accept": _ACCEPT, **known.headers})
    return Retrieved(
        status_code=answer.status_code,
        url=answer.url,
        body=answer.body,
        content_type=answer.headers.get("content-type", ""),
        headers=answer.headers,
        validators=Validators(_bytes_of(answer.headers, "etag"), _bytes_of(answer.headers, "last-modified")),
        moved_to=permanent_target(answer.redirects),
        seconds=answer.seconds,
    )


def permanent_target(redirects: tuple[Redirect, ...]) -> str:
    """Where the permanent redirects at the beginning lead; what comes behind a temporary one is its own matter."""
    target = ""
    for redirect in redirects:
        if redirect.status_code not in _PERMANENT:
            break
        target = redirect.url
    return target


def _bytes_of(headers: Mapping[str, str], name: str) -> bytes:
    value = headers.get(name, "").encode("latin-1", "ignore")
    return value if len(value) <= MAX_VALIDATOR_BYTES else b""
