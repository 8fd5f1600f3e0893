"""Toot HTML to text, hashtags, words. Pure, linear in the size of the input, and at home with any input.

Servers send the small HTML of Mastodon (https://docs.joinmastodon.org/spec/activitypub/#sanitization), others more of
it or none; a page of toots is read in a millisecond, so tags are looked at one by one, without building a tree.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

MAX_HTML_CHARS = 50_000
# Many servers show the same toots and profiles, so what was made of a text is remembered for a while.
_MOST_REMEMBERED = 4096
_REMEMBERED_CHARS = 2_000
_MAX_TAG_CHARS = 10_000

# Possessive, and no part crosses a "<": linear whatever is sent. The second form is a tag with a stray quote.
_TAG = re.compile(
    r"""<!--.*?(?:-->|\Z)|(<[/a-zA-Z!?](?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|<[/a-zA-Z!?][^<>]*+>)""", re.DOTALL
)
_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
_CLASS = re.compile(r"""\sclass\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_ALT = re.compile(r"""\salt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_UNPRINTED = frozenset(
    {"script", "style", "template", "head", "title", "iframe", "object", "svg", "math", "noscript"}
)
_PARAGRAPHS = frozenset({"p", "blockquote", "ul", "ol", "pre", "table", "h1", "h2", "h3", "h4", "h5", "h6"})
_LINES = frozenset({"br", "div", "hr", "tr", "section", "article", "dt", "dd"})

_SPACES = re.compile(r"[ \t\r\n\f]+")
_BREAK = re.compile(r"[\t\r\n\f]|  ")
_MANY_BREAKS = re.compile(r"\n{3,}")
_WIDE_SPACES = re.compile(r"[^\S\n\xa0]{2,}")
# Controls, lone surrogates and non-characters: PostgreSQL and UTF-8 refuse some, nobody wants the others.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# Also line breaks, and the marks that turn the direction of everything behind them.
_UNWANTED_IN_LINE = re.compile("[\t\n\r\u2028\u2029]+")
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")

# \w knows letters and digits; words of many scripts need their vowel signs, joiners and middle dots as well.
_WORD = (
    r"[\w\u00b7\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0dff"
    r"\u0e31-\u0e4e\u200c\u200d\u30fb]"
)
_HASHTAG = re.compile(rf"(?<![\w/&#＃])[#＃]({_WORD}{{1,200}})")
_MENTION = re.compile(r"(?<![\w/@])@\w[\w.\-]*(?:@[\w.\-]+\w(?::\d+)?)?")
_ADDRESS = re.compile(r"\b(?:https?|ftp|gemini|mailto):\S+|\bwww\.\S+", re.IGNORECASE)
_EMOJI_CODE = re.compile(r"(?<![\w:]):[a-zA-Z0-9_]+(?:@[\w.\-]+)?:(?![\w:])")
_LATIN_MARKS = re.compile("([\u0041-\u007a\u00aa-\u024f])[\u0300-\u036f]+")

_MARKER = re.compile(r"(?<![\w/])[#＃](nobots?|noindex|nomastoscore)(?!\w)")
_MARKERS = ("nobot", "nobots", "noindex", "nomastoscore")


def html_to_text(markup: object) -> str:
    """What a reader sees: paragraphs apart by an empty line, ``<br>`` as a line break, entities decoded.

    The parts of links that Mastodon hides are left out, its ellipsis is shown. Anything but a string gives "".
    Reads at most the first 50,000 characters.
    """
    if isinstance(markup, str) and len(markup) <= _REMEMBERED_CHARS:
        return _short_to_text(markup)
    return _render(markup, _Shown())


@lru_cache(maxsize=_MOST_REMEMBERED)
def _short_to_text(markup: str) -> str:
    return _render(markup, _Shown())


def words_text(markup: object) -> str:
    """The text as words to be counted: no links, mentions or ``:emoji:`` codes; hashtags as words without ``#``."""
    text = _render(markup, _Words())
    for pattern in (_ADDRESS, _MENTION, _EMOJI_CODE):
        text = pattern.sub(" ", text)
    return _tidy(_HASHTAG.sub(r"\1", text))


def profile_markers(markup: object) -> tuple[str, ...]:
    """The wishes in a profile text or field: those of ``nobot nobots noindex nomastoscore`` it has as hashtags."""
    if not isinstance(markup, str) or not markup:
        return ()
    return _short_markers(markup) if len(markup) <= _REMEMBERED_CHARS else _find_markers(markup)


def _find_markers(markup: str) -> tuple[str, ...]:
    folded = markup.casefold() if markup.isascii() else unicodedata.normalize("NFKC", markup).casefold()
    if not any(marker in folded for marker in ("nobot", "noindex", "nomastoscore")):
        return ()
    text = unicodedata.normalize("NFKC", html_to_text(markup)).casefold()
    found = set(_MARKER.findall(text))
    return tuple(marker for marker in _MARKERS if marker in found)


_short_markers = lru_cache(maxsize=_MOST_REMEMBERED)(_find_markers)


def fold_hashtag(tag: str) -> str:
    """The key that hashtags are compared by: no ``#``, one Unicode form, no case, no accents on Latin letters.

    Mastodon itself folds accents (#Café is listed as cafe), others do not; under this key they are one.
    """
    if tag.isascii():
        return tag.lstrip("#").lower()
    folded = unicodedata.normalize("NFKC", tag).casefold().lstrip("#")
    bare = _LATIN_MARKS.sub(r"\1", unicodedata.normalize("NFD", folded))
    return unicodedata.normalize("NFC", bare)


def hashtags_in_text(text: str) -> tuple[str, ...]:
    """The hashtags written in a text, folded, each once, in their order; digits alone are none."""
    if "#" not in text and "＃" not in text:
        return ()
    found = (fold_hashtag(tag.strip("·・")) for tag in _HASHTAG.findall(text))
    return tuple(dict.fromkeys(tag for tag in found if tag and not tag.isdigit()))


def clean_text(text: str) -> str:
    """The text without characters that no database or page wants; line breaks and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return _UNWANTED.sub("", text)


def clean_line(text: str) -> str:
    """The text as one line: no controls, no line breaks, no turns of direction, no space around it."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return _DIRECTIONS.sub("", _UNWANTED_IN_LINE.sub(" ", _UNWANTED.sub("", text))).strip()


class _Shown:
    """Collects what is shown. Spans nest; hidden ones swallow their text, ``ellipsis`` ones end in ``…``."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._hidden = ""
        self._depth = 0
        self._spans: list[bool] = []

    def text(self, text: str) -> None:
        if not self._hidden:
            self.parts.append(text)

    def tag(self, tag: str) -> None:
        name, is_closing, role = _read_short_tag(tag) if len(tag) < 80 else _read_tag(tag)
        if self._hidden and not self._is_shown_again(name, is_closing):
            return
        if role == "break":
            self.parts.append("\n\n" if name in _PARAGRAPHS else "\n- " if name == "li" else "\n")
        elif name == "span":
            self._span(is_closing, role)
        elif role == "hidden":
            self._hide(name)
        elif name == "a":
            self.link(tag, is_closing)
        elif role == "cell":
            self.parts.append(" ")
        elif role == "picture" and (alt := _ALT.search(tag)):
            self.parts.append(alt[1] or alt[2] or "")

    def link(self, tag: str, is_closing: bool) -> None:
        """A link begins or ends."""

    def _span(self, is_closing: bool, role: str) -> None:
        if not is_closing:
            if role == "hidden":
                self._hide("span")
            elif len(self._spans) < 100:
                self._spans.append(role == "ellipsis")
        elif self._spans and self._spans.pop():
            self.parts.append("…")

    def _hide(self, name: str) -> None:
        self._hidden, self._depth = name, 1

    def _is_shown_again(self, name: str, is_closing: bool) -> bool:
        """Whether the tag is to be looked at although something is hidden, as it ends that without closing it."""
        if name == self._hidden:
            self._depth += -1 if is_closing else 1
            if not self._depth:
                self._hidden = ""
            return False
        if self._hidden not in _UNPRINTED and (name == "p" or (name == "a" and is_closing)):
            self._hidden = ""
            return True
        return False


class _Words(_Shown):
    """Collects words: of a link only those that are neither an address nor somebody's name."""

    def __init__(self) -> None:
        super().__init__()
        self._link_start = -1
        self._link_tag = ""

    def link(self, tag: str, is_closing: bool) -> None:
        if not is_closing:
            self._link_start, self._link_tag = len(self.parts), tag
            return
        if self._link_start < 0:
            return
        shown = "".join(self.parts[self._link_start :]).strip()
        if not shown.startswith(("#", "＃")) and self._is_no_word(shown):
            del self.parts[self._link_start :]
            self.parts.append(" ")
        self._link_start = -1

    def _is_no_word(self, shown: str) -> bool:
        classes = _CLASS.search(self._link_tag)
        named = f" {next(filter(None, classes.groups()), '')} " if classes else ""
        if " mention " in named and " hashtag " not in named:
            return True
        if any(map(str.isspace, shown)):
            return shown.startswith("@")
        return shown.startswith("@") or shown.endswith("…") or "://" in shown or "." in shown[1:-1]


def _read_tag(tag: str) -> tuple[str, bool, str]:
    """Name in lower case, whether it closes, and its part: ``break hidden ellipsis cell picture`` or nothing."""
    match = _NAME.match(tag)
    if match is None or len(tag) > _MAX_TAG_CHARS:
        return "", False, ""
    name, is_closing = match[1].lower(), tag[1] == "/"
    if name in _PARAGRAPHS or name in _LINES or name == "li":
        return name, is_closing, "" if name == "li" and is_closing else "break"
    if is_closing:
        return name, True, ""
    if name in _UNPRINTED:
        return name, False, "" if tag.endswith("/>") else "hidden"
    if name in ("td", "th"):
        return name, False, "cell"
    if name == "img":
        return name, False, "picture"
    classes = _CLASS.search(tag) if name == "span" else None
    named = f" {next(filter(None, classes.groups()), '')} " if classes else ""
    return name, False, "hidden" if " invisible " in named else "ellipsis" if " ellipsis " in named else ""


_read_short_tag = lru_cache(maxsize=2048)(_read_tag)


def _render(markup: object, page: _Shown) -> str:
    if not isinstance(markup, str) or not markup:
        return ""
    markup = markup[:MAX_HTML_CHARS]
    if "<" not in markup:
        return _tidy(_decoded(markup))
    is_tag = False
    for piece in _TAG.split(markup):
        if piece:  # None for a comment
            page.tag(piece) if is_tag else page.text(_decoded(piece))
        is_tag = not is_tag
    return _tidy("".join(page.parts))


def _decoded(text: str) -> str:
    if "&" in text:
        text = html.unescape(text)
    return _SPACES.sub(" ", text) if _BREAK.search(text) else text


def _tidy(text: str) -> str:
    text = clean_text(text)
    if "  " in text:
        text = _WIDE_SPACES.sub(" ", text)
    if "\n" in text:
        text = _MANY_BREAKS.sub("\n\n", "\n".join(line.strip() for line in text.split("\n")))
    return text.strip()
