"""Which copy of a toot counts: many copies in, one toot out, whatever the order. Pure.

``merge`` is commutative, associative and idempotent, so neither the order of servers and pages nor a restart in
between changes what comes out. The rules:

- The origin's own copy decides everything: text, author, counts. Of several, the one of the latest crawl does; within
  a crawl the one edited last, then the one with the higher counts.
- Without it, counts are the highest that anybody saw, and text and author come from the copy edited last, then from
  the server whose name is first in the alphabet, then from the latest crawl.
- What a feed tells without counts and profile (a bare copy) gives way to any other copy in all but the sighting.
- Without it, an author's wish not to be quoted counts as soon as one copy carries it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import reduce
from operator import attrgetter
from typing import Any

from common.toots import Toot

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MergedToot:
    """What is known of a toot; the fields are the columns of ``pipeline.models.Toot``.

    ``told_by`` is the server whose copy text and author come from, ``told_in`` the number of the crawl it came with.
    ``author_wishes`` holds consent markers, sorted and space separated; ``hashtags`` is as ``pad_hashtags`` makes it.
    """

    uri: str
    url: str
    origin: str
    author_handle: str
    author_name: str
    author_url: str
    author_is_bot: bool
    author_wishes: str
    author_is_discoverable: bool | None
    author_is_indexable: bool | None
    created_at: datetime
    edited_at: datetime | None
    html: str
    text: str
    spoiler_text: str
    language: str
    hashtags: str
    boosts: int
    favourites: int
    replies: int
    media_count: int
    is_reply: bool
    is_authoritative: bool
    is_bare: bool
    told_by: str
    told_in: int


def from_copy(toot: Toot, crawl: int) -> MergedToot:
    """One copy as the start of a merge."""
    return MergedToot(
        uri=toot.uri,
        url=toot.url,
        origin=toot.origin,
        author_handle=toot.author.handle,
        author_name=toot.author.display_name,
        author_url=toot.author.url,
        author_is_bot=toot.author.is_bot,
        author_wishes=" ".join(sorted(set(toot.author.wishes))),
        author_is_discoverable=toot.author.is_discoverable,
        author_is_indexable=toot.author.is_indexable,
        created_at=toot.created_at,
        edited_at=toot.edited_at,
        html=toot.html,
        text=toot.text,
        spoiler_text=toot.spoiler_text,
        language=toot.language,
        hashtags=pad_hashtags(toot.hashtags),
        boosts=toot.boosts,
        favourites=toot.favourites,
        replies=toot.replies,
        media_count=toot.media_count,
        is_reply=toot.is_reply,
        is_authoritative=toot.is_authoritative,
        is_bare=toot.is_bare,
        told_by=toot.server,
        told_in=crawl,
    )


def pad_hashtags(hashtags: Iterable[str]) -> str:
    """Folded hashtags as stored: each between blanks, so that a database can look for one; one blank if none."""
    return f" {' '.join(hashtags)} ".replace("  ", " ")


def merge(left: MergedToot, right: MergedToot) -> MergedToot:
    """The two as one; both must be of the same ``uri``."""
    if left == right:
        return left
    if left.is_authoritative or right.is_authoritative:
        return max(left, right, key=_authority)
    voice = max(left, right, key=_voice)
    return replace(
        voice,
        boosts=max(left.boosts, right.boosts),
        favourites=max(left.favourites, right.favourites),
        replies=max(left.replies, right.replies),
        author_is_bot=left.author_is_bot or right.author_is_bot,
        author_wishes=_union(left.author_wishes, right.author_wishes),
        author_is_discoverable=_least(left.author_is_discoverable, right.author_is_discoverable),
        author_is_indexable=_least(left.author_is_indexable, right.author_is_indexable),
    )


def merge_all(toots: Iterable[MergedToot]) -> dict[str, MergedToot]:
    """The merge of all, by ``uri``."""
    merged: dict[str, MergedToot] = {}
    for toot in toots:
        known = merged.get(toot.uri)
        merged[toot.uri] = toot if known is None else merge(known, toot)
    return merged


def fold(toots: Iterable[MergedToot]) -> MergedToot:
    """The merge of at least one copy of the same toot."""
    return reduce(merge, toots)


@dataclass(frozen=True, slots=True)
class Standing:
    """A merged toot without its words: small enough to be kept of every toot of a crawl.

    ``digest`` is a hash of all its values, good within one process.
    """

    is_authoritative: bool
    is_bare: bool
    told_by: str
    told_in: int
    edited_at: datetime | None
    boosts: int
    favourites: int
    replies: int
    wishes: tuple[str, bool, bool | None, bool | None]
    digest: int


_all_values_of = attrgetter(*(field.name for field in fields(MergedToot)))


def standing_of(toot: MergedToot) -> Standing:
    return Standing(
        toot.is_authoritative,
        toot.is_bare,
        sys.intern(toot.told_by),
        toot.told_in,
        toot.edited_at,
        toot.boosts,
        toot.favourites,
        toot.replies,
        (toot.author_wishes, toot.author_is_bot, toot.author_is_discoverable, toot.author_is_indexable),
        hash(_all_values_of(toot)),
    )


def adds_nothing(standing: Standing, toot: MergedToot) -> bool:
    """Whether merging the toot in would surely change nothing; False means: look closer.

    A toot never loses standing, so what added nothing to an earlier state adds nothing to any later one.
    """
    if toot.is_authoritative != standing.is_authoritative:
        return standing.is_authoritative
    if toot.is_authoritative and toot.told_in < standing.told_in:
        return True
    return standing_of(toot) == standing


def copy_adds_nothing(standing: Standing, copy: Toot, crawl: int) -> bool:
    """The same of a copy as it came in the crawl of that number; nearly every copy of a crawl ends here."""
    if standing.is_authoritative:
        return not copy.is_authoritative or crawl < standing.told_in
    return not copy.is_authoritative and _is_outdone(copy, standing)


def _is_outdone(copy: Toot, standing: Standing) -> bool:
    """Whether a copy from elsewhere has no higher count, no better claim to the text and no wish of its own."""
    if copy.boosts > standing.boosts or copy.favourites > standing.favourites or copy.replies > standing.replies:
        return False
    claim, best = (not copy.is_bare, copy.edited_at or _NEVER), (not standing.is_bare, standing.edited_at or _NEVER)
    if claim > best or (claim == best and copy.server <= standing.told_by):
        return False
    wishes, is_bot, is_discoverable, is_indexable = standing.wishes
    author = copy.author
    return (
        (not author.wishes or set(author.wishes) <= set(wishes.split()))
        and (is_bot or not author.is_bot)
        and _least(is_discoverable, author.is_discoverable) == is_discoverable
        and _least(is_indexable, author.is_indexable) == is_indexable
    )


def _authority(toot: MergedToot) -> tuple[Any, ...]:
    counts = (toot.boosts, toot.favourites, toot.replies)
    return (
        toot.is_authoritative,
        toot.told_in,
        toot.edited_at or _NEVER,
        sum(counts),
        counts,
        _told(toot),
        _wishes(toot),
    )


def _voice(toot: MergedToot) -> tuple[Any, ...]:
    """The higher, the sooner text and author are taken from it. Holds nothing that the merge computes itself."""
    return (not toot.is_bare, toot.edited_at or _NEVER, _Reversed(toot.told_by), toot.told_in, _told(toot))


def _told(toot: MergedToot) -> tuple[Any, ...]:
    """Everything one copy says and a merge takes whole, to settle ties the same way in any order."""
    author = (toot.author_handle, toot.author_name, toot.author_url)
    words = (toot.html, toot.text, toot.spoiler_text, toot.language, toot.hashtags)
    return (toot.created_at, toot.url, toot.origin, author, words, toot.media_count, toot.is_reply)


def _wishes(toot: MergedToot) -> tuple[Any, ...]:
    flags = (toot.author_is_discoverable, toot.author_is_indexable)
    return (toot.author_wishes, toot.author_is_bot, tuple(-1 if flag is None else int(flag) for flag in flags))


def _union(left: str, right: str) -> str:
    return " ".join(sorted({*left.split(), *right.split()}))


def _least(left: bool | None, right: bool | None) -> bool | None:
    """No before yes before unknown."""
    if left is None or right is None:
        return right if left is None else left
    return left and right


@dataclass(frozen=True, slots=True)
class _Reversed:
    """A text that sorts the other way round."""

    text: str

    def __lt__(self, other: _Reversed) -> bool:
        return other.text < self.text
