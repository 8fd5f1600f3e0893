"""Bodies as they stream in: what they are, and what they may cost."""

from __future__ import annotations

import tracemalloc
import zlib

from common.http_body import read_body
from common.lines import Line

PIECES = 300_000


def make_line() -> Line:
    return Line(seconds=60, max_bytes=8_000_000)


def test_body_in_one_piece_is_not_copied() -> None:
    piece = b"x" * 1000

    body, received = read_body([piece], "", make_line(), 8_000_000)

    assert body is piece
    assert received == 1000


def test_body_of_tiny_pieces_takes_no_more_memory_than_a_few_bodies() -> None:
    tracemalloc.start()
    try:
        body, received = read_body((b"ab" for _ in range(PIECES)), "", make_line(), 8_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert body == b"ab" * PIECES
    assert received == len(body)
    assert peak < 4 * len(body)  # a list of the pieces takes more than that for its places alone


def test_compressed_body_may_come_in_single_bytes() -> None:
    content = b"[1, 2, 3]" * 50_000
    packed = zlib.compress(content)

    body, received = read_body((packed[at : at + 1] for at in range(len(packed))), "deflate", make_line(), 8_000_000)

    assert (body, received) == (content, len(packed))
