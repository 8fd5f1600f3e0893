"""A feed's tree cut down to what a reader needs, before feedparser sees it. Pure.

A stranger decides how many elements, attributes and letters there are; after this there are few enough of each for a
parser written for correctness. Inline XHTML becomes escaped HTML, so that content is one text whatever was sent.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from feeds.entries import text_as_html
from feeds.links import is_absolute

MAX_ENTRIES = 1_000
_MAX_CHILDREN = 60
_MAX_SAME = 20
_MAX_NAMESPACES = 100
_MAX_CONTENT_CHARS = 1_000_000

_XML = "{http://www.w3.org/XML/1998/namespace}"
_MEDIA = ("http://search.yahoo.com/mrss", "http://search.yahoo.com/mrss/")
_DECLARATIONS = re.compile(r'(<[A-Za-z][\w.:\-]*)(?: xmlns(?::[\w.\-]+)?="[^"]*")+')

_HTML_FIELDS = frozenset(
    {"title", "description", "summary", "content", "encoded", "body", "abstract", "fullitem", "subtitle", "tagline"}
)
_TEXTS = frozenset({"description", "summary", "content", "encoded", "body", "fullitem"})
_PEOPLE = frozenset({"author", "creator", "managingeditor", "webmaster", "name", "email"})
_DATES = frozenset({"pubdate", "published", "issued", "date", "updated", "modified", "created", "lastbuilddate"})
_COMMON = frozenset({"link", "id", "guid", "category", "subject", "keywords", "uri", "url", "language"})
_IN_ENTRY = _HTML_FIELDS | _PEOPLE | _DATES | _COMMON | {"enclosure", "group", "thumbnail", "comments"}
_IN_FEED = _HTML_FIELDS | _PEOPLE | _DATES | _COMMON | {"image", "icon", "logo", "channel", "items"}
_WITH_CHILDREN = frozenset({"author", "group", "image"})
_ATTRIBUTES = frozenset(
    [
        "about",
        "base",
        "domain",
        "duration",
        "filesize",
        "height",
        "href",
        "ispermalink",
        "label",
        "lang",
        "length",
        "medium",
        "mode",
        "name",
        "rel",
        "scheme",
        "src",
        "term",
        "title",
        "type",
        "uri",
        "url",
        "version",
        "width",
    ]
)
_LIMITS = dict.fromkeys(_PEOPLE, 200) | dict.fromkeys(("category", "subject", "keywords"), 300)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS = {"hourly": 60, "daily": 1440, "weekly": 10_080, "monthly": 43_200, "yearly": 525_600}


@dataclass(frozen=True, slots=True)
class FeedNotes:
    """What the feed says about itself that feedparser does not tell; times as in FeedData."""

    ttl_minutes: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    links: tuple[tuple[str, str], ...] = field(default=())  # rel and href of hub and self links


def read_notes(root: Any) -> FeedNotes:
    """How often the feed wants to be asked, its hubs and its own address, from a tree not yet trimmed."""
    head = [child for parent in _heads(root) for child in list(parent)[:2000] if local_name(child) not in _ITEMS]
    named = [(local_name(child), child) for child in head]
    links = [
        (child.get("rel", "").strip().lower(), child.get("href", "").strip())
        for name, child in named
        if name == "link" and child.get("href")
    ]
    return FeedNotes(
        ttl_minutes=_ttl(named),
        skip_hours=tuple(sorted({hour % 24 for hour in _numbers(named, "skiphours") if 0 <= hour <= 24})),
        skip_days=tuple(sorted({_DAYS.index(day) for day in _words(named, "skipdays") if day in _DAYS})),
        links=tuple(link for link in links if link[0] in ("hub", "self"))[:10],
    )


def trim(root: Any) -> bytes:
    """The document with at most 1,000 entries of bounded size, as UTF-8; changes the tree."""
    entries = [element for element in root.iter() if local_name(element) in _ITEMS]
    _free_nested(entries)
    for element in entries[MAX_ENTRIES:]:
        _remove(element)
    for head in _heads(root):
        _trim_children(head, _IN_FEED)
    for element in entries[:MAX_ENTRIES]:
        _trim_children(element, _IN_ENTRY)
        _settle_identity(element)
    if len(root.nsmap) > _MAX_NAMESPACES:
        etree.cleanup_namespaces(root)
    result: bytes = etree.tostring(root, encoding="utf-8")
    return result


_ITEMS = frozenset({"item", "entry"})


def local_name(element: Any) -> str:
    """The name in lower case without prefix; "" for what is no element."""
    tag = element.tag
    return _bare(tag) if isinstance(tag, str) else ""


def _heads(root: Any) -> list[Any]:
    return [root, *(child for child in list(root)[:100] if local_name(child) == "channel")]


def _free_nested(entries: list[Any]) -> None:
    """Entries inside of entries moved out of them; empty ones dropped (a broken generator sends one per item)."""
    known = set(entries)
    for element in list(entries):
        outer = next((parent for parent in element.iterancestors() if parent in known), None)
        if outer is None:
            continue
        parent = outer.getparent()
        _remove(element)
        if len(element) and parent is not None:
            parent.append(element)
        else:
            entries.remove(element)


def _remove(element: Any) -> None:
    """Takes the element out, with the stray text behind it."""
    element.tail = None
    if (parent := element.getparent()) is not None:
        parent.remove(element)


def _trim_children(parent: Any, wanted: frozenset[str]) -> None:
    counts: dict[str, int] = {}
    kept = 0
    parent.text = None
    for child in list(parent):
        name = local_name(child)
        child.tail = None
        if name in _ITEMS:
            continue
        counts[name] = counts.get(name, 0) + 1
        is_wanted = name in wanted and not _is_of_another_kind(child, name)
        if not is_wanted or counts[name] > _MAX_SAME or kept >= _MAX_CHILDREN:
            parent.remove(child)
            continue
        kept += 1
        if name != "channel":
            _trim_element(child, name)
    _trim_attributes(parent)


def _is_of_another_kind(child: Any, name: str) -> bool:
    """Elements of modules that share a name with one of ours: the title of a video, the category of a podcast."""
    namespace = _namespace(child)
    if namespace in _MEDIA:
        return name == "title" or (name == "description" and _has_text_of_its_own(child.getparent()))
    if _is_podcast(namespace):
        return name not in ("author", "summary") or (name == "summary" and _has_text_of_its_own(child.getparent()))
    return "webns.net" in namespace


def _has_text_of_its_own(entry: Any) -> bool:
    """Whether the entry says anything without the help of modules for films and podcasts."""
    return any(
        local_name(child) in _TEXTS and _namespace(child) not in _MEDIA and not _is_podcast(_namespace(child))
        for child in entry
    )


def _is_podcast(namespace: str) -> bool:
    return any(word in namespace.lower() for word in ("itunes", "podcast", "google.com/schemas/play"))


def _namespace(element: Any) -> str:
    tag = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""


def _trim_element(element: Any, name: str) -> None:
    if name in _HTML_FIELDS and not _is_media(element):
        if _namespace(element) in _MEDIA and element.get("type", "plain") == "plain":
            element.text = text_as_html(element.text or "")
        _flatten(element)
        _shorten_content(element)
    elif name in _WITH_CHILDREN or _is_media(element):
        for place, child in enumerate(list(element)):
            if place >= _MAX_CHILDREN or _is_caption(child):
                element.remove(child)
            else:
                _trim_element(child, local_name(child))
        _clip(element, name)
    else:
        for child in list(element):
            element.remove(child)
        _clip(element, name)
    _trim_attributes(element)


def _shorten_content(element: Any) -> None:
    text = (element.text or "")[:_MAX_CONTENT_CHARS]
    # Escaped, each ``&lt;`` would reach feedparser as a piece of its own.
    element.text = etree.CDATA(text) if "<" in text and "]]>" not in text else text


def _is_media(element: Any) -> bool:
    return _namespace(element) in _MEDIA and local_name(element) in ("content", "group", "thumbnail")


def _is_caption(child: Any) -> bool:
    """Whether it is about a picture or a film of the entry rather than the entry."""
    if _namespace(child) not in _MEDIA:
        return False
    name, parent = local_name(child), child.getparent()
    if name == "description" and local_name(parent) == "group" and parent.getparent() is not None:
        return _has_text_of_its_own(parent.getparent())
    return name in ("title", "description")


def _clip(element: Any, name: str) -> None:
    limit = _LIMITS.get(name, 2000)
    if element.text and len(element.text) > limit:
        element.text = element.text[:limit]


def _flatten(element: Any) -> None:
    """Markup inside the element made its text, as HTML."""
    kind = element.get("type", "").lower()
    children = list(element)
    if kind.startswith(("image/", "audio/", "video/")) or (
        kind.startswith("application/") and kind not in ("application/xhtml+xml", "application/xml")
    ):
        element.text = None
    elif children:
        base = children[0].get(f"{_XML}base") if len(children) == 1 else None
        if base:
            element.set(f"{_XML}base", urljoin(element.get(f"{_XML}base", ""), base))
        element.text = _inner_html(element, children)
    elif kind not in ("xhtml", "application/xhtml+xml"):
        return
    for child in children:
        element.remove(child)
    element.set("type", "html")
    if "mode" in element.attrib:
        del element.attrib["mode"]


def _inner_html(element: Any, children: list[Any]) -> str:
    if len(children) == 1 and local_name(children[0]) == "div" and not (element.text or "").strip():
        element = children[0]  # the div that Atom wants around XHTML
        children = list(element)
    parts = [html.escape(element.text or "", quote=False)]
    for child in children:
        for inner in child.iter():
            if isinstance(inner.tag, str):
                inner.tag = inner.tag.rpartition("}")[2]
        parts.append(_DECLARATIONS.sub(r"\1", etree.tostring(child, encoding="unicode", method="html")))
    return "".join(parts)


def _trim_attributes(element: Any) -> None:
    attributes = element.attrib
    kept = {name: value[:2000] for name, value in attributes.items() if _bare(name) in _ATTRIBUTES}
    if len(kept) < len(attributes) or any(len(value) > 2000 for value in attributes.values()):
        attributes.clear()
        attributes.update(kept)


def _bare(name: str) -> str:
    return name.rpartition("}")[2].lower()


def _settle_identity(entry: Any) -> None:
    """Ids kept as they were written; one that is an address stands in for a missing link, any other does not."""
    children = list(entry)
    has_link = any(local_name(child) == "link" for child in children)
    for child in children:
        if local_name(child) not in ("guid", "id"):
            continue
        text = (child.text or "").strip()
        claim = next((v for k, v in child.attrib.items() if k.lower() == "ispermalink"), "true").strip().lower()
        is_address = text.lower().startswith(("http://", "https://"))
        for key in [key for key in child.attrib if key.lower() == "ispermalink"]:
            del child.attrib[key]
        child.set("isPermaLink", "true" if is_address and not has_link and claim != "false" else "false")
        if not has_link and claim != "false" and text.startswith("/") and not is_absolute(text):
            etree.SubElement(entry, "link").text = text
            has_link = True


def _ttl(named: list[tuple[str, Any]]) -> int | None:
    texts = {name: (child.text or "").strip() for name, child in named if len(child) == 0}
    if texts.get("ttl", "").isdecimal() and len(texts["ttl"]) < 9:
        return int(texts["ttl"])
    period = _PERIODS.get(texts.get("updateperiod", "").lower())
    if period is None:
        return None
    frequency = texts.get("updatefrequency", "1")
    times = int(frequency) if frequency.isdecimal() and len(frequency) < 6 else 1
    return max(1, period // max(1, times))


def _words(named: list[tuple[str, Any]], wanted: str) -> list[str]:
    return [
        (child.text or "").strip().lower()
        for name, element in named
        if name == wanted
        for child in list(element)[:30]
    ]


def _numbers(named: list[tuple[str, Any]], wanted: str) -> list[int]:
    return [int(word) for word in _words(named, wanted) if word.isdecimal() and len(word) < 3]
