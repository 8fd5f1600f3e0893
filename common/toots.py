"""A toot and its author as the rest of the house knows them.

What of a status and an account is read at all, and how servers spell it, ``common.statuses`` knows.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from common.statuses import Account, Status, as_status
from common.text import (
    MAX_HTML_CHARS,
    clean_line,
    clean_text,
    fold_hashtag,
    hashtags_in_text,
    html_to_text,
    profile_markers,
)
from common.times import parse_moment
from common.uris import find_server, identify, identify_by_page, user_in_page, user_in_uri, web_address

_MAX_TEXT_CHARS = 20_000
_MAX_SPOILER_CHARS = 5_000
_MAX_NAME_CHARS = 500
_MAX_ID_CHARS = 500
_MAX_COUNT = 1_000_000_000
_MAX_MEDIA = 1_000
_MAX_HASHTAGS = 200
_MAX_HASHTAG_CHARS = 200
_MAX_FIELDS = 50
_ACCOUNT_NOINDEX = "account-noindex"
# Many servers show the same authors and hashtags, so those of usual size are remembered for a while.
_MOST_REMEMBERED = 2048
_MOST_FACES = 8192
_REMEMBERED_CHARS = 3_000
_REMEMBERED_HASHTAGS = 30
_NOBODY = Account()
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,35}")
_USER = re.compile(r"""[^\s@/:<>"'?#%]{1,200}""")


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
    ``is_bare``: from a feed, which says that there is such a toot and nothing of its counts or its author's profile.
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
    is_bare: bool = False

    @property
    def is_authoritative(self) -> bool:
        """Whether this copy comes from the toot's own server, whose word on text and counts is final."""
        return self.origin == self.server and not self.is_bare

    def whole(self) -> Toot:
        """Itself; a Glimpse has to be read for it."""
        return self


@dataclass(slots=True)
class Glimpse:
    """The part of a copy that says whether it counts, and of what; the fields are those of the Toot.

    Reading the rest takes three times as long, and of most copies nobody wants it: the toot is known already.
    ``status`` is what the server sent.
    """

    uri: str
    url: str
    origin: str
    server: str
    local_id: str
    created_at: datetime
    visibility: str
    hashtags: tuple[str, ...]
    status: Status = field(repr=False, compare=False)

    @property
    def is_authoritative(self) -> bool:
        """As of the Toot."""
        return self.origin == self.server

    def fingerprint(self) -> int | None:
        """The same for two copies of a toot that read the same but for their counts, in this process.

        None where that cannot be told by a look.
        """
        status, account = self.status, self.status.account
        if account is None:
            return None
        media, answered = status.media_attachments, status.in_reply_to_id
        discoverable, indexable = account.discoverable, account.indexable
        try:
            # As they came: what _read_profile makes of these is the same for the same.
            return hash(
                (
                    account.acct,
                    account.username,
                    account.display_name,
                    account.url,
                    account.uri,
                    account.note,
                    _field_texts(account),
                    account.bot is True,
                    account.noindex is True,
                    discoverable if discoverable is True or discoverable is False else None,
                    indexable if indexable is True or indexable is False else None,
                    self.hashtags,
                    self.created_at,
                    self.url,
                    status.content,
                    status.edited_at,
                    status.spoiler_text,
                    status.language,
                    len(media) if media else 0,
                    answered is not None and parse_id(answered) != "",
                )
            )
        except TypeError:  # a list where a text should be
            return None

    def counts(self) -> tuple[int, int, int]:
        """Boosts, favourites and replies."""
        status = self.status
        return (
            _parse_count(status.reblogs_count),
            _parse_count(status.favourites_count),
            _parse_count(status.replies_count),
        )

    def whole(self) -> Toot:
        """The copy as a Toot, with everything that the status holds."""
        status = self.status
        author = _parse_author(status.account or _NOBODY, uri=self.uri, origin=self.origin)
        if author is None:
            raise ValueError("glance() takes no status without an author")
        html, text = _read_text(status)
        boosts, favourites, replies = self.counts()
        return Toot(
            uri=self.uri,
            url=self.url,
            origin=self.origin,
            server=self.server,
            local_id=self.local_id,
            author=author,
            created_at=self.created_at,
            edited_at=parse_moment(status.edited_at),
            html=html,
            text=text,
            spoiler_text=_text(status.spoiler_text, _MAX_SPOILER_CHARS),
            language=_parse_language(status.language),
            visibility=self.visibility,
            hashtags=self.hashtags,
            boosts=boosts,
            favourites=favourites,
            replies=replies,
            media_count=min(len(status.media_attachments or ()), _MAX_MEDIA),
            is_reply=parse_id(status.in_reply_to_id) != "",
        )


Seen = Toot | Glimpse


def parse_statuses(raw: object, *, server: str) -> list[Toot]:
    """The readable toots of a journal (a list of statuses, or a single one), in their order; never raises."""
    rows = raw if isinstance(raw, list) else [raw]
    return [toot for row in rows if (toot := parse_status(row, server=server)) is not None]


def parse_status(raw: object, *, server: str) -> Toot | None:
    """The toot in one status as ``server`` sent it, or None if it makes no sense; never raises.

    Unreadable is a status without an origin (no uri, or none that names a server), without a moment, without an
    author's name, and one that only carries somebody else's toot (a boost). Everything else that is missing, null or
    of the wrong type gets a harmless value; all texts are bounded and free of control characters.
    """
    glimpse = glance(as_status(raw), server=server)
    return None if glimpse is None else glimpse.whole()


def glance(status: Status | None, *, server: str) -> Glimpse | None:
    """What has to be known of a status before anything else; None exactly where ``parse_status`` gives None."""
    if status is None or status.reblog:
        return None
    face = _recognise(status)
    if face is None:
        return None
    hashtags = _listed_hashtags(status)
    if hashtags is None:
        hashtags = hashtags_in_text(_read_text(status)[1])[:_MAX_HASHTAGS]
    uri, url, origin, created_at, visibility = face
    # By place, as that is faster: 40 of them are made of every page.
    return Glimpse(uri, url, origin, server, parse_id(status.id), created_at, visibility, hashtags, status)


class _Face(NamedTuple):
    """What is the same in nearly all copies of a toot."""

    uri: str
    url: str
    origin: str
    created_at: datetime
    visibility: str


def _recognise(status: Status) -> _Face | None:
    """None: unreadable. Looked up at once, as a look at each of these texts takes longer than all that follows."""
    account = status.account or _NOBODY
    texts = (
        status.uri or "",
        status.url or "",
        status.created_at or "",
        status.visibility or "",
        account.acct or "",
        account.username or "",
        account.url or "",
        account.uri or "",
    )
    try:
        if sum(map(len, texts)) <= _REMEMBERED_CHARS:
            return _known_face(*texts)
    except TypeError:  # numbers and lists where texts should be
        pass
    return _read_face(*texts)


def _read_face(
    uri: Any, url: Any, created_at: Any, visibility: Any, acct: Any, username: Any, page: Any, actor: Any
) -> _Face | None:
    url = web_address(url)
    identity = identify(uri) if uri else identify_by_page(url)
    moment = parse_moment(created_at)
    if identity is None or moment is None:
        return None
    uri, origin = identity
    url = url or web_address(uri)
    author = _parse_author(Account(acct=acct, username=username, url=page, uri=actor), uri=uri, origin=origin)
    if author is None or not url:
        return None
    return _Face(uri, url, origin, moment, _line(visibility, 20).lower())


_known_face = lru_cache(maxsize=_MOST_FACES)(_read_face)


def _read_text(status: Status) -> tuple[str, str]:
    """The content as HTML and as text."""
    content = status.content
    html = clean_text(content[:MAX_HTML_CHARS]) if isinstance(content, str) else ""
    return html, html_to_text(html)[:_MAX_TEXT_CHARS]


def parse_id(raw: object) -> str:
    """A server's own id of something as text, whatever form it has; "" if there is none."""
    if type(raw) is str and raw.isdigit() and raw.isascii() and len(raw) <= _MAX_ID_CHARS:  # as a rule
        return raw
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw) if abs(raw) < 10**40 else ""
    return clean_line(raw) if isinstance(raw, str) and len(raw) <= _MAX_ID_CHARS else ""


class _Profile(NamedTuple):
    """What is read of an account, as it came but for wrong types; equal ones make equal authors.

    A tuple, as it is looked up for every toot. ``url`` is that of the page, ``uri`` that of the actor; ``texts`` are
    names and values of the fields.
    """

    acct: str
    username: str
    display_name: str
    url: str
    uri: str
    note: str
    texts: tuple[str, ...]
    is_bot: bool
    is_noindex: bool
    is_discoverable: bool | None
    is_indexable: bool | None


def _parse_author(account: Account, *, uri: str, origin: str) -> Author | None:
    profile = _read_profile(account)
    size = sum(map(len, profile[:6])) + sum(map(len, profile.texts))
    author = (_known_author if size <= _REMEMBERED_CHARS else _make_author)(profile, origin)
    # Whom the account does not name, the address of the toot may.
    return author or _make_author(profile, origin, user_in_uri(uri))


def _read_profile(account: Account) -> _Profile:
    return _Profile(
        _string(account.acct),
        _string(account.username),
        _string(account.display_name),
        _string(account.url),
        _string(account.uri),
        _string(account.note),
        _field_texts(account),
        account.bot is True,
        account.noindex is True,
        _parse_flag(account.discoverable),
        _parse_flag(account.indexable),
    )


def _field_texts(account: Account) -> tuple[str, ...]:
    if not account.fields:
        return ()
    pairs = [(row.name, row.value) for row in account.fields[:_MAX_FIELDS]]
    return tuple([text for pair in pairs for text in pair if isinstance(text, str)])


def _make_author(profile: _Profile, origin: str, fallback_user: str = "") -> Author | None:
    url = web_address(profile.url) or web_address(profile.uri)
    user, home = _find_handle(profile, url, origin)
    user = user or fallback_user
    if not _USER.fullmatch(user):
        return None
    return Author(
        handle=f"{user}@{home}",
        display_name=_line(profile.display_name, _MAX_NAME_CHARS) or user,
        url=url,
        is_bot=profile.is_bot,
        wishes=_find_wishes(profile),
        is_discoverable=profile.is_discoverable,
        is_indexable=profile.is_indexable,
    )


_known_author = lru_cache(maxsize=_MOST_REMEMBERED)(_make_author)


def _find_handle(profile: _Profile, url: str, origin: str) -> tuple[str, str]:
    """User and server of an author. Local ones come without a server: theirs is that of their page, or the origin."""
    user, _, host = _line(profile.acct, _MAX_NAME_CHARS).removeprefix("@").partition("@")
    if user and host and (home := find_server(host)) is not None:
        return user, home
    user = user or _line(profile.username, _MAX_NAME_CHARS).removeprefix("@").partition("@")[0]
    page = identify(url)
    if user:
        return user, page[1] if page else origin
    if page and (user := user_in_page(url)):
        return user, page[1]
    return "", origin


def _find_wishes(profile: _Profile) -> tuple[str, ...]:
    texts = (profile.note, profile.display_name, *profile.texts)
    found = dict.fromkeys(marker for text in texts for marker in profile_markers(text))
    return (*found, _ACCOUNT_NOINDEX) if profile.is_noindex else tuple(found)


def _listed_hashtags(status: Status) -> tuple[str, ...] | None:
    """Those the server lists; None when it lists none that can be read."""
    if status.tags is None:
        return None
    names = tuple([tag.name for tag in status.tags])
    try:
        is_usual = len(names) <= _REMEMBERED_HASHTAGS and sum(map(len, names)) <= _REMEMBERED_CHARS
        listed = _known_hashtags(names) if is_usual else None
    except TypeError:  # numbers and lists where names should be
        listed = None
    if listed is None:
        listed = _fold_hashtags(tuple([name for name in names[:_MAX_HASHTAGS] if isinstance(name, str)]))
    return listed if listed or not names else None


def _fold_hashtags(names: tuple[str, ...]) -> tuple[str, ...]:
    short = (name[:_MAX_HASHTAG_CHARS] for name in names)
    return tuple(dict.fromkeys(tag for name in short if (tag := fold_hashtag(clean_line(name)))))


_known_hashtags = lru_cache(maxsize=_MOST_REMEMBERED)(_fold_hashtags)


def _parse_count(raw: object) -> int:
    if type(raw) is int:  # as a rule
        return raw if 0 <= raw <= _MAX_COUNT else max(0, min(raw, _MAX_COUNT))
    if isinstance(raw, str) and len(raw) <= 12 and raw.isascii() and raw.isdigit():
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return 0
    if isinstance(raw, float) and not math.isfinite(raw):
        return 0
    return max(0, min(int(raw), _MAX_COUNT))


def _parse_language(raw: object) -> str:
    return raw if isinstance(raw, str) and _LANGUAGE.fullmatch(raw) else ""


def _parse_flag(raw: object) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _string(raw: object) -> str:
    return raw if isinstance(raw, str) else ""


def _line(raw: object, max_chars: int) -> str:
    return clean_line(raw[:max_chars]) if isinstance(raw, str) else ""


def _text(raw: object, max_chars: int) -> str:
    return clean_text(raw[:max_chars]).strip() if isinstance(raw, str) else ""


def to_status(toot: Toot) -> dict[str, Any]:
    """The toot as a status of the API, as far as we keep one; ``parse_status`` reads the same toot out of it."""
    author = toot.author
    markers = " ".join(f"#{wish}" for wish in author.wishes if wish != _ACCOUNT_NOINDEX)
    return {
        "id": toot.local_id,
        "uri": toot.uri,
        "url": toot.url,
        "created_at": _format_moment(toot.created_at),
        "edited_at": _format_moment(toot.edited_at) if toot.edited_at is not None else None,
        "in_reply_to_id": "unknown" if toot.is_reply else None,
        "visibility": toot.visibility,
        "language": toot.language or None,
        "spoiler_text": toot.spoiler_text,
        "content": toot.html,
        "tags": [{"name": hashtag} for hashtag in toot.hashtags],
        "reblogs_count": toot.boosts,
        "favourites_count": toot.favourites,
        "replies_count": toot.replies,
        "media_attachments": [{"type": "unknown"}] * toot.media_count,
        "account": {
            "acct": author.handle,
            "username": author.handle.partition("@")[0],
            "display_name": author.display_name,
            "url": author.url,
            "bot": author.is_bot,
            "note": f"<p>{markers}</p>" if markers else "",
            "fields": [],
            "noindex": _ACCOUNT_NOINDEX in author.wishes,
            "discoverable": author.is_discoverable,
            "indexable": author.is_indexable,
        },
    }


def _format_moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
