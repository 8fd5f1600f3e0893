"""The film's poster: search words from a title, the choice among what was found, checks of the picture. Pure."""

from __future__ import annotations

import re
import struct
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any
from urllib.parse import SplitResult, urlsplit

from PIL import Image, ImageOps

from common.errors import MastoscoreError

MAX_POSTERS = 5
MAX_KEYWORDS = 10
MAX_IMAGE_BYTES = 8_000_000
MAX_PIXELS = 30_000_000
POSTER_BOX = (1000, 1500)
MAX_POSTER_BYTES = 800_000

_TITLE_AND_YEAR = re.compile(r"(?P<title>.*\S)\s*\((?P<year>(?:18|19|20|21)[0-9]{2})\)")
_POSTER_PATH = re.compile(r"/[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?:jpg|jpeg|png|webp)")
_IMAGE_PATH = re.compile(r"(?:/[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)+")
# JPEG quality and scale, tried in order until the file is small enough.
_ENCODINGS = ((88, 1.0), (75, 1.0), (60, 1.0), (60, 0.5))
# What Pillow's decoders are known to raise on a file made to hurt them.
_DECODER_TROUBLE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class UnusableImage(MastoscoreError):
    """What was received is not a picture that can be a poster."""


@dataclass(frozen=True, slots=True)
class SearchWords:
    """What to look for; ``year`` is None when the title names none."""

    title: str
    year: str | None


@dataclass(frozen=True, slots=True)
class Poster:
    """A film with a poster. Field names are the contract's keys; ``year`` is empty when unknown."""

    id: str
    title: str
    poster_path: str
    poster_url: str
    year: str
    overview: str
    keywords: tuple[str, ...] = ()


def parse_title(text: str) -> SearchWords:
    """``Title (YYYY)`` as title and year; any other text is a title."""
    title = " ".join(text.split())[:300]
    match = _TITLE_AND_YEAR.fullmatch(title)
    return SearchWords(match["title"], match["year"]) if match else SearchWords(title, None)


def parse_films(raw: Any, image_url: str) -> list[Poster]:
    """The films of a TMDb search answer that have a poster, in its order.

    Raises nothing, whatever the answer: rows that make no sense are passed over
    (https://developer.themoviedb.org/reference/search-movie).
    """
    rows = raw.get("results") if isinstance(raw, dict) else None
    posters = (_parse_film(row, image_url) for row in rows) if isinstance(rows, list) else ()
    return [poster for poster in posters if poster]


def parse_keywords(raw: Any) -> tuple[str, ...]:
    """Up to ten keywords of a film; none when the answer makes no sense."""
    rows = raw.get("keywords") if isinstance(raw, dict) else None
    names = [_text(row.get("name")) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return tuple(name for name in names if name)[:MAX_KEYWORDS]


def with_keywords(poster: Poster, keywords: Iterable[str]) -> Poster:
    return replace(poster, keywords=tuple(keywords))


def best_match(posters: Sequence[Poster], words: SearchWords) -> Poster | None:
    """Same title and year first, then same title, then same year; equals stay in the order found."""
    wanted = _folded(words.title)

    def rank(poster: Poster) -> tuple[bool, bool]:
        return _folded(poster.title) != wanted, words.year is not None and poster.year != words.year

    return min(posters, key=rank, default=None)


def is_image_address(address: str, image_url: str) -> bool:
    """Whether the address lies on the image host: same scheme, host and port, path below its path, nothing else."""
    try:
        asked, host = urlsplit(address), urlsplit(image_url)
        same_place = _place(asked) == _place(host)
    except ValueError:
        return False
    below = asked.path.removeprefix(host.path.rstrip("/"))
    return (
        same_place
        and address == f"{asked.scheme}://{asked.netloc}{asked.path}"
        and asked.path.startswith(host.path.rstrip("/") + "/")
        and _IMAGE_PATH.fullmatch(below) is not None
    )


def make_poster_jpeg(content: bytes) -> bytes:
    """The picture as an RGB JPEG of bounded size, without metadata.

    Takes JPEG, PNG and WebP. Raises UnusableImage for anything else, and for pictures that are broken or larger
    than ``MAX_PIXELS``, before their pixels are decoded.
    """
    if len(content) > MAX_IMAGE_BYTES:
        raise UnusableImage("The poster is too large a file.")
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise UnusableImage(f"The poster is too large: {picture.width} by {picture.height} pixels.")
            return _encode(_flatten(picture))
    except _DECODER_TROUBLE as error:
        raise UnusableImage(
            f"not a usable image: {type(error).__name__}",
            user_message="The poster is not a picture we can read (JPEG, PNG or WebP).",
        ) from error


def _flatten(picture: Image.Image) -> Image.Image:
    """Upright, no larger than the box, colours on white where it was transparent."""
    picture.draft("RGB", POSTER_BOX)
    upright = ImageOps.exif_transpose(picture)
    upright = upright if upright.mode in ("RGB", "RGBA") else upright.convert("RGBA")
    upright.thumbnail(POSTER_BOX, Image.Resampling.LANCZOS)
    if upright.mode == "RGB":
        return upright
    ground = Image.new("RGB", upright.size, "white")
    ground.paste(upright, mask=upright.getchannel("A"))
    return ground


def _encode(picture: Image.Image) -> bytes:
    encoded = b""
    for quality, scale in _ENCODINGS:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        buffer = BytesIO()
        # Pasted on a new image: what Pillow keeps beside the pixels (EXIF, comments, profiles) stays behind.
        bare = Image.new("RGB", size)
        bare.paste(picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS))
        bare.save(buffer, "JPEG", quality=quality, optimize=True)
        encoded = buffer.getvalue()
        if len(encoded) <= MAX_POSTER_BYTES:
            break
    return encoded


def _parse_film(row: Any, image_url: str) -> Poster | None:
    if not isinstance(row, dict):
        return None
    number, path = row.get("id"), row.get("poster_path")
    if isinstance(number, bool) or not isinstance(number, int) or number < 0 or not isinstance(path, str):
        return None
    if len(path) > 200 or not _POSTER_PATH.fullmatch(path):
        return None
    return Poster(
        id=str(number),
        title=_text(row.get("title")),
        poster_path=path,
        poster_url=f"{image_url.rstrip('/')}/w342{path}",
        year=_year(row.get("release_date")),
        overview=_text(row.get("overview")),
    )


def _text(value: Any) -> str:
    return " ".join(value.split())[:2000] if isinstance(value, str) else ""


def _year(value: Any) -> str:
    year = value[:4] if isinstance(value, str) else ""
    return year if re.fullmatch(r"[0-9]{4}", year) else ""


def _place(parts: SplitResult) -> tuple[str, str | None, int | None, str | None]:
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default, parts.username


def _folded(title: str) -> str:
    """The title without accents, case and punctuation."""
    plain = unicodedata.normalize("NFKD", title.casefold())
    return "".join(character for character in plain if character.isalnum())
