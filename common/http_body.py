"""The body of an answer, read while it streams: bounded on the wire by its line, and again after decompression."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

try:
    import brotli
except ImportError:  # then servers are not told that we know it
    brotli = None

from common.http_errors import InvalidAnswer, Unreachable
from common.lines import Line, too_large

ACCEPTED_ENCODINGS = "gzip, deflate" if brotli is None else "gzip, deflate, br"
_GZIP_MAGIC = b"\x1f\x8b"
_PART_BYTES = 65_536


def read_body(pieces: Iterable[bytes], encoding: str, line: Line, max_bytes: int) -> tuple[bytes, int]:
    """The decoded body and how many bytes it took on the wire.

    ``pieces`` as they come, ``encoding`` the Content-Encoding. TooLarge beyond ``max_bytes`` decoded bytes;
    never more than that are held in memory.
    """
    received = 0

    def counted() -> Iterator[bytes]:
        nonlocal received
        for piece in pieces:
            received += len(piece)
            line.check()
            yield piece

    body: bytes | bytearray = b""
    for part in _decoded(counted(), encoding, line, max_bytes):
        if body:  # not a list of parts: of millions of tiny ones it would be many times the size of the body
            body = body if isinstance(body, bytearray) else bytearray(body)
            body += part
        else:
            body = part  # as a rule the only one, and never copied
        if len(body) > max_bytes:
            raise too_large(line.server)
    line.check()  # a line that was cut looks like the end of the body
    return bytes(body), received


def _decoded(pieces: Iterator[bytes], encoding: str, line: Line, max_bytes: int) -> Iterator[bytes]:
    codings = [coding for coding in encoding.lower().replace(" ", "").split(",") if coding not in ("", "identity")]
    if not codings:
        return pieces
    if codings == ["br"] and brotli is not None:
        return _unbrotlied(pieces, line)
    if codings[0] not in ("gzip", "x-gzip", "deflate") or len(codings) > 1:
        raise _not_decodable(line.server)
    return _inflated(pieces, codings[0] != "deflate", line, max_bytes)


def _inflated(pieces: Iterator[bytes], is_gzip: bool, line: Line, max_bytes: int) -> Iterator[bytes]:
    """No part is longer than one byte above ``max_bytes``, however far the input unfolds."""
    inflater, has_begun = zlib.decompressobj(31 if is_gzip else 15), False
    for piece in pieces:
        while piece and not inflater.eof:
            try:
                part = inflater.decompress(piece, max_bytes + 1)
            except zlib.error as error:
                if has_begun or is_gzip:
                    raise _not_decodable(line.server) from error
                inflater, has_begun = zlib.decompressobj(-15), True  # "deflate" without the wrapper it should have
                continue
            has_begun, piece = True, inflater.unused_data
            yield part
            if inflater.eof and is_gzip and piece.startswith(_GZIP_MAGIC):
                inflater = zlib.decompressobj(31)  # members may follow each other
    if has_begun and not inflater.eof:
        raise _cut_short(line.server)


def _unbrotlied(pieces: Iterator[bytes], line: Line) -> Iterator[bytes]:
    """In parts of about 64 KB, so that the caller can stop a bomb early."""
    opener, has_begun = brotli.Decompressor(), False
    for piece in pieces:
        has_begun = has_begun or bool(piece)
        try:
            if opener.is_finished():
                return  # what follows is no part of the answer
            part = opener.process(piece, output_buffer_limit=_PART_BYTES)
            while part or not (opener.is_finished() or opener.can_accept_more_data()):
                yield part
                part = opener.process(b"", output_buffer_limit=_PART_BYTES)
        except brotli.error as error:
            raise _not_decodable(line.server) from error
    if has_begun and not opener.is_finished():
        raise _cut_short(line.server)


def _cut_short(server: str) -> Unreachable:
    return Unreachable(
        f"{server} hung up in the middle of an answer",
        server=server,
        user_message=f"{server} hung up in the middle of an answer.",
    )


def _not_decodable(server: str) -> InvalidAnswer:
    return InvalidAnswer(
        f"{server} sent a body whose encoding we cannot read",
        server=server,
        user_message=f"{server} sent something that could not be read.",
    )
