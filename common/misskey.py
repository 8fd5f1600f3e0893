"""Client of a server of the Misskey family: its public search for hashtags. The only module that spells its API.

https://misskey-hub.net/docs/for-developers/api/ (``notes/search-by-tag``). A note is translated into a status of the
Mastodon API, so that one reader, ``common.toots``, judges both.
"""

from __future__ import annotations

import html
from typing import Any

from common.http import Gate, InvalidAnswer
from common.mastodon import TimelinePage, page_facts
from common.mastodon_errors import raise_for_status
from common.toots import Toot, parse_id, parse_status

SEARCH_PATH = "/api/notes/search-by-tag"
PAGE_SIZE = 40
_VISIBILITIES = {"public": "public", "home": "unlisted", "followers": "private", "specified": "direct"}
_MAX_KINDS = 1000
# Software that has this search, by the names it gives itself in NodeInfo.
FAMILY = frozenset(
    {"calckey", "catodon", "cherrypick", "firefish", "foundkey", "hajkey", "iceshrimp", "magnetar", "meisskey"}
    | {"misskey", "neka", "rumisskey", "sharkey"}
)


class MisskeyServer:
    """One server, asked as a stranger. Keeps no state but its gate."""

    def __init__(self, gate: Gate, server: str) -> None:
        self._gate = gate
        self.server = server

    def hashtag_page(self, hashtag: str, *, until_id: str | None = None, limit: int = PAGE_SIZE) -> TimelinePage:
        """One page of what it knows of a hashtag, newest first; raises what ``MastodonServer.hashtag_page`` does."""
        asked: dict[str, Any] = {"tag": hashtag, "limit": limit}
        if until_id:
            asked["untilId"] = until_id
        answer = self._gate.post(f"{self._gate.base_url(self.server)}{SEARCH_PATH}", json=asked)
        raise_for_status(answer, self.server)
        rows = answer.json()
        if not isinstance(rows, list):
            raise InvalidAnswer(
                f"{self.server} sent no list of notes",
                server=self.server,
                status_code=answer.status_code,
                user_message=f"{self.server} sent something that makes no sense.",
            )
        toots = [toot for row in rows if (toot := parse_note(row, server=self.server)) is not None]
        ids = [found for row in rows if isinstance(row, dict) and (found := parse_id(row.get("id")))]
        return TimelinePage(
            tuple(toots), len(rows) - len(toots), len(rows), ids[-1] if ids else None, page_facts(answer)
        )


def parse_note(raw: object, *, server: str) -> Toot | None:
    """The toot in a note as ``server`` sent it; None for what makes no sense and for bare boosts; never raises."""
    if not isinstance(raw, dict) or _is_bare_renote(raw):
        return None
    return parse_status(_as_status(raw, server), server=server)


def _is_bare_renote(note: dict[str, Any]) -> bool:
    return bool(note.get("renoteId")) and not any(note.get(key) for key in ("text", "cw", "files", "poll"))


def _as_status(note: dict[str, Any], server: str) -> dict[str, Any]:
    id = parse_id(note.get("id"))
    # Local notes come without a uri; named hosts get https when the uri is brought into its one spelling.
    page = f"http://{server}/notes/{id}" if id else None
    visibility = note.get("visibility")
    return {
        "id": id,
        "uri": note.get("uri") or page,
        "url": note.get("url") or note.get("uri") or page,
        "created_at": note.get("createdAt"),
        "edited_at": note.get("updatedAt"),
        "in_reply_to_id": note.get("replyId"),
        "visibility": _VISIBILITIES.get(visibility, visibility) if isinstance(visibility, str) else visibility,
        "spoiler_text": note.get("cw"),
        "content": _as_html(note.get("text")),
        "tags": note.get("tags"),
        "reblogs_count": note.get("renoteCount"),
        "favourites_count": _count_reactions(note),
        "replies_count": note.get("repliesCount"),
        "media_attachments": note.get("files"),
        "account": _as_account(note.get("user"), server),
    }


def _as_account(raw: object, server: str) -> dict[str, Any]:
    user: dict[str, Any] = raw if isinstance(raw, dict) else {}
    name, host = user.get("username"), user.get("host") or server
    is_named = isinstance(name, str) and isinstance(host, str)
    return {
        "acct": f"{name}@{host}" if is_named else None,
        "username": name,
        "display_name": user.get("name"),
        "url": user.get("url") or (f"http://{server}/@{name}" if is_named and host == server else None),
        "note": user.get("description"),
        "fields": user.get("fields"),
        "bot": user.get("isBot"),
        # Whoever wants readers to sign in first does not want to be quoted to everybody.
        "noindex": user.get("noCrawle") is True or user.get("requireSigninToViewContents") is True,
        "discoverable": user.get("isExplorable"),
    }


def _count_reactions(note: dict[str, Any]) -> object:
    told = note.get("reactionCount")
    if told is not None:
        return told
    kinds = note.get("reactions")
    if not isinstance(kinds, dict):
        return None
    return sum(count for count in list(kinds.values())[:_MAX_KINDS] if type(count) is int and 0 < count < 10**9)


def _as_html(text: object) -> str | None:
    """Notes are text with marks, not HTML."""
    if not isinstance(text, str):
        return None
    paragraphs = html.escape(text, quote=False).split("\n\n")
    return "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)
