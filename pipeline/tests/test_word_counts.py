from __future__ import annotations

import pytest

from pipeline.core.stop_words import stop_words
from pipeline.core.word_counts import WordCounter, parse_stop_list


def count(*texts: str, language: str = "en", hashtag: str = "monsterdon", stop: str = "") -> list[tuple[str, int]]:
    counter = WordCounter(hashtag, stop)
    for text in texts:
        counter.add(text, language)
    return [(word.text, word.count) for word in counter.words()]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        pytest.param("blob Blob BLOB blob", "en", [("blob", 4)], id="case is folded, the usual spelling shown"),
        pytest.param("Blob blob Blob", "en", [("Blob", 3)], id="the usual spelling may have a capital"),
        pytest.param("STRASSE straße", "de", [("straße", 2)], id="folding is more than lower case"),
        pytest.param("1958 12 7.5 x y 3d b52", "en", [("3d", 1), ("b52", 1)], id="no numbers, no single letters"),
        pytest.param(
            "the blob is in it and we don't, they'll", "en", [("blob", 1)], id="stop words and contractions"
        ),
        pytest.param("The Blob's jelly, the blob’s", "en", [("blob", 2), ("jelly", 1)], id="possessive"),
        pytest.param("sci-fi night!night", "en", [("night", 2), ("sci-fi", 1)], id="hyphens join, marks part"),
        pytest.param("L'homme, l’amour", "fr", [("amour", 1), ("homme", 1)], id="French elision"),
        pytest.param("今夜はゴジラの映画", "ja", [("ゴジラ", 1), ("今夜", 1), ("映画", 1)], id="Japanese"),
        pytest.param("怪物电影", "zh", [("怪物电影", 1)], id="Chinese"),
        pytest.param("괴물 영화", "ko", [("괴물", 1), ("영화", 1)], id="Korean has spaces"),
        pytest.param("หนัง", "th", [("หนัง", 1)], id="Thai"),
        pytest.param("फ़िल्म हिन्दी", "hi", [("फ़िल्म", 1), ("हिन्दी", 1)], id="vowel signs belong to the word"),
        pytest.param("می‌خواهم", "fa", [("می‌خواهم", 1)], id="joiners belong to the word"),
        pytest.param("cafe\u0301 café", "fr", [("café", 2)], id="composed and decomposed"),
        pytest.param("🦖 🎬 ♥ --- '", "en", [], id="no letters, no words"),
        pytest.param("x" * 61, "en", [], id="too long for a word"),
    ],
)
def test_words_of_a_text(text: str, language: str, expected: list[tuple[str, int]]) -> None:
    assert count(text, language=language) == expected


def test_equally_frequent_words_come_by_alphabet() -> None:
    assert count("meteor jelly diner") == [("diner", 1), ("jelly", 1), ("meteor", 1)]


def test_hashtag_is_recognised_in_any_case_and_counted_with_its_capitals() -> None:
    counter = WordCounter("monsterdon")
    counter.add("Monsterdon MonsterDon monsterdon MonsterDon", "en")
    [word] = counter.words()
    assert (word.text, word.count, word.is_hashtag) == ("MonsterDon", 4, True)


@pytest.mark.parametrize("hashtag", ["怪獣映画の夜", "Movie_Night", "2001club", "the", "col·laborar"])
def test_hashtag_of_any_form_stays_whole_and_is_no_stop_word(hashtag: str) -> None:
    counter = WordCounter(hashtag)
    counter.add(f"{hashtag} jelly", "en")
    assert [word.text for word in counter.words() if word.is_hashtag] == [hashtag]


# --- stop words -----------------------------------------------------------------------------------------------------


def test_stop_words_of_the_host_are_left_out_as_words_and_as_phrases() -> None:
    text = "The Big Blob eats a big dog, the big blob"
    assert count(text, stop="the big blob, #Eats") == [("big", 1), ("dog", 1)]


def test_stop_list_is_read_generously() -> None:
    assert parse_stop_list(" Foo,, #bar ,\nBig  Blob, foo, ") == (("foo",), ("bar",), ("big", "blob"))


def test_rare_language_does_not_take_words_from_the_others() -> None:
    counter = WordCounter("x1")
    for _ in range(30):
        counter.add("war monster", "en")
    counter.add("Das war ein Monster", "de")
    assert [(word.text, word.count) for word in counter.words()] == [("monster", 31), ("war", 30)]


def test_stop_words_of_a_main_language_go_for_everybody() -> None:
    counter = WordCounter("x1")
    for _ in range(5):
        counter.add("und Ungeheuer", "de")
        counter.add("monster und Ungeheuer", "en")
    assert [word.key for word in counter.words()] == ["ungeheuer", "monster"]


def test_toot_without_a_language_may_be_in_any_that_was_seen() -> None:
    counter = WordCounter("x1")
    for _ in range(30):
        counter.add("monster", "en")
    counter.add("Ungeheuer", "de-AT")
    counter.add("und the jelly", "")
    assert [word.key for word in counter.words()] == ["monster", "jelly", "ungeheuer"]


def test_english_is_assumed_when_no_toot_has_a_language() -> None:
    assert count("the jelly", language="") == [("jelly", 1)]


@pytest.mark.parametrize(
    ("language", "word"), [("en", "the"), ("de", "und"), ("fr", "les"), ("nb", "ikke"), ("ja", "これ")]
)
def test_common_languages_have_stop_words(language: str, word: str) -> None:
    assert word in stop_words(language)


def test_words_that_matter_on_a_film_night_are_no_english_stop_words() -> None:
    assert not {"fire", "man", "thing", "film", "cry", "computer", "good", "world"} & stop_words("en")


def test_unknown_language_has_no_stop_words() -> None:
    assert stop_words("xx") == frozenset()
