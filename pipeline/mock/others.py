"""What servers of the bundled fediverse say beside the Mastodon API: notes of the Misskey family, hashtag feeds."""

from __future__ import annotations

from datetime import UTC
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import escape

from pipeline.mock.markup import to_html
from pipeline.mock.records import FEED_ROWS, MockAuthor, MockServer, MockToot, Row

_VISIBILITIES = {"public": "public", "unlisted": "home", "private": "followers", "direct": "specified"}


def note_as_json(server: MockServer, row: Row) -> Any:
    """One row as a note; a local one has no ``uri``, and nobody's profile comes with it."""
    toot = row.toot
    if toot is None:
        return row.junk
    is_local = row.is_local_to(server.name)
    hearts = row.counts.favourites // 2
    return {
        "id": row.local_id,
        "createdAt": toot.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "userId": toot.author.username,
        "user": _user(server, toot.author),
        "text": toot.text if row.stale_text is None else row.stale_text,
        "cw": toot.spoiler_text or None,
        "visibility": _VISIBILITIES[toot.visibility],
        "localOnly": False,
        "reactionAcceptance": None,
        "renoteCount": row.counts.boosts,
        "repliesCount": row.counts.replies,
        "reactionCount": row.counts.favourites,
        "reactions": {"❤": hearts, "🎉": row.counts.favourites - hearts},
        "reactionEmojis": {},
        "fileIds": [f"{toot.number}{position}" for position in range(len(toot.alt_texts))],
        "files": [
            {"id": f"{toot.number}{position}", "type": "image/png", "comment": alt}
            for position, alt in enumerate(toot.alt_texts)
        ],
        "tags": [tag.casefold() for tag in toot.hashtags],
        "replyId": "unknown" if toot.reply_to else None,
        "renoteId": None,
        **({} if is_local else {"uri": toot.uri, "url": toot.url}),
    }


def feed_as_xml(server: MockServer, tag: str) -> str:
    """The newest public toots of the server's own authors as RSS."""
    items = "".join(_item(row.toot) for row in feed_rows(server) if row.toot is not None)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/">'
        f"<channel><title>#{escape(tag)}</title><description>Public posts tagged #{escape(tag)}</description>"
        f"<link>http://{server.name}/tags/{escape(tag)}</link>{items}</channel></rss>"
    )


def feed_rows(server: MockServer) -> list[Row]:
    own = (row for row in server.rows if row.is_local_to(server.name))
    return [row for row in own if row.toot is not None and row.toot.visibility == "public"][:FEED_ROWS]


def _item(toot: MockToot) -> str:
    html = to_html(toot.text, server=toot.origin, software="mastodon")
    categories = "".join(f"<category>{escape(tag.casefold())}</category>" for tag in toot.hashtags)
    return (
        f'<item><guid isPermaLink="true">{escape(toot.url)}</guid><link>{escape(toot.url)}</link>'
        f"<pubDate>{format_datetime(toot.created_at.astimezone(UTC))}</pubDate>"
        f"<description>{escape(html)}</description>{categories}</item>"
    )


def _user(server: MockServer, author: MockAuthor) -> dict[str, Any]:
    return {
        "id": author.handle,
        "username": author.username,
        "name": author.display_name,
        "host": None if author.server == server.name else author.server,
        "isBot": author.is_bot,
        "emojis": {},
    }
