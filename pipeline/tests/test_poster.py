"""Search words, choice and picture checks, without any network."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.core import poster
from pipeline.core.poster import (
    Poster,
    SearchWords,
    UnusableImage,
    best_match,
    is_image_address,
    make_poster_jpeg,
    parse_films,
    parse_keywords,
    parse_title,
)

IMAGES = "https://image.tmdb.example/t/p"


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("The Blob (1958)", "The Blob", "1958"),
        ("  The   Blob(1958) ", "The Blob", "1958"),
        ("1984 (1984)", "1984", "1984"),
        ("Blob (Director's Cut) (1988)", "Blob (Director's Cut)", "1988"),
        ("The Blob", "The Blob", None),
        ("The Blob (58)", "The Blob (58)", None),
        ("(1958)", "(1958)", None),
        ("The Blob (1958) again", "The Blob (1958) again", None),
        ("", "", None),
    ],
)
def test_year_in_brackets_is_searched_as_year(text: str, title: str, year: str | None) -> None:
    assert parse_title(text) == SearchWords(title, year)


def row(number: int = 1, **values: Any) -> dict[str, Any]:
    film = {
        "id": number,
        "title": f"Film {number}",
        "poster_path": f"/poster{number}.jpg",
        "release_date": "1958-09-10",
        "overview": "Jelly.",
    }
    return {**film, **values}


def test_film_becomes_a_poster_of_the_contract() -> None:
    assert parse_films({"results": [row(851)]}, IMAGES) == [
        Poster("851", "Film 851", "/poster851.jpg", f"{IMAGES}/w342/poster851.jpg", "1958", "Jelly.")
    ]


def test_films_without_poster_are_passed_over() -> None:
    rows = [row(1, poster_path=None), row(2), row(3, poster_path=""), row(4)]
    assert [film.id for film in parse_films({"results": rows}, IMAGES)] == ["2", "4"]


@pytest.mark.parametrize(
    "values",
    [
        {"id": None},
        {"id": "1; x"},
        {"id": True},
        {"id": -1},
        {"poster_path": "http://evil.example/x.jpg"},
        {"poster_path": "/../../secret.jpg"},
        {"poster_path": "/x.svg"},
        {"poster_path": "//evil.example/x.jpg"},
        {"poster_path": 3},
    ],
)
def test_rows_that_make_no_sense_are_passed_over(values: dict[str, Any]) -> None:
    assert parse_films({"results": [row(1, **values), row(2)]}, IMAGES)[0].id == "2"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    ["results", "keywords", "name", "id", "title", "poster_path", "release_date", "overview"]
                ),
                x,
            )
        ),
    )
)
def test_no_answer_upsets_the_reader(raw: Any) -> None:
    assert all(isinstance(film, Poster) for film in parse_films(raw, IMAGES))
    assert all(isinstance(word, str) for word in parse_keywords(raw))


def test_ten_keywords_are_enough() -> None:
    rows: list[Any] = [{"name": f"word {number}"} for number in range(12)]
    assert parse_keywords({"keywords": [None, {"id": 3}, *rows]}) == tuple(f"word {n}" for n in range(10))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (SearchWords("The Blob", "1988"), "3"),
        (SearchWords("THE BLOB!", None), "2"),
        (SearchWords("Son of Blob", "1958"), "2"),
        (SearchWords("Nothing like it", None), "1"),
    ],
)
def test_same_title_and_year_win_then_title_then_year(words: SearchWords, expected: str) -> None:
    films = parse_films(
        {
            "results": [
                row(1, title="Beware! The Blob", release_date="1972-06-01"),
                row(2, title="The Blob", release_date="1958-09-10"),
                row(3, title="The Blob", release_date="1988-08-05"),
            ]
        },
        IMAGES,
    )
    chosen = best_match(films, words)
    assert chosen is not None
    assert chosen.id == expected


def test_nothing_found_means_no_choice() -> None:
    assert best_match([], SearchWords("The Blob", None)) is None


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        (f"{IMAGES}/w342/a-B_1.jpg", True),
        (f"{IMAGES}/original/a.png", True),
        ("https://image.tmdb.example:443/t/p/w342/a.jpg", True),
        ("http://image.tmdb.example/t/p/w342/a.jpg", False),
        ("https://image.tmdb.example:8443/t/p/w342/a.jpg", False),
        ("https://image.tmdb.example.evil.example/t/p/w342/a.jpg", False),
        ("https://evil.example/t/p/w342/a.jpg", False),
        ("https://user@image.tmdb.example/t/p/w342/a.jpg", False),
        ("https://image.tmdb.example@evil.example/t/p/w342/a.jpg", False),
        ("https://image.tmdb.example/t/pq/a.jpg", False),
        ("https://image.tmdb.example/t/p/../q/a.jpg", False),
        ("https://image.tmdb.example/t/p/%2e%2e/a.jpg", False),
        ("https://image.tmdb.example/t/p/./a.jpg", False),
        ("https://image.tmdb.example/t/p//evil.example/a.jpg", False),
        ("https://image.tmdb.example/t/p/", False),
        ("https://image.tmdb.example/t/p/a.jpg?x=1", False),
        ("https://image.tmdb.example/t/p/a.jpg#x", False),
        ("https://image.tmdb.example/t/p/a\n.jpg", False),
        ("https://image.tmdb.example\\@evil.example/t/p/a.jpg", False),
        ("https://[image/t/p/a.jpg", False),
        ("https://image.tmdb.example:port/t/p/a.jpg", False),
        ("", False),
    ],
)
def test_only_addresses_of_the_image_host_are_taken(address: str, is_allowed: bool) -> None:
    assert is_image_address(address, IMAGES) is is_allowed
    assert is_image_address(address, IMAGES + "/") is is_allowed


def picture(kind: str, size: tuple[int, int] = (342, 513), mode: str = "RGB", **options: Any) -> bytes:
    buffer = BytesIO()
    Image.new(mode, size, "teal" if mode != "1" else 1).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "RGB"),
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("PNG", "1"),
        ("PNG", "I;16"),
        ("WEBP", "RGB"),
        ("WEBP", "RGBA"),
    ],
)
def test_every_common_picture_becomes_an_rgb_jpeg(kind: str, mode: str) -> None:
    buffer = BytesIO()
    Image.new(mode, (342, 513)).save(buffer, kind)
    with Image.open(BytesIO(make_poster_jpeg(buffer.getvalue()))) as made:
        assert (made.format, made.mode, made.size) == ("JPEG", "RGB", (342, 513))


def test_transparent_parts_become_white() -> None:
    buffer = BytesIO()
    Image.new("RGBA", (40, 60), (0, 0, 0, 0)).save(buffer, "PNG")
    with Image.open(BytesIO(make_poster_jpeg(buffer.getvalue()))) as made:
        assert made.getpixel((20, 30)) == (255, 255, 255)


def test_large_pictures_are_made_smaller_and_keep_their_shape() -> None:
    with Image.open(BytesIO(make_poster_jpeg(picture("PNG", (2000, 3000))))) as made:
        assert made.size == (1000, 1500)


def test_noisy_pictures_stay_below_the_size_limit() -> None:
    noise = Image.frombytes("RGB", (1000, 1500), random.Random(1).randbytes(4_500_000))
    buffer = BytesIO()
    noise.save(buffer, "WEBP", quality=60)
    made = make_poster_jpeg(buffer.getvalue())
    assert len(made) <= poster.MAX_POSTER_BYTES


def test_nothing_but_pixels_survives() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif[0x0112] = 6  # on its side
    content = picture("JPEG", (60, 40), exif=exif, comment=b"secret comment")
    assert b"secret" in content
    made = make_poster_jpeg(content)
    assert b"secret" not in made
    with Image.open(BytesIO(made)) as upright:
        assert upright.size == (40, 60)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be enormous."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>404</html>",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        picture("GIF"),
        picture("BMP"),
        picture("TIFF"),
        picture("JPEG")[:400],
        picture("PNG")[:-40],
        picture("WEBP")[:50],
        bomb(6000, 6000),
        bomb(12000, 12000),
        bomb(100_000, 100_000),
        bomb(0, 10),
        bytes(poster.MAX_IMAGE_BYTES + 1),
    ],
    ids=range(15),
)
def test_everything_else_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(UnusableImage) as caught:
        make_poster_jpeg(content)
    assert caught.value.user_message.endswith((".", ")."))


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
    changes=st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 255)), max_size=12),
    length=st.integers(10, 2000),
)
def test_damaged_pictures_are_read_or_refused(kind: str, changes: list[tuple[int, int]], length: int) -> None:
    content = bytearray(picture(kind, (60, 90))[:length])
    for position, value in changes:
        if position < len(content):
            content[position] = value
    try:
        made = make_poster_jpeg(bytes(content))
    except UnusableImage:
        return
    assert made.startswith(b"\xff\xd8")
