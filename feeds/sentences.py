"""Text to sentences, with the abbreviations of English, German, French and Spanish in mind. Pure."""

from __future__ import annotations

import re
from functools import cache

import stopwordsiso

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt")

_END = re.compile(r"(?:[.!?…]+(?:\s?»|[\"'”’)\]])*(?=\s)|[。！？]+[」』”）]*)")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_LAST_TOKEN = re.compile(r"(\S+)$")
_NEXT = re.compile(r"\s*[\"'“„«‘(\[¿¡–—-]*\s*(\S)(\S*)")
_BLANKS = re.compile(r"\s+")

# Never the end of a sentence.
_ALWAYS_SHORT = """
    mr mrs ms dr prof rev hon gen col capt lt sgt st mt e.g i.e cf vs approx dept fig figs vol pp ph.d messrs
    z.b d.h u.a o.ä i.d.r u.u v.a s.o s.u bzw ca evtl ggf inkl exkl usf vgl hr fr frl hrn dipl ing nr str mio mrd tsd
    mme mlle mm p.ex env c.-à-d av bd chap éd
    sr sra srta dra ud uds pág págs núm aprox ee.uu p.ej gral
    sig sigg dott avv mevr dhr drs
"""
_ALWAYS = frozenset(_ALWAYS_SHORT.split())
# The end of one, unless a number follows.
_SHORT_BEFORE_NUMBERS = "no art abs p s ch sec par jan feb apr aug sept sep oct nov dec okt dez max min tel"
_BEFORE_NUMBERS = frozenset(_SHORT_BEFORE_NUMBERS.split())
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_WORDS_OF_ONE_LETTER = frozenset({"i", "a", "y", "o"})
_MONTHS_AFTER_DAY = re.compile(
    r"(?:jan|jän|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez|jahrhundert|klasse|platz|stock|auflage)", re.IGNORECASE
)


def split_sentences(text: str, *, language: str = "") -> list[str]:
    """The sentences, each in one line. A paragraph ends one; so does an end mark before what may begin another."""
    found = []
    for paragraph in re.split(r"\n\s*\n|\n(?=[-•*] )", text):
        line = _BLANKS.sub(" ", paragraph).strip()
        start = 0
        for end in _END.finditer(line):
            if _is_end(line, start, end, language):
                found.append(line[start : end.end()].strip())
                start = end.end()
        found.append(line[start:].strip())
    return [sentence for sentence in found if sentence]


def guess_language(text: str) -> str:
    """Which of seven languages the text is in, by its small words; ``en`` in doubt."""
    words = [word.lower() for word in _WORD.findall(text[:20_000])]
    counts = {language: sum(word in stop_words(language) for word in words) for language in LANGUAGES}
    best = max(counts.values())
    return next(language for language in LANGUAGES if counts[language] == best)


@cache
def stop_words(language: str) -> frozenset[str]:
    """Words that say nothing about a text; those of English for a language without a list."""
    code = language.lower().partition("-")[0]
    return frozenset(stopwordsiso.stopwords(code if stopwordsiso.has_lang(code) else "en"))


def words_of(text: str) -> list[str]:
    """The words in small letters."""
    return [word.lower() for word in _WORD.findall(text)]


def _is_end(line: str, start: int, end: re.Match[str], language: str) -> bool:
    following = _NEXT.match(line, end.end())
    if following is None or end[0][0] in "。！？":
        return True
    first = following[1]
    if not end[0].startswith(".") or end[0].startswith(".."):
        return not first.islower()
    token = _LAST_TOKEN.search(line[max(start, end.start() - 40) : end.start()])
    return not first.islower() and not _is_abbreviated(token[1] if token else "", following, language)


def _is_abbreviated(token: str, following: re.Match[str], language: str) -> bool:
    bare = token.lstrip("\"'“„«‘(").lower()
    if bare in _ALWAYS or (_INITIALS.fullmatch(bare) and bare not in _WORDS_OF_ONE_LETTER):
        return True  # also initials: J. R. R., U.S.
    if bare in _BEFORE_NUMBERS:
        return following[1].isdigit()
    if bare.isdigit() and len(bare) <= 2:
        return language == "de" or bool(_MONTHS_AFTER_DAY.match(following[1] + following[2]))
    return False
