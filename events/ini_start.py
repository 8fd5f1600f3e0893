"""When an event starts, out of the four options an INI file has for it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from common.times import EARLIEST, LATEST

# (option, rest of a sentence about its value)
Complaint = tuple[str, str]


@dataclass(frozen=True, slots=True)
class StartTexts:
    """The texts as given; None where an option is missing."""

    event_start: str | None = None
    event_year: str | None = None
    event_month: str | None = None
    event_day: str | None = None

    @property
    def parts(self) -> dict[str, str | None]:
        return {"event_year": self.event_year, "event_month": self.event_month, "event_day": self.event_day}


def read_start(texts: StartTexts, zone: ZoneInfo | None) -> tuple[datetime | None, list[Complaint]]:
    """The moment, aware, or None with complaints.

    A full ISO 8601 moment in ``event_start`` counts, and year, month and day, where given, must agree with it; a
    mere time is put together with all three in ``zone``. Without an offset the zone's clock is meant. With
    ``zone`` None (it was wrong itself) a text that needs one gives None without a complaint.
    """
    numbers, complaints = _date_numbers(texts)
    if texts.event_start is None:
        return None, [*complaints, ("event_start", "is missing")]
    if complaints:
        return None, complaints
    if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?", texts.event_start):
        naive, complaints = _from_time(texts.event_start, numbers)
    else:
        naive, complaints = _from_moment(texts.event_start)
    if naive is None:
        return None, complaints
    if naive.tzinfo is None and zone is None:
        return None, []
    start = naive if naive.tzinfo else naive.replace(tzinfo=zone)
    complaint = _complaint(naive, start, numbers, zone)
    return (None, [("event_start", complaint)]) if complaint else (start, [])


def _date_numbers(texts: StartTexts) -> tuple[dict[str, int], list[Complaint]]:
    numbers: dict[str, int] = {}
    complaints = []
    for name, text in texts.parts.items():
        if text is None:
            continue
        if re.fullmatch(r"[0-9]{1,4}", text):
            numbers[name] = int(text)
        else:
            complaints.append((name, "is not a whole number"))
    return numbers, complaints


def _from_time(text: str, numbers: dict[str, int]) -> tuple[datetime | None, list[Complaint]]:
    missing = [name for name in ("event_year", "event_month", "event_day") if name not in numbers]
    if missing:
        return None, [("event_start", f"is a time without a date, and {', '.join(missing)} is missing")]
    hours, minutes, seconds = (*map(int, text.split(":")), 0)[:3]
    try:
        day = date(*numbers.values())
    except ValueError:
        shown = "-".join(str(number) for number in numbers.values())
        return None, [("event_day", f"makes no date: there is no {shown} (event_year, event_month, event_day)")]
    try:
        return datetime.combine(day, time(hours, minutes, seconds)), []
    except ValueError:
        return None, [("event_start", "is not a time of day")]


def _from_moment(text: str) -> tuple[datetime | None, list[Complaint]]:
    complaint = "is not a moment like 2026-02-22T21:00:00-05:00"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, [("event_start", complaint)]
    return (None, [("event_start", f"is a date without a time; it {complaint}")]) if _is_date(text) else (moment, [])


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _complaint(naive: datetime, start: datetime, numbers: dict[str, int], zone: ZoneInfo | None) -> str:
    try:
        moment = start.astimezone(UTC)
        local = moment.astimezone(zone or UTC)
    except OverflowError:
        return "is out of range"
    if not EARLIEST <= moment < LATEST:
        return f"is out of range: events lie between {EARLIEST.year} and {LATEST.year}"
    if naive.tzinfo is None and local.replace(tzinfo=None) != naive:
        return f"is a time that the clocks of {zone} leave out that day"
    # The date may be told as the moment is written, or in the event's zone.
    if numbers and not any(_agrees(moment_there, numbers) for moment_there in (start, local)):
        names = ", ".join(f"{name} = {number}" for name, number in numbers.items())
        return f"does not agree with {names}"
    return ""


def _agrees(moment: datetime, numbers: dict[str, int]) -> bool:
    return all(getattr(moment, name.removeprefix("event_")) == number for name, number in numbers.items())
