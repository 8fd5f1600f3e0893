"""What the bundled fediverse is made of. Pure data; the JSON of the API is made of it in ``statuses``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

# Rows on a page unless a server thinks otherwise; the cap of Mastodon.
PAGE_ROWS = 40
# Items of a hashtag's feed.
FEED_ROWS = 20


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one kind of server behaves.

    ``access``: ``open``, ``local`` (strangers see only local toots), ``closed`` (refuses strangers),
    ``no-api`` (404, but for the search of the Misskey family), ``html`` (200 with a page), ``down`` (nobody listens),
    ``foreign`` (an address we must not contact). ``faults`` are the status codes of the first timeline answers,
    before it behaves. ``strange_max_id``: what a ``max_id`` it cannot read brings: ``page-1``, ``empty`` or ``400``.
    ``has_feed``: it offers the hashtag as RSS to everybody.
    """

    key: str
    title: str
    software: str
    version: str
    id_kind: str = "snowflake"
    access: str = "open"
    refusal_status: int = 401
    faults: tuple[int, ...] = ()
    fixed_page_rows: int | None = None
    ignores_max_id: bool = False
    sends_link: bool = True
    sends_rate_limits: bool = False
    hides_replies: bool = False
    full_local_acct: bool = False
    is_sparse: bool = False
    has_feed: bool = False
    robots: str | None = None
    forbids_robots: bool = False
    strange_max_id: str = "page-1"
    reach: float = 0.3


@dataclass(frozen=True, slots=True)
class MockAuthor:
    """An account. ``wishes`` are the consent markers its own server shows; ``hides_wishes_elsewhere`` means that
    other servers still hold the profile as it was before."""

    username: str
    server: str
    display_name: str
    language: str
    note: str
    fields: tuple[tuple[str, str], ...] = ()
    is_bot: bool = False
    wishes: tuple[str, ...] = ()
    hides_wishes_elsewhere: bool = False
    is_discoverable: bool | None = True
    is_indexable: bool | None = True
    fame: float = 1.0
    activity: float = 1.0

    @property
    def handle(self) -> str:
        return f"{self.username}@{self.server}"

    @property
    def url(self) -> str:
        return f"http://{self.server}/@{self.username}"


@dataclass(frozen=True, slots=True)
class Counts:
    boosts: int
    favourites: int
    replies: int


@dataclass(frozen=True, slots=True)
class Poll:
    options: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class MockToot:
    """A toot as its origin has it. ``text`` is plain, with ``@user@server``, ``#tag``, addresses and ``:codes:``;
    ``raw_html`` replaces what would be made of it. ``number`` is unique in the world."""

    number: int
    uri: str
    url: str
    author: MockAuthor
    created_at: datetime
    text: str
    hashtags: tuple[str, ...]
    counts: Counts
    language: str | None = "en"
    visibility: str = "public"
    spoiler_text: str = ""
    alt_texts: tuple[str, ...] = ()
    poll: Poll | None = None
    reply_to: str | None = None
    edited_at: datetime | None = None
    raw_html: str = ""

    @property
    def origin(self) -> str:
        return self.author.server


@dataclass(frozen=True, slots=True)
class Draft:
    """A toot being made, before it has a place in the world. ``only_on`` names the servers that get a copy besides
    its origin (None: as chance has it); ``stale_text`` is what copies still say; ``copy_counts`` what copies
    count; ``reply_to`` the place of another draft in the list; ``arrived_at`` when servers heard of it, if its own
    date is nonsense."""

    author: MockAuthor
    created_at: datetime
    text: str
    counts: Counts
    hashtags: tuple[str, ...] | None = None
    language: str | None = "en"
    visibility: str = "public"
    spoiler_text: str = ""
    alt_texts: tuple[str, ...] = ()
    poll: Poll | None = None
    reply_to: int | None = None
    edited_at: datetime | None = None
    arrived_at: datetime | None = None
    raw_html: str = ""
    only_on: frozenset[str] | None = None
    is_missing_at_origin: bool = False
    stale_text: str | None = None
    copy_counts: Counts | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a server's hashtag timeline: its copy of a toot, or rubbish (``junk``) in the place of one.

    ``needs_token``: shown only to the signed-in owner.
    """

    local_id: str
    toot: MockToot | None = None
    counts: Counts = Counts(0, 0, 0)
    stale_text: str | None = None
    needs_token: bool = False
    junk: Any = None

    def is_local_to(self, server: str) -> bool:
        return self.toot is not None and self.toot.origin == server


@dataclass(frozen=True, slots=True)
class MockServer:
    """A server: ``rows`` is its whole view of the hashtag, newest first."""

    name: str
    behaviour: Behaviour
    rows: tuple[Row, ...] = ()
    authors: tuple[MockAuthor, ...] = field(default=())

    def with_rows(self, rows: tuple[Row, ...]) -> MockServer:
        return replace(self, rows=rows)
