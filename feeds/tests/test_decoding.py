"""Charsets: the mark, the header, the declaration, the bytes."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.decoding import decode_body

RUSSIAN = "Сегодня в городе прошёл сильный дождь, и жители остались дома до вечера."
JAPANESE = "今日は雨が降りました。明日は晴れるでしょう。みんなで公園に行きます。"


def xml(text: str, encoding: str = "") -> str:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding else ""
    return f"{declaration}<rss><channel><title>{text}</title></channel></rss>"


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        # the mark wins over everything
        (b"\xef\xbb\xbf" + xml("é", "iso-8859-1").encode(), "text/xml; charset=koi8-r", "é"),
        ("\ufeff".encode("utf-16-le") + xml("é", "utf-8").encode("utf-16-le"), "", "é"),
        ("\ufeff".encode("utf-32-be") + xml("é").encode("utf-32-be"), "", "é"),
        (xml("é", "utf-16").encode("utf-16-be"), "", "é"),
        # then the header
        (xml(RUSSIAN, "iso-8859-1").encode("koi8-r"), "text/xml; charset=KOI8-R", RUSSIAN),
        (xml("é").encode("latin-1"), "application/rss+xml;charset='ISO-8859-1'", "é"),
        (xml("€").encode("cp1252"), "text/xml; charset=iso-8859-1", "€"),
        # then the declaration
        (xml(RUSSIAN, "windows-1251").encode("cp1251"), "text/xml", RUSSIAN),
        (xml("日本", "Shift_JIS").encode("cp932"), "", "日本"),
        (xml("日本", "iso-2022-jp").encode("iso-2022-jp"), "", "日本"),
        # then the bytes
        (xml(RUSSIAN).encode("cp1251"), "", RUSSIAN),
        (xml(RUSSIAN).encode("koi8-r"), "", RUSSIAN),
        (xml(JAPANESE).encode("euc-jp"), "", JAPANESE),
        (xml(JAPANESE).encode("cp932"), "", JAPANESE),
        (xml("café").encode("latin-1"), "", "café"),
        # labels that are wrong
        (xml("café", "iso-8859-1").encode(), "text/xml; charset=iso-8859-1", "café"),
        (xml("café", "utf-8").encode("latin-1"), "text/xml; charset=utf-8", "café"),
        (xml("café", "bogus").encode(), "text/xml; charset=nonsense", "café"),
        (xml("café", "utf-16").encode(), "", "café"),
        (xml("cafe", "utf-7").encode(), "text/xml; charset=utf-7", "cafe"),
        (gzip.compress(xml("é").encode()), "", "é"),
    ],
)
def test_text_is_decoded(body: bytes, content_type: str, text: str) -> None:
    assert f"<title>{text}</title>" in decode_body(body, content_type)


def test_one_wrong_byte_does_not_spoil_the_rest() -> None:
    body = xml("ä" * 50).encode() + b"\xff"
    assert "ä" * 50 in decode_body(body, "text/xml; charset=utf-8")


def test_utf_7_hides_no_markup() -> None:
    assert "<script>" not in decode_body(b"<rss>+ADw-script+AD4-</rss>", "text/xml; charset=utf-7")


@given(
    st.binary(max_size=200),
    st.text(max_size=50) | st.sampled_from(["x; charset=idna", "x; charset=rot13", "x; charset=hex"]),
)
def test_any_bytes_become_text(body: bytes, content_type: str) -> None:
    if not body.startswith(b"\x1f\x8b"):
        assert isinstance(decode_body(body, content_type), str)
