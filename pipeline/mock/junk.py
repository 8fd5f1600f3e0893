"""Rows of a timeline that make no sense, as careless servers send them."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def unreadable_rows(server: str, hashtag: str, when: datetime) -> list[Any]:
    """JSON values that stand where a toot should: none of them is one."""
    base: dict[str, Any] = {
        "uri": f"http://{server}/objects/rubbish",
        "url": f"http://{server}/notice/rubbish",
        "created_at": when.isoformat(),
        "content": "<p>rubbish</p>",
        "visibility": "public",
        "tags": [{"name": hashtag, "url": f"http://{server}/tag/{hashtag}"}],
        "account": {"id": "1", "username": "rubbish", "acct": "rubbish", "url": f"http://{server}/users/rubbish"},
        "reblogs_count": 999,
        "favourites_count": 999,
        "replies_count": 999,
    }
    return [
        None,
        42,
        "toot",
        [],
        [dict(base)],
        {},
        {"id": None, "error": {"message": "Something went wrong"}},
        {**base, "id": "rubbish-1", "uri": f"{base['uri']}/1", "account": None},
        {**base, "id": "rubbish-2", "uri": f"{base['uri']}/2", "account": ["rubbish"]},
        {**base, "id": "rubbish-3", "uri": f"{base['uri']}/3", "created_at": None},
        {**base, "id": "rubbish-4", "uri": f"{base['uri']}/4", "created_at": "the day before yesterday"},
        {**base, "id": "rubbish-5", "uri": "javascript:alert('jelly')", "url": "javascript:alert('jelly')"},
        {**base, "id": "rubbish-6", "uri": f"{base['uri']}/6", "visibility": {"public": True}},
    ]
