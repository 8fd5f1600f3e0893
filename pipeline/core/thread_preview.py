"""A thread as it will look, for a person's eyes: a page of HTML in one file, or plain text for a terminal. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from common.errors import ConfigurationError
from pipeline.core.post import Picture, PlannedToot, ThreadLimits
from pipeline.core.quoting import clean_text
from pipeline.core.toot_text import count_characters
from pipeline.core.wording import count_of

FORMATS = ("html", "text")
_MARKED = re.compile(
    r"(?P<link>https?://[^\s<>\"]+)|(?P<tag>(?<![\w/])[#]\w+)|(?P<mention>(?<![\w/])@\w[\w.-]*@[\w.-]+\w)"
)
_TEXT_WIDTH = 72


@dataclass(frozen=True, slots=True)
class Preview:
    """What stands around the toots: ``title`` of the event, ``author`` who would post it, ``note`` on the limits."""

    title: str
    author: str
    note: str
    limits: ThreadLimits


def render_thread(
    toots: Sequence[PlannedToot], format: str, preview: Preview, picture_address: Callable[[str], str] = str
) -> str:
    """The thread as ``html`` (one self-contained page, everything escaped) or ``text`` (no control characters).

    ``picture_address`` turns a picture's path below the data folder into the address that the page shows: a data
    URI, or where the file lies. Raises ConfigurationError for any other format.
    """
    if format == "html":
        return _page(toots, preview, picture_address)
    if format == "text":
        return _text(toots, preview)
    raise ConfigurationError(f"“{format}” is no format of a preview; use html or text.")


def _text(toots: Sequence[PlannedToot], preview: Preview) -> str:
    parts = [f"{preview.title}\n{preview.author} · {preview.note}"]
    for number, toot in enumerate(toots, 1):
        head = f"── {number}/{len(toots)} · {toot.role} · {_length(toot, preview)} "
        pictures = [f"[picture {picture.path}]\n[alt: {picture.description}]" for picture in toot.media]
        parts.append("\n".join([head.ljust(_TEXT_WIDTH, "─"), toot.text, *pictures]))
    return clean_text("\n\n".join(parts)) + "\n"


def _page(toots: Sequence[PlannedToot], preview: Preview, picture_address: Callable[[str], str]) -> str:
    items = "\n".join(
        _item(number, toot, len(toots), preview, picture_address) for number, toot in enumerate(toots, 1)
    )
    title, note = escape(preview.title), escape(preview.note)
    what = f"A draft of {count_of(len(toots), 'toot')}, sent to nobody."
    return (
        '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Thread: {title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{title}</h1><p>{what} {note}</p></header>\n"
        f"<ol>\n{items}\n</ol>\n</main>\n</body>\n</html>\n"
    )


def _item(number: int, toot: PlannedToot, total: int, preview: Preview, picture_address: Callable[[str], str]) -> str:
    pictures = "".join(_figure(picture, picture_address(picture.path)) for picture in toot.media)
    paragraphs = marked_paragraphs(toot.text)
    initial = escape(preview.author.lstrip("@")[:1].upper() or "?")
    return (
        f'<li><div class="face" aria-hidden="true">{initial}</div><article>'
        f'<div class="who"><strong>{escape(preview.author)}</strong><span>{number} of {total}</span></div>'
        f'<div class="text">{paragraphs}</div>{pictures}'
        f'<div class="facts"><span>{escape(toot.role)}</span><span>{escape(_length(toot, preview))}</span></div>'
        "</article></li>"
    )


def _figure(picture: Picture, address: str) -> str:
    alt = escape(picture.description)
    return (
        f'<figure><img src="{escape(address)}" alt="{alt}">'
        f"<figcaption><details><summary>Alternative text</summary>{alt}</details></figcaption></figure>"
    )


def marked_paragraphs(text: str) -> str:
    """A toot's text as escaped HTML paragraphs, with its addresses as links."""
    return "".join(f"<p>{_marked(part)}</p>" for part in clean_text(text).split("\n\n"))


def _marked(text: str) -> str:
    """Text escaped, with its addresses as links and its hashtags and mentions in colour."""
    parts, end = [], 0
    for match in _MARKED.finditer(text):
        parts.append(escape(text[end : match.start()]))
        word = escape(match[0])
        if match["link"]:
            shown = escape(match["link"].split("://", 1)[1])
            parts.append(f'<a href="{word}" rel="nofollow noopener noreferrer">{shown}</a>')
        else:
            parts.append(f'<span class="mark">{word}</span>')
        end = match.end()
    parts.append(escape(text[end:]))
    return "".join(parts).replace("\n", "<br>")


def _length(toot: PlannedToot, preview: Preview) -> str:
    used = count_characters(toot.text, preview.limits.characters_per_url)
    return f"{used} of {preview.limits.max_characters} characters"


_STYLE = """
:root { color-scheme: light dark; --ground: #f3f3f7; --card: #fff; --ink: #1c1b22; --quiet: #5d5b6b; --line: #d9d8e3;
  --accent: #4f46c8; }
@media (prefers-color-scheme: dark) { :root { --ground: #15141b; --card: #1f1e28; --ink: #ecebf3; --quiet: #a9a7b8;
  --line: #383647; --accent: #a5a0ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.35rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
header p { margin: 0 0 1.25rem; color: var(--quiet); font-size: .9rem; }
ol { list-style: none; margin: 0; padding: 0; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; }
li { display: flex; gap: .75rem; padding: 1rem 1rem 0; position: relative; }
li:last-child { padding-bottom: 1rem; }
li:not(:last-child)::before { content: ""; position: absolute; left: 2.2rem; top: 3.75rem; bottom: -.75rem;
  width: 2px; background: var(--line); }
.face { flex: none; width: 2.5rem; height: 2.5rem; border-radius: 50%; background: var(--accent); color: var(--card);
  display: grid; place-items: center; font-weight: 700; }
article { flex: 1; min-width: 0; padding-bottom: 1rem; }
li:not(:last-child) article { border-bottom: 1px solid var(--line); }
.who { display: flex; justify-content: space-between; gap: 1rem; }
.who strong { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.who span, .facts { color: var(--quiet); font-size: .85rem; white-space: nowrap; }
.text p { margin: .35rem 0 .65rem; overflow-wrap: anywhere; }
.text a, .mark { color: var(--accent); text-decoration: none; }
.text a:hover, .text a:focus { text-decoration: underline; }
figure { margin: .25rem 0 .65rem; }
img { display: block; width: 100%; height: auto; border: 1px solid var(--line); border-radius: .5rem; }
figcaption { color: var(--quiet); font-size: .85rem; margin-top: .35rem; overflow-wrap: anywhere; }
summary { cursor: pointer; }
.facts { display: flex; justify-content: space-between; gap: 1rem; }
"""
