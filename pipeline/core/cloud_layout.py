"""Words to places in a picture, and the picture. Same words, size, fonts and seed: same bytes. Pure.

The free places come from the wordcloud package; drawing is ours, because a cloud of many scripts needs a font per
word (or even per run within a word), and that package knows one for all.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from wordcloud.wordcloud import IntegralOccupancyMap

from pipeline.core.fonts import split_by_font

# The grid on which places are looked for has about this many cells on its longer side.
_GRID_CELLS = 640
_REFERENCE_SIZE = 100
# Boxes of words, together, may want this share of the picture; more leaves words without a place.
_FILL, _FILL_ENOUGH = 0.62, 0.5
_WIDEST, _TALLEST = 0.86, 0.42
_SHRINK = 0.94
# How much a word's size follows its count, and how much its rank.
_BY_COUNT = 0.55
# Where wide words keep the large sizes down, differences are flattened by these powers until the picture is full.
_FLATTENING = (1.0, 0.85, 0.7, 0.55, 0.4)
_VERTICAL_SHARE, _ALWAYS_LYING = 0.1, 8
_MESSAGE_SHARE = 0.6
# Free room around a word, as a share of its size: words side by side must not read as one.
_MARGIN = 0.13


@dataclass(frozen=True, slots=True)
class WeightedWord:
    """``is_capped``: takes no more room than the first word, in letters and in area."""

    text: str
    weight: float
    is_capped: bool = False


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """``size`` is the size of the letters in pixels; ``mask`` their shape, whose upper left corner is at x, y."""

    text: str
    size: int
    x: int
    y: int
    is_vertical: bool
    color_index: int
    mask: Image.Image


@dataclass(frozen=True, slots=True)
class Palette:
    background: str
    colors: tuple[str, ...]
    message: str


# Every colour has a contrast of at least 4.5 to its background.
LIGHT = Palette("#ffffff", ("#4338a8", "#0f6b78", "#a3195b", "#94500a", "#2f5d1e", "#3b4257"), "#5a6072")
DARK = Palette("#14161f", ("#a79fff", "#5ccbd6", "#ff8cb8", "#f2b45c", "#9fd67f", "#c3c9dc"), "#a9afc2")


@dataclass(frozen=True, slots=True)
class Canvas:
    """Size in pixels; ``fonts``: a character takes the first that has it."""

    width: int
    height: int
    fonts: tuple[Path, ...]
    seed: int

    @property
    def smallest_letters(self) -> int:
        return max(9, round(min(self.width, self.height) / 48))


def lay_out(words: Sequence[WeightedWord], canvas: Canvas) -> list[PlacedWord]:
    """The words that found a place, in the order given; none is larger than the one before it, capped ones aside.

    ``words`` come by falling weight. The first stands in the middle.
    """
    placer = _Placer(canvas)
    placed: list[PlacedWord] = []
    limit = canvas.height
    for word, wanted in zip(words, _wanted_sizes(words, canvas), strict=True):
        size = min(wanted, limit)
        if word.is_capped and placed:
            size = min(size, _capped_size(word, placed[0], canvas))
        place = placer.place(word.text, size)
        if place is not None:
            placed.append(place)
            limit = limit if word.is_capped else place.size
    return placed


def paint(placed: Sequence[PlacedWord], canvas: Canvas, palette: Palette) -> bytes:
    """The picture as PNG; without any word it says so."""
    picture = Image.new("RGB", (canvas.width, canvas.height), palette.background)
    for word in placed:
        picture.paste(palette.colors[word.color_index], (word.x, word.y), word.mask)
    if not placed:
        _paint_message("No words were found", picture, canvas, palette)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def draw_word(text: str, fonts: tuple[Path, ...], size: int) -> Image.Image | None:
    """The shape of a word, cut to its ink; None if there is no ink. Letters are joined and turned as their script
    wants it (Arabic, Hebrew, Devanagari) where Pillow has Raqm, as its wheels do."""
    runs = [(_load_font(font, size), run) for font, run in split_by_font(text, fonts)]
    width = sum(font.getlength(run) for font, run in runs)
    canvas = Image.new("L", (int(width) + 2 * size, 4 * size))
    draw, x = ImageDraw.Draw(canvas), float(size)
    for font, run in runs:
        draw.text((x, 2.5 * size), run, fill=255, font=font, anchor="ls")
        x += font.getlength(run)
    box = canvas.getbbox()
    return canvas.crop(box) if box else None


class _Placer:
    """Keeps the map of what is taken, on a grid coarser than the pixels."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._random = Random(canvas.seed)  # noqa: S311 (chance that repeats, no secret)
        self._cell = max(1, -(-max(canvas.width, canvas.height) // _GRID_CELLS))
        self._rows, self._columns = canvas.height // self._cell, canvas.width // self._cell
        self._taken = np.zeros((self._rows, self._columns), dtype=np.uint8)
        self._map = IntegralOccupancyMap(self._rows, self._columns, None)
        self._words = 0

    def place(self, text: str, size: int) -> PlacedWord | None:
        """As large as wanted, or smaller if there is no room; None when even the smallest letters find none."""
        directions = self._choose_directions()
        color_index = self._choose_color()
        smallest = self._canvas.smallest_letters
        size = max(size, smallest)
        while size >= smallest:
            mask = draw_word(text, self._canvas.fonts, size)
            if mask is None:
                return None
            for is_vertical in directions:
                turned = mask.transpose(Image.Transpose.ROTATE_90) if is_vertical else mask
                cell = self._find_cell(turned, size)
                if cell is not None:
                    self._take(turned, *cell)
                    x, y = cell[1] * self._cell, cell[0] * self._cell
                    return PlacedWord(text, size, x, y, is_vertical, color_index, turned)
            size = min(size - 1, int(size * _SHRINK))
        return None

    def _find_cell(self, mask: Image.Image, size: int) -> tuple[int, int] | None:
        """Row and column of a free place for the upper left corner."""
        rows, columns = self._cells_of(mask)
        if rows >= self._rows or columns >= self._columns:
            return None
        if not self._words:
            return (self._rows - rows) // 2, (self._columns - columns) // 2
        margin = max(1, round(size * _MARGIN / self._cell))
        place = self._map.sample_position(rows + 2 * margin, columns + 2 * margin, self._random)
        return None if place is None else (place[0] + margin, place[1] + margin)

    def _take(self, mask: Image.Image, row: int, column: int) -> None:
        rows, columns = self._cells_of(mask)
        self._taken[row : row + rows, column : column + columns] |= _has_ink(mask, self._cell, rows, columns)
        self._map.update(self._taken, row, column)
        self._words += 1

    def _choose_directions(self) -> tuple[bool, ...]:
        """Whether to stand upright, in order of preference. Large words lie, for reading."""
        prefers_vertical = self._random.random() < _VERTICAL_SHARE
        if self._words < _ALWAYS_LYING:
            return (False,)
        return prefers_vertical, not prefers_vertical

    def _choose_color(self) -> int:
        """Large words differ from their neighbours in rank; the others as it happens."""
        chance, number = self._random.randrange(len(LIGHT.colors)), len(LIGHT.colors)
        return self._words if self._words < number else chance

    def _cells_of(self, mask: Image.Image) -> tuple[int, int]:
        return -(-mask.height // self._cell), -(-mask.width // self._cell)


def _wanted_sizes(words: Sequence[WeightedWord], canvas: Canvas) -> list[int]:
    """Sizes whose boxes together fill a good part of the picture, falling with weight, gently."""
    steady = _shares(words)
    boxes = [_box(word.text, canvas.fonts) for word in words]
    room = canvas.width * canvas.height
    sizes: list[float] = []
    for power in _FLATTENING:
        shares = [share**power for share in steady]
        area = sum(width * height * share * share for (width, height), share in zip(boxes, shares, strict=True))
        widest = min((_most_scale(box, share, canvas) for box, share in zip(boxes, shares, strict=True)), default=1)
        scale = min((_FILL * room / area) ** 0.5, widest) if area else 0
        sizes = [_REFERENCE_SIZE * scale * share for share in shares]
        if area * scale * scale >= _FILL_ENOUGH * room:
            break
    return [max(canvas.smallest_letters, int(size)) for size in sizes]


def _shares(words: Sequence[WeightedWord]) -> list[float]:
    """Size of each word as a share of the first one's."""
    shares: list[float] = []
    for index, word in enumerate(words):
        ratio = word.weight / words[index - 1].weight if index else 1.0
        shares.append((shares[-1] if shares else 1.0) * (_BY_COUNT * ratio + 1 - _BY_COUNT))
    return shares


def _most_scale(box: tuple[float, float], share: float, canvas: Canvas) -> float:
    """How much the reference size may grow before this word is too wide or too tall; the largest is not always
    the widest."""
    width, height = (max(length, 1.0) for length in box)
    return min(_WIDEST * canvas.width / width, _TALLEST * canvas.height / height) / share


def _capped_size(word: WeightedWord, first: PlacedWord, canvas: Canvas) -> int:
    (width, height), (first_width, first_height) = _box(word.text, canvas.fonts), _box(first.text, canvas.fonts)
    ratio = first_width * first_height / max(width * height, 1.0)
    return int(first.size * min(1.0, ratio**0.5))


def _box(text: str, fonts: tuple[Path, ...]) -> tuple[float, float]:
    """Width and height at the reference size."""
    runs = [(_load_font(font, _REFERENCE_SIZE), run) for font, run in split_by_font(text, fonts)]
    if not runs:
        return 0, 0
    boxes = [font.getbbox(run, anchor="ls") for font, run in runs]
    height = max(box[3] for box in boxes) - min(box[1] for box in boxes)
    return sum(font.getlength(run) for font, run in runs), height


def _has_ink(mask: Image.Image, cell: int, rows: int, columns: int) -> NDArray[np.uint8]:
    """255 per cell of the grid that holds any ink."""
    ink = np.zeros((rows * cell, columns * cell), dtype=bool)
    ink[: mask.height, : mask.width] = np.asarray(mask) > 0
    blocks = ink.reshape(rows, cell, columns, cell).max(axis=(1, 3))
    return np.where(blocks, 255, 0).astype(np.uint8)


def _paint_message(message: str, picture: Image.Image, canvas: Canvas, palette: Palette) -> None:
    width, _ = _box(message, canvas.fonts)
    size = max(8, min(canvas.height // 8, int(_REFERENCE_SIZE * _MESSAGE_SHARE * canvas.width / width)))
    mask = draw_word(message, canvas.fonts, size)
    if mask is not None:
        x, y = (canvas.width - mask.width) // 2, (canvas.height - mask.height) // 2
        picture.paste(palette.message, (x, y), mask)


@lru_cache(maxsize=64)
def _load_font(font: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font), size)
