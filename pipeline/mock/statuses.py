"""Rows, accounts and instances as JSON of the Mastodon API, with the differences between kinds of server.

https://docs.joinmastodon.org/entities/Status/ and .../Account/, .../Instance/; the rest as seen on real servers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from zlib import crc32

from pipeline.mock.cast import STALE_NOTE
from pipeline.mock.markup import emoji_codes, mentioned, to_html
from pipeline.mock.records import MockAuthor, MockServer, MockToot, Row

_JOINED = "2022-11-06T00:00:00.000Z"
_SPARSE_KEYS = ("edited_at", "application", "in_reply_to_account_id", "card", "poll", "sensitive")


def row_as_json(server: MockServer, row: Row, *, ids_by_uri: dict[str, str]) -> Any:
    """One row of that server's timeline. ``ids_by_uri``: the server's own id of each toot it holds."""
    if row.toot is None:
        return row.junk
    toot = row.toot
    status = _status(server, row, toot, ids_by_uri)
    if server.behaviour.is_sparse:
        status = {key: value for key, value in status.items() if key not in _SPARSE_KEYS}
    if server.behaviour.software in ("akkoma", "pleroma"):
        status["pleroma"] = {"local": row.is_local_to(server.name), "content": {"text/plain": _text_of(row, toot)}}
    return status


def account_as_json(server: MockServer, author: MockAuthor) -> dict[str, Any]:
    """An account as that server knows it: bare ``acct`` for its own on most, the old profile for others on some."""
    is_local = author.server == server.name
    is_stale = author.hides_wishes_elsewhere and not is_local
    wishes = () if is_stale else author.wishes
    note = STALE_NOTE if is_stale else author.note
    account: dict[str, Any] = {
        "id": str(100_000_000_000_000 + crc32(f"{server.name} {author.handle}".encode())),
        "username": author.username,
        "acct": author.username if is_local and not server.behaviour.full_local_acct else author.handle,
        "display_name": author.display_name,
        "locked": False,
        "bot": author.is_bot,
        "group": False,
        "discoverable": author.is_discoverable,
        "noindex": "account-noindex" in wishes,
        "created_at": _JOINED,
        "note": to_html(note, server=author.server, software="mastodon") if "<" not in note else f"<p>{note}</p>",
        "url": author.url,
        "uri": f"http://{author.server}/users/{author.username}",
        "avatar": f"http://{author.server}/media/{author.username}.png",
        "avatar_static": f"http://{author.server}/media/{author.username}.png",
        "header": "",
        "followers_count": 40 + crc32(author.username.encode()) % 900,
        "following_count": 30 + crc32(author.username.encode()) % 300,
        "statuses_count": 200 + crc32(author.username.encode()) % 9000,
        "last_status_at": None,
        "emojis": _emojis(server.name, author.display_name),
        "fields": [
            {"name": name, "value": to_html(value, server=author.server, software="mastodon"), "verified_at": None}
            for name, value in ([] if is_stale else author.fields)
        ],
    }
    if server.behaviour.software == "mastodon":
        account["indexable"] = author.is_indexable
        account["roles"] = []
    return account


def instance_v2_as_json(server: MockServer, hashtag: str) -> dict[str, Any]:
    behaviour = server.behaviour
    return {
        "domain": server.name,
        "title": behaviour.title,
        "version": behaviour.version if behaviour.software == "mastodon" else _compatible_version(server),
        "source_url": "https://example.org/source",
        "description": f"Part of the fediverse that comes with Mastoscore, for #{hashtag}.",
        "usage": {"users": {"active_month": len(server.authors)}},
        "languages": sorted({author.language for author in server.authors}),
        "configuration": _configuration(),
        "registrations": {"enabled": False, "approval_required": False, "message": None},
        "rules": [{"id": "1", "text": "Be kind. No touching of meteors."}],
    }


def instance_v1_as_json(server: MockServer, hashtag: str) -> dict[str, Any]:
    newer = instance_v2_as_json(server, hashtag)
    return {
        "uri": server.name,
        "title": newer["title"],
        "short_description": newer["description"],
        "version": newer["version"],
        "configuration": newer["configuration"],
        "stats": {"user_count": len(server.authors), "status_count": len(server.rows), "domain_count": 20},
    }


def nodeinfo_as_json(server: MockServer) -> dict[str, Any]:
    """https://nodeinfo.diaspora.software/protocol"""
    return {
        "version": "2.0",
        "software": {"name": server.behaviour.software or "unknown", "version": server.behaviour.version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"users": {"total": len(server.authors)}, "localPosts": len(server.rows)},
        "metadata": {"nodeName": server.behaviour.title},
    }


def _status(server: MockServer, row: Row, toot: MockToot, ids_by_uri: dict[str, str]) -> dict[str, Any]:
    text = _text_of(row, toot)
    parent_id = ids_by_uri.get(toot.reply_to or "")
    return {
        "id": row.local_id,
        "created_at": _moment_text(toot.created_at, server),
        "in_reply_to_id": parent_id,
        "in_reply_to_account_id": "1" if toot.reply_to else None,
        "sensitive": bool(toot.spoiler_text),
        "spoiler_text": toot.spoiler_text,
        "visibility": toot.visibility,
        "language": toot.language,
        "uri": toot.uri,
        "url": toot.url,
        "replies_count": row.counts.replies,
        "reblogs_count": row.counts.boosts,
        "favourites_count": row.counts.favourites,
        "edited_at": _edited_at(row, toot, server),
        "content": toot.raw_html or to_html(text, server=toot.origin, software=server.behaviour.software),
        "reblog": None,
        "application": {"name": "Web", "website": None} if row.is_local_to(server.name) else None,
        "account": account_as_json(server, toot.author),
        "media_attachments": [_medium(toot, position, alt) for position, alt in enumerate(toot.alt_texts)],
        "mentions": [_mention(user, host, server.name) for user, host in mentioned(text)],
        "tags": [_tag(server, tag) for tag in toot.hashtags],
        "emojis": _emojis(server.name, text),
        "card": None,
        "poll": _poll(toot),
    }


def _text_of(row: Row, toot: MockToot) -> str:
    return toot.text if row.stale_text is None else row.stale_text


def _edited_at(row: Row, toot: MockToot, server: MockServer) -> str | None:
    if toot.edited_at is None or row.stale_text is not None:
        return None
    return _moment_text(toot.edited_at, server)


def _moment_text(moment: datetime, server: MockServer) -> str:
    """A date as that software spells it: with three or six digits of a second, or none, or another zone."""
    whole = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if server.behaviour.key == "stumbling":
        return f"{whole}+00:00"
    return whole + {"snac": "Z", "gotosocial": ".000000Z"}.get(server.behaviour.software, ".000Z")


def _tag(server: MockServer, tag: str) -> dict[str, str]:
    # Mastodon folds a hashtag's name; others keep what was typed.
    name = tag.casefold() if server.behaviour.software == "mastodon" else tag
    return {"name": name, "url": f"http://{server.name}/tags/{quote(name)}"}


def _mention(user: str, host: str, server: str) -> dict[str, str]:
    return {
        "id": str(crc32(f"{user}@{host}".encode())),
        "username": user,
        "acct": user if host == server else f"{user}@{host}",
        "url": f"http://{host}/@{user}",
    }


def _emojis(server: str, text: str) -> list[dict[str, Any]]:
    return [
        {
            "shortcode": code,
            "url": f"http://{server}/media/emoji-{code}.png",
            "static_url": f"http://{server}/media/emoji-{code}.png",
            "visible_in_picker": True,
        }
        for code in emoji_codes(text)
    ]


def _medium(toot: MockToot, position: int, alt_text: str) -> dict[str, Any]:
    address = f"http://{toot.origin}/media/still-{toot.number}-{position}.png"
    return {
        "id": f"{toot.number}{position}",
        "type": "image",
        "url": address,
        "preview_url": address,
        "remote_url": None,
        "description": alt_text,
        "meta": {"original": {"width": 320, "height": 180}},
        "blurhash": None,
    }


def _poll(toot: MockToot) -> dict[str, Any] | None:
    if toot.poll is None:
        return None
    votes = sum(count for _, count in toot.poll.options)
    return {
        "id": str(toot.number),
        "expires_at": None,
        "expired": False,
        "multiple": False,
        "votes_count": votes,
        "voters_count": votes,
        "options": [{"title": title, "votes_count": count} for title, count in toot.poll.options],
        "emojis": [],
    }


def _compatible_version(server: MockServer) -> str:
    name = {"akkoma": "Akkoma", "pleroma": "Pleroma"}.get(server.behaviour.software, server.behaviour.software)
    return f"2.7.2 (compatible; {name} {server.behaviour.version})"


def _configuration() -> dict[str, Any]:
    return {
        "statuses": {"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23},
        "media_attachments": {
            "description_limit": 1500,
            "image_size_limit": 16_777_216,
            "supported_mime_types": ["image/jpeg", "image/png", "image/gif", "image/webp"],
        },
    }
