"""Lists of feeds as OPML (http://opml.org/spec2.opml): read as other programs write it, written as 2.0. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from lxml import etree

from common.errors import MastoscoreError
from feeds.data import FeedError
from feeds.decoding import decode_body
from feeds.entries import plain_line
from feeds.links import absolute_url
from feeds.markup import mend_entities, parse_xml, without_forbidden

MAX_OUTLINES = 20_000
MAX_NAME_CHARS = 255
MAX_DESCRIPTION_CHARS = 500

_ROOT = re.compile(r"<(?:[A-Za-z_][\w.\-]*:)?(opml|outlinedocument|rss|rdf|feed|html)(?=[\s>/])", re.IGNORECASE)
_LIST_TYPES = frozenset({"include", "link", "source"})


class OpmlError(MastoscoreError):
    """The file is no list of feeds; ``user_message`` says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class OpmlFeed:
    """A feed in a list: ``url`` is absolute, ``name`` never empty, ``site_url`` and ``description`` may be."""

    name: str
    url: str
    site_url: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class OpmlFolder:
    """A folder with its feeds. One inside of another is named ``Outer / Inner``."""

    name: str
    feeds: tuple[OpmlFeed, ...]


@dataclass(frozen=True, slots=True)
class OpmlData:
    """A whole list. ``skipped`` has a sentence for each outline that is no feed we can take."""

    title: str
    folders: tuple[OpmlFolder, ...]
    loose: tuple[OpmlFeed, ...]
    skipped: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    feeds: dict[str, list[OpmlFeed]] = field(default_factory=dict)  # by folder; "" is none
    urls: set[str] = field(default_factory=set)
    skipped: list[str] = field(default_factory=list)
    outlines: int = 0


def read_opml(body: bytes) -> OpmlData:
    """The list in a file; OpmlError if it is none. Takes folders of any depth, odd capitals, files with errors.

    A feed listed twice counts where it stands first. A folder without feeds is left out.
    """
    documents = _documents(body)
    reading = _Reading()
    for root in documents:
        for element in root:
            if _name(element) == "body":
                _read_outlines(element, (), reading)
            elif _name(element) == "outline":  # no body around it
                _read_outlines(root, (), reading)
                break
    folders = (OpmlFolder(name, tuple(feeds)) for name, feeds in reading.feeds.items() if name)
    return OpmlData(_title(documents[0]), tuple(folders), tuple(reading.feeds.get("", ())), tuple(reading.skipped))


def write_opml(
    folders: Iterable[OpmlFolder], loose: Iterable[OpmlFeed], *, created_at: datetime, title: str = "Mastoscore feeds"
) -> str:
    """The list as OPML 2.0: one outline per folder with its feeds in it, feeds of no folder behind them."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = _clean(title)
    etree.SubElement(head, "dateCreated").text = format_datetime(created_at)
    body = etree.SubElement(root, "body")
    for folder in folders:
        outline = etree.SubElement(body, "outline", text=_clean(folder.name), title=_clean(folder.name))
        _write_feeds(outline, folder.feeds)
    _write_feeds(body, loose)
    etree.indent(root, space="  ")
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return text.decode()


def _documents(body: bytes) -> list[Any]:
    """The root of the file, or the roots of several that somebody put behind one another."""
    try:
        text = without_forbidden(decode_body(body))
        found = _ROOT.search(text[:65_536])
        if found is None or found[1].lower() not in ("opml", "outlinedocument"):
            raise OpmlError("no OPML", user_message=_what_else(found, text))
        text = mend_entities(text[found.start() :], {})
    except FeedError as error:
        raise OpmlError(str(error), user_message="The file has more in it than can be read.") from error
    root = parse_xml(text, is_strict=True)
    if root is not None:
        return [root]
    starts = [match.start() for match in _ROOT.finditer(text)][:20]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    roots = [root for part in parts if (root := parse_xml(part, is_strict=False)) is not None]
    if not roots:
        raise OpmlError("XML beyond repair", user_message="The file is too broken to be read.")
    return roots


def _what_else(found: re.Match[str] | None, text: str) -> str:
    if not text.strip():
        return "The file is empty."
    if found is None:
        return "The file is not a list of feeds (OPML)."
    kind = "a web page" if found[1].lower() == "html" else "a feed"
    return f"The file is {kind}, not a list of feeds (OPML)."


def _read_outlines(parent: Any, path: tuple[str, ...], reading: _Reading) -> None:
    """Depth is at most 256, so the recursion is."""
    for outline in parent:
        if _name(outline) != "outline":
            continue
        reading.outlines += 1
        if reading.outlines > MAX_OUTLINES:
            raise OpmlError("too many outlines", user_message=f"The file lists more than {MAX_OUTLINES} feeds.")
        values = {key.lower(): value for key, value in outline.attrib.items()}
        name = plain_line(values.get("text", "") or values.get("title", ""), MAX_NAME_CHARS)
        has_children = any(_name(child) == "outline" for child in outline)
        if "xmlurl" in values or not has_children:
            _read_feed(values, name, path, reading)
        if has_children:
            _read_outlines(outline, (*path, name or "Unnamed Category"), reading)


def _read_feed(values: dict[str, str], name: str, path: tuple[str, ...], reading: _Reading) -> None:
    kind = values.get("type", "").strip().lower()
    address = values.get("xmlurl", "").strip() or (values.get("url", "").strip() if kind in ("rss", "atom") else "")
    shown = name or address[:100] or "Unnamed"
    if kind in _LIST_TYPES:
        reading.skipped.append(f"Skipping '{shown}': it is a link to another list or page, not a feed")
        return
    if not address:
        reading.skipped.append(f"Skipping source '{shown}': no RSS URL provided")
        return
    url = absolute_url(address, "")
    if not url:
        reading.skipped.append(f"Skipping source '{shown}': its address is not one of the web")
        return
    if url in reading.urls:
        reading.skipped.append(f"Skipping source '{shown}': the file lists its feed before")
        return
    reading.urls.add(url)
    description = values.get("description", "") or values.get("title", "")
    description = plain_line(description, MAX_DESCRIPTION_CHARS)
    feed = OpmlFeed(
        name=name or plain_line(url, MAX_NAME_CHARS),
        url=url,
        site_url=absolute_url(values.get("htmlurl"), url) if values.get("htmlurl") else "",
        description="" if description == name else description,
    )
    folder = path or _path_in(values.get("category", ""))
    reading.feeds.setdefault(plain_line(" / ".join(folder), MAX_NAME_CHARS), []).append(feed)


def _path_in(category: str) -> tuple[str, ...]:
    """The first of the categories an outline names (``/Boston/Weather,/Harvard/Berkman``), as a path of folders."""
    return tuple(part.strip() for part in category.partition(",")[0].split("/") if part.strip())[:10]


def _write_feeds(parent: Any, feeds: Iterable[OpmlFeed]) -> None:
    for feed in feeds:
        values = {"type": "rss", "text": feed.name, "title": feed.name, "xmlUrl": feed.url, "htmlUrl": feed.site_url}
        if feed.description:
            values["description"] = feed.description
        etree.SubElement(parent, "outline", {key: _clean(value) for key, value in values.items()})


def _clean(text: str) -> str:
    return without_forbidden(text)


def _title(root: Any) -> str:
    for head in root:
        if _name(head) == "head":
            return next(
                (plain_line(child.text or "", MAX_NAME_CHARS) for child in head if _name(child) == "title"), ""
            )
    return ""


def _name(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""
