"""TOML front matter of a Hugo page (https://toml.io/en/v1.0.0, https://gohugo.io/content-management/front-matter/)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

Scalar = str | bool | int | float | datetime
Value = Scalar | Sequence[Scalar]

_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def front_matter(values: Mapping[str, Value], params: Mapping[str, Value]) -> str:
    """The block between ``+++`` lines that starts a page; ``params`` become a table of that name."""
    lines = [_line(key, value) for key, value in values.items()]
    lines += ["", "[params]", *(_line(key, value) for key, value in params.items())]
    return "\n".join(["+++", *lines, "+++", ""])


def _line(key: str, value: Value) -> str:
    return f"{key if _BARE_KEY.fullmatch(key) else _text(key)} = {_written(value)}"


def _written(value: Value) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return f"[{', '.join(_written(item) for item in value)}]"


def _text(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in '"\\':
        return f"\\{character}"
    if "\ud800" <= character <= "\udfff":
        return "\\uFFFD"
    return f"\\u{ord(character):04X}"
