"""The fonts of the pictures: which file draws which character. They travel with us, so pictures are alike everywhere.

See ``pipeline/fonts/README.md`` for what they are and their licences.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

_OURS = Path(__file__).resolve().parent.parent / "fonts"
_MATPLOTLIBS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"

# They join or part the letters beside them, in Persian and in scripts of India.
_JOINERS = "\u200c\u200d"
_OTHER_SCRIPTS = (
    _OURS / "DroidSansFallback.ttf",
    _OURS / "NotoSansThai-Regular.ttf",
    _OURS / "NotoSansDevanagari-Regular.ttf",
    _OURS / "NotoSansBengali-Regular.ttf",
    _OURS / "NotoSansTamil-Regular.ttf",
    _OURS / "NotoSansSymbols2-Regular.ttf",
)
# A character takes the first font that has it.
REGULAR_FONTS = (_OURS / "NotoSans-Regular.ttf", _MATPLOTLIBS / "DejaVuSans.ttf", *_OTHER_SCRIPTS)
BOLD_FONTS = (_OURS / "NotoSans-Bold.ttf", _MATPLOTLIBS / "DejaVuSans-Bold.ttf", *_OTHER_SCRIPTS)


@cache
def find_characters(font: Path) -> frozenset[int]:
    """The code points that a font file has a glyph for; raises what FreeType raises on a file it cannot read."""
    return frozenset(FT2Font(str(font)).get_charmap())


def drawable(text: str, fonts: Sequence[Path] = REGULAR_FONTS) -> str:
    """The text on one line, without control characters and those that none of the fonts has."""
    known = [find_characters(font) for font in fonts]
    return " ".join("".join(char for char in text if char.isspace() or _is_drawable(char, known)).split())


def split_by_font(text: str, fonts: Sequence[Path]) -> list[tuple[Path, str]]:
    """The text in runs, each with the font that draws it; a word one font can draw alone is one run.

    Characters that no font has are left out.
    """
    for font in fonts:
        if all(ord(char) in find_characters(font) for char in text):
            return [(font, text)]
    owners = [(next((f for f in fonts if ord(char) in find_characters(f)), None), char) for char in text]
    known = [(font, char) for font, char in owners if font is not None]
    return [(font, "".join(char for _, char in run)) for font, run in groupby(known, key=lambda pair: pair[0])]


def _is_drawable(char: str, known: Sequence[frozenset[int]]) -> bool:
    # Fonts have glyphs even for NUL, which XML has not.
    if unicodedata.category(char) in ("Cc", "Cf", "Cs") and char not in _JOINERS:
        return False
    return any(ord(char) in glyphs for glyphs in known)


@cache
def matplotlib_families() -> tuple[str, ...]:
    """Family names for matplotlib, in order of fallback.

    They are names of our own, so that fonts installed on this machine under the same names make no difference.
    """
    names = []
    for index, (regular, bold) in enumerate(zip(REGULAR_FONTS, BOLD_FONTS, strict=True)):
        name = f"Mastoscore {index}"
        for font, weight in ((regular, 400), (bold, 700)):
            font_manager.fontManager.ttflist.append(
                font_manager.FontEntry(fname=str(font), name=name, style="normal", weight=weight)
            )
        names.append(name)
    return tuple(names)
