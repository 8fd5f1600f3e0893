"""HTTP statuses of servers as errors that say whether and when to ask again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from common.errors import RemoteError
from common.http import Answer, InvalidAnswer
from common.json_reading import NotJson, read_json
from common.text import clean_line
from common.times import now_utc, parse_moment

_MAX_WAIT_SECONDS = 3600.0
_MAX_REASON_CHARS = 200
_HTTP_DATE = re.compile(r"[A-Za-z]{3,9},? \d{1,2}[ -][A-Za-z]{3}[ -]\d{2,4} \d{2}:\d{2}:\d{2}(?: GMT| UTC)?")
_SECONDS = re.compile(r"(?<![\d.:/-])\d{1,300}(?:\.\d+)?(?![\d.:/-])")


class RemoteRefused(RemoteError):
    """The server does not let us (401, 403, 422): for this run its last word."""


class NotFound(RemoteError):
    """There is no such thing here (404, 410).

    ``speaks_api``: the answer has the form of the API's own errors, so the thing is missing rather than the API
    (GoToSocial says 404 for a hashtag nobody used yet).
    """

    speaks_api = False


class RateLimited(RemoteError):
    """Too many requests (429); ``retry_after`` seconds if the server says when."""


class ServerFault(RemoteError):
    """The server has a fault of its own (5xx)."""


def raise_for_status(answer: Answer, server: str, *, token: str = "") -> None:
    """Nothing for 2xx, the fitting RemoteError for all else. The server's own words go into the log's text only."""
    status_code = answer.status_code
    if 200 <= status_code < 300:
        return
    reason, speaks_api = read_error(answer.body, token=token)
    message = f"{server} answered {status_code}" + (f": {reason}" if reason else "")
    if status_code in (401, 403, 422):
        refused = f"{server} did not accept the account's token." if token else f"{server} does not let strangers in."
        raise RemoteRefused(message, server=server, permanent=True, status_code=status_code, user_message=refused)
    if status_code in (404, 410):
        told = f"{server} does not have what we asked for."
        missing = NotFound(message, server=server, permanent=True, status_code=status_code, user_message=told)
        missing.speaks_api = speaks_api
        raise missing
    pause = wait_seconds(answer.headers, now=now_utc())
    if status_code == 429:
        told = f"{server} asked us to come back later."
        raise RateLimited(message, server=server, retry_after=pause, status_code=status_code, user_message=told)
    if status_code >= 500:
        told = f"{server} has a fault of its own ({status_code})."
        raise ServerFault(message, server=server, retry_after=pause, status_code=status_code, user_message=told)
    raise InvalidAnswer(
        message,
        server=server,
        status_code=status_code,
        user_message=f"{server} answered something unexpected ({status_code}).",
    )


def read_error(body: bytes, *, token: str = "") -> tuple[str, bool]:
    """The server's words about what went wrong, as one short line without the token, and whether they are the API's.

    Bodies are ``{"error": text}``, ``{"error": object}``, HTML or nothing.
    """
    try:
        value = read_json(body)
    except NotJson:
        return "", False
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, dict):
        told = error.get("message")
        return (_short(told, token) if isinstance(told, str) else ""), False
    return (_short(error, token), True) if isinstance(error, str) else ("", False)


def wait_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """How long a server asks us to wait: by Retry-After, else until its rate limit starts anew; 0 to 3600."""
    pause = retry_after_seconds(headers, now=now)
    if pause is not None or read_number(headers.get("x-ratelimit-remaining")) != 0:
        return pause
    reset_at = read_reset(headers.get("x-ratelimit-reset"), now=now)
    return None if reset_at is None else _clamped((reset_at - now).total_seconds())


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Retry-After in both its spellings, as seconds from ``now`` between 0 and 3600; None if there is none.

    Some servers send it twice, once as seconds and once as a date: the longer wait counts.
    """
    text = headers.get("retry-after", "")
    dates = _HTTP_DATE.findall(text)
    waits = [float(number) for number in _SECONDS.findall(_HTTP_DATE.sub(" ", text))]
    waits += [(moment - now).total_seconds() for date in dates if (moment := _parse_date(date)) is not None]
    return _clamped(max(waits)) if waits else None


def read_number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def read_reset(text: str | None, *, now: datetime) -> datetime | None:
    """X-RateLimit-Reset: an ISO date (Mastodon), seconds since 1970, or seconds from now (others)."""
    text = (text or "").strip()
    if text.isascii() and text.isdigit() and len(text) <= 10:
        seconds = int(text)
        return datetime.fromtimestamp(seconds, UTC) if seconds > 1_000_000_000 else now + timedelta(seconds=seconds)
    return parse_moment(text) or _parse_date(text)


def _parse_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _clamped(seconds: float) -> float:
    return max(0.0, min(seconds, _MAX_WAIT_SECONDS))


def _short(text: str, token: str) -> str:
    line = clean_line(text.replace(token, "…") if token else text)
    return line if len(line) <= _MAX_REASON_CHARS else line[:_MAX_REASON_CHARS] + "…"
