"""Texts to counted words. Pure.

Scripts written without spaces are not cut by a dictionary but simply: runs of 2 to 6 Han characters (longer ones
are cut at function characters first), of 2 to 12 Katakana, Thai, Lao, Khmer or Burmese characters are words;
Hiragana, mostly grammar, is passed over.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import regex

from pipeline.core.stop_words import stop_letters, stop_words

UNKNOWN_LANGUAGE = "und"
# A language that so many of the toots are in: its stop words are left out of every toot, for many people write in a
# language their account is not set to. Those of a rarer language are left out of its own toots only, lest the "war"
# and the "die" of one German toot be missing from an English cloud.
_MAIN_SHARE = 0.1
_ELISION_LANGUAGES = frozenset({"fr", "it", "ca", "oc"})
_ELISION = regex.compile(
    r"(?<![\p{L}\p{N}'])(?:[cdjlmnst]|qu|lorsqu|puisqu|jusqu|un|all|dall|dell|nell|sull|quell|bell)'(?=\p{L})",
    regex.IGNORECASE,
)
_CONTRACTION = regex.compile(r"'(?:s|ll|d|re|ve|m)$")
_UNSPACED = r"\p{Han}々\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_PIECE = regex.compile(
    rf"""
    (?P<han>[\p{{Han}}々]+)
    | (?P<run>[\p{{Katakana}}ー]+ | \p{{Thai}}+ | \p{{Lao}}+ | \p{{Khmer}}+ | \p{{Myanmar}}+)
    | (?P<word>
        [[\p{{L}}\p{{N}}]--[{_UNSPACED}]] [[\p{{L}}\p{{M}}\p{{N}}\u200c\u200d]--[{_UNSPACED}]]*
        (?: ['_\-·] [[\p{{L}}\p{{N}}]--[{_UNSPACED}]] [[\p{{L}}\p{{M}}\p{{N}}\u200c\u200d]--[{_UNSPACED}]]* )*
      )
    """,
    regex.VERBOSE | regex.V1,
)
_LETTER = regex.compile(r"\p{L}")
_HAS_UNSPACED = regex.compile(rf"[{_UNSPACED}]")
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "＇": "'", "‐": "-", "‑": "-"})
_HAN_LENGTHS, _RUN_LENGTHS = range(2, 7), range(2, 13)
_LONGEST_WORD = 60


@dataclass(frozen=True, slots=True)
class CountedWord:
    """``text`` in its most frequent spelling; ``key`` the same for all spellings."""

    text: str
    key: str
    count: int
    is_hashtag: bool = False


def fold_word(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def parse_stop_list(text: str) -> tuple[tuple[str, ...], ...]:
    """A host's comma separated list as folded words; an entry of several words stands for them in a row."""
    entries = text.translate(_APOSTROPHES).replace("\n", ",").split(",")
    phrases = (tuple(fold_word(word.lstrip("#@")) for word in entry.split()) for entry in entries)
    return tuple(dict.fromkeys(phrase for phrase in phrases if any(phrase)))


class WordCounter:
    """Takes texts one by one; memory grows with different words, not with texts."""

    def __init__(self, hashtag: str, extra_stop_words: str = "", *, more_hashtags: Iterable[str] = ()) -> None:
        self._hashtags = frozenset(map(fold_word, (hashtag, *more_hashtags)))
        self._has_unspaced_hashtag = any(_HAS_UNSPACED.search(hashtag) for hashtag in self._hashtags)
        phrases = parse_stop_list(extra_stop_words)
        self._extra_words = frozenset(phrase[0] for phrase in phrases if len(phrase) == 1)
        self._extra_phrases = tuple(phrase for phrase in phrases if len(phrase) > 1)
        self._texts: Counter[str] = Counter()
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._spellings: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, text: str, language: str) -> None:
        """``language``: a tag as servers send it, may be empty."""
        code = language.replace("_", "-").partition("-")[0].lower() or UNKNOWN_LANGUAGE
        self._texts[code] += 1
        counts = self._counts[code]
        for spelling, key in self._without_phrases(self._words_of(text, code)):
            counts[key] += 1
            self._spellings[key][spelling] += 1

    def languages(self) -> list[str]:
        """Languages seen, most texts first."""
        return sorted(self._texts, key=lambda code: (-self._texts[code], code))

    def words(self) -> list[CountedWord]:
        """Every word but stop words, most frequent first, equal ones by alphabet."""
        totals: Counter[str] = Counter()
        for code, counts in self._counts.items():
            stops = self._stops_for(code)
            for key, count in counts.items():
                if key in self._hashtags or not _is_stopped(key, stops):
                    totals[key] += count
        ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
        return [CountedWord(self._best_spelling(key), key, count, key in self._hashtags) for key, count in ranked]

    def _stops_for(self, code: str) -> frozenset[str]:
        """A toot without a language may be in any of those seen; if no toot has one, English is assumed."""
        known = [language for language in self._texts if language != UNKNOWN_LANGUAGE] or ["en"]
        total = sum(self._texts.values())
        main = [language for language in known if self._texts[language] >= total * _MAIN_SHARE]
        chosen = known if code == UNKNOWN_LANGUAGE else [code, *main]
        return self._extra_words.union(*(stop_words(language) for language in chosen))

    def _best_spelling(self, key: str) -> str:
        spellings = self._spellings[key]
        return min(spellings, key=lambda spelling: (-spellings[spelling], spelling.swapcase()))

    def _words_of(self, text: str, code: str) -> Iterator[tuple[str, str]]:
        if not text.isascii():
            text = unicodedata.normalize("NFC", text).translate(_APOSTROPHES)
        if self._has_unspaced_hashtag:
            hashtags, text = self._split_off_hashtags(text)
            yield from ((spelling, fold_word(spelling)) for spelling in hashtags)
        if code in _ELISION_LANGUAGES:
            text = _ELISION.sub(" ", text)
        for match in _PIECE.finditer(text):
            for word in _words_of_piece(match, code):
                key = fold_word(word)
                if len(word) <= _LONGEST_WORD and (key in self._hashtags or _is_word(key)):
                    yield word, key

    def _split_off_hashtags(self, text: str) -> tuple[list[str], str]:
        """The hashtags as often as they stand between spaces, and the text without them: the rules for scripts
        without spaces would cut them to pieces."""
        chunks = text.split()
        hashtags = [chunk for chunk in chunks if fold_word(chunk) in self._hashtags]
        return hashtags, " ".join(chunk for chunk in chunks if fold_word(chunk) not in self._hashtags)

    def _without_phrases(self, words: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        if not self._extra_phrases:
            yield from words
            return
        pending = list(words)
        keys = [key for _, key in pending]
        index = 0
        while index < len(pending):
            lengths = [len(p) for p in self._extra_phrases if tuple(keys[index : index + len(p)]) == p]
            if not lengths:
                yield pending[index]
            index += max(lengths, default=1)


def _words_of_piece(match: regex.Match[str], code: str) -> list[str]:
    if word := match["word"]:
        return [word[:-2] if word.casefold().endswith("'s") else word]
    if run := match["run"]:
        return [run] if len(run) in _RUN_LENGTHS else []
    return [part for part in _cut_han(match["han"], code) if len(part) in _HAN_LENGTHS]


def _cut_han(run: str, code: str) -> list[str]:
    """The run, or if it is too long for a word, its parts between function characters."""
    if len(run) in _HAN_LENGTHS:
        return [run]
    letters = stop_letters(code if code in ("ja", "zh") else "zh")
    return "".join(" " if char in letters else char for char in run).split()


def _is_word(key: str) -> bool:
    """More than one letter or a letter and digits; numbers are no words."""
    return len(key) > 1 and _LETTER.search(key) is not None


def _is_stopped(key: str, stops: frozenset[str]) -> bool:
    return key in stops or _CONTRACTION.sub("", key) in stops
