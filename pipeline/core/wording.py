"""Numbers, nouns, days and times as they stand in sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo


def count_of(number: int, singular: str, plural: str = "") -> str:
    """``1 boost``, ``1,234 boosts``; the plural where it is not the singular with ``s``."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def join_words(words: Sequence[str], word: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return f"{', '.join(words[:-1])} {word} {words[-1]}" if len(words) > 1 else "".join(words)


def name_hashtags(hashtags: Sequence[str], word: str = "or") -> str:
    """``#a``, ``#a or #b``."""
    return join_words([f"#{hashtag}" for hashtag in hashtags], word)


def long_date(day: date) -> str:
    """``22 February 2026``."""
    return f"{day.day} {day:%B %Y}"


def clock(moment: datetime, place: ZoneInfo) -> str:
    """``21:34`` as the clocks show it there."""
    return f"{moment.astimezone(place):%H:%M}"


def zone_label(moment: datetime, place: ZoneInfo) -> str:
    """``EST``, or ``UTC+03`` for a zone without a name of letters."""
    name = moment.astimezone(place).tzname() or ""
    return name if name.isalpha() else f"UTC{name}"
