"""The first of the four steps: one conditional request to the address of a feed, through the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.conf import settings

from common.errors import RemoteError
from common.http import AddressNotAllowed, Gate, Redirect, policy_from_settings
from common.http_targets import find_target
from common.lines import Line
from common.transport import find_addresses
from feeds.addresses import normalise_address
from feeds.errors import InvalidAddress

MAX_BYTES = 5_000_000
MAX_VALIDATOR_BYTES = 4096
LOOK_UP_SECONDS = 3.0

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
    """The gate with the limits for feeds: 5 MB and some seconds, also for unencrypted addresses unless forbidden."""
    policy = replace(
        policy_from_settings(),
        total_seconds=settings.MASTOSCORE_FEED_SECONDS,
        read_seconds=settings.MASTOSCORE_FEED_SECONDS,
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


def refuse_closed_address(url: str, *, allows_plain_http: bool | None = None) -> str:
    """The address in its one spelling; InvalidAddress when it is one that we would not contact.

    A name that cannot be looked up just now passes: the gate has the last word whenever it is asked. Not for use in a
    transaction, as the look-up may take a few seconds.
    """
    url = normalise_address(url)
    policy = policy_from_settings()
    may_be_plain = settings.MASTOSCORE_FEEDS_OVER_HTTP if allows_plain_http is None else allows_plain_http
    try:
        target = find_target(url, policy.private_hosts)
        line = Line(
            seconds=LOOK_UP_SECONDS,
            max_bytes=0,
            private_hosts=policy.private_hosts,
            allows_plain_http=may_be_plain,
        )
        line.server = target.server
        find_addresses(target.host, target.port, target.scheme, line)
    except AddressNotAllowed as error:
        raise InvalidAddress(str(error), user_message=error.user_message) from error
    except RemoteError:
        return url
    return url


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
