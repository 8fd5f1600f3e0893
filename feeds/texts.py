"""HTML of posts to plain text, excerpts and Markdown. Pure; sanitised or not, nothing here is shown as HTML."""

from __future__ import annotations

import re

from common.text import clean_text, html_to_text

EXCERPT_CHARS = 280

_PIECE_CHARS = 40_000
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*(?=\s|$)")


def to_text(markup: str) -> str:
    """What a reader sees as plain text: paragraphs apart by an empty line. Of very long HTML the first 400,000."""
    if len(markup) <= _PIECE_CHARS:
        return html_to_text(markup)
    return "\n\n".join(filter(None, map(html_to_text, _pieces(markup[:400_000])))).strip()


def excerpt(markup: str, length: int = EXCERPT_CHARS) -> str:
    """The text in one line: its first ``length`` characters and ``…``, or all of it."""
    line = " ".join(to_text(markup[:_PIECE_CHARS]).split())
    return line if len(line) <= length else line[:length].rstrip() + "…"


def first_line(text: str, length: int) -> str:
    """How a text begins, as a title: its first line, else first sentence, else as many words as fit and ``…``."""
    line = next((" ".join(line.split()) for line in text.splitlines() if any(map(str.isalnum, line))), "")
    if len(line) <= length:
        return line
    ends = [found.end() for found in _SENTENCE_END.finditer(line[: length + 1]) if found.end() <= length]
    if ends and ends[-1] >= length // 5:
        return line[: ends[-1]]
    cut = line[: length - 1]
    words = cut.rpartition(" ")[0]
    return clean_text((words if len(words) > length // 2 else cut).rstrip(" ,;:-–—")) + "…"


def _pieces(markup: str) -> list[str]:
    """Long HTML in parts that begin at a tag, so that no tag is torn apart."""
    pieces, position = [], 0
    while position < len(markup):
        end = position + _PIECE_CHARS
        cut = markup.rfind("<", position + 1, end) if end < len(markup) else -1
        end = cut if cut > 0 else end
        pieces.append(markup[position:end])
        position = end
    return pieces
