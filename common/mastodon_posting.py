"""What an account does on its own server: toots with pictures, sent, looked up, deleted. Spells API paths and keys.

https://docs.joinmastodon.org/methods/statuses/, /methods/media/, /methods/accounts/#statuses. Other servers speak the
same with an accent: everything that may be missing is taken as missing, and nothing that was not seen is believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from common.http import Answer, Gate, InvalidAnswer
from common.mastodon import MastodonServer
from common.mastodon_errors import NotFound, RemoteRefused, raise_for_status, wait_seconds
from common.text import MAX_HTML_CHARS, clean_text
from common.times import now_utc, parse_moment
from common.toots import Toot, parse_id, parse_status
from common.uris import web_address

STATUS_SECONDS = 40.0
UPLOAD_SECONDS = 120.0
_OWN_PAGE = 40
_MAX_MEDIA = 20


@dataclass(frozen=True, slots=True)
class OwnMedia:
    """An attachment as the server has it. ``is_ready``: it may be posted."""

    id: str
    is_ready: bool
    description: str


@dataclass(frozen=True, slots=True)
class OwnStatus:
    """A toot of ours as the server has it. ``html``: what it shows; ``reply_to``: id of the toot before, or ""."""

    id: str
    url: str
    reply_to: str
    html: str
    visibility: str
    created_at: datetime | None
    media: tuple[OwnMedia, ...]
    account_id: str = ""
    spoiler: str = ""


@dataclass(frozen=True, slots=True)
class NewStatus:
    """A toot to be sent; empty texts and ids are not mentioned to the server, but for the visibility."""

    text: str
    visibility: str
    reply_to: str = ""
    media_ids: Sequence[str] = ()
    language: str = ""
    content_warning: str = ""

    def as_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {"status": self.text, "visibility": self.visibility}
        if self.reply_to:
            values["in_reply_to_id"] = self.reply_to
        if self.media_ids:
            values["media_ids"] = list(self.media_ids)
        if self.language:
            values["language"] = self.language
        if self.content_warning:
            values |= {"spoiler_text": self.content_warning, "sensitive": True}
        return values


class PostingClient(MastodonServer):
    """One server, asked as the account that posts.

    ``pause_seconds``: how long the server wants to be left alone after the last answer; 0 if it did not say.
    """

    def __init__(self, gate: Gate, server: str, *, token: str) -> None:
        super().__init__(gate, server, token=token)
        self.pause_seconds = 0.0

    def through(self, gate: Gate) -> PostingClient:
        """The same account, asked through another gate."""
        return PostingClient(gate, self.server, token=self._token)

    def publish(self, status: NewStatus, *, key: str) -> OwnStatus:
        """Send it; with the same ``key`` again a server that honours keys answers the toot it has already.

        Raises what ``raise_for_status`` and the gate raise. InvalidAnswer after a 2xx means that something may have
        been stored, and nobody knows what.
        """
        answer = self._ask("POST", "/api/v1/statuses", json=status.as_json(), headers={"Idempotency-Key": key})
        found = parse_own_status(answer.json())
        if found is None:
            raise self._no_sense(answer, "no status")
        return found

    def read_status(self, id: str) -> OwnStatus | None:
        """One of ours; None if the server has none of that id."""
        try:
            return parse_own_status(self._ask("GET", f"/api/v1/statuses/{_part(id)}").json())
        except NotFound:
            return None

    def delete_status(self, id: str) -> bool:
        """Whether there was one to delete."""
        try:
            self._ask("DELETE", f"/api/v1/statuses/{_part(id)}")
        except NotFound:
            return False
        return True

    def own_statuses(self, account_id: str, *, max_id: str = "") -> tuple[list[OwnStatus], str]:
        """A page of the account's toots without boosts, newest first, and the ``max_id`` of the page after it."""
        params: dict[str, str | int] = {"limit": _OWN_PAGE, "exclude_reblogs": "true"}
        if max_id:
            params["max_id"] = max_id
        answer = self._ask("GET", f"/api/v1/accounts/{_part(account_id)}/statuses", params=params)
        rows = answer.json()
        if not isinstance(rows, list):
            raise self._no_sense(answer, "no list of statuses")
        found = [status for row in rows if (status := parse_own_status(row)) is not None]
        return found, found[-1].id if found else ""

    def replies_to(self, id: str) -> list[OwnStatus]:
        """The toots below one toot, as far as the server shows them; empty if it has no such view."""
        try:
            value = self._ask("GET", f"/api/v1/statuses/{_part(id)}/context").json()
        except (NotFound, RemoteRefused, InvalidAnswer):
            return []
        rows = value.get("descendants") if isinstance(value, dict) else None
        parsed = (parse_own_status(row) for row in rows) if isinstance(rows, list) else ()
        return [status for status in parsed if status is not None]

    def find_copy(self, address: str) -> Toot | None:
        """This server's copy of a toot from anywhere, by its ``uri``; nothing is fetched from elsewhere for it."""
        params: dict[str, str | int] = {"q": address, "type": "statuses", "limit": 1, "resolve": "false"}
        value = self._ask("GET", "/api/v2/search", params=params).json()
        rows = value.get("statuses") if isinstance(value, dict) else None
        toots = [parse_status(row, server=self.server) for row in rows] if isinstance(rows, list) else []
        return next((toot for toot in toots if toot is not None and toot.uri == address), None)

    def upload(self, name: str, content: bytes, content_type: str, description: str) -> OwnMedia:
        """Hand over a picture with the words for it; it may take the server a while to be ready with it."""
        answer = self._ask(
            "POST",
            "/api/v2/media",
            files={"file": (name, content, content_type)},
            data={"description": description},
            total_seconds=UPLOAD_SECONDS,
        )
        media = parse_media(answer.json())
        if media is None:
            raise self._no_sense(answer, "no attachment")
        return OwnMedia(media.id, answer.status_code != 202, media.description)

    def read_media(self, id: str) -> OwnMedia | None:
        """An attachment not posted yet: ready (200) or not (206). None when the server knows of none (404), which
        some say of attachments that are fine. RemoteRefused (422) when it could not be worked on."""
        try:
            answer = self._ask("GET", f"/api/v1/media/{_part(id)}")
        except NotFound:
            return None
        media = parse_media(answer.json())
        return OwnMedia(id, answer.status_code != 206, media.description if media else "")

    def describe_media(self, id: str, description: str) -> OwnMedia | None:
        """Set the words for a picture; None if the server does not offer that."""
        try:
            answer = self._ask("PUT", f"/api/v1/media/{_part(id)}", json={"description": description})
        except NotFound:
            return None
        return parse_media(answer.json())

    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        total_seconds: float = STATUS_SECONDS,
        **options: Any,
    ) -> Answer:
        self.pause_seconds = 0.0
        answer = self._gate.request(
            method,
            self._address(path),
            headers={"Accept": "application/json", **(headers or {})},
            token=self._token,
            total_seconds=total_seconds,
            **options,
        )
        self.pause_seconds = wait_seconds(answer.headers, now=now_utc()) or 0.0
        raise_for_status(answer, self.server, token=self._token)
        return answer


def parse_own_status(raw: object) -> OwnStatus | None:
    """None if it is no status or has no id; everything else may be missing."""
    if not isinstance(raw, dict) or not (id := parse_id(raw.get("id"))):
        return None
    content, visibility = raw.get("content"), raw.get("visibility")
    account, spoiler = raw.get("account"), raw.get("spoiler_text")
    rows = raw.get("media_attachments")
    media = [parse_media(row) for row in rows[:_MAX_MEDIA]] if isinstance(rows, list) else []
    return OwnStatus(
        id=id,
        url=web_address(raw.get("url")) or web_address(raw.get("uri")),
        reply_to=parse_id(raw.get("in_reply_to_id")),
        html=clean_text(content[:MAX_HTML_CHARS]) if isinstance(content, str) else "",
        visibility=visibility if isinstance(visibility, str) else "",
        created_at=parse_moment(raw.get("created_at")),
        media=tuple(part for part in media if part is not None),
        account_id=parse_id(account.get("id")) if isinstance(account, dict) else "",
        spoiler=clean_text(spoiler[:MAX_HTML_CHARS]) if isinstance(spoiler, str) else "",
    )


def parse_media(raw: object) -> OwnMedia | None:
    if not isinstance(raw, dict) or not (id := parse_id(raw.get("id"))):
        return None
    description = raw.get("description")
    return OwnMedia(id, bool(raw.get("url")), description if isinstance(description, str) else "")


def _part(id: str) -> str:
    """An id as a part of a path: ids are any text."""
    return quote(id, safe="")
