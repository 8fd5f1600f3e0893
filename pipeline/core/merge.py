"""Which copy of a toot counts: many copies in, one toot out, whatever the order. Pure.

``merge`` is commutative, associative and idempotent, so neither the order of servers and pages nor a restart in
between changes what comes out. The rules:

- The origin's own copy decides everything: text, author, counts. Of several, the one of the latest crawl does; within
  a crawl the one edited last, then the one with the higher counts.
- Without it, counts are the highest that anybody saw, and text and author come from the copy edited last, then from
  the latest crawl; where copies of the same edit differ even then, the order of what they say decides. As a rule they
  say the same, and then a copy with no higher count changes nothing.
- What a feed tells without counts and profile (a bare copy) gives way to any other copy in all but the sighting.
- Without it, an author's wish not to be quoted counts as soon as one copy carries it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import reduce
from typing import Any, NamedTuple

from common.toots import Seen, Toot

_NEVER = datetime.min.replace(tzinfo=UTC)


class MergedToot(NamedTuple):
    """What is known of a toot; the fields are columns of ``pipeline.models.Toot``. A tuple, as there are so many.

    ``told_in`` is the number of the crawl that the copy came with from which text and author are.
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
    return voice._replace(**_joined(left, right))


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


class Standing(NamedTuple):
    """A merged toot without its words: small enough to be kept of every toot of a crawl.

    ``words`` is a hash of everything that a merge takes whole from one copy, the same in all processes.
    """

    is_authoritative: bool
    is_bare: bool
    told_in: int
    edited_at: datetime | None
    boosts: int
    favourites: int
    replies: int
    author_wishes: str
    author_is_bot: bool
    author_is_discoverable: bool | None
    author_is_indexable: bool | None
    words: bytes

    @property
    def counts(self) -> tuple[int, int, int]:
        """Boosts, favourites and replies."""
        return self[4:7]


def standing_of(toot: MergedToot) -> Standing:
    return Standing._make((*_without_words(toot), _digest(_told(toot))))


def _without_words(toot: MergedToot) -> tuple[Any, ...]:
    """A standing but for its last field, which takes longer than all the others."""
    return (
        toot.is_authoritative,
        toot.is_bare,
        toot.told_in,
        toot.edited_at,
        toot.boosts,
        toot.favourites,
        toot.replies,
        toot.author_wishes,
        toot.author_is_bot,
        toot.author_is_discoverable,
        toot.author_is_indexable,
    )


def merge_standing(standing: Standing, toot: MergedToot) -> tuple[Standing, dict[str, Any]] | None:
    """What merging the toot into one of that standing makes of it: its standing then, and the values that change.

    None: that cannot be said without its words.
    """
    own = standing_of(toot)
    if standing.is_authoritative or (toot.is_authoritative and own.words == standing.words):
        after = _more_authoritative(standing, own)
    elif toot.is_authoritative:
        return own, toot._asdict()
    elif own.words == standing.words:
        after = _of_elsewhere(standing, own)
    else:
        return None
    if after is None:
        return None
    return after, {name: value for name, value, was in zip(_NAMES, after, standing, strict=False) if value != was}


def adds_nothing(standing: Standing, toot: MergedToot) -> bool:
    """Whether merging the toot in would surely change nothing; False means: look closer.

    A toot never loses standing, so what added nothing to an earlier state adds nothing to any later one.
    """
    if toot.is_authoritative != standing.is_authoritative:
        return standing.is_authoritative
    if toot.is_authoritative and toot.told_in < standing.told_in:
        return True
    return _without_words(toot) == standing[:-1] and _digest(_told(toot)) == standing.words


def copy_adds_nothing(standing: Standing, copy: Seen, crawl: int) -> bool:
    """The same of a copy as it came in the crawl of that number; nearly every copy of a crawl ends here."""
    if standing.is_authoritative:
        return not copy.is_authoritative or crawl < standing.told_in
    return not copy.is_authoritative and _is_outdone(copy.whole(), standing, crawl)


def _is_outdone(copy: Toot, standing: Standing, crawl: int) -> bool:
    """Whether a copy from elsewhere has no higher count, no better or other text and no wish of its own."""
    if copy.boosts > standing.boosts or copy.favourites > standing.favourites or copy.replies > standing.replies:
        return False
    claim = (not copy.is_bare, copy.edited_at or _NEVER, crawl)
    best = (not standing.is_bare, standing.edited_at or _NEVER, standing.told_in)
    if claim > best or (claim == best and _digest(_told_by_copy(copy)) != standing.words):
        return False
    author = copy.author
    return (
        (not author.wishes or set(author.wishes) <= set(standing.author_wishes.split()))
        and (standing.author_is_bot or not author.is_bot)
        and _is_least(standing.author_is_discoverable, author.is_discoverable)
        and _is_least(standing.author_is_indexable, author.is_indexable)
    )


# Of a standing, what is also a column.
_NAMES = Standing._fields[:-1]


def _more_authoritative(standing: Standing, own: Standing) -> Standing | None:
    """The one that ``_authority`` prefers; None if that is for the words to decide."""
    left, right = (
        (each.is_authoritative, each.told_in, each.edited_at or _NEVER, sum(each.counts), each.counts)
        for each in (standing, own)
    )
    if left == right:
        return standing if standing == own else None
    return max((left, standing), (right, own), key=lambda pair: pair[0])[1] if own.words == standing.words else None


def _of_elsewhere(left: Standing, right: Standing) -> Standing:
    """As ``merge`` does it with two that say the same, neither of them the origin's."""
    voice = max(left, right, key=lambda each: (not each.is_bare, each.edited_at or _NEVER, each.told_in))
    return voice._replace(**_joined(left, right))


def _joined(left: MergedToot | Standing, right: MergedToot | Standing) -> dict[str, Any]:
    """Without the origin's word: the highest counts, and every wish that one of the two carries."""
    return {
        "boosts": max(left.boosts, right.boosts),
        "favourites": max(left.favourites, right.favourites),
        "replies": max(left.replies, right.replies),
        "author_is_bot": left.author_is_bot or right.author_is_bot,
        "author_wishes": _union(left.author_wishes, right.author_wishes),
        "author_is_discoverable": _least(left.author_is_discoverable, right.author_is_discoverable),
        "author_is_indexable": _least(left.author_is_indexable, right.author_is_indexable),
    }


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
    return (not toot.is_bare, toot.edited_at or _NEVER, toot.told_in, _told(toot))


def _told(toot: MergedToot) -> tuple[Any, ...]:
    """Everything one copy says and a merge takes whole, to settle ties the same way in any order."""
    author = (toot.author_handle, toot.author_name, toot.author_url)
    words = (toot.html, toot.text, toot.spoiler_text, toot.language, toot.hashtags)
    return (toot.created_at, toot.url, toot.origin, author, words, toot.media_count, toot.is_reply)


def _told_by_copy(copy: Toot) -> tuple[Any, ...]:
    """The same of a copy, without making a merged toot of it."""
    author = (copy.author.handle, copy.author.display_name, copy.author.url)
    words = (copy.html, copy.text, copy.spoiler_text, copy.language, pad_hashtags(copy.hashtags))
    return (copy.created_at, copy.url, copy.origin, author, words, copy.media_count, copy.is_reply)


def _digest(told: tuple[Any, ...]) -> bytes:
    # The moment apart, as there is more than one way to spell UTC.
    created_at, *others = told
    text = f"{created_at.timestamp()} {others!r}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


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


def _is_least(left: bool | None, right: bool | None) -> bool:
    return _least(left, right) == left
