"""Texts of toots: counted as servers count them, free of accidental mentions, split where nothing breaks. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import regex

from pipeline.core.quoting import cut_after_word, drop_emoji_codes, one_line, shorten, split_graphemes

_LINK = re.compile(r"https?://[^\s<>\"]+")
# What Mastodon takes for a mention, as far as its length goes: only the part before the server counts
# (app/models/account.rb MENTION_RE, app/validators/status_length_validator.rb).
_MENTION = re.compile(r"(?<![\w/=])@([A-Za-z0-9_]+(?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)@[\w.-]+\w")
_UNIT = regex.compile(rf"{_LINK.pattern}|{_MENTION.pattern}|\X")
_HANDLE = re.compile(r"[A-Za-z0-9_]+(?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?@[\w.-]+\w")
_TOP_LEVEL_NAME = re.compile(r"[a-z]{2,}|xn--[a-z0-9-]+")
_AT_SIGNS = re.compile(r"(?P<left>\w?)(?P<gap>[^\S\n]*)(?:[@＠﹫][^\S\n]*)+(?=(?P<right>\w?))")
_HASH_SIGNS = re.compile(r"[#＃﹟]+(?=\w)")
_SCHEME = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://")


def count_characters(text: str, characters_per_url: int) -> int:
    """The length as Mastodon counts it: graphemes, a link as ``characters_per_url``, a mention without its server.

    A link whose host is no ordinary name (an address, say) counts in full, as servers do not take it for one.
    """
    text = _LINK.sub(lambda match: "x" * characters_per_url if _has_ordinary_host(match[0]) else match[0], text)
    return len(split_graphemes(_MENTION.sub(r"@\1", text)))


def harmless(text: str) -> str:
    """One line of somebody's words in which no server sees a mention, a hashtag or a link."""
    text = without_at_signs(_SCHEME.sub("", one_line(text)))
    return " ".join(_HASH_SIGNS.sub("", text).split())


def without_at_signs(text: str) -> str:
    """``ada@home`` as ``ada at home``, ``Bob @ home`` as ``Bob at home``; any other ``@`` goes."""

    def replace(match: re.Match[str]) -> str:
        is_between = match["left"] and match["right"] and (not match["gap"] or match[0][-1].isspace())
        return f"{match['left']}{' at ' if is_between else match['gap']}"

    return _AT_SIGNS.sub(replace, text)


def plain_name(display_name: str, handle: str, limit: int = 60) -> str:
    """An author's name for a toot; the part of the handle before the server when there is no name left."""
    name = harmless(drop_emoji_codes(display_name)) or harmless(handle.partition("@")[0]) or "somebody"
    return shorten(name, limit)


def spelled_handle(handle: str) -> str:
    """``user at server``: tells who it is and mentions nobody."""
    return harmless(handle)


def mention(handle: str) -> str:
    """``@user@server``, or nothing if the handle has not the form of one."""
    return f"@{handle}" if _HANDLE.fullmatch(handle) else ""


def fit_text(text: str, limit: int, characters_per_url: int) -> str:
    """The text, cut after a word where it passes the limit, with ``…`` for the rest; links and mentions stay whole
    or go."""
    if count_characters(text, characters_per_url) <= limit:
        return text
    kept, used = "", 0
    for match in _UNIT.finditer(text):
        used += count_characters(match[0], characters_per_url)
        if used > limit - 2:  # room for a blank, should a link stand last, and the “…”
            break
        kept += match[0]
    return f"{cut_after_word(kept)}…"


def fit_description(text: str, limit: int) -> str:
    """Alternative text of at most ``limit`` code points, ending after a sentence if one ends in its second half."""
    if len(text) <= limit:
        return text
    kept = ""
    for grapheme in split_graphemes(text[:limit]):
        if len(kept) + len(grapheme) > limit - 1:
            break
        kept += grapheme
    sentence_end = max(kept.rfind(mark) for mark in (". ", "! ", "? ", "\n", "。"))
    if sentence_end >= limit // 2:
        return kept[: sentence_end + 1].rstrip()
    return f"{cut_after_word(kept)}…"


def pack(
    headings: tuple[str, str], entries: Sequence[tuple[str, str]], limit: int, characters_per_url: int
) -> list[tuple[str, tuple[str, ...]]]:
    """The entries, each with its source, under a heading in as few texts as keep the limit, none of them torn.

    ``headings``: of the first text and of those after it; an empty one is left away. Each entry has to fit under
    either. Every text comes with the sources of its entries.
    """
    texts: list[tuple[str, tuple[str, ...]]] = []
    current, sources = headings[0], tuple[str, ...]()
    is_bare = True
    for entry, source in entries:
        candidate = f"{current}\n\n{entry}" if current else entry
        if not is_bare and count_characters(candidate, characters_per_url) > limit:
            texts.append((current, sources))
            candidate, sources = f"{headings[1]}\n\n{entry}" if headings[1] else entry, ()
        current, is_bare = candidate, False
        sources = (*sources, source) if source else sources
    return [*texts, (current, sources)] if entries else []


def _has_ordinary_host(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return _TOP_LEVEL_NAME.fullmatch(host.rpartition(".")[2]) is not None and "." in host
