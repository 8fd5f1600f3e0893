"""What tells of one author, or of everyone on one server, in texts and stored JSON. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Traces:
    """``target``: ``user@server`` or a server's name, case-folded. ``addresses``: of toots and profiles.

    ``names`` are display names; short ones and words that anybody uses would find too much, so they count only where
    the caller looks for whole lines about somebody (``names_them`` with ``also_names``).
    """

    target: str
    handles: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    _pattern: re.Pattern[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        words = sorted({self.target, *(handle.casefold() for handle in self.handles)}, key=len, reverse=True)
        # Not as a part of another handle or host: ada@a.example is not in nada@a.example, nor in ada@a.example.org.
        pattern = rf"(?<![\w.-])(?:{'|'.join(map(re.escape, words))})(?![\w-]|\.\w)"
        object.__setattr__(self, "_pattern", re.compile(pattern))

    def names_them(self, text: str, *, also_names: bool = False) -> bool:
        """Whether the text tells of them."""
        folded = text.casefold()
        if self._pattern.search(folded) or any(address in text for address in self.addresses):
            return True
        return also_names and any(name in text for name in self.names)

    def is_in(self, value: Any) -> bool:
        """Whether any text in a JSON value tells of them, keys included."""
        return any(self.names_them(text) for text in _texts(value))

    def scrub(self, value: Any) -> Any:
        """The JSON value without them: entries of lists and objects that tell of them are gone, texts empty."""
        if isinstance(value, str):
            return "" if self.names_them(value) else value
        if isinstance(value, list):
            return [self.scrub(entry) for entry in value if not self._is_about_them(entry)]
        if isinstance(value, dict):
            return {key: self.scrub(entry) for key, entry in value.items() if not self.names_them(str(key))}
        return value

    def _is_about_them(self, entry: Any) -> bool:
        if isinstance(entry, dict):
            return any(isinstance(text, str) and self.names_them(text) for text in entry.values())
        return isinstance(entry, str) and self.names_them(entry)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield str(key)
            yield from _texts(entry)
