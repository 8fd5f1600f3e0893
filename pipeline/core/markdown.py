"""Markdown as Hugo reads it, from text that nobody here wrote. Pure.

Escaped text comes out of the renderer as the same text: no emphasis, link, heading, list, raw HTML, footnote, emoji
code or Hugo shortcode in it has any effect (https://spec.commonmark.org/0.31.2/#backslash-escapes;
https://gohugo.io/content-management/shortcodes/: shortcodes are found before Markdown, so ``{{`` may not appear).
"""

from __future__ import annotations

import re
from urllib.parse import quote

from pipeline.core.quoting import clean_text, one_line, tame_address

_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~&:@^$=+]")
_LONG_DASH = re.compile(r"(?<=-)-|-(?=-)")
_LIST_NUMBER = re.compile(r"^([0-9]{1,9})([.)])")
_WWW = re.compile(r"(www)\.", re.IGNORECASE)


def escape_line(text: str) -> str:
    """The text as one line of Markdown, good at the start of a line as well as inside one."""
    return _escape(one_line(text))


def escape_block(text: str) -> str:
    """The text as Markdown paragraphs: its line breaks kept, a blank line between paragraphs."""
    paragraphs = clean_text(text).split("\n\n")
    return "\n\n".join("\\\n".join(_escape(line) for line in paragraph.split("\n")) for paragraph in paragraphs)


def quote_block(markdown: str) -> str:
    """Markdown inside a block quote."""
    return "\n".join(f"> {line}" if line else ">" for line in markdown.split("\n"))


def link(label: str, url: str) -> str:
    """A link with that text, or the text alone when the address is not one to link to."""
    address = tame_address(url)
    text = escape_line(label)
    return f"[{text}](<{address.replace('&', '&amp;')}>)" if address else text


def image(alt: str, file_name: str) -> str:
    """A picture that lies beside the page."""
    return f"![{escape_line(alt)}](<{quote(file_name)}>)"


def _escape(line: str) -> str:
    line = _MARKUP.sub(r"\\\g<0>", line)
    line = _LONG_DASH.sub(r"\\-", line)
    line = _WWW.sub(r"\1\\.", line)
    if line.endswith("\\"):  # before the backslash of a line break, Hugo's renderer reads an escaped one wrongly
        line = f"{line[:-2]}&#92;"
    if line.startswith("-"):
        line = "\\" + line
    return _LIST_NUMBER.sub(r"\1\\\2", line)
