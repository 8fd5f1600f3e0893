"""Values of an event <-> sections of an INI file. Pure; the grammar is in ini_text, the options in ini_options.

``read_sections`` looks at every option and collects what is wrong, so that a person can repair a file in one go.
Defaults, ranges and choices are the model's: ``events.services`` adds what it has to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from common.errors import ConfigurationError
from common.times import zone
from events.ini_options import (
    BY_FIELD,
    KNOWN_SECTIONS,
    LIST_PLACES,
    LOUD_PLACES,
    MAIN,
    OPTIONS,
    PLACES,
    START_OPTIONS,
    START_PLACES,
    UNUSED_OPTIONS,
    Place,
)
from events.ini_start import StartTexts, read_start
from events.ini_text import (
    IniError,
    Sections,
    decode,
    format_text,
    is_writable_option,
    is_writable_section,
    parse_text,
    unquoted,
)

__all__ = [
    "IniError",
    "Reading",
    "Sections",
    "Source",
    "decode",
    "format_sections",
    "is_writable_option",
    "is_writable_section",
    "looks_secret",
    "parse",
    "read_sections",
    "sections_of",
]

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_SECRET = re.compile(r"token|secret|password|passwd|api_?key")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from."""

    section: str
    option: str
    text: str

    def problem(self, complaint: str) -> str:
        """The sentence for a person: section, option, value, and what is wrong with it."""
        shown = self.text if len(self.text) <= 80 else f"{self.text[:79]}…"
        return f"[{self.section}] {self.option}: “{shown}” {complaint}."


@dataclass(slots=True)
class Reading:
    """What a file says: ``values`` by field for what was given and could be read, ``sources`` for all given.

    ``kept``: options that are not used, to be written again. ``problems`` and ``warnings``: sentences.
    """

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    kept: Sections = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def unreadable(self) -> set[str]:
        return set(self.sources) - set(self.values)


def parse(text: str) -> Sections:
    """Sections of values as meant: quotation undone, and a known option's lines joined to one.

    Raises IniError for text that is no INI file.
    """
    return {
        section: {option: _meant((_folded(section), option), raw) for option, raw in options.items()}
        for section, options in parse_text(text).items()
    }


def format_sections(sections: Mapping[str, Mapping[str, str]]) -> str:
    """Text from which ``parse`` gives the same sections."""
    return format_text(sections, may_span_lines=lambda section, option: (section, option) not in PLACES)


def read_sections(sections: Mapping[str, Mapping[str, str]]) -> Reading:
    reading = Reading()
    given = _given(sections, reading)
    used: set[Place] = set()
    for option in OPTIONS:
        source = _first(given, option.places)
        if source is None:
            continue
        used.add((source.section, source.option))
        reading.sources[option.field] = source
        try:
            reading.values[option.field] = option.read(source.text)
        except ConfigurationError as error:
            reading.problems.append(source.problem(f"{error}{_comment_hint(source.text)}"))
    used |= _read_start_options(given, reading)
    _require(reading)
    _keep_the_rest(given, used, reading)
    return reading


def sections_of(values: Mapping[str, Any], kept: Mapping[str, Mapping[str, str]]) -> Sections:
    """The whole configuration as sections; from them ``read_sections`` gives the same values and kept options.

    ``values`` has every field of OPTIONS and ``start`` (aware).
    """
    sections: Sections = {section: {} for section in KNOWN_SECTIONS}
    for option in OPTIONS:
        text = option.write(values[option.field])
        if text or not option.is_left_out_when_empty:
            sections[option.home[0]][option.home[1]] = text
        if option.field == "episode_title":
            sections[MAIN].update(_start_options(values))
    for section, options in kept.items():
        for name, text in options.items():
            if (section, name) not in LOUD_PLACES and not (section == MAIN and (section, name) in PLACES):
                sections.setdefault(section, {})[name] = text
    return sections


def looks_secret(option: str) -> bool:
    """Whether an option we do not know holds something that must not lie in the database in plain text."""
    return _SECRET.search(option) is not None


def _start_options(values: Mapping[str, Any]) -> dict[str, str]:
    local = values["start"].astimezone(zone(values["timezone"]))
    return {
        "event_year": str(local.year),
        "event_month": str(local.month),
        "event_day": str(local.day),
        "event_start": local.isoformat(),
    }


def _meant(place: Place, raw: str) -> str:
    value = unquoted(raw)
    if value is not None or place not in PLACES or "\n" not in raw:
        return raw if value is None else value
    if place in LIST_PLACES:
        return ", ".join(part for line in raw.split("\n") if (part := line.strip().strip(",").strip()))
    return " ".join(raw.split("\n")).strip()


def _folded(section: str) -> str:
    """Sections we know are found in any case; others keep their spelling."""
    return section.casefold() if section.casefold() in KNOWN_SECTIONS else section


def _given(sections: Mapping[str, Mapping[str, str]], reading: Reading) -> dict[Place, str]:
    given: dict[Place, str] = {}
    seen: set[str] = set()
    for section, options in sections.items():
        name = _folded(section)
        if name in seen or not is_writable_section(section):
            trouble = f"is there twice, also as [{name}]" if name in seen else "cannot be the name of a section"
            reading.problems.append(f"[{section}] {trouble}.")
            continue
        seen.add(name)
        for option, text in options.items():
            place = (name, option.lower())
            if not is_writable_option(place[1]):
                reading.problems.append(f"[{section}] {option!r} cannot be the name of an option.")
            elif _UNSTORABLE.search(option + text):
                reading.problems.append(f"[{section}] {option} has characters that cannot be stored.")
            elif place in given:
                reading.problems.append(f"[{section}] {option} is there twice.")
            else:
                given[place] = text
    return given


def _first(given: Mapping[Place, str], places: Iterable[Place]) -> Source | None:
    return next((Source(*place, given[place]) for place in places if place in given), None)


def _read_start_options(given: Mapping[Place, str], reading: Reading) -> set[Place]:
    found = {
        name: source
        for name in START_OPTIONS
        if (source := _first(given, [place for place in START_PLACES if place[1] == name]))
    }
    reading.sources.update({"start": found["event_start"]} if "event_start" in found else {})
    texts = StartTexts(**{name: source.text for name, source in found.items()})
    start, complaints = read_start(texts, _zone_of(reading))
    if start is not None:
        reading.values["start"] = start
    for name, complaint in complaints:
        source = found.get(name)
        reading.problems.append(source.problem(complaint) if source else f"[{MAIN}] {name} {complaint}.")
    return {(source.section, source.option) for source in found.values()}


def _zone_of(reading: Reading) -> ZoneInfo | None:
    """The zone for times without an offset; None when the file's own makes no sense."""
    if "timezone" in reading.unreadable:
        return None
    return zone(reading.values.get("timezone", "UTC"))


def _require(reading: Reading) -> None:
    if "hashtag" not in reading.sources:
        reading.problems.append(f"[{MAIN}] hashtag is missing.")
    for name, substitute in (
        ("event_title", "the hashtag stands in for it"),
        ("duration", "the event is taken to last 1:30:00"),
        ("timezone", "UTC is used"),
    ):
        if name not in reading.sources:
            option = BY_FIELD[name].home[1]
            reading.warnings.append(f"[{MAIN}] {option} is missing; {substitute}.")


def _keep_the_rest(given: Mapping[Place, str], used: set[Place], reading: Reading) -> None:
    told_sections = set()
    for (section, name), text in given.items():
        if (section, name) in used or (section == MAIN and (section, name) in PLACES):
            continue
        if looks_secret(name):
            reading.warnings.append(
                f"[{section}] {name} is not kept, as it looks like a secret; tokens are stored by add_account."
            )
            continue
        reading.kept.setdefault(section, {})[name] = text
        if section not in KNOWN_SECTIONS:
            if section not in told_sections:
                told_sections.add(section)
                reading.warnings.append(f"[{section}] is not a section we know; it is kept but not used.")
        elif (section, name) in PLACES:
            _warn_of_contradiction(section, name, text, given, used, reading)
        elif name not in UNUSED_OPTIONS:
            reading.warnings.append(f"[{section}] {name} is not an option we know; it is kept but not used.")


def _warn_of_contradiction(
    section: str, name: str, text: str, given: Mapping[Place, str], used: set[Place], reading: Reading
) -> None:
    """The option is known, but an event has one value for it and another place gave it."""
    option = next((option for option in OPTIONS if (section, name) in option.places), None)
    places = option.places if option else [place for place in START_PLACES if place[1] == name]
    winner = next((Source(*place, given[place]) for place in places if place in used), None)
    if winner is not None and winner.text != text:
        reading.warnings.append(
            f"[{section}] {name} is kept but not used; [{winner.section}] {winner.option} holds for the whole event."
        )


def _comment_hint(text: str) -> str:
    return " (a comment needs a line of its own)" if re.search(r"\s[;#]", text) else ""
