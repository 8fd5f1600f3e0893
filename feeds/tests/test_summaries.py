"""Sentences, and the ones of them that tell most."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.measures import count_words, measure
from feeds.sentences import guess_language, split_sentences
from feeds.summaries import summarise

STORM = """The storm hit the coast on Monday night with winds of 150 kilometres per hour. Three people died and 80,000
homes lost power, officials said. Firefighters received four thousand calls in six hours.

Repairs to the power grid will take at least a week, according to the company that runs it. The government promised
20 million euros of immediate help for people whose homes were damaged by the storm. Schools on the coast stay closed
until Thursday.

"We have not seen anything like it in thirty years," said the mayor. Meteorologists expect calmer weather from
Wednesday on. The cost of the damage from the storm is estimated at 300 million euros, the association of insurers
said.

Read more
Subscribe to our newsletter"""


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("en", 'Dr. Smith went to the U.S. Navy base at 3 p.m. on Monday. He said: "No." Then he left!', 3),
        ("en", "Was it e.g. Tuesday? No. 5 is alive. It cost 3.5 million. J. R. R. Tolkien wrote it… And so on.", 5),
        ("en", "He lives on Main St. and works for Acme Inc. in Ohio. See fig. 3 and pp. 10 to 12.", 2),
        ("en", "I said no. Nobody heard me.", 2),
        ("de", "Am 3. März kostete das 85 Mio. Euro, d.h. viel Geld. Das sagte Prof. Dr. Meier.", 2),
        ("de", "Die 2. Auflage kam z.B. bzw. ca. im Mai. Dann war Ruhe!", 2),
        ("fr", "M. Dupont habite à Paris. Il a dit « Bonjour. » Puis il est parti. C'est p. 5.", 4),
        ("fr", "Mme Curie, p. ex., est née en 1867. Elle est morte en 1934.", 2),
        ("es", "El Sr. García vive en EE.UU. desde 2001. ¿Qué hace? ¡Trabaja! La Dra. López no.", 4),
        ("", "これは文です。次の文です！終わり", 3),
        ("", "", 0),
    ],
)
def test_text_is_split_where_sentences_end(language: str, text: str, count: int) -> None:
    found = split_sentences(text, language=language)
    assert len(found) == count, found
    assert "".join(found).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The dog and the cat are not in the house.", "en"),
        ("Der Hund und die Katze sind nicht im Haus.", "de"),
        ("Le chien et le chat ne sont pas dans la maison.", "fr"),
        ("El perro y el gato no están en la casa.", "es"),
        ("", "en"),
    ],
)
def test_language_is_guessed_by_small_words(text: str, language: str) -> None:
    assert guess_language(text) == language


@pytest.mark.parametrize("wanted", [1, 2, 3, 5])
def test_summary_has_so_many_sentences_of_the_text_in_its_order(wanted: int) -> None:
    whole = split_sentences(STORM, language="en")
    chosen = split_sentences(summarise(STORM, sentences=wanted), language="en")
    assert len(chosen) == wanted
    places = [whole.index(sentence) for sentence in chosen]
    assert places == sorted(places)
    assert chosen[0] == whole[0]


def test_summary_leaves_out_headings_and_calls_to_subscribe() -> None:
    summary = summarise(STORM, sentences=10)
    assert "Read more" not in summary and "newsletter" not in summary


def test_summary_does_not_say_the_same_twice() -> None:
    text = "The council opened the new bridge over the river today. " + STORM
    doubled = text + "\n\nThe new bridge over the river was opened by the council today."
    summary = summarise(doubled, sentences=2)
    assert summary.count("bridge over the river") <= 1


def test_summary_does_not_repeat_the_title() -> None:
    assert not summarise("A Title.\n\n" + STORM, sentences=2, title="A Title.").startswith("A Title.")


def test_summary_is_always_the_same() -> None:
    assert summarise(STORM, sentences=3) == summarise(STORM, sentences=3)


def test_german_summary_keeps_its_figures_whole() -> None:
    text = (
        "Der Sturm traf am 3. März die Küste. Der Schaden beträgt 85 Mio. Euro, sagte Dr. Meier. Die Schulen an der"
        " Küste bleiben zu. Es gab keine Toten."
    )
    assert "85 Mio. Euro, sagte Dr. Meier." in summarise(text, sentences=3)


@pytest.mark.parametrize(
    ("text", "summary"), [("", ""), ("  \n ", ""), ("Only a heading", "Only a heading"), ("One. Two.", "One. Two.")]
)
def test_little_text_is_its_own_summary(text: str, summary: str) -> None:
    assert summarise(text, sentences=3) == summary


@pytest.mark.parametrize(
    "text",
    [
        "a. " * 60_000,
        "x" * 200_000,
        "A. B " * 40_000,
        "Hello there my friend. " * 9000,
        ". " * 90_000,
        "Word " * 40_000,
        "。" * 200_000,
    ],
)
def test_odd_text_is_summarised_in_time(text: str) -> None:
    started = time.process_time()
    assert len(summarise(text, sentences=3)) <= 3 * 700
    assert time.process_time() - started < 30


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.integers(1, 10))
def test_any_text_is_summarised_in_one_line(text: str, wanted: int) -> None:
    summary = summarise(text, sentences=wanted)
    assert summary == summary.strip() and "\n" not in summary


@pytest.mark.parametrize(
    ("markup", "quoted", "makeup"),
    [
        ("<p>one two three four</p>", 0, "mostly original commentary"),
        ("<p>one two three</p><blockquote>four</blockquote>", 1, "mixed commentary and quoted material"),
        ("<blockquote><p>a b</p><blockquote>c</blockquote></blockquote> d", 3, "mostly quoted material"),
        ("</blockquote><blockquote>a b", 2, "mostly quoted material"),
        ("", 0, "mostly original commentary"),
    ],
)
def test_quoted_words_are_counted(markup: str, quoted: int, makeup: str) -> None:
    measured = measure(markup)
    assert (measured.quoted_words, measured.makeup, measured.size) == (quoted, makeup, "short")


def test_articles_are_short_medium_or_large() -> None:
    sizes = [measure(f"<p>{'word ' * words}</p>").size for words in (499, 500, 1599, 1600)]
    assert sizes == ["short", "medium", "medium", "large"]
    assert count_words(" one  two\nthree ") == 3
