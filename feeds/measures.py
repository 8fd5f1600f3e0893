"""How long an article is, and how much of it others wrote. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from common.text import html_to_text

SHORT_WORDS, MEDIUM_WORDS = 500, 1600
MOSTLY_QUOTED, MIXED = 0.65, 0.25

_QUOTE_TAG = re.compile(r"<(/?)blockquote(?=[\s>/])[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Measures:
    """How long an article is and how much of it is quoted. ``size``: ``short``, ``medium`` or ``large``."""

    words: int
    quoted_words: int
    quote_share: float
    size: str
    makeup: str


def measure(markup: str) -> Measures:
    """Words in all and inside of ``<blockquote>``, and what the shares are called in the contract."""
    words = quoted = depth = position = 0
    for tag in [*_QUOTE_TAG.finditer(markup), None]:
        piece = markup[position : tag.start() if tag else len(markup)]
        count = sum(count_words(html_to_text(piece[at : at + 40_000])) for at in range(0, len(piece), 40_000))
        words += count
        quoted += count if depth else 0
        if tag is not None:
            depth = max(0, depth + (-1 if tag[1] else 1))
            position = tag.end()
    share = quoted / words if words else 0.0
    makeup = "mostly original commentary"
    if share >= MIXED:
        makeup = "mostly quoted material" if share >= MOSTLY_QUOTED else "mixed commentary and quoted material"
    size = "short" if words < SHORT_WORDS else "medium" if words < MEDIUM_WORDS else "large"
    return Measures(words, quoted, share, size, makeup)


def count_words(text: str) -> int:
    """The words of a plain text, as blanks part them."""
    return len(text.split())
