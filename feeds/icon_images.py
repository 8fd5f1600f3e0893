"""Pictures of sites made small and harmless: any of the usual formats to one PNG. Pure; runs confined."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import Image

SIZE_PX = 64
MAX_BYTES = 500_000
MAX_PIXELS = 4_000_000
MEDIA_TYPE = "image/png"

_FORMATS = ("PNG", "ICO", "JPEG", "GIF", "WEBP")
# What decoders are known to raise on a file made to hurt them.
_TROUBLE = (
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


def make_icon(content: bytes) -> bytes:
    """The picture as PNG of at most 64 by 64 pixels, without metadata; b"" for no picture or a huge one.

    Of several sizes in one file the largest is taken, of moving ones the first picture.
    """
    if not 0 < len(content) <= MAX_BYTES:
        return b""
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return b""
            picture.draft("RGB", (SIZE_PX, SIZE_PX))
            drawn = picture.convert("RGBA")
            drawn.thumbnail((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS)
            if drawn.getchannel("A").getbbox() is None:  # nothing but transparency
                return b""
            # A new picture, so that nothing but its pixels is written.
            clean = Image.new("RGBA", drawn.size)
            clean.paste(drawn)
            made = BytesIO()
            clean.save(made, "PNG", optimize=True)
            return made.getvalue()
    except _TROUBLE:
        return b""
