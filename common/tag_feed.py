"""The public RSS feed of a hashtag, ``/tags/<tag>.rss``: which toots there are, without counts or profiles.

Mastodon and some others offer it even where their API is closed to strangers. RSS 2.0:
https://www.rssboard.org/rss-specification
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from common.http import Gate, InvalidAnswer
from common.mastodon import TimelinePage, page_facts
from common.mastodon_errors import raise_for_status
from common.times import parse_moment
from common.toots import Toot, parse_status
from common.uris import identify_by_page

if TYPE_CHECKING:
    from lxml import etree

_MAX_ITEMS = 500
_MAX_BYTES = 2_000_000


def feed_path(hashtag: str) -> str:
    """Path of the feed, as robots.txt is asked about it."""
    return f"/tags/{quote(hashtag, safe='')}.rss"


def fetch_tag_feed(gate: Gate, server: str, hashtag: str) -> TimelinePage:
    """The toots of the server's own authors in its feed. Raises what a page of a hashtag timeline raises."""
    address = f"{gate.base_url(server)}{feed_path(hashtag)}"
    answer = gate.get(address, headers={"Accept": "application/rss+xml, application/xml"}, max_bytes=_MAX_BYTES)
    raise_for_status(answer, server)
    items = read_items(answer.body)
    if items is None:
        raise InvalidAnswer(
            f"{server} sent no RSS",
            server=server,
            status_code=answer.status_code,
            user_message=f"{server} sent something that is no feed.",
        )
    toots = [toot for item in items if (toot := parse_item(item, server=server, hashtag=hashtag)) is not None]
    return TimelinePage(tuple(toots), len(items) - len(toots), len(items), None, page_facts(answer))


def read_items(body: bytes) -> list[dict[str, list[str]]] | None:
    """The items of an RSS feed, each as texts by element; None if the bytes are no RSS. Entities are not followed."""
    from lxml import etree  # here alone: most crawls come by no feed

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, recover=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None or root.tag != "rss":
        return None
    return [_texts(item) for item in root.findall("./channel/item")[:_MAX_ITEMS]]


def parse_item(item: dict[str, list[str]], *, server: str, hashtag: str) -> Toot | None:
    """The toot an item of ``server``'s feed stands for, ``is_bare``; None unless it is one of the server's own."""
    link = next((text for key in ("link", "guid") for text in item.get(key, ())), "")
    found = identify_by_page(link)
    if found is None or found[1] != server:
        return None
    status: dict[str, Any] = {
        "id": link,
        "uri": found[0],
        "url": link,
        "created_at": _moment_text(next(iter(item.get("pubDate", ())), "")),
        "visibility": "public",
        "content": next(iter(item.get("description", ())), ""),
        "tags": [*item.get("category", ()), hashtag],
        "account": {},
    }
    toot = parse_status(status, server=server)
    return None if toot is None else replace(toot, is_bare=True)


def _texts(item: etree._Element) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for part in item:
        if isinstance(part.tag, str) and part.text:
            texts.setdefault(part.tag, []).append(part.text.strip())
    return texts


def _moment_text(text: str) -> str | None:
    """The date of an item as the API writes dates."""
    if (moment := parse_moment(text)) is not None:
        return moment.isoformat()
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found.isoformat() if found.tzinfo is not None else f"{found.isoformat()}Z"
