"""Dates as feeds write them: ISO 8601, RFC 822 with its many mistakes, months in other languages, numbers. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

# A date outside is a slip of a program (0, -1, 9999), not a date.
FIRST_YEAR, LAST_YEAR = 1971, 2199

_ISO = re.compile(
    r"([+-]?\d{4})-?(\d\d)(?:-?(\d\d)(?:[T\s_]*(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,]\d*)?)?)?)?)?\s*"
    r"(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?(?:\s.*)?",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:[,\sT]+(\d{1,2}):(\d\d)(?::(\d\d))?)?")
_TIME = re.compile(r"(?<![\d:.])(\d{1,2}):(\d\d)(?::(\d\d))?(?:[.,]\d+)?\s*([ap]\.?m\b)?", re.IGNORECASE)
_OFFSET = re.compile(r"(?:GMT|UTC|Z)?\s*([+-])(\d{1,2}):?(\d\d)?\b", re.IGNORECASE)
_ZONE_WORD = re.compile(r"\b([A-Z]{1,5})\b")
_WORD = re.compile(r"[^\W\d_]{3,}")
_DAY = re.compile(r"(?<![\d:+-])(\d{1,2})(?:st|nd|rd|th|er|\.)?(?![\d:])")
_YEAR = re.compile(r"(?<![\d:+])(\d{4})(?![\d:])")
_SHORT_YEAR = re.compile(r"[^\W\d_][\s.,-]+(\d\d),?\s*$")
_EPOCH = re.compile(r"\d{9,13}(?:\.\d+)?")

_ZONES = {
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "BST": 1,
    "IST": 5.5,
}
_ZONES |= {"CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "WET": 0, "WEST": 1, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9}
_ZONES |= {"KST": 9, "AEST": 10, "AEDT": 11, "ACST": 9.5, "AWST": 8, "NZST": 12, "NZDT": 13, "HST": -10, "AKST": -9}
_ZONES |= {"AKDT": -8, "AST": -4, "ADT": -3, "NST": -3.5, "BRT": -3, "ART": -3, "SGT": 8, "HKT": 8, "SAST": 2}

# The shortest beginning of a month's name that no other month has, in ten languages and without accents.
_MONTHS = (
    ("jan", "ene", "gen", "sty", "янв"),
    ("feb", "fev", "lut", "фев"),
    ("mar", "maer", "mrt", "mrz", "мар"),
    ("apr", "avr", "abr", "kwi", "апр"),
    ("may", "mai", "mei", "maj", "mag", "май", "мая"),
    ("jun", "juin", "giu", "cze", "июн"),
    ("jul", "juil", "lug", "lip", "июл"),
    ("aug", "aou", "ago", "sie", "авг"),
    ("sep", "set", "wrz", "сен"),
    ("oct", "okt", "out", "ott", "paz", "окт"),
    ("nov", "lis", "ноя"),
    ("dec", "dez", "dic", "des", "gru", "дек"),
)
_MONTH_OF = {start: number for number, starts in enumerate(_MONTHS, 1) for start in starts}


def parse_date(text: object) -> datetime | None:
    """The moment in UTC, or None if the text is no date or one that cannot be meant. No zone means UTC."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _from_epoch(float(text))
    if not isinstance(text, str):
        return None
    line = " ".join(text[:200].split())
    if not line or not any(map(str.isdigit, line)):
        return None
    for reader in (_read_iso, _read_epoch, _read_numbers, _read_words):
        try:
            moment = reader(line)
        except (ValueError, OverflowError):
            continue  # not a date of this form
        if moment is not None:
            return believed(moment)
    return None


def believed(moment: datetime) -> datetime | None:
    """The moment in UTC unless its year is one no feed means."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def posting_moment(published_at: datetime | None, updated_at: datetime | None, *, seen_at: datetime) -> datetime:
    """When an entry counts as posted: as it says, never later than it was first seen; then, if it says nothing."""
    said = published_at or updated_at
    return seen_at if said is None or said > seen_at else said


def _read_iso(line: str) -> datetime | None:
    found = _ISO.fullmatch(line)
    if found is None or (found[3] is None and "-" not in line):
        return None
    year, month, day, hour, minute, second = (int(value or 0) for value in found.groups()[:6])
    offset = _offset(found[7])
    return _moment(year, month, day or 1, hour, minute, second, offset)


def _read_epoch(line: str) -> datetime | None:
    return _from_epoch(float(line)) if _EPOCH.fullmatch(line) else None


def _from_epoch(number: float) -> datetime | None:
    seconds = number / 1000 if abs(number) >= 1e11 else number
    try:
        return believed(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _read_numbers(line: str) -> datetime | None:
    """``20.04.2024 10:00``; with slashes the month may stand first, then it is taken so unless it cannot be one."""
    found = _NUMBERS.match(line)
    if found is None:
        return None
    first, second, year, hour, minute, seconds = (int(value or 0) for value in found.groups())
    day, month = (first, second) if first > 12 or "/" not in found[0] else (second, first)
    return _moment(year, month, day, hour, minute, seconds, _offset(line[found.end() :].strip()))


def _read_words(line: str) -> datetime | None:
    """A day, the name of a month, a year and perhaps a time, in any order: RFC 822 and its relatives."""
    time = _TIME.search(line)
    before, after = (line[: time.start()], _OFFSET.sub(" ", line[time.end() :])) if time else (line, "")
    date = before if _DAY.search(before) else after
    month = next((number for word in _WORD.findall(date) if (number := _month(word))), None)
    day, year = _DAY.search(date), _year(before, after)
    if month is None or day is None or year is None:
        return None
    hour, minute, second = (int(value or 0) for value in time.groups()[:3]) if time else (0, 0, 0)
    if time and time[4]:
        hour = hour % 12 + (12 if time[4].lower().startswith("p") else 0)
    return _moment(year, month, int(day[1]), hour, minute, second, _offset(line[time.end() :] if time else ""))


def _year(before: str, after: str) -> int | None:
    """The year by its four digits before or after the time, else two digits right before the time."""
    if found := _YEAR.search(before) or _YEAR.search(after):
        return int(found[1])
    if found := _SHORT_YEAR.search(before):
        return int(found[1]) + (2000 if int(found[1]) < 70 else 1900)
    return None


def _month(word: str) -> int | None:
    plain = unicodedata.normalize("NFKD", word.casefold().replace("ä", "ae"))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return _MONTH_OF.get(plain[:4]) or _MONTH_OF.get(plain[:3])


def _offset(text: str | None) -> timedelta:
    """The offset from UTC that ``+0200``, ``GMT+2`` or ``EST`` name; nothing known means none."""
    if not text:
        return timedelta()
    if found := _OFFSET.search(text):
        hours, minutes = int(found[2]), int(found[3] or 0)
        size = timedelta(hours=hours, minutes=minutes)
        if size >= timedelta(hours=24):
            return timedelta()
        return -size if found[1] == "-" else size
    word = next((name for name in _ZONE_WORD.findall(text.upper()) if name in _ZONES), None)
    return timedelta(hours=_ZONES[word]) if word else timedelta()


def _moment(year: int, month: int, day: int, hour: int, minute: int, second: int, offset: timedelta) -> datetime:
    """ValueError if there is no such day; ``24:00`` and a leap second are the start of what follows."""
    if hour > 24 or minute > 60 or second > 61:
        hour = minute = second = 0  # the day is right, the time is not
    day_start = datetime(year, month, day, tzinfo=timezone(offset))
    return day_start + timedelta(hours=hour, minutes=minute, seconds=second)
