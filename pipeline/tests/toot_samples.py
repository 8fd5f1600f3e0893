"""Copies of toots for tests: everything has a value, the test names what matters to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from common.toots import Author, Toot

NOON = datetime(2026, 2, 23, 12, 0, tzinfo=UTC)


def make_author(handle: str = "ada@one.example", **values: Any) -> Author:
    return replace(Author(handle, "Ada", f"https://{handle.partition('@')[2]}/@{handle.partition('@')[0]}"), **values)


def make_copy(local_id: str = "1", *, server: str = "one.example", **values: Any) -> Toot:
    """A public toot with #monsterdon written at noon on one.example, as ``server`` shows it."""
    toot = Toot(
        uri="https://one.example/toots/1",
        url="https://one.example/@ada/1",
        origin="one.example",
        server=server,
        local_id=local_id,
        author=make_author(),
        created_at=NOON,
        edited_at=None,
        html="<p>boo #monsterdon</p>",
        text="boo #monsterdon",
        spoiler_text="",
        language="en",
        visibility="public",
        hashtags=("monsterdon",),
        boosts=0,
        favourites=0,
        replies=0,
        media_count=0,
        is_reply=False,
    )
    return replace(toot, **values)


def mastodon_id(moment: datetime, sequence: int = 0) -> str:
    """The id Mastodon would give: milliseconds << 16, and some."""
    return str((int(moment.timestamp() * 1000) << 16) + sequence)
