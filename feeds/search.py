"""Words and phrases in posts: one interface, over FTS5 of SQLite and the text search of PostgreSQL.

The index stands over ``Entry.title`` and ``Entry.text`` (migration ``full_text_search``) and is kept by the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from django.db import connections
from django.db.models.expressions import RawSQL

MAX_TERMS = 20
MAX_CHARS = 500

_TERM = re.compile(r'"([^"]*)"?|(\S+)')
_WORD = re.compile(r"\w+")


def parse_terms(text: str) -> list[tuple[str, ...]]:
    """The words and phrases in what a person typed: ``rain "of frogs"`` is ``[("rain",), ("of", "frogs")]``.

    Signs that are no letters and digits only part words; whatever is typed, nothing of it is a command.
    """
    terms = []
    for phrase, word in _TERM.findall(text[:MAX_CHARS]):
        words = tuple(_WORD.findall(phrase or word))
        if words:
            terms.append(words)
    return terms[:MAX_TERMS]


def matching_entries(text: str, *, using: str = "default") -> RawSQL | None:
    """The ids of entries that hold every word and phrase, as a subquery for ``__in``; None when there is no word."""
    terms = parse_terms(text)
    return _QUERIES[connections[using].vendor](terms) if terms else None


def _in_sqlite(terms: Sequence[Sequence[str]]) -> RawSQL:
    query = " ".join(f'"{" ".join(words)}"' for words in terms)
    return RawSQL("SELECT rowid FROM feeds_entry_search WHERE feeds_entry_search MATCH %s", [query])


def _in_postgresql(terms: Sequence[Sequence[str]]) -> RawSQL:
    query = " && ".join(["phraseto_tsquery('simple', %s)"] * len(terms))  # as many as terms, none of what they say
    statement = f"SELECT id FROM feeds_entry WHERE search @@ ({query})"  # noqa: S608
    return RawSQL(statement, [" ".join(words) for words in terms])  # noqa: S611


_QUERIES: dict[str, Callable[[Sequence[Sequence[str]]], RawSQL]] = {
    "sqlite": _in_sqlite,
    "postgresql": _in_postgresql,
}
