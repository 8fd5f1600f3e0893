"""HTML of posts to Markdown (CommonMark), for copying and for sending elsewhere. Pure.

Knows paragraphs, breaks, quotes, emphasis, links, lists, headings, code, rules; tables become lines of cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from feeds.content import content_of
from feeds.links import absolute_url
from feeds.texts import to_text

MAX_HTML_CHARS = 1_000_000

# Deeper than anybody nests; what is below becomes plain text.
_MAX_DEPTH = 60
_SKIPPED_TAGS = "script style template noscript head title svg math object form input button select"
_SKIPPED = frozenset(_SKIPPED_TAGS.split())
_BLOCK_TAGS = """
    address article aside blockquote center dd details div dl dt fieldset figcaption figure footer h1 h2 h3 h4 h5 h6
    header hgroup hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul video audio iframe
"""
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_EMPHASIS = {
    "em": "*",
    "i": "*",
    "cite": "*",
    "dfn": "*",
    "strong": "**",
    "b": "**",
    "del": "~~",
    "s": "~~",
    "strike": "~~",
}
_SPECIAL = re.compile(r"([\\`*\[\]<]|(?<!\w)_|_(?!\w))")
_LINE_START = re.compile(
    r"^(\s*)(#{1,6}(?=\s|$)|>|[+\-](?=\s|$)|=+(?=\s*$)|-{2,}(?=\s*$)|~{3,})|^(\s*\d{1,9})(?=[.)](?:\s|$))",
    re.MULTILINE,
)
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_FENCE = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class _Style:
    has_images: bool
    depth: int = 0

    def deeper(self) -> _Style:
        return _Style(self.has_images, self.depth + 1)


def to_markdown(markup: str, *, has_images: bool = False) -> str:
    """The post as Markdown, ending without a line break. Images are left out, or kept as images if ``has_images``."""
    try:
        root = lxml_html.fragment_fromstring(markup[:MAX_HTML_CHARS] or "<p></p>", create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return to_text(markup)
    return "\n\n".join(_blocks(root, _Style(has_images))).strip()


def post_as_markdown(post: Any, *, has_images: bool = False) -> str:
    """A post to paste elsewhere: title, where it is from, its address, then its text; no line break at the end."""
    entry, source = post.entry, post.source
    heading = f"# {_text(entry.title).strip()}" if entry.title.strip() else ""
    names = dict.fromkeys(filter(None, (entry.author.strip(), source.name.strip())))
    about = ", ".join([*map(_text, names), f"{post.posted_at:%Y-%m-%d}"])
    address = absolute_url(entry.url, "")
    parts = [heading, about, f"<{address}>" if address else "", to_markdown(content_of(post), has_images=has_images)]
    return "\n\n".join(part for part in parts if part)


def _blocks(parent: Any, style: _Style) -> list[str]:
    """The children as blocks; runs of text and inline elements between them are paragraphs."""
    found: list[str] = []
    run: list[str] = [_text(parent.text)]
    for child in parent:
        name = _name(child)
        if name in _BLOCKS:
            _end_run(run, found)
            found += _block(child, name, style.deeper())
        else:
            run.append(_inline(child, name, style.deeper()))
        run.append(_text(child.tail))
    _end_run(run, found)
    return found


def _end_run(run: list[str], found: list[str]) -> None:
    paragraph = _paragraph("".join(run))
    run.clear()
    if paragraph:
        found.append(paragraph)


def _block(element: Any, name: str, style: _Style) -> list[str]:
    if style.depth > _MAX_DEPTH:
        return [_paragraph(_text(" ".join(element.itertext())))]
    if name == "pre":
        return _fenced("".join(element.itertext()))
    if name == "hr":
        return ["---"]
    if name in ("ul", "ol"):
        return _list(element, name == "ol", style)
    if name == "tr":
        cells = (
            " ".join(_blocks(cell, style.deeper())).replace("\n", " ").replace("|", "\\|")
            for cell in element
            if _name(cell) in ("td", "th")
        )
        return ["| " + " | ".join(cells) + " |"]
    if name in ("iframe", "video", "audio"):
        return _player(element, style)
    inner = _blocks(element, style)
    if name == "blockquote":
        return ["\n".join(f"> {line}".rstrip() for line in "\n\n".join(inner).split("\n"))] if inner else []
    if len(name) == 2 and name[0] == "h" and name[1] in "123456":
        return [f"{'#' * int(name[1])} {' '.join(inner).replace(chr(10), ' ')}"] if inner else []
    if name == "table":
        return ["\n".join(inner)] if inner else []
    return inner


def _list(element: Any, is_numbered: bool, style: _Style) -> list[str]:
    start = element.get("start", "1")
    number = int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 1
    items: list[str] = []
    for child in element:
        name = _name(child)
        inner = _block(child, name, style.deeper()) if name in ("ul", "ol") else _blocks(child, style.deeper())
        if not inner:
            continue
        sign = f"{number}. " if is_numbered else "- "
        body = "\n\n".join(inner) if len(inner) > 1 and "p" in map(_name, child) else "\n".join(inner)
        items.append(sign + body.replace("\n", "\n" + " " * len(sign)))
        number += 1
    return ["\n".join(re.sub(r"^ +$", "", item, flags=re.MULTILINE) for item in items)] if items else []


def _player(element: Any, style: _Style) -> list[str]:
    sources = [element.get("src"), *(child.get("src") for child in element if _name(child) == "source")]
    url = next((found for source in sources if (found := absolute_url(source, ""))), "")
    return [_link(_text(element.get("title")) or "Player", url)] if url and style.has_images else []


def _fenced(code: str) -> list[str]:
    code = code.strip("\n")
    if not code.strip():
        return []
    fence = "`" * max(3, max((len(run) + 1 for run in _FENCE.findall(code)), default=3))
    return [f"{fence}\n{code}\n{fence}"]


def _inline(element: Any, name: str, style: _Style) -> str:
    if name in _SKIPPED or not name:
        return ""
    if name == "br":
        return "  \n"
    if name == "img":
        url = absolute_url(element.get("src"), "") if style.has_images else ""
        return f"![{_text(element.get('alt'))}]({_target(url)})" if url else ""
    if style.depth > _MAX_DEPTH:
        return _text(" ".join(element.itertext()))
    if name in ("code", "kbd", "samp", "tt"):
        return _code("".join(element.itertext()))
    inner = _inner(element, style)
    if name == "a":
        return _link(inner, absolute_url(element.get("href"), ""))
    if name == "q":
        return f"“{inner}”"
    return _wrapped(inner, _EMPHASIS.get(name, ""))


def _inner(element: Any, style: _Style) -> str:
    """The inside of an inline element; blocks in it (HTML allows some) stand apart by line breaks."""
    parts = [_text(element.text)]
    for child in element:
        name = _name(child)
        if name in _BLOCKS:
            parts.append("  \n".join(["", *_block(child, name, style.deeper())]))
        else:
            parts.append(_inline(child, name, style.deeper()))
        parts.append(_text(child.tail))
    return "".join(parts)


def _wrapped(inner: str, sign: str) -> str:
    """Signs of emphasis must touch the words they are about."""
    words = inner.strip()
    if not sign or not words:
        return inner
    before, _, after = inner.partition(words)
    return f"{before}{sign}{words}{sign}{after}"


def _link(text: str, url: str) -> str:
    words = text.strip()
    if not url or not words:
        return text
    if words in (url, url.removesuffix("/")):
        return f"<{url}>"
    before, _, after = text.partition(words)
    return f"{before}[{_BLANKS.sub(' ', words)}]({_target(url)}){after}"


def _target(url: str) -> str:
    return url.replace("(", "%28").replace(")", "%29")


def _code(text: str) -> str:
    text = _BLANKS.sub(" ", text)
    if not text.strip():
        return text
    sign = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{sign}{space}{text}{space}{sign}"


def _paragraph(text: str) -> str:
    lines = (line.strip(" ") + ("  " if line.endswith("  ") else "") for line in text.split("\n"))
    joined = re.sub(r"(?:^(?:  )?\n)+|(?:  \n?)+\Z", "", "\n".join(_joined(lines)))
    return _LINE_START.sub(_escaped_start, joined.strip("\n")).strip(" ") if joined.strip() else ""


def _escaped_start(found: re.Match[str]) -> str:
    """What would begin a heading, a list or the like, made to stand for itself."""
    return f"{found[3]}\\" if found[3] is not None else f"{found[1]}\\{found[2]}"


def _joined(lines: Iterable[str]) -> list[str]:
    return [re.sub(r"(?<=\S) {2,}(?=\S)", " ", line) for line in lines]


def _text(text: str | None) -> str:
    return _SPECIAL.sub(r"\\\1", _BLANKS.sub(" ", text)) if text else ""


def _name(element: Any) -> str:
    return element.tag if isinstance(element.tag, str) else ""
