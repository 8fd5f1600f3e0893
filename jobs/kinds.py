"""Which kinds of jobs there are, and which function does each. Apps add theirs in ``AppConfig.ready``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.module_loading import import_string

from common.errors import MastoscoreError

if TYPE_CHECKING:
    from jobs.context import JobContext

JobFunction = Callable[["JobContext"], dict[str, Any]]


class UnknownKind(MastoscoreError):
    """Nobody registered a job of that kind."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``function`` is the callable or its dotted path, which is imported when the first such job runs."""

    name: str
    function: str | JobFunction
    label: str


_kinds: dict[str, Kind] = {}


def register(kind: str, function: str | JobFunction, *, label: str) -> None:
    """Make ``kind`` known. ``label`` is a noun for people: "fetch", "word cloud". Saying it twice is all right."""
    new = Kind(kind, function, label)
    if _kinds.setdefault(kind, new) != new:
        raise ValueError(f"two functions want to do jobs of kind {kind!r}")


def find_kind(kind: str) -> Kind:
    """The kind of that name; UnknownKind if nobody registered it."""
    try:
        return _kinds[kind]
    except KeyError:
        known = ", ".join(sorted(_kinds)) or "none"
        raise UnknownKind(f"no job of kind {kind!r} is known (known: {known})") from None


def load_function(kind: str) -> JobFunction:
    function = find_kind(kind).function
    loaded: JobFunction = import_string(function) if isinstance(function, str) else function
    return loaded


def label_of(kind: str) -> str:
    """The label; of a kind that was registered in another version of the program, its name."""
    return _kinds[kind].label if kind in _kinds else kind
