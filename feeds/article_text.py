"""The article in a page of the web, without what stands around it. Pure; runs confined, as it takes what it takes."""

from __future__ import annotations

import re
from typing import Any

import orjson
from lxml import etree

from feeds.data import FeedError
from feeds.decoding import decode_body

MAX_PAGE_CHARS = 3_000_000
_TAGS = {
    "code": "code",
    "cell": "td",
    "del": "del",
    "graphic": "img",
    "head": "h3",
    "hi": "em",
    "item": "li",
    "lb": "br",
    "list": "ul",
    "quote": "blockquote",
    "ref": "a",
    "row": "tr",
}
_EMPHASIS = {"#b": "strong", "#i": "em", "#t": "code", "#u": "u", "#sub": "sub", "#sup": "sup"}
_HOLDS_BLOCKS = ("body", "quote", "blockquote", "div")
_HEADING = re.compile(r"h[1-6]")
_IS_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body|article|div|p)\b", re.IGNORECASE)


def make_payload(body: bytes, *, url: str, content_type: str) -> bytes:
    """A page as ``extract_article`` takes it."""
    return orjson.dumps({"url": url, "content_type": content_type}) + b"\n" + body


def extract_article(payload: bytes) -> bytes:
    """The article's HTML in UTF-8, NOT sanitised, its links absolute; b"" when there is no article in the page."""
    import trafilatura  # 40 MB that only this process needs

    head, _, body = payload.partition(b"\n")
    facts = orjson.loads(head)
    try:
        text = decode_body(body, facts["content_type"])[:MAX_PAGE_CHARS]
    except FeedError:
        return b""
    if not _IS_PAGE.search(text[:200_000]):
        return b""
    page = trafilatura.load_html(text)
    if page is None:
        return b""
    _keep_code(page)
    document = trafilatura.bare_extraction(
        page,
        url=facts["url"],
        include_comments=False,
        include_formatting=True,
        include_images=True,
        include_links=True,
        include_tables=True,
        favor_recall=True,
    )
    return b"" if document is None or isinstance(document, dict) else _as_html(document.body)


def _keep_code(page: Any) -> None:
    """Preformatted text as trafilatura keeps it line by line: it would take some of it for quotes."""
    for element in list(page.iter("pre")):
        lines = element.text_content().strip("\n")
        for child in list(element):
            element.remove(child)
        element.tag, element.text = "code", lines


def _as_html(body: Any) -> bytes:
    """The inside of trafilatura's own XML (TEI) as HTML."""
    for element in list(body.iter(*_TAGS)):
        kind = str(element.get("rend", ""))
        name = _TAGS[element.tag]
        if element.tag == "head":
            name = kind if _HEADING.fullmatch(kind) else "h3"
        elif element.tag == "hi":
            name = _EMPHASIS.get(kind, "em")
        elif element.tag == "list":
            name = "ol" if kind == "ol" else "ul"
        elif element.tag == "cell":
            name = "th" if element.get("role") == "head" else "td"
        elif element.tag == "code":
            name = "pre" if element.getparent().tag in _HOLDS_BLOCKS or "\n" in (element.text or "") else "code"
        kept = {key: element.get(key) for key in ("src", "alt", "title") if name == "img" and element.get(key)}
        if name == "a":
            kept = {"href": element.get("target", "")}
        element.attrib.clear()
        element.tag = name
        element.attrib.update(kept)
    body.tag = "div"
    made = bytes(etree.tostring(body, encoding="utf-8", method="html", with_tail=False))
    return made.removeprefix(b"<div>").removesuffix(b"</div>").strip()
