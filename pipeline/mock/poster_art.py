"""Posters of films that never were, drawn when asked for. Pure: the same bytes every time."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 342, 513
_SCALE = 2  # drawn larger, then reduced: smooth edges
_W, _H = WIDTH * _SCALE, HEIGHT * _SCALE
Colour: TypeAlias = tuple[int, int, int]

_NIGHT_TOP, _NIGHT_LOW = (20, 12, 48), (196, 58, 78)
_YELLOW, _CREAM, _INK = (255, 214, 64), (255, 240, 205), (22, 14, 30)
_JELLY, _JELLY_LIGHT = (116, 205, 62), (196, 244, 128)


@lru_cache(maxsize=1)
def jelly_poster() -> bytes:
    """JPEG of 342 by 513 pixels, as the real one sends for size ``w342``."""
    picture = _sky(_NIGHT_TOP, _NIGHT_LOW, seed=1957)
    _meteor(picture)
    _sea_and_town(picture)
    _jelly(picture)
    _people(picture)
    _title(picture, ("THE JELLY", "FROM", "OUTER SPACE"), (98, 40, 76), top=50)
    _line(picture, "IT WOBBLED ACROSS THE STARS... FOR DESSERT!", 24, 14, _CREAM)
    _line(picture, "IN GLORIOUS WOBBLESCOPE  ·  1957", 23, _H - 52, _YELLOW)
    return _as_jpeg(picture)


@lru_cache(maxsize=1)
def moth_poster() -> bytes:
    """JPEG of 342 by 513 pixels."""
    picture = _sky((10, 22, 44), (232, 176, 72), seed=1961)
    draw = ImageDraw.Draw(picture)
    draw.polygon(
        [(_W * 0.3, _H * 0.72), (_W * 0.7, _H * 0.72), (_W * 0.86, _H * 0.93), (_W * 0.14, _H * 0.93)], _CREAM
    )
    middle, height = _W // 2, int(_H * 0.55)
    for side in (-1, 1):
        wing = [(middle, height - 20), (middle + side * 270, height - 170), (middle + side * 190, height + 90)]
        draw.polygon(wing, (92, 64, 44), _INK)
        eye = middle + side * 170
        draw.ellipse((eye - 34, height - 84, eye + 34, height - 16), _YELLOW, _INK, 8)
        draw.line([(middle, height - 90), (middle + side * 60, height - 190)], _INK, 8)
    draw.ellipse((middle - 34, height - 110, middle + 34, height + 130), (60, 42, 34), _INK, 6)
    _title(picture, ("THE MOTH", "WHO KNEW", "TOO MUCH"), (92, 80, 84), top=40)
    return _as_jpeg(picture)


def _sky(top: Colour, low: Colour, *, seed: int) -> Image.Image:
    picture = Image.new("RGB", (_W, _H))
    draw = ImageDraw.Draw(picture)
    for y in range(_H):
        draw.line([(0, y), (_W, y)], _mixed(top, low, min(1, (y / (_H * 0.78)) ** 1.6)))
    rng = random.Random(seed)  # noqa: S311 stars, not secrets
    for _ in range(150):
        x, y, size = rng.randrange(_W), rng.randrange(int(_H * 0.6)), rng.choice((1, 1, 1, 2, 3))
        draw.ellipse((x, y, x + size, y + size), _mixed(_CREAM, top, rng.random() * 0.6))
    return picture


def _meteor(picture: Image.Image) -> None:
    def paint(draw: ImageDraw.ImageDraw) -> None:
        draw.polygon([(_W * 0.725, _H * 0.39), (_W * 0.765, _H * 0.43), (_W * 1.04, _H * 0.3)], (*_YELLOW, 210))
        draw.ellipse((_W * 0.71, _H * 0.385, _W * 0.79, _H * 0.44), (*_CREAM, 255))

    _glowing(picture, paint, blur=5)


def _sea_and_town(picture: Image.Image) -> None:
    draw = ImageDraw.Draw(picture)
    horizon = int(_H * 0.78)
    draw.rectangle((0, horizon, _W, _H), (34, 22, 60))
    for x, width, height in ((10, 70, 60), (84, 54, 92), (142, 80, 48), (556, 60, 76), (610, 74, 54)):
        draw.rectangle((x, horizon - height, x + width, horizon), _INK)
        draw.polygon(
            [(x - 6, horizon - height), (x + width // 2, horizon - height - 34), (x + width + 6, horizon - height)],
            _INK,
        )
        draw.rectangle((x + width // 3, horizon - height + 16, x + width // 3 + 14, horizon - height + 34), _YELLOW)
    _lighthouse(picture, draw, 516, horizon)


def _lighthouse(picture: Image.Image, draw: ImageDraw.ImageDraw, x: int, foot: int) -> None:
    def beam(layer: ImageDraw.ImageDraw) -> None:
        layer.polygon([(x, foot - 262), (_W, foot - 400), (_W, foot - 250)], (*_CREAM, 110))
        layer.polygon([(x, foot - 262), (0, foot - 330), (0, foot - 240)], (*_CREAM, 70))

    _glowing(picture, beam, blur=8)
    draw.polygon([(x - 34, foot), (x + 34, foot), (x + 20, foot - 240), (x - 20, foot - 240)], _CREAM)
    for stripe in range(3):
        top = foot - 50 - stripe * 76
        draw.rectangle((x - 30 + stripe * 4, top - 30, x + 30 - stripe * 4, top), (196, 44, 56))
    draw.rectangle((x - 24, foot - 278, x + 24, foot - 240), _YELLOW, _INK, 5)
    draw.pieslice((x - 28, foot - 308, x + 28, foot - 252), 180, 360, _INK)


def _jelly(picture: Image.Image) -> None:
    def glow(layer: ImageDraw.ImageDraw) -> None:
        layer.ellipse((30, _H * 0.42, _W * 0.76, _H * 0.96), (*_JELLY_LIGHT, 120))

    _glowing(picture, glow, blur=40)
    body = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(body)
    top, foot = int(_H * 0.47), int(_H * 0.885)
    outline = [
        (70, foot), (54, foot - 90), (84, foot - 210), (118, foot - 320), (168, top + 24), (250, top - 8),
        (330, top + 10), (396, top + 92), (430, foot - 240), (462, foot - 110), (452, foot),
    ]  # fmt: skip
    draw.polygon(outline, (*_JELLY, 235))
    for x, width in ((24, 120), (120, 140), (236, 130), (336, 150), (430, 90)):
        draw.ellipse((x, foot - 44, x + width, foot + 34), (*_JELLY, 235))
    shade = [
        (345, top + 30),
        (396, top + 92),
        (430, foot - 240),
        (462, foot - 110),
        (448, foot - 30),
        (404, foot - 60),
    ]
    draw.polygon(shade, (84, 168, 52, 235))
    draw.ellipse((150, top + 40, 214, top + 150), (*_JELLY_LIGHT, 190))
    draw.ellipse((110, foot - 190, 140, foot - 110), (*_JELLY_LIGHT, 150))
    for x, y, size in ((200, foot - 90, 26), (300, foot - 150, 18), (160, foot - 40, 14), (350, foot - 60, 22)):
        draw.ellipse((x, y, x + size, y + size), (*_JELLY_LIGHT, 170))
    softened = body.filter(ImageFilter.GaussianBlur(3))
    picture.paste(softened, (0, 0), softened)
    _face(ImageDraw.Draw(picture), 270, top + 130)


def _face(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    for side, tilt in ((-1, 16), (1, -16)):
        middle = x + side * 62
        draw.ellipse((middle - 42, y - 46, middle + 42, y + 46), _CREAM, _INK, 6)
        draw.ellipse((middle - 16 + side * 6, y - 8, middle + 18 + side * 6, y + 28), _INK)
        draw.line([(middle - 46, y - 44 - tilt), (middle + 46, y - 44 + tilt)], _INK, 13)
    draw.chord((x - 92, y + 40, x + 92, y + 176), 0, 180, _INK)
    for tooth in range(5):
        left = x - 70 + tooth * 28
        draw.polygon([(left, y + 108), (left + 26, y + 108), (left + 13, y + 138)], _CREAM)


def _people(picture: Image.Image) -> None:
    draw = ImageDraw.Draw(picture)
    foot = int(_H * 0.935)
    for x, height in ((492, 78), (536, 96), (584, 84), (626, 92)):
        head = foot - height
        draw.ellipse((x - 12, head - 26, x + 12, head), _INK)
        draw.polygon([(x - 10, head), (x + 10, head), (x + 22, foot), (x - 22, foot)], _INK)
        for side in (-1, 1):
            draw.line([(x, head + 14), (x + side * 26, head - 26)], _INK, 9)
    draw.ellipse((440, foot - 30, 482, foot - 8), _INK)  # Biscuit
    draw.ellipse((472, foot - 46, 492, foot - 26), _INK)
    draw.line([(446, foot - 14), (446, foot)], _INK, 7)
    draw.line([(476, foot - 14), (476, foot)], _INK, 7)
    draw.line([(442, foot - 24), (430, foot - 42)], _INK, 6)


def _title(picture: Image.Image, lines: tuple[str, ...], sizes: tuple[int, ...], *, top: int) -> None:
    y = top
    for line, size in zip(lines, sizes, strict=True):
        font = _font_fitting(line, size, _W - 50)
        left, upper, right, lower = font.getbbox(line)
        layer = Image.new("RGBA", (int(right - left) + 60, int(lower - upper) + 50), (0, 0, 0, 0))
        draw = ImageDraw.Draw(layer)
        for shift in range(9, -1, -1):
            colour = (*_INK, 255) if shift else (*_YELLOW, 255)
            place = (30 - left + shift, 20 - upper + shift)
            draw.text(place, line, colour, font, stroke_width=6 if shift else 3, stroke_fill=colour)
        turned = layer.rotate(3, resample=Image.Resampling.BICUBIC, expand=True)
        picture.paste(turned, ((_W - turned.width) // 2, y), turned)
        y += int(lower - upper) + 30


def _line(picture: Image.Image, text: str, size: int, top: int, colour: Colour) -> None:
    font = _font_fitting(text, size, _W - 40)
    draw = ImageDraw.Draw(picture)
    left, _, right, _ = font.getbbox(text)
    draw.text(((_W - (right - left)) / 2, top), text, colour, font, stroke_width=2, stroke_fill=_INK)


def _font_fitting(text: str, size: int, width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow, as large as fits."""
    while size > 10:
        font = ImageFont.load_default(size)
        left, _, right, _ = font.getbbox(text)
        if right - left <= width:
            return font
        size -= 2
    return ImageFont.load_default(size)


def _glowing(picture: Image.Image, paint: Callable[[ImageDraw.ImageDraw], None], *, blur: int) -> None:
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    paint(ImageDraw.Draw(layer))
    softened = layer.filter(ImageFilter.GaussianBlur(blur))
    picture.paste(softened, (0, 0), softened)


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _as_jpeg(picture: Image.Image) -> bytes:
    stream = BytesIO()
    picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(stream, "JPEG", quality=88)
    return stream.getvalue()
