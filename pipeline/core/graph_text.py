"""Making words fit into a figure: measured with the fonts they are drawn with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.figure import Figure

_TITLE_SIZES = (30, 27, 24, 22)


@dataclass(frozen=True, slots=True)
class FittedTitle:
    """One line, or two with a line break; ``size`` in points."""

    text: str
    size: int


def fit_title(figure: Figure, text: str, *, max_px: float) -> FittedTitle:
    """On one line as large as it fits, else on two lines, shortened if even that is too little."""
    for size in _TITLE_SIZES:
        if measure(figure, text, size=size, weight="bold") <= max_px:
            return FittedTitle(text, size)
    size = _TITLE_SIZES[-1]
    first = _longest_start(figure, text, size, max_px)
    rest = text[len(first) :].strip()
    return FittedTitle(f"{first.strip()}\n{fit_line(figure, rest, size=size, max_px=max_px, weight='bold')}", size)


def fit_line(figure: Figure, text: str, *, size: float, max_px: float, weight: str = "normal") -> str:
    """The text, or as much of it as fits with ``…`` at the end."""
    if measure(figure, text, size=size, weight=weight) <= max_px:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = measure(figure, f"{text[:middle].rstrip()}…", size=size, weight=weight) <= max_px
        low, high = (middle, high) if fits else (low, middle - 1)
    return f"{text[:low].rstrip()}…"


def measure(figure: Figure, text: str, *, size: float, weight: str = "normal") -> float:
    """Width in pixels of the figure."""
    probe = figure.text(0, 0, text, size=size, weight=weight, parse_math=False)
    width = probe.get_window_extent().width
    probe.remove()
    return float(width)


def spread(centres: Sequence[float], widths: Sequence[float], low: float, high: float, gap: float) -> list[float]:
    """Centres moved as little as it takes for boxes of these widths to stay apart and within the limits.

    The order is kept; boxes in each other's way move aside in equal parts. Where there is not enough room at
    all, the first ones stay within the lower limit.
    """
    offsets = [0.0]
    for left, right in pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2 + gap)
    level = _never_falling([centre - offset for centre, offset in zip(centres, offsets, strict=False)])
    placed = [height + offset for height, offset in zip(level, offsets, strict=False)]
    for index, width in enumerate(widths):
        edge = low if index == 0 else placed[index - 1] + widths[index - 1] / 2 + gap
        placed[index] = max(placed[index], edge + width / 2)
    for index in range(len(placed) - 1, -1, -1):
        edge = high if index == len(placed) - 1 else placed[index + 1] - widths[index + 1] / 2 - gap
        placed[index] = min(placed[index], edge - widths[index] / 2)
    return [max(centre, low + width / 2) for centre, width in zip(placed, widths, strict=True)]


def _never_falling(values: Sequence[float]) -> list[float]:
    """The nearest sequence (least squares) in which no value is smaller than the one before it."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, size = value, 1
        while pools and pools[-1][0] > mean:
            previous, count = pools.pop()
            mean, size = (previous * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    return [mean for mean, size in pools for _ in range(size)]


def _longest_start(figure: Figure, text: str, size: int, max_px: float) -> str:
    """The words that fit on one line; a first word too long for it is cut."""
    cut = len(fit_line(figure, text, size=size, max_px=max_px, weight="bold").removesuffix("…"))
    space = text.rfind(" ", 0, cut + 1)
    return text[:space] if space > cut // 3 else text[:cut]
