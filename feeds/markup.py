"""Text of a feed to an XML tree, however broken the text is, and in time that grows with its size only. Pure.

What is mended here: junk before the feed, characters XML forbids, entities of HTML or undefined ones, stray ``&`` and
``<``, prefixes nobody declared, HTML left unescaped in descriptions, a document cut short. Document types are dropped
and with them every entity that expands; depth is limited by the parser (256).
"""

from __future__ import annotations

import html
import re
from html.entities import html5
from typing import Any

from lxml import etree

from feeds.data import FeedError

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ROOT = re.compile(r"<(?:[A-Za-z_][\w.\-]*:)?(rss|rdf|feed|channel|opml|html)(?=[\s>/])", re.IGNORECASE)
_FIRST_ELEMENT = re.compile(r"<[A-Za-z_]")
_PAGE = re.compile(r"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
# A feed that some program put into a page, without escaping it.
_FEED_IN_PAGE = re.compile(
    r"<feed\s[^<>]{0,1000}?=[\"']http://www\.w3\.org/2005/Atom|<rss\s[^<>]{0,1000}?version\s*=", re.IGNORECASE
)
_MAX_JUNK_CHARS = 65_536

_ENTITY = re.compile(r"<!ENTITY\s+([A-Za-z_][\w.\-]{0,40})\s+(?:\"([^\"%&<>]{0,200})\"|'([^'%&<>]{0,200})')\s*>")
_MAX_ENTITIES = 300
_ODD = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos);)(?:(#[0-9]{1,8}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z_][A-Za-z0-9._\-]{0,40});)?"
    r"|<(?![A-Za-z_/!?])"
)
# libxml2 compares each attribute of a tag with all others.
_LONG_TAG = re.compile(r"<([A-Za-z_][\w.:\-]{0,60})[^<>]{2000,}+")
_MAX_ATTRIBUTES = 200
_MAX_TAGS = 500_000
_VALUE = re.compile(r"=\s*[\"']")
_VERBATIM = (("<![CDATA[", "]]>"), ("<!--", "-->"))

_TEXT_OR_ITEM = re.compile(
    r"<(/?)(?:(description|content:encoded|itunes:summary|summary|title|content)|(item|entry))(?=[\s>/])"
    r"(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+>",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"<([A-Za-z_][\w.\-]{0,30}):[A-Za-z_]|\s([A-Za-z_][\w.\-]{0,30}):[A-Za-z_][\w.\-]{0,60}=[\"']")
_DECLARED = re.compile(r"xmlns:([A-Za-z_][\w.\-]{0,30})\s*=")
_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
    "xhtml": "http://www.w3.org/1999/xhtml",
}

NOT_A_FEED = "The answer is not a feed."


def parse_markup(text: str) -> Any:
    """The root element (lxml) of an RSS, RDF, Atom or CDF document; FeedError if the text is none of them."""
    text = without_forbidden(text)
    start = _find_root(text)
    body = mend_entities(text[start:], _declared_entities(text[:start]))
    root = parse_xml(body, is_strict=True)
    if root is None:
        root = parse_xml(_declare_prefixes(_wrap_html(body)), is_strict=False)
    if root is None:
        raise FeedError("XML beyond repair", user_message="The feed is too broken to be read.")
    return root


def without_forbidden(text: str) -> str:
    """The text without the characters XML does not allow."""
    return _FORBIDDEN.sub("", text)


def _find_root(text: str) -> int:
    """Where the root element of the feed begins; FeedError with a sentence about what else it is."""
    beginning = text[:_MAX_JUNK_CHARS]
    if not beginning.strip():
        raise FeedError("empty document", user_message="The answer is empty, not a feed.")
    beginning = _without_comments(beginning)
    found = _ROOT.search(beginning)
    name = found[1].lower() if found else ""
    if name == "opml":
        raise FeedError("OPML", user_message="This is a list of feeds (OPML), not a feed; it can be imported.")
    if inner := _FEED_IN_PAGE.search(beginning):
        return inner.start()
    if found is None or name == "html" or _PAGE.search(beginning[: found.start()]):
        is_page = name == "html" or _PAGE.search(beginning) is not None
        raise FeedError(
            f"no feed, begins with {beginning.strip()[:60]!r}",
            user_message="The answer is a web page, not a feed." if is_page else NOT_A_FEED,
        )
    return found.start()


def _without_comments(text: str) -> str:
    """The text with comments and instructions blanked; positions stay."""
    for opening, closing in (("<!--", "-->"), ("<?", "?>")):
        parts, position = [], 0
        while (start := text.find(opening, position)) >= 0:
            end = text.find(closing, start)
            end = len(text) if end < 0 else end + len(closing)
            parts += [text[position:start], " " * (end - start)]
            position = end
        text = "".join(parts) + text[position:]
    return text


def _declared_entities(prolog: str) -> dict[str, str]:
    """Entities that a document type declares as plain text; all others (nested, external) stay undefined."""
    if "<!ENTITY" not in prolog:
        return {}
    found = list(_ENTITY.finditer(prolog))[:_MAX_ENTITIES]
    return {match[1]: match[2] if match[2] is not None else match[3] for match in found}


def mend_entities(text: str, declared: dict[str, str]) -> str:
    """Every ``&`` outside of CDATA and comments made one that XML knows, and ``<`` that begins no tag escaped.

    FeedError if there are more tags than any feed has.
    """

    def mend(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "&lt;" if found[0] == "<" else "&amp;"
        if name.startswith("#"):
            return _character(name)
        if name in declared:
            return html.escape(declared[name])
        known = html5.get(f"{name};")
        return html.escape(known) if known else f"&amp;{name};"

    pieces = _split_verbatim(text)
    if sum(piece.count("<") for piece, is_verbatim in pieces if not is_verbatim) > _MAX_TAGS:
        raise FeedError("too many tags", user_message="The feed has more parts than can be read.")
    return "".join(
        piece if is_verbatim else _LONG_TAG.sub(_limit_attributes, _ODD.sub(mend, piece))
        for piece, is_verbatim in pieces
    )


def _limit_attributes(tag: re.Match[str]) -> str:
    return tag[0] if len(_VALUE.findall(tag[0])) <= _MAX_ATTRIBUTES else f"<{tag[1]}"


def _character(reference: str) -> str:
    """``#233`` or ``#xE9`` as the reference XML takes, or nothing if it names no character of XML."""
    number = int(reference[2:], 16) if reference[1] in "xX" else int(reference[1:])
    if number > 0x10FFFF or _FORBIDDEN.match(chr(number)):
        return ""
    return f"&#{number};"


def _split_verbatim(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, with CDATA sections and comments apart (True). An unclosed one reaches to the end."""
    pieces: list[tuple[str, bool]] = []
    position = 0
    upcoming = {opening: text.find(opening) for opening, _ in _VERBATIM}
    while True:
        for opening, start in upcoming.items():
            if 0 <= start < position:
                upcoming[opening] = text.find(opening, position)
        starts = [(start, pair) for pair in _VERBATIM if (start := upcoming[pair[0]]) >= 0]
        if not starts:
            pieces.append((text[position:], False))
            return pieces
        start, (_, closing) = min(starts)
        end = text.find(closing, start)
        end = len(text) if end < 0 else end + len(closing)
        pieces += [(text[position:start], False), (text[start:end], True)]
        position = end


def parse_xml(text: str, *, is_strict: bool) -> Any:
    """The root of any XML document, or None: no entities, no network, no document type, at most 256 levels.

    Not strict means that what comes before the first error that cannot be passed over is taken.
    """
    parser = etree.XMLParser(
        recover=not is_strict,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        return None


def _wrap_html(text: str) -> str:
    """HTML left as it is in descriptions and titles put into CDATA, so that its tags cannot break the feed's."""
    parts: list[str] = []
    position = 0
    opened: re.Match[str] | None = None
    for tag in _TEXT_OR_ITEM.finditer(text):
        if tag[3]:
            opened = None
        elif not tag[1]:
            opened = None if tag[0].endswith("/>") else opened or tag
        elif opened is not None and opened[2].lower() == tag[2].lower():
            inner = text[opened.end() : tag.start()]
            if "<" in inner and "<![CDATA[" not in inner:
                parts += [text[position : opened.end()], "<![CDATA[", inner.replace("]]>", "]]&gt;"), "]]>"]
                position = tag.start()
            opened = None
    return "".join(parts) + text[position:]


def _declare_prefixes(text: str) -> str:
    """The text with a declaration in the root tag for each prefix that has none anywhere."""
    used = {first or second for first, second in _PREFIX.findall(text)} - {"xml", "xmlns"}
    missing = sorted(used - set(_DECLARED.findall(text)))[:50]
    if not missing:
        return text
    declarations = "".join(f' xmlns:{name}="{_NAMESPACES.get(name, f"urn:undeclared:{name}")}"' for name in missing)
    end_of_name = re.match(r"<[\w.\-:]+", text)
    position = end_of_name.end() if end_of_name else 0
    return f"{text[:position]}{declarations}{text[position:]}"
