"""The toot as the pure phases (analyse, graph, wordcloud, blog, post) see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ScoredToot:
    """One counted toot of an event, merged from its copies.

    ``server`` is the origin, ``author`` a handle ``user@server``. ``is_quotable``: the author lets us quote,
    name and link them; without it the toot is counted in totals and appears nowhere else. ``is_withdrawn``: the toot
    was found to be gone, or not public any more; it is counted, and not shown.
    """

    uri: str
    url: str
    server: str
    author: str
    display_name: str
    author_url: str
    created_at: datetime
    html: str
    text: str
    spoiler_text: str
    language: str
    boosts: int
    favourites: int
    replies: int
    media_count: int
    is_reply: bool
    is_authoritative: bool
    is_bot: bool
    is_quotable: bool
    is_withdrawn: bool = False
