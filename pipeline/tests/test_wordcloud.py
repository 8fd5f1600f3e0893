from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageColor

from pipeline.core.cloud_layout import DARK, LIGHT, Palette, PlacedWord, paint
from pipeline.core.fonts import BOLD_FONTS, REGULAR_FONTS, drawable, find_characters, split_by_font
from pipeline.core.word_counts import CountedWord
from pipeline.core.wordcloud import CloudOptions, choose_fonts, describe_cloud, place_words, treat_hashtag

WORDS = [
    *("blob", "jelly", "diner", "teenagers", "Steve", "McQueen", "monster", "horror"),
    *("red", "goo", "meteor", "cinema", "old", "doctor", "ゴジラ", "הסרט"),
]


def make_words(hashtag_count: int = 0, texts: list[str] = WORDS) -> list[CountedWord]:
    """Words with counts falling from 100; the hashtag among them if it has a count."""
    words = [CountedWord(text, text.casefold(), max(100 - 5 * index, 1)) for index, text in enumerate(texts)]
    if hashtag_count:
        words.append(CountedWord("Monsterdon", "monsterdon", hashtag_count, is_hashtag=True))
    return sorted(words, key=lambda word: (-word.count, word.key))


def make_options(**values: Any) -> CloudOptions:
    defaults: dict[str, Any] = {
        "hashtag": "monsterdon",
        "day": date(2026, 2, 22),
        "title": "",
        "hashtag_fix": "reduce",
        "stop_words": "",
        "width": 600,
        "height": 340,
    }
    return CloudOptions(**{**defaults, **values})


def draw(words: list[CountedWord], options: CloudOptions, palette: Palette = LIGHT) -> bytes:
    return paint(place_words(words, options), options.canvas, palette)


def open_png(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    assert picture.format == "PNG"
    return picture.convert("RGB")


# --- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(600, 340), (200, 200), (200, 700), (1200, 675)])
def test_cloud_has_its_size_and_several_colours(palette: Palette, width: int, height: int) -> None:
    picture = open_png(draw(make_words(120), make_options(width=width, height=height), palette))
    assert picture.size == (width, height)
    colors = {found for _, found in picture.getcolors(maxcolors=width * height) or []}
    assert ImageColor.getrgb(palette.background) in colors
    assert len(colors & {ImageColor.getrgb(color) for color in palette.colors}) >= 4
    background = sum(
        1 for pixel in np.asarray(picture).reshape(-1, 3) if tuple(pixel) == ImageColor.getrgb(palette.background)
    )
    assert 0.3 < background / (width * height) < 0.95


def test_same_words_give_the_same_bytes_and_another_day_another_picture() -> None:
    words = make_words(50)
    assert draw(words, make_options()) == draw(words, make_options())
    assert draw(words, make_options()) != draw(words, make_options(day=date(2026, 3, 1)))


def test_words_do_not_touch_each_other_and_stay_inside() -> None:
    options = make_options(width=900, height=500)
    taken = np.zeros((500, 900), dtype=bool)
    placed = place_words(make_words(120, [*WORDS, *(f"word{n}x" for n in range(80))][:90]), options)
    assert len(placed) > 40
    for word in placed:
        ink = np.asarray(word.mask) > 0
        region = taken[word.y : word.y + ink.shape[0], word.x : word.x + ink.shape[1]]
        assert region.shape == ink.shape
        assert not (region & ink).any()
        region |= ink


def test_more_frequent_words_are_not_smaller() -> None:
    sizes = [word.size for word in place_words(make_words(), make_options())]
    assert sizes == sorted(sizes, reverse=True)


def test_cloud_without_words_is_a_picture_that_says_so() -> None:
    picture = open_png(draw([], make_options()))
    assert picture.size == (600, 340)
    assert len(picture.getcolors(maxcolors=600 * 340) or []) > 2


def test_word_that_no_font_can_draw_is_left_out_of_the_picture() -> None:
    placed = place_words(
        [CountedWord("\U00013000\U00013001", "x", 9), CountedWord("blob", "blob", 3)], make_options()
    )
    assert [word.text for word in placed] == ["blob"]


# --- the hashtag ----------------------------------------------------------------------------------------------------


def placed_by_text(fix: str, hashtag_count: int, texts: list[str] = WORDS) -> dict[str, PlacedWord]:
    return {word.text: word for word in place_words(make_words(hashtag_count, texts), make_options(hashtag_fix=fix))}


def test_hashtag_as_it_is_is_the_largest() -> None:
    placed = placed_by_text("as-is", 900)
    assert placed["Monsterdon"].size == max(word.size for word in placed.values())


def test_hashtag_removed_is_not_there() -> None:
    assert "Monsterdon" not in placed_by_text("remove", 900)


@pytest.mark.parametrize("texts", [WORDS, ["of", "blob", "it", "goo"], ["extraordinarily", "blob"]])
@pytest.mark.parametrize("hashtag_count", [900, 100, 99, 1])
def test_hashtag_reduced_is_no_larger_than_the_most_frequent_other_word(hashtag_count: int, texts: list[str]) -> None:
    placed = placed_by_text("reduce", hashtag_count, texts)
    hashtag, first = placed["Monsterdon"], placed[texts[0]]
    assert hashtag.size <= first.size
    assert hashtag.mask.width * hashtag.mask.height <= 1.15 * first.mask.width * first.mask.height


def test_hashtag_reduced_is_drawn_when_it_is_the_only_word() -> None:
    assert list(placed_by_text("reduce", 9, [])) == ["Monsterdon"]


def test_treatment_changes_no_other_count() -> None:
    words = make_words(900)
    assert [word.count for word in treat_hashtag(words, "reduce")][:3] == [100, 100, 95]
    assert treat_hashtag(words, "as-is") == words


# --- fonts ----------------------------------------------------------------------------------------------------------


def test_every_shipped_font_can_be_read() -> None:
    for font in {*REGULAR_FONTS, *BOLD_FONTS}:
        assert len(find_characters(font)) > 50


@pytest.mark.parametrize(
    "text", ["Ünïcödé", "фильм", "ταινία", "שלום", "مرحبا", "映画", "ゴジラ", "괴물", "หนัง", "फ़िल्म", "ছবি", "படம்"]
)
def test_fonts_cover_the_script(text: str) -> None:
    assert drawable(text) == text
    assert "".join(run for _, run in split_by_font(text, BOLD_FONTS)) == text


def test_word_of_two_scripts_takes_two_fonts() -> None:
    assert [run for _, run in split_by_font("Godzilla映画", BOLD_FONTS)] == ["Godzilla", "映画"]


def test_text_to_draw_is_one_line_without_unknown_characters() -> None:
    assert drawable(" a\n\U0010ffff b\x00 ") == "a b"


def test_first_font_of_the_host_that_loads_is_used(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    good = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSerif.ttf"
    chosen = choose_fonts(f"{tmp_path / 'missing.ttf'}, {broken}, {good}")
    assert chosen.fonts == (good, *BOLD_FONTS)
    assert chosen.note == ""
    ours = draw(make_words(), make_options())
    assert draw(make_words(), make_options(fonts=chosen.fonts)) != ours


def test_host_is_told_when_no_font_of_theirs_loads() -> None:
    chosen = choose_fonts("nowhere.ttf, /nowhere/else.otf")
    assert chosen.fonts == BOLD_FONTS
    assert chosen.note == "No font could be loaded from nowhere.ttf and /nowhere/else.otf; ours was used."


# --- alternative text -----------------------------------------------------------------------------------------------


def test_alternative_text_says_what_the_cloud_shows() -> None:
    options = make_options(stop_words="the end, Foo", title="What we said")
    assert describe_cloud(make_words(1200), options) == (
        "“What we said”, a word cloud of the toots with the hashtag #monsterdon on 22 February 2026: "
        "17 different words. The ten most frequent are Monsterdon (1,200), blob (100), jelly (95), diner (90), "
        "teenagers (85), Steve (80), McQueen (75), monster (70), horror (65) and red (60). "
        "The hashtag is drawn no larger than the most frequent other word. "
        "Left out besides common words: the end and foo."
    )


@pytest.mark.parametrize(
    ("words", "values", "parts"),
    [
        ([], {}, ["Word cloud of the toots", "No words were found."]),
        (make_words(0, ["blob"]), {}, ["1 different word.", "The only one is blob (100)."]),
        (
            make_words(9, ["blob", "goo"]),
            {"hashtag_fix": "remove"},
            ["2 different words", "The hashtag itself is left out."],
        ),
        (
            make_words(9, ["blob"]),
            {"hashtag_fix": "as-is"},
            ["The 2 most frequent are blob (100) and Monsterdon (9)."],
        ),
        (make_words(), {"stop_words": ",".join(f"w{n}" for n in range(40))}, ["w29 and 10 more."]),
    ],
)
def test_alternative_text_in_special_cases(
    words: list[CountedWord], values: dict[str, Any], parts: list[str]
) -> None:
    text = describe_cloud(words, make_options(**values))
    assert all(part in text for part in parts)
