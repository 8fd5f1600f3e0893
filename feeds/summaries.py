"""The built-in summariser: the sentences of a text that say most of what the others say. Pure, no model, no network.

Sentences are points in a space of weighted words; one that many others resemble ranks high (a random walk over their
likeness), the beginning counts more, very short and very long ones less, and what was said already is not said again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from common.text import clean_line
from feeds.sentences import guess_language, split_sentences, stop_words, words_of

MAX_TEXT_CHARS = 200_000
MAX_SENTENCES = 400
MAX_SENTENCE_CHARS = 600

_DAMPING = 0.85
_ROUNDS = 30
_LEAD_WEIGHT = 0.35
_TITLE_WEIGHT = 0.25
_FIGURES_WEIGHT = 0.15
_REDUNDANCY_WEIGHT = 0.7
_TOO_ALIKE = 0.75

Matrix = np.ndarray[Any, np.dtype[np.float64]]


def summarise(text: str, *, sentences: int, title: str = "", language: str = "") -> str:
    """At most so many sentences of a plain text, in its order, as one line; "" for a text without any.

    The same text always gives the same summary. ``language`` (``en``, ``de-AT``) is guessed if not given.
    """
    text = text[:MAX_TEXT_CHARS]
    code = language.lower().partition("-")[0] or guess_language(text)
    candidates = _candidates(split_sentences(text, language=code), title)
    if len(candidates) <= sentences:
        return " ".join(candidates)
    vectors = _vectors([*candidates, title], stop_words(code))
    likeness = vectors[:-1] @ vectors[:-1].T
    scores = _scores(candidates, likeness, vectors[:-1] @ vectors[-1])
    return " ".join(candidates[index] for index in sorted(_choose(scores, likeness, sentences)))


def _candidates(sentences: Sequence[str], title: str) -> list[str]:
    """What may stand in a summary: whole sentences, each once, no headings unless there is nothing else."""
    cleaned = dict.fromkeys(clean_line(sentence[:MAX_SENTENCE_CHARS]) for sentence in sentences)
    found = [sentence for sentence in cleaned if sentence and sentence != title.strip()]
    whole = [sentence for sentence in found if _is_whole(sentence)]
    return (whole or found)[:MAX_SENTENCES]


def _is_whole(sentence: str) -> bool:
    ends = sentence.rstrip("\"'”’»)]」』").endswith((".", "!", "?", "…", "。", "！", "？"))
    return ends and (len(sentence.split()) >= 4 or len(sentence) >= 20)


def _vectors(texts: Sequence[str], ignored: frozenset[str]) -> Matrix:
    """One row of unit length per text: how often each word stands in it, rare words counting more."""
    counts = [Counter(_stems(text, ignored)) for text in texts]
    spread = Counter(word for count in counts for word in count)
    places = {word: place for place, (word, _) in enumerate(spread.most_common(4000))}
    matrix = np.zeros((len(texts), max(1, len(places))))
    for row, count in enumerate(counts):
        for word, times in count.items():
            if word in places:
                matrix[row, places[word]] = times * np.log(1 + len(texts) / spread[word])
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    result: Matrix = matrix / np.where(lengths == 0, 1, lengths)
    return result


def _stems(text: str, ignored: frozenset[str]) -> list[str]:
    """Words without their endings, roughly; of scripts that do not part words, pairs of characters."""
    found = []
    for word in words_of(text):
        if word[0] >= "\u2e80":
            found += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        elif word not in ignored and len(word) > 2:
            found.append(word[:7] if len(word) > 8 else word.rstrip("s"))
    return found


def _scores(sentences: Sequence[str], likeness: Matrix, title_likeness: Matrix) -> Matrix:
    count = len(sentences)
    places = np.arange(count)
    lengths = np.array([len(sentence.split()) if " " in sentence else len(sentence) / 3 for sentence in sentences])
    length_weights = np.interp(lengths, [3, 8, 14, 32, 60], [0.2, 0.7, 1.0, 1.0, 0.55])
    lead = 1 + _LEAD_WEIGHT * np.exp(-places / max(2.0, count / 6))
    figures = np.array([1 + _FIGURES_WEIGHT * any(map(str.isdigit, sentence)) for sentence in sentences])
    result: Matrix = (_rank(likeness) + _TITLE_WEIGHT * title_likeness) * length_weights * lead * figures
    return result


def _rank(likeness: Matrix) -> Matrix:
    """Where a reader ends up who steps from sentence to like sentence; the highest is 1."""
    steps = likeness.copy()
    np.fill_diagonal(steps, 0)
    sums = steps.sum(axis=1, keepdims=True)
    count = len(steps)
    steps = np.divide(steps, sums, out=np.full_like(steps, 1 / count), where=sums > 0)
    rank = np.full(count, 1 / count)
    for _ in range(_ROUNDS):
        rank = (1 - _DAMPING) / count + _DAMPING * (rank @ steps)
    result: Matrix = rank / rank.max()
    return result


def _choose(scores: Matrix, likeness: Matrix, wanted: int) -> list[int]:
    """The best sentence, then always the one that is best when what is chosen already is taken off."""
    chosen: list[int] = []
    while len(chosen) < min(wanted, len(scores)):
        closest = likeness[:, chosen].max(axis=1) if chosen else np.zeros(len(scores))
        values = scores * (1 - _REDUNDANCY_WEIGHT * closest)
        values[closest > _TOO_ALIKE] -= 1
        values[chosen] = -np.inf
        chosen.append(int(values.argmax()))
    return chosen
