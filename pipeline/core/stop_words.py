"""Words that say nothing in a word cloud, per language. Pure.

Lists come from the Stopwords ISO collection (57 languages). Its English list also holds words that matter on a film
night (``fire``, ``man``, ``computer``), so English takes the shorter list of the wordcloud package and a few more.
"""

from __future__ import annotations

from functools import cache

import stopwordsiso
from wordcloud import STOPWORDS

_MORE_ENGLISH_TEXT = """
    actually almost already although always another around away back came come comes coming either enough even every
    gets getting go goes going gone gonna got gotta isn keep kind lot made make makes making maybe might much must
    never now oh one ones quite rather really said say saying says see seen seems something still sure take taken
    tell think though two us use used via wanna want wants way well went will yes yet yeah
    im ive id ill dont doesnt didnt cant couldnt wont wouldnt shouldnt isnt wasnt arent werent havent hasnt hadnt
    thats theres youre youve theyre hes shes whats lets aint
    amp html https
"""
_MORE_ENGLISH = frozenset(_MORE_ENGLISH_TEXT.split())
# Codes that servers send for languages which the collection knows under another one.
_ALIASES = {"nb": "no", "nn": "no", "fil": "tl", "iw": "he", "in": "id", "cmn": "zh", "yue": "zh"}


@cache
def stop_words(language: str) -> frozenset[str]:
    """Case-folded stop words of a language by its primary subtag; none for one we do not know."""
    code = _ALIASES.get(language, language)
    if code == "en":
        return frozenset(word.casefold() for word in STOPWORDS) | _MORE_ENGLISH
    return frozenset(word.casefold() for word in stopwordsiso.stopwords(code))


@cache
def stop_letters(language: str) -> frozenset[str]:
    """The stop words of one character: where a text without spaces may be cut."""
    return frozenset(word for word in stop_words(language) if len(word) == 1)
