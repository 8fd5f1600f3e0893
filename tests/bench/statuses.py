"""Statuses as JSON of the Mastodon API, about 3.6 KB each as on real servers, put together from rendered parts.

https://docs.joinmastodon.org/entities/Status/. What differs from server to server (id, counts, ``acct``) comes first,
so that all copies of a toot share the rest of their bytes.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tests.bench.world import HASHTAG, World

_SENTENCE = (
    "the monster comes out of the lake again and nobody in this town seems to mind that much while our hero lights "
    "another cigarette in front of the laboratory door that says danger in large letters because science must not "
    "wait for good sense or better lighting which explains the rubber suit and the zip on its back plus one heroic "
    "dog who knew from the first scene what the professor never will learn namely that radiation makes everything "
    "bigger except the budget"
)
_WORDS = _SENTENCE.split()
_LANGUAGES = ("en", "en", "en", "en", "de", "fr", "es", "ja", None)


def content_of(world: World, toot: int) -> str:
    """The HTML of a toot; the same on every server."""
    rng = random.Random(toot * 7919 + world.size.seed)
    words = rng.choices(_WORDS, k=rng.randint(12, 75))
    host = world.names[int(world.origins[toot])]
    half = len(words) // 2
    return (
        f"<p>{' '.join(words[:half]).capitalize()}.</p><p>{' '.join(words[half:])} "
        f'<a href="http://{host}/tags/{HASHTAG}" class="mention hashtag" rel="tag">#<span>{HASHTAG}</span></a></p>'
    )


class StatusPrinter:
    """Prints the copies of a world's toots."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tails: dict[int, bytes] = {}
        self._account_tail = lru_cache(maxsize=None)(self._render_account)

    def copy(self, server: int, toot: int, local_id: int) -> bytes:
        """One status as ``server`` shows it."""
        world = self._world
        boosts, favourites, replies = world.counts_on(server, toot)
        origin, name = int(world.origins[toot]), world.handle_name(toot)
        acct = name if origin == server else f"{name}@{world.names[origin]}"
        head = (
            f'{{"id":"{local_id}","replies_count":{replies},"reblogs_count":{boosts},"favourites_count":{favourites},'
            f'"account":{{"acct":"{acct}",'
        )
        tail = self._tails.get(toot)
        if tail is None:
            tail = self._tails[toot] = self._render_tail(toot)
        return head.encode() + tail

    def page(self, server: int, start: int, stop: int) -> bytes:
        rows, ids = self._world.rows[server][start:stop], self._world.ids[server][start:stop]
        copies = (self.copy(server, toot, own) for toot, own in zip(rows.tolist(), ids.tolist(), strict=True))
        return b"[" + b",".join(copies) + b"]"

    def _render_tail(self, toot: int) -> bytes:
        world = self._world
        account = self._account_tail(int(world.origins[toot]), int(world.authors[toot]))
        return account + b"," + _without_brace(self._rest(toot))

    def _rest(self, toot: int) -> dict[str, Any]:
        world = self._world
        host, name = world.names[int(world.origins[toot])], world.handle_name(toot)
        rng = random.Random(toot)
        return {
            "created_at": _moment(int(world.created_ms[toot])),
            "in_reply_to_id": None,
            "in_reply_to_account_id": None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": "public",
            "language": rng.choice(_LANGUAGES),
            "uri": world.uri(toot),
            "url": f"http://{host}/@{name}/{world.uri_id(toot)}",
            "edited_at": None,
            "favourited": False,
            "reblogged": False,
            "muted": False,
            "bookmarked": False,
            "content": content_of(world, toot),
            "filtered": [],
            "reblog": None,
            "application": {"name": "Web", "website": None},
            "media_attachments": [_medium(host, toot)] if rng.random() < 0.45 else [],
            "mentions": [],
            "tags": [
                {"name": tag, "url": f"http://{host}/tags/{tag}"} for tag in (HASHTAG, "film", f"night{toot % 9}")
            ],
            "emojis": [],
            "card": _card(toot) if rng.random() < 0.2 else None,
            "poll": None,
        }

    def _render_account(self, origin: int, author: int) -> bytes:
        host, name = self._world.names[origin], f"guest{author}"
        rng = random.Random(origin * 1009 + author)
        number = 100_000_000_000_000_000 + origin * 1_000_003 + author
        picture = f"http://{host}/system/cache/accounts/avatars/{number % 1000:03}/{number:x}/original/{rng.random()}"
        note = " ".join(rng.choices(_WORDS, k=70))
        account = {
            "id": str(number),
            "username": name,
            "display_name": f"Guest {author} of the {rng.choice(_WORDS)}",
            "locked": False,
            "bot": False,
            "discoverable": True,
            "indexable": True,
            "group": False,
            "created_at": "2022-11-06T00:00:00.000Z",
            "note": f"<p>{note}</p>",
            "url": f"http://{host}/@{name}",
            "uri": f"http://{host}/users/{name}",
            "avatar": f"{picture}.png",
            "avatar_static": f"{picture}.png",
            "header": f"{picture}/header.jpg",
            "header_static": f"{picture}/header.jpg",
            "followers_count": rng.randrange(3000),
            "following_count": rng.randrange(1000),
            "statuses_count": rng.randrange(20_000),
            "last_status_at": "2025-03-02",
            "hide_collections": False,
            "emojis": [],
            "fields": [_field(host, name, place, rng) for place in range(rng.randrange(1, 5))],
        }
        return _without_brace(account)


def _without_brace(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()[1:]


def _moment(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03}Z"


def _field(host: str, name: str, place: int, rng: random.Random) -> dict[str, Any]:
    link = f"http://{host}/~{name}/{place}"
    value = f'<a href="{link}" target="_blank" rel="nofollow noopener me" translate="no">{link}</a>'
    return {"name": rng.choice(_WORDS), "value": value, "verified_at": None}


def _medium(host: str, toot: int) -> dict[str, Any]:
    address = f"http://{host}/system/media_attachments/files/{toot:09}/{toot * 2_654_435_761:x}.jpg"
    return {
        "id": str(10**17 + toot),
        "type": "image",
        "url": address,
        "preview_url": address.replace("/files/", "/small/"),
        "remote_url": address,
        "preview_remote_url": None,
        "text_url": None,
        "meta": {
            "original": {"width": 1280, "height": 720, "size": "1280x720", "aspect": 1.7777777777777777},
            "small": {"width": 640, "height": 360, "size": "640x360", "aspect": 1.7777777777777777},
        },
        "description": "A man in a rubber suit wades through a model of a harbour, towards the last standing crane.",
        "blurhash": "UKHnT9xu4nIU_3ofM{Rj9FRjt7WBM{j[ayof",
    }


def _card(toot: int) -> dict[str, Any]:
    return {
        "url": f"https://films.example/title/{toot}",
        "title": "The thing in the harbour (1957)",
        "description": "Directed by nobody you know. With a crane, a professor, and the usual tanks.",
        "type": "link",
        "author_name": "",
        "author_url": "",
        "provider_name": "Films",
        "provider_url": "",
        "html": "",
        "width": 400,
        "height": 600,
        "image": f"https://films.example/images/{toot * 97:x}.jpg",
        "embed_url": "",
        "blurhash": "UKHnT9xu4nIU_3ofM{Rj9FRjt7WBM{j[ayof",
        "published_at": None,
    }
