"""Counted words to a word cloud and its alternative text. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from PIL import ImageFont

from pipeline.core.cloud_layout import Canvas, PlacedWord, WeightedWord, lay_out
from pipeline.core.fonts import BOLD_FONTS, find_characters, split_by_font
from pipeline.core.word_counts import CountedWord, parse_stop_list
from pipeline.core.wording import count_of, join_words, long_date, name_hashtags

AS_IS, REMOVE, REDUCE = "as-is", "remove", "reduce"
_MOST_WORDS = 180
_WORDS_NAMED = 10  # called “ten” in the text
_STOP_WORDS_NAMED = 30
_TREATMENTS = {
    AS_IS: "The hashtag is counted like any other word.",
    REMOVE: "The hashtag itself is left out.",
    REDUCE: "The hashtag is drawn no larger than the most frequent other word.",
}


@dataclass(frozen=True, slots=True)
class CloudOptions:
    """``hashtag_fix``: ``as-is``, ``remove`` or ``reduce``; ``stop_words`` comma separated, as the host gave them."""

    hashtag: str
    day: date
    title: str
    hashtag_fix: str
    stop_words: str
    width: int
    height: int
    fonts: tuple[Path, ...] = BOLD_FONTS
    more_hashtags: tuple[str, ...] = ()

    @property
    def canvas(self) -> Canvas:
        seed = zlib.crc32(f"{self.hashtag} {self.day.isoformat()}".encode())
        return Canvas(self.width, self.height, self.fonts, seed)


@dataclass(frozen=True, slots=True)
class ChosenFonts:
    """``note`` tells the host when none of the fonts they named could be used; else it is empty."""

    fonts: tuple[Path, ...]
    note: str = ""


def choose_fonts(wanted: str) -> ChosenFonts:
    """The first of the comma separated font files that exists and loads, before ours, which fill its gaps."""
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        font = _load_font_file(name)
        if font is not None:
            return ChosenFonts((font, *BOLD_FONTS))
    if not names:
        return ChosenFonts(BOLD_FONTS)
    return ChosenFonts(BOLD_FONTS, f"No font could be loaded from {join_words(names)}; ours was used.")


def treat_hashtag(words: Sequence[CountedWord], hashtag_fix: str) -> list[CountedWord]:
    """The words as they count in the cloud: the event's hashtags left, taken out, or those that lead set behind the
    most frequent other word with no more than its count."""
    if hashtag_fix == REMOVE:
        return [word for word in words if not word.is_hashtag]
    other = next((place for place, word in enumerate(words) if not word.is_hashtag), 0)
    if hashtag_fix == REDUCE and other:
        reduced = [replace(word, count=words[other].count) for word in words[:other]]
        return [words[other], *reduced, *words[other + 1 :]]
    return list(words)


def place_words(words: Sequence[CountedWord], options: CloudOptions) -> list[PlacedWord]:
    """Where the words stand; only those that our fonts can draw."""
    treated = treat_hashtag(words, options.hashtag_fix)
    drawable = [word for word in treated[: 2 * _MOST_WORDS] if _can_draw(word.text, options.fonts)]
    is_capped = options.hashtag_fix == REDUCE
    weighted = [WeightedWord(w.text, w.count, is_capped and w.is_hashtag) for w in drawable[:_MOST_WORDS]]
    return lay_out(weighted, options.canvas)


def describe_cloud(words: Sequence[CountedWord], options: CloudOptions) -> str:
    """The alternative text, with counts as they are (``reduce`` changes sizes only)."""
    shown = [word for word in words if options.hashtag_fix != REMOVE or not word.is_hashtag]
    title = f"“{options.title}”, a word" if options.title else "Word"
    hashtags = name_hashtags((options.hashtag, *options.more_hashtags))
    noun = "hashtags" if options.more_hashtags else "hashtag"
    opening = f"{title} cloud of the toots with the {noun} {hashtags} on {long_date(options.day)}"
    if not shown:
        sentences = [f"{opening}. No words were found."]
    else:
        top = [f"{word.text} ({word.count:,})" for word in shown[:_WORDS_NAMED]]
        number = "ten" if len(top) == _WORDS_NAMED else str(len(top))
        frequent = f"The {number} most frequent are" if len(top) > 1 else "The only one is"
        sentences = [
            f"{opening}: {count_of(len(shown), 'different word')}.",
            f"{frequent} {join_words(top)}.",
        ]
    return " ".join([*sentences, _TREATMENTS[options.hashtag_fix], _describe_stop_words(options.stop_words)]).strip()


def _describe_stop_words(text: str) -> str:
    phrases = [" ".join(phrase) for phrase in parse_stop_list(text)]
    if not phrases:
        return ""
    named = phrases[:_STOP_WORDS_NAMED]
    if len(phrases) > len(named):
        named.append(f"{len(phrases) - len(named)} more")
    return f"Left out besides common words: {join_words(named)}."


def _can_draw(text: str, fonts: tuple[Path, ...]) -> bool:
    return sum(len(run) for _, run in split_by_font(text, fonts)) == len(text)


def _load_font_file(name: str) -> Path | None:
    """The file, also when only the name of an installed font file is given; None if it is no usable font."""
    try:
        found = ImageFont.truetype(str(Path(name).expanduser()), 40).path
        path = Path(found if isinstance(found, str) else name)
        find_characters(path)
    except (OSError, RuntimeError, ValueError):
        return None
    return path
