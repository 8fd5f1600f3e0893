"""How apps name posts, streams and moments. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

ITEM = "tag:google.com,2005:reader/item/"
READING_LIST = "user/-/state/com.google/reading-list"
READ = "user/-/state/com.google/read"
STARRED = "user/-/state/com.google/starred"

_STREAM = re.compile(r"user/(-|[0-9]{1,18})/(label|state/com\.google)/(.{1,255})", re.DOTALL)
_HEX = re.compile(r"[0-9a-fA-F]{1,16}")
_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
_MOMENT = re.compile(r"([0-9]{1,20})(?:\.[0-9]{1,20})?", re.ASCII)
_MOST = 2**63 - 1  # what a database counts to
_LATEST_SECONDS = 7_000_000_000  # in the year 2191
_STEPS = 3  # seconds, milliseconds, microseconds, nanoseconds


class Kind(Enum):
    """What a stream holds. NOTHING: what this house has none of, such as stars."""

    ALL = "reading-list"
    READ = "read"
    UNREAD = "unread"
    NOTHING = "nothing"
    LABEL = "label"
    FEED = "feed"


# There are two states here, so what is kept unread is what is unread.
_STATES = {
    "reading-list": Kind.ALL,
    "read": Kind.READ,
    "unread": Kind.UNREAD,
    "kept-unread": Kind.UNREAD,
    "tracking-kept-unread": Kind.UNREAD,
    "starred": Kind.NOTHING,
    "like": Kind.NOTHING,
    "broadcast": Kind.NOTHING,
    "broadcast-friends": Kind.NOTHING,
}


@dataclass(frozen=True, slots=True)
class Stream:
    """``name``: of the label, or what stands behind ``feed/``."""

    kind: Kind
    name: str = ""


def parse_stream(text: str, user_id: int) -> Stream | None:
    """The stream of that name; None for anything else, such as one of another user."""
    if text.startswith("feed/") and 5 < len(text) <= 2000:
        return Stream(Kind.FEED, text[5:])
    found = _STREAM.fullmatch(text)
    if found is None or found[1] not in ("-", str(user_id)):
        return None
    if found[2] == "label":
        return Stream(Kind.LABEL, found[3])
    kind = _STATES.get(found[3])
    return None if kind is None else Stream(kind)


def label_stream(name: str) -> str:
    return f"user/-/label/{name}"


def feed_stream(source_id: int) -> str:
    return f"feed/{source_id}"


def item_name(post_id: int) -> str:
    """The long form: 16 hexadecimal digits."""
    return f"{ITEM}{post_id:016x}"


def parse_item(text: str) -> int | None:
    """The number of the post: long form (digits padded or not), bare hexadecimal, or decimal; None if it is none.

    Digits alone are decimal unless they are padded to 16. A number that no post can have is 0.
    """
    is_long = text.startswith(ITEM)
    digits = text.removeprefix(ITEM)
    if not is_long and _NUMBER.fullmatch(digits) and not (len(digits) == 16 and digits[0] == "0"):
        number = int(digits)
    elif _HEX.fullmatch(digits):
        number = int(digits, 16)
    else:
        return None
    return number if number <= _MOST else 0


def parse_moment(text: str) -> datetime | None:
    """A count since 1970 of seconds, perhaps with a fraction, or of thousandths, millionths, billionths of them.

    Which of these goes by its size; None if it is no such count.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    count = float(text)
    for _ in range(_STEPS):
        if count > _LATEST_SECONDS:
            count /= 1000
    return None if count > _LATEST_SECONDS else datetime.fromtimestamp(count, UTC)


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def microseconds(moment: datetime) -> int:
    return seconds(moment) * 1_000_000 + moment.microsecond
