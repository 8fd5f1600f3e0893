"""The result of a phase in a few lines for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipeline.core.wording import count_of
from pipeline.phase_states import LABELS

FILES_SHOWN = 6
Result = Mapping[str, Any]


def summarise(kind: str, result: Result) -> Iterator[str]:
    """A line of numbers per phase, then its files; ``score`` holds the results of its phases."""
    phases = result.get("phases")
    results = phases if isinstance(phases, Mapping) else {kind: result}
    for phase, of_phase in results.items():
        yield f"{LABELS.get(phase, phase)}: {_words(phase, of_phase)}"
        yield from _list_files(of_phase.get("files") or [])


def _words(phase: str, result: Result) -> str:
    if result.get("skipped"):
        return f"passed over. {result['skipped']}"
    words = _WORDS.get(phase)
    return words(result) if words is not None else "done"


def _list_files(files: list[str]) -> Iterator[str]:
    for name in files[:FILES_SHOWN]:
        yield f"  {name}"
    if len(files) > FILES_SHOWN:
        yield f"  and {len(files) - FILES_SHOWN:,} more files"


def _fetch(result: Result) -> str:
    found = f"{_count(result, 'toots', 'toot')} by {_count(result, 'authors', 'author')}"
    asked = _count(result, "servers", "server")
    answers = ", ".join(f"{result.get(key, 0):,} {key}" for key in ("answered", "refused", "failed"))
    return f"{found}; {asked} asked: {answers}"


def _analyse(result: Result) -> str:
    counts = [_count(result, key, noun, plural) for key, noun, plural in _ANALYSED]
    left_out = result.get("left_out", {}).get("authors", 0)
    if left_out:
        counts.append(f"{count_of(left_out, 'author')} left out by wish")
    if result.get("cached"):
        counts.append("unchanged since last time")
    return ", ".join(counts)


def _poster(result: Result) -> str:
    return "the one that was there" if result.get("kept") else "stored"


def _blog(result: Result) -> str:
    copied = result.get("copied") or []
    return f"written, {count_of(len(copied), 'file')} copied to the site" if copied else "written"


_ANALYSED = (
    ("toots", "toot", ""),
    ("authors", "author", ""),
    ("boosts", "boost", ""),
    ("favourites", "favourite", ""),
    ("replies", "reply", "replies"),
)
_WORDS: dict[str, Callable[[Result], str]] = {
    "fetch": _fetch,
    "analyse": _analyse,
    "graph": lambda result: f"drawn from {_count(result, 'toots', 'toot')}",
    "wordcloud": lambda result: f"{_count(result, 'words_drawn', 'word')} drawn",
    "poster": _poster,
    "blog": _blog,
    "post": lambda result: f"{_count(result, 'toots', 'toot')} drafted, nothing sent",
}


def _count(result: Result, key: str, singular: str, plural: str = "") -> str:
    return count_of(int(result.get(key) or 0), singular, plural)
