"""The toot as the pure phases (analyse, graph, wordcloud, blog, post) see it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ScoredToot(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One counted toot of an event, merged from its copies.

    ``server`` is the origin, ``author`` a handle ``user@server``. ``is_quotable``: the author lets us quote,
    name and link them; without it the toot is counted in totals and appears nowhere else. ``is_withdrawn``: the toot
    was found to be gone, or not public any more; it is counted, and not shown.

    A struct, as it is made, and written for the fingerprint, of every toot of an event: both in a third of the time.
    """

    uri: str
    url: str
    server: str
    author: str
    display_name: str
    author_url: str
    html: str
    text: str
    spoiler_text: str
    language: str
    boosts: int
    favourites: int
    replies: int
    media_count: int
    created_at: datetime
    is_reply: bool
    is_authoritative: bool
    is_bot: bool
    is_quotable: bool
    is_withdrawn: bool = False
