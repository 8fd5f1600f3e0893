"""What every feed format has in common: identity, title and content of an entry. Pure."""

from __future__ import annotations

import hashlib
import html
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.text import clean_line, clean_text
from feeds.data import Enclosure, EntryData
from feeds.texts import first_line, to_text

MAX_UID_CHARS = 255
MAX_TITLE_CHARS = 500
MAX_AUTHOR_CHARS = 300
MAX_TAGS = 20
MAX_ENCLOSURES = 20
TITLE_CHARS = 100
UNTITLED = "Untitled"

_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,20});", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawEntry:
    """An entry as its format told it. ``title`` is plain text; addresses are absolute; HTML has absolute links."""

    guid: str
    url: str
    title: str
    author: str
    content_html: str
    summary_html: str
    published_at: datetime | None
    updated_at: datetime | None
    enclosures: tuple[Enclosure, ...]
    tags: tuple[str, ...]


def finish_entries(raws: Sequence[RawEntry]) -> tuple[EntryData, ...]:
    """The entries with identity, title and hash, in their order.

    An id under which several different pages are listed identifies none of them: then their links do, else their
    content. A second entry that is the same one by that is counted: ``guid:x#2``.
    """
    hashes = [_content_hash(raw) for raw in raws]
    pages_of: dict[str, set[str]] = {}
    contents_of: dict[str, set[str]] = {}
    for raw, content_hash in zip(raws, hashes, strict=True):
        pages_of.setdefault(raw.guid, set()).add(raw.url or content_hash)
        contents_of.setdefault(raw.url, set()).add(content_hash)
    counts: Counter[str] = Counter()
    finished = []
    for raw, content_hash in zip(raws, hashes, strict=True):
        if raw.guid and len(pages_of[raw.guid]) == 1:
            uid = _bounded_uid(f"guid:{raw.guid}")
        elif raw.url and len(contents_of[raw.url]) == 1:
            uid = _bounded_uid(f"link:{raw.url}")
        else:
            uid = f"hash:{content_hash}"
        counts[uid] += 1
        finished.append(_finish(raw, uid if counts[uid] == 1 else f"{uid}#{counts[uid]}", content_hash))
    return tuple(finished)


def plain_line(text: str, limit: int, *, is_html: bool = False) -> str:
    """One line of plain text of at most ``limit`` characters, a cut shown as ``…``."""
    if is_html:
        text = to_text(text)
    elif "&" in text and _ENTITY.search(text):
        text = html.unescape(text)  # escaped once too often, as so many are
    line = " ".join(clean_line(text[: 20 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def plain_tags(names: Sequence[str]) -> tuple[str, ...]:
    """The names as plain text, each once (whatever its case), at most 20."""
    lines = (plain_line(name, 100).lstrip("#") for name in names[:200])
    return tuple({line.casefold(): line for line in lines if line}.values())[:MAX_TAGS]


def text_as_html(text: str) -> str:
    """Plain text as HTML that looks the same: escaped, paragraphs and line breaks kept."""
    paragraphs = (part.strip() for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    return "".join(f"<p>{html.escape(part, quote=False)}</p>" for part in paragraphs if part).replace("\n", "<br>")


def _finish(raw: RawEntry, uid: str, content_hash: str) -> EntryData:
    content, summary = clean_text(raw.content_html).strip(), clean_text(raw.summary_html).strip()
    if not content or content == summary:
        content, summary = content or summary, ""
    return EntryData(
        uid=uid,
        url=raw.url,
        title=raw.title or _title_from(content or summary, raw),
        author=raw.author,
        content_html=content,
        summary_html=summary,
        published_at=raw.published_at,
        updated_at=raw.updated_at,
        enclosures=raw.enclosures,
        tags=raw.tags,
        content_hash=content_hash,
    )


def _title_from(markup: str, raw: RawEntry) -> str:
    """A title for an entry that has none: how its text begins, else the name of its file, else its address."""
    if line := first_line(to_text(markup), TITLE_CHARS):
        return line
    addresses = [*(enclosure.url for enclosure in raw.enclosures), raw.url]
    return (
        next((address.rstrip("/").rpartition("/")[2] for address in addresses if address), "")[:TITLE_CHARS]
        or UNTITLED
    )


def _content_hash(raw: RawEntry) -> str:
    parts = [raw.title, raw.url, raw.author, raw.content_html, raw.summary_html, *raw.tags]
    parts += [f"{enclosure.url} {enclosure.media_type}" for enclosure in raw.enclosures]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def _bounded_uid(uid: str) -> str:
    if len(uid) <= MAX_UID_CHARS - len("#1000"):
        return uid
    kind = uid.partition(":")[0]
    return f"{kind}-sha256:{hashlib.sha256(uid.encode('utf-8', 'replace')).hexdigest()}"
