"""Bytes of a feed to text: by byte order mark, header, declaration, and what the bytes look like. Pure.

Labels mean what browsers take them for (https://encoding.spec.whatwg.org/#names-and-labels): ``iso-8859-1`` is
windows-1252, ``gb2312`` is gb18030 and so on.
"""

from __future__ import annotations

import codecs
import re
import zlib

from charset_normalizer import from_bytes

from feeds.data import FeedError

MAX_BODY_BYTES = 5_000_000

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How "<?" or "<r" look without a mark.
_WIDE_STARTS = (
    (re.compile(rb"<\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0<"), "utf-32-be"),
    (re.compile(rb"[<{\[]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[<{\[]\0[^\0]"), "utf-16-be"),
)
_MEANT = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
# Python knows these under one name only, feeds use the other.
_SPELLINGS = {"x-sjis": "cp932", "windows-31j": "cp932", "ks_c_5601-1987": "cp949", "x-gbk": "gb18030", "unicode": ""}
# An ASCII text in these may hide markup, or they are no text at all.
_REFUSED = frozenset(
    {"utf-7", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "mbcs", "oem", "undefined"}
)
_WIDE = ("utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:\-]{2,40})", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([A-Za-z0-9_.:\-]{2,40})", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:\-]{2,40})", re.IGNORECASE)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
# What a guess may come to; anything else it names is taken for windows-1252.
_GUESSED_NAMES = """
    big5 big5hkscs cp932 cp949 cp950 euc_jp euc_jis_2004 euc_jisx0213 euc_kr gb18030 gb2312 gbk johab shift_jis
    shift_jis_2004 shift_jisx0213 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp1257 cp874 iso8859_2 iso8859_5 iso8859_7
    iso8859_8 koi8_r koi8_u mac_cyrillic cp866
"""
_GUESSES = frozenset(_GUESSED_NAMES.split())
_KANA = re.compile("[\u3041-\u30fe]")
_MIN_HIGH_BYTES_TO_GUESS = 24
_GUESS_SAMPLE_BYTES = 8192


def decode_body(body: bytes, content_type: str = "") -> str:
    """The text of a document; FeedError if it is over 5 MB or no text. Single wrong bytes become ``�``."""
    body = _unpacked(body)
    if len(body) > MAX_BODY_BYTES:
        raise FeedError(
            f"document of {len(body)} bytes",
            user_message="The feed is too big: more than 5 megabytes cannot be read.",
        )
    for mark, name in _MARKS:
        if body.startswith(mark) and not (name == "utf-16-le" and body.startswith(codecs.BOM_UTF32_LE)):
            return body[len(mark) :].decode(name, "replace")
    for pattern, name in _WIDE_STARTS:
        if pattern.match(body):
            return body.decode(name, "replace")
    return _decode_unmarked(body, content_type)


def charset_of(content_type: str) -> str:
    """Python's name for the charset that a Content-Type names, or "" if it names none that may be used."""
    found = _CHARSET.search(content_type[:500])
    return _known(found[1]) if found else ""


def _unpacked(body: bytes) -> bytes:
    """The body, without the gzip round it that some servers send without saying so."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        return unpacker.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise FeedError("broken gzip", user_message="The answer is compressed, and broken.") from error


def _decode_unmarked(body: bytes, content_type: str) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    labels = _labels(body, content_type)
    if text and not text.isascii():
        # Real UTF-8 by accident is next to impossible, wrong labels are not.
        return text
    if text or not body:
        # ASCII bytes: only the encodings that switch by escapes say something else with them.
        return next((body.decode(name, "replace") for name in labels if name.startswith(("iso2022", "hz"))), text)
    for name in labels:
        if name == "utf-8":
            continue
        try:
            return body.decode(name)
        except UnicodeDecodeError:
            pass  # mislabelled: the next label, or the bytes, may know
    return _decode_by_looks(body, labels)


def _labels(body: bytes, content_type: str) -> list[str]:
    """The encodings that header and document name, the stronger first."""
    start = body[:2048]
    found = [charset_of(content_type)]
    for pattern in (_DECLARED, _META):
        if match := pattern.search(start):
            found.append(_known(match[1].decode("ascii")))
    # A wide encoding without its mark has been recognised before; named here, it is wrong.
    return [name for name in dict.fromkeys(found) if name and name not in _WIDE]


def _known(label: str) -> str:
    label = label.strip().lower()
    label = _SPELLINGS.get(label, label)
    try:
        found = codecs.lookup(label)
    except (LookupError, ValueError):
        return ""
    if not found._is_text_encoding or found.name in _REFUSED:
        return ""
    return _MEANT.get(found.name, found.name)


def _decode_by_looks(body: bytes, labels: list[str]) -> str:
    as_utf8 = body.decode("utf-8", "replace")
    wrong = as_utf8.count("\ufffd")
    right = sum(not character.isascii() for character in as_utf8) - wrong
    if right > 4 * wrong:
        return as_utf8
    if labels and labels[0] != "utf-8":
        return body.decode(labels[0], "replace")
    return body.decode(_guess(body), "replace")


def _guess(body: bytes) -> str:
    """What a text without a usable label is probably written in; windows-1252 in doubt."""
    runs = _HIGH_RUN.findall(body[: 16 * _GUESS_SAMPLE_BYTES])
    if sum(map(len, runs)) < _MIN_HIGH_BYTES_TO_GUESS:
        return "cp1252"
    first = body.find(runs[0])
    sample = body[first : first + _GUESS_SAMPLE_BYTES]
    for name in ("euc_jp", "cp932"):  # a guess from a short text takes them for Korean
        decoded = sample.decode(name, "replace")
        foreign = sum(not character.isascii() for character in decoded)
        if "\ufffd" not in decoded[:-2] and 3 * len(_KANA.findall(decoded)) > foreign:
            return name
    best = from_bytes(sample).best()
    name = best.encoding if best is not None else ""
    return _MEANT.get(name, name) if name in _GUESSES else "cp1252"
