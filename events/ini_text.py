"""The grammar of an INI file: text to sections of raw values, and back. Pure.

The grammar is that of Python's ``configparser`` without interpolation (``%`` is just a sign), strict about
doubles: ``[section]``, ``option = value`` or ``option: value``, deeper indented lines continue a value, lines that
begin with ``#`` or ``;`` are comments. It is read here and not there because every wrong line shall be named, and
because ``configparser`` takes quadratic time on some lines.

A value that a plain line cannot carry (blanks at an end, line breaks, control characters) is written as a JSON
string. Only such values are read as one: ``"The Blob"`` is a title with its quotation marks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from common.errors import ConfigurationError

MAX_BYTES = 256 * 1024

# {section: {option: value}}, in the order of the file. Options are in lower case.
Sections = dict[str, dict[str, str]]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HEADER = re.compile(r"\[(.+)\]")


class IniError(ConfigurationError):
    """An INI file that cannot be used; ``problems`` has a sentence for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        problems = capped(problems)
        super().__init__("; ".join(problems), user_message="\n".join(problems))
        self.problems = problems


def capped(sentences: list[str], most: int = 50) -> list[str]:
    """No more sentences than a person reads."""
    more = len(sentences) - most
    return sentences if more <= 0 else [*sentences[:most], f"And {more} more of the kind."]


def decode(content: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark; IniError if it is no such text."""
    if len(content) > MAX_BYTES:
        raise IniError([f"The file is too large: an INI file has at most {MAX_BYTES // 1024} KB."])
    if b"\0" in content:
        raise IniError(["The file is not a text file."])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise IniError([f"Line {line} is not UTF-8 text; save the file as UTF-8."]) from error


def parse_text(text: str) -> Sections:
    """Sections of raw values (line breaks within a value kept); IniError names every wrong line."""
    if len(text) > MAX_BYTES:
        raise IniError([f"The file is too large: an INI file has at most {MAX_BYTES // 1024} KB."])
    reader = _Reader()
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        reader.read_line(number, line)
    if not reader.sections and not reader.problems:
        reader.problems.append("The file has no section; it must begin with a line [mastoscore].")
    if reader.problems:
        raise IniError(reader.problems)
    return {
        section: {option: "\n".join(values).rstrip() for option, values in options.items()}
        for section, options in reader.sections.items()
    }


@dataclass(slots=True)
class _Reader:
    """What is known after some lines; ``section`` and ``value`` are what the next line may add to."""

    sections: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    section: dict[str, list[str]] | None = None
    section_name: str = ""
    value: list[str] | None = None
    indent: int = 0
    is_headless: bool = False

    def read_line(self, number: int, line: str) -> None:
        content = line.strip()
        if not content:
            if self.value is not None:
                self.value.append("")
            return
        if content[0] in "#;":
            return
        indent = len(line) - len(line.lstrip())
        if self.value is not None and indent > self.indent:
            self.value.append(content)
            return
        self.indent, self.value = indent, None
        header = _HEADER.match(content)
        if header:
            self._begin_section(number, header[1].strip())
        else:
            self._begin_value(number, content)

    def _begin_section(self, number: int, name: str) -> None:
        self.section, self.section_name = {}, name
        if name in self.sections:
            self.problems.append(f"Line {number}: section [{_shown(name)}] is there twice.")
        self.sections.setdefault(name, self.section)

    def _begin_value(self, number: int, content: str) -> None:
        if self.section is None:
            if not self.is_headless:
                self.problems.append(
                    f"Line {number} stands before any section; the file must begin with [mastoscore]."
                )
            self.is_headless = True
            return
        name, delimiter, value = _split(content)
        if not name or not delimiter:
            self.problems.append(f"Line {number} is not of the form option = value: “{_shown(content)}”.")
            return
        if name in self.section:
            self.problems.append(
                f"Line {number}: option {_shown(name)} is there twice in [{_shown(self.section_name)}]."
            )
        self.value = [value]
        self.section[name] = self.value


def _split(content: str) -> tuple[str, str, str]:
    """Option in lower case, delimiter, value; the first ``=`` or ``:`` parts them."""
    parted = re.search("[=:]", content)
    if parted is None:
        return "", "", ""
    return content[: parted.start()].rstrip().lower(), parted[0], content[parted.end() :].strip()


def format_text(sections: Mapping[str, Mapping[str, str]], *, may_span_lines: Callable[[str, str], bool]) -> str:
    """Text from which ``parse_text`` and ``unquoted`` give the same values.

    ``may_span_lines(section, option)``: whether line breaks of its value may become lines of the file.
    """
    blocks = []
    for section, options in sections.items():
        lines = [f"[{section}]"]
        for option, value in options.items():
            lines.append(f"{option} = {_written(value, may_span_lines(section, option))}".rstrip(" "))
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def is_writable_section(name: str) -> bool:
    return bool(name) and name == name.strip() and not _CONTROL.search(name)


def is_writable_option(name: str) -> bool:
    return (
        bool(name)
        and name == name.strip().lower()
        and name[0] not in "#;["
        and not re.search("[=:]", name)
        and not _CONTROL.search(name)
    )


def unquoted(raw: str) -> str | None:
    """The value that a JSON string stands for, or None if ``raw`` means itself."""
    if len(raw) < 2 or raw[0] != '"' or raw[-1] != '"':
        return None
    try:
        value = json.loads(raw)
    except ValueError:
        return None
    return value if isinstance(value, str) and _needs_quotes(value) else None


def _needs_quotes(value: str) -> bool:
    return value != value.strip() or bool(_CONTROL.search(value)) or unquoted(value) is not None


def _written(value: str, may_span_lines: bool) -> str:
    if not _needs_quotes(value):
        return value
    lines = value.split("\n")
    is_plain = all(line and line[0] not in "#;" and line == line.strip() for line in lines)
    if may_span_lines and len(lines) > 1 and is_plain and not any(map(_CONTROL.search, lines)):
        return "\n\t".join(lines)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _shown(text: str, length: int = 60) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
