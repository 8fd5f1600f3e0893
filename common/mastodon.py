"""Client of one server that speaks the Mastodon API; its paths are spelt here and in the ``mastodon_*`` beside it.

https://docs.joinmastodon.org/methods/timelines/#tag, /methods/accounts/#verify_credentials, /methods/instance/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from common.http import Answer, Gate, InvalidAnswer
from common.mastodon_errors import (
    NotFound,
    RateLimited,
    RemoteRefused,
    ServerFault,
    raise_for_status,
    read_number,
    read_reset,
    retry_after_seconds,
)
from common.statuses import read_statuses
from common.text import clean_line
from common.times import now_utc
from common.toots import Seen, glance, parse_id
from common.uris import web_address

__all__ = [
    "AccountFacts",
    "InstanceLimits",
    "MastodonServer",
    "NotFound",
    "PageFacts",
    "RateLimited",
    "RemoteRefused",
    "ServerFault",
    "TimelinePage",
    "hashtag_path",
    "page_facts",
    "retry_after_seconds",
]

PAGE_SIZE = 40
_ACCOUNT_KEYS = ("id", "username", "acct", "display_name", "url", "bot", "locked", "created_at")
_MAX_FACT_CHARS = 500


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What an answer cost, and what the server says about its rate limit, if it does."""

    status_code: int
    received_bytes: int
    seconds: float
    rate_remaining: int | None
    rate_reset_at: datetime | None


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """One page of a hashtag timeline: readable toots in the order sent, how many rows made no sense, all rows.

    Of toots from the Mastodon API only a Glimpse is taken at first. ``last_id`` is the id of the last row that has
    one, the ``max_id`` of the next page.
    """

    toots: tuple[Seen, ...]
    unreadable: int
    row_count: int
    last_id: str | None
    answer: PageFacts


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """Whom a token belongs to. ``server_url`` is the address of the server, ``raw`` a few short facts to be kept."""

    username: str
    server_url: str
    display_name: str
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InstanceLimits:
    """What a toot may hold; the defaults are what Mastodon has always allowed."""

    max_characters: int = 500
    characters_per_url: int = 23
    description_limit: int = 1500
    max_media: int = 4


def hashtag_path(hashtag: str) -> str:
    """Path of a hashtag's timeline, as robots.txt is asked about it."""
    return f"/api/v1/timelines/tag/{quote(hashtag, safe='')}"


class MastodonServer:
    """One server, asked as a stranger or, with a token, as somebody. Keeps no state but its gate.

    ``on_page`` is called when a page has come, before the work on it begins.
    """

    def __init__(
        self,
        gate: Gate,
        server: str,
        *,
        token: str = "",
        on_page: Callable[[], None] = lambda: None,
    ) -> None:
        self._gate = gate
        self._on_page = on_page
        self._token = token
        self.server = server

    def hashtag_page(
        self, hashtag: str, *, max_id: str | None = None, is_local: bool = False, limit: int = PAGE_SIZE
    ) -> TimelinePage:
        """One page, newest first as the server sees it. Whatever number of rows comes is taken.

        Raises RemoteRefused (401, 403, 422), NotFound (404, 410), RateLimited, ServerFault, InvalidAnswer (any other
        status, or no list), and what the gate raises.
        """
        params: dict[str, str | int] = {"limit": limit}
        if max_id:
            params["max_id"] = max_id
        if is_local:
            params["local"] = "true"
        answer = self._get(hashtag_path(hashtag), params)
        self._on_page()
        rows = answer.json(read_statuses)
        if rows is None:
            raise self._no_sense(answer, "no list of statuses")
        toots = [toot for row in rows if (toot := glance(row, server=self.server)) is not None]
        ids = (parse_id(row.id) for row in reversed(rows) if row is not None)
        return TimelinePage(
            toots=tuple(toots),
            unreadable=len(rows) - len(toots),
            row_count=len(rows),
            last_id=next(filter(None, ids), None),
            answer=page_facts(answer),
        )

    def verify_credentials(self) -> AccountFacts:
        """Whom the token belongs to. RemoteRefused when the server does not take it, in whatever way it says so."""
        answer = self._gate.get(self._address("/api/v1/accounts/verify_credentials"), **self._options())
        if answer.status_code == 400:  # with a page of HTML, on some servers
            raise RemoteRefused(
                f"{self.server} answered 400 to the token",
                server=self.server,
                permanent=True,
                status_code=400,
                user_message=f"{self.server} did not accept the account's token.",
            )
        raise_for_status(answer, self.server, token=self._token)
        account = answer.json()
        username = _fact(account.get("username")) if isinstance(account, dict) else None
        if not isinstance(username, str) or not username:
            raise self._no_sense(answer, "no account")
        return AccountFacts(
            username=username,
            server_url=self._gate.base_url(self.server),
            display_name=str(_fact(account.get("display_name")) or username),
            raw={key: _fact(account[key]) for key in _ACCOUNT_KEYS if key in account},
        )

    def instance_limits(self) -> InstanceLimits:
        """The server's limits by its v2 description, else by v1, else Mastodon's usual ones.

        Raises only what the gate raises when the server cannot be reached at all.
        """
        for path in ("/api/v2/instance", "/api/v1/instance"):
            try:
                description = self._get(path, {}).json()
            except (RemoteRefused, NotFound, ServerFault, RateLimited, InvalidAnswer):
                continue
            if isinstance(description, dict) and (limits := _read_limits(description)) is not None:
                return limits
        return InstanceLimits()

    def _get(self, path: str, params: Mapping[str, str | int]) -> Answer:
        answer = self._gate.get(self._address(path), params=params, **self._options())
        raise_for_status(answer, self.server, token=self._token)
        return answer

    def _address(self, path: str) -> str:
        return f"{self._gate.base_url(self.server)}{path}"

    def _options(self) -> dict[str, Any]:
        return {"headers": {"Accept": "application/json"}, "token": self._token}

    def _no_sense(self, answer: Answer, what: str) -> InvalidAnswer:
        return InvalidAnswer(
            f"{self.server} sent {what}",
            server=self.server,
            status_code=answer.status_code,
            user_message=f"{self.server} sent something that makes no sense.",
        )


def page_facts(answer: Answer) -> PageFacts:
    """What of an answer is kept beside its toots."""
    return PageFacts(
        status_code=answer.status_code,
        received_bytes=answer.received_bytes,
        seconds=answer.seconds,
        rate_remaining=read_number(answer.headers.get("x-ratelimit-remaining")),
        rate_reset_at=read_reset(answer.headers.get("x-ratelimit-reset"), now=now_utc()),
    )


def _fact(value: object) -> str | int | bool | None:
    """A value that may be kept about an account: short text, number, yes or no."""
    if isinstance(value, str):
        return web_address(value) or clean_line(value[:_MAX_FACT_CHARS])
    return value if isinstance(value, int) and abs(value) < 10**18 else None


def _read_limits(description: dict[str, Any]) -> InstanceLimits | None:
    """Limits of an instance, v1 or v2; None if it mentions none. (Pleroma has its own names in v1.)"""
    configuration = _part(description, "configuration")
    statuses, media = _part(configuration, "statuses"), _part(configuration, "media_attachments")
    found = {
        "max_characters": _limit(statuses.get("max_characters")) or _limit(description.get("max_toot_chars")),
        "characters_per_url": _limit(statuses.get("characters_reserved_per_url")),
        "description_limit": _limit(media.get("description_limit")) or _limit(description.get("description_limit")),
        "max_media": _limit(statuses.get("max_media_attachments")),
    }
    named = {name: value for name, value in found.items() if value is not None}
    return InstanceLimits(**named) if named else None


def _part(value: dict[str, Any], key: str) -> dict[str, Any]:
    part = value.get(key)
    return part if isinstance(part, dict) else {}


def _limit(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**7 else None
