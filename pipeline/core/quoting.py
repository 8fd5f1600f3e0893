"""Other people's words and addresses, made fit to stand in a page or a toot of ours. Pure."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

import regex

from common.links import safe_link
from common.servers import server_of_url

_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Controls, lone surrogates, and marks that turn the direction of everything after them.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")
_MANY_BLANK_LINES = re.compile(r"\n{3,}")
_GRAPHEME = regex.compile(r"\X")
_EMOJI_CODE = re.compile(r":[A-Za-z0-9_]{2,50}:")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# One visible character may be a letter under a pile of accents; names of normal people stay far below this.
_CODE_POINTS_PER_GRAPHEME = 12


def clean_text(text: str) -> str:
    """The text without control characters; lines stripped, at most one blank line in a row."""
    text = _UNWANTED.sub("", _LINE_BREAK.sub("\n", text)).replace("\t", " ")
    lines = "\n".join(line.strip() for line in text.split("\n"))
    return _MANY_BLANK_LINES.sub("\n\n", lines).strip()


def one_line(text: str) -> str:
    """The text cleaned and on one line, single spaces between words."""
    return " ".join(clean_text(text).split())


def split_graphemes(text: str) -> list[str]:
    """What a reader takes for characters: a flag or a family is one, whatever it is made of."""
    return _GRAPHEME.findall(text)


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` graphemes, cut after a word where there is one near, with ``…`` in place of the rest."""
    clusters = split_graphemes(text[: limit * _CODE_POINTS_PER_GRAPHEME])
    if len(clusters) <= limit and len(text) <= limit * _CODE_POINTS_PER_GRAPHEME:
        return text
    if limit < 1:
        return ""
    return f"{cut_after_word(''.join(clusters[: limit - 1]))}…"


def cut_after_word(text: str) -> str:
    """The text without the word that was cut at its end, unless that word is a third of all; ready for ``…``."""
    head = text[: max(text.rfind(" "), text.rfind("\n")) + 1]
    kept = (head if len(head) >= len(text) * 2 // 3 else text).rstrip()
    is_link = "://" in kept.split()[-1] if kept else False
    return f"{kept} " if is_link else kept.rstrip(" \n,;:.–—-")


def drop_emoji_codes(text: str) -> str:
    """The text without ``:codes:`` of pictures that only the author's server has."""
    return " ".join(_EMOJI_CODE.sub(" ", text).split())


def tame_address(url: str) -> str:
    """An http(s) address in characters that no markup reads anything into; empty if it is none to link to.

    A user part is dropped, the server gets its one spelling, everything unusual is percent-encoded.
    """
    server = server_of_url(safe_link(url))
    if not server:
        return ""
    parts = urlsplit(url)
    path = _encode(parts.path, "/%:@!$&*+,;=~")
    query = f"?{_encode(parts.query, '/%:@!$&*+,;=~?')}" if parts.query else ""
    fragment = f"#{_encode(parts.fragment, '/%:@!$&*+,;=~?')}" if parts.fragment else ""
    return f"{parts.scheme.lower()}://{server}{path}{query}{fragment}"


def _encode(part: str, safe: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", part), safe=safe, errors="replace")
