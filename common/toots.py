"""A toot and its author as the rest of the house knows them.

The only module that spells the JSON keys of the Mastodon API
(https://docs.joinmastodon.org/entities/Status/, https://docs.joinmastodon.org/entities/Account/).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a toot, with what they said about being quoted.

    ``handle`` is ``user@server`` without a leading ``@``, server in its one spelling. ``wishes`` holds the
    markers found in the profile, out of ``nobot nobots noindex nomastoscore`` (hashtags in the profile text or
    its fields) and ``account-noindex`` (the account's own flag). The two optional flags are None when the
    server did not say.
    """

    handle: str
    display_name: str
    url: str
    is_bot: bool = False
    wishes: tuple[str, ...] = ()
    is_discoverable: bool | None = None
    is_indexable: bool | None = None


@dataclass(frozen=True, slots=True)
class Toot:
    """One copy of a toot, as one server showed it.

    ``server`` is the server that was asked, ``local_id`` its own id (compared only with ids of that server),
    ``origin`` the server named in ``uri``. Counts are never negative. Hashtags are case-folded, without ``#``.
    """

    uri: str
    url: str
    origin: str
    server: str
    local_id: str
    author: Author
    created_at: datetime
    edited_at: datetime | None
    html: str
    text: str
    spoiler_text: str
    language: str
    visibility: str
    hashtags: tuple[str, ...]
    boosts: int
    favourites: int
    replies: int
    media_count: int
    is_reply: bool

    @property
    def is_authoritative(self) -> bool:
        """Whether this copy comes from the toot's own server, whose word on text and counts is final."""
        return self.origin == self.server
