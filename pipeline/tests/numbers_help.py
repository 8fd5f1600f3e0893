"""Toots and options for the tests of numbers and pictures, with every value a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from common.times import Window
from pipeline.core.analyse import AnalyseOptions
from pipeline.core.rows import ScoredToot

START = datetime(2026, 2, 23, 2, 0, tzinfo=UTC)


def make_toot(number: int = 1, **values: Any) -> ScoredToot:
    author = values.pop("author", "ann@one.example")
    defaults: dict[str, Any] = {
        "uri": f"https://one.example/toots/{number:05}",
        "url": f"https://one.example/@ann/{number:05}",
        "server": "one.example",
        "author": author,
        "display_name": author.partition("@")[0].title(),
        "author_url": f"https://one.example/@{author}",
        "created_at": START + timedelta(seconds=number),
        "html": "<p>Hello</p>",
        "text": "Hello",
        "spoiler_text": "",
        "language": "en",
        "boosts": 0,
        "favourites": 0,
        "replies": 0,
        "media_count": 0,
        "is_reply": False,
        "is_authoritative": True,
        "is_bot": False,
        "is_quotable": True,
    }
    return ScoredToot(**{**defaults, **values})


def make_options(**values: Any) -> AnalyseOptions:
    minutes, margin = values.pop("minutes", 90), values.pop("margin", 60)
    span = Window(START, START + timedelta(minutes=minutes))
    defaults: dict[str, Any] = {
        "hashtag": "monsterdon",
        "title": "Monsterdon: The Blob (1958)",
        "timezone": "America/New_York",
        "span": span,
        "window": span.widened(timedelta(minutes=margin)),
        "top_n": 3,
        "consent": "explicit",
        "leave_out_bots": False,
        "generated_at": datetime(2026, 2, 24, 12, 0, tzinfo=UTC),
    }
    return AnalyseOptions(**{**defaults, **values})
