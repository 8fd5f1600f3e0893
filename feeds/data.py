"""What a feed says, whatever its format: the values that parsing hands to storing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from common.errors import MastoscoreError


class FeedError(MastoscoreError):
    """The document is no feed, or too broken to be read as one; ``user_message`` tells the owner of the source."""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that comes with an entry. ``length`` is in bytes, as the feed claims."""

    url: str
    media_type: str
    length: int | None


@dataclass(frozen=True, slots=True)
class EntryData:
    """One item of a feed.

    ``uid`` identifies it within its feed: ``guid:…``, else ``link:…``, else ``hash:…``, at most 255 characters.
    ``title``, ``author`` and ``tags`` are plain text. The two HTML texts have absolute links but are NOT sanitised.
    ``content_html`` is the summary where a feed sends nothing else; ``summary_html`` is empty then. Dates are as the
    feed says: None when missing or nonsense, possibly in the future. ``content_hash`` changes with whatever is shown.
    """

    uid: str
    url: str
    title: str
    author: str
    content_html: str
    summary_html: str
    published_at: datetime | None
    updated_at: datetime | None
    enclosures: tuple[Enclosure, ...]
    tags: tuple[str, ...]
    content_hash: str


@dataclass(frozen=True, slots=True)
class FeedData:
    """A feed document. ``kind`` is ``rss20``, ``atom10``, ``json11`` and so on; addresses are absolute or empty.

    ``ttl_minutes`` is how long the feed asks to be left alone, from ``ttl`` or the syndication module. ``skip_hours``
    (UTC, 0 to 23) and ``skip_days`` (Monday is 0) are when it never changes. ``is_expired`` says that the feed has
    ended for good (JSON Feed). ``entries`` keep the order of the document; each ``uid`` stands once.
    """

    kind: str
    title: str
    site_url: str
    self_url: str
    description: str
    author: str
    language: str
    icon_url: str
    hub_urls: tuple[str, ...]
    ttl_minutes: int | None
    skip_hours: tuple[int, ...]
    skip_days: tuple[int, ...]
    is_expired: bool
    entries: tuple[EntryData, ...]
