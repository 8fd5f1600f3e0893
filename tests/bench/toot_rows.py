"""Toots put straight into the database of an installation, many in little time."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.bench.installation import SLUG, Installation
from tests.bench.world import DURATION, HASHTAG, START

_AUTHORS, _SERVERS = 8_000, 400
_WORDS = ("monster", "lake", "rubber", "suit", "zip", "professor", "danger", "budget", "crane", "harbour")


def fill_with_toots(installation: Installation, count: int) -> dict[str, int]:
    """What their numbers sum up to."""
    connection = sqlite3.connect(installation.database)
    with connection:
        (event_id,) = connection.execute("SELECT id FROM events_event WHERE slug = ?", [SLUG]).fetchone()
        blank = _blank_row(connection)
        names = list(blank)
        marks = ", ".join("?" * len(names))
        sums = {"toots": count, "boosts": 0, "favourites": 0, "replies": 0}

        def rows() -> Iterator[list[Any]]:
            for number in range(count):
                row = blank | {"event_id": event_id} | _toot(number, count)
                for name in ("boosts", "favourites", "replies"):
                    sums[name] += row[name]
                yield [row[name] for name in names]

        connection.executemany(f"INSERT INTO pipeline_toot ({', '.join(names)}) VALUES ({marks})", rows())
    connection.close()
    return sums


def _blank_row(connection: sqlite3.Connection) -> dict[str, Any]:
    """Every column but the key, with the emptiest value it takes, whatever columns there will be."""
    columns = connection.execute("PRAGMA table_info(pipeline_toot)").fetchall()
    return {
        name: None if not is_required else "" if kind.lower().startswith(("varchar", "text")) else 0
        for _, name, kind, is_required, _, _ in columns
        if name != "id"
    }


def _toot(number: int, count: int) -> dict[str, Any]:
    rng = random.Random(number)
    author = int(rng.random() ** 2 * _AUTHORS)
    server = f"s{author % _SERVERS}.example"
    handle, text = f"guest{author}@{server}", " ".join(rng.choices(_WORDS, k=rng.randint(8, 50)))
    moment = START + timedelta(seconds=number / count * DURATION.total_seconds())
    return {
        "uri": f"https://{server}/users/guest{author}/statuses/{number}",
        "url": f"https://{server}/@guest{author}/{number}",
        "origin": server,
        "author_handle": handle,
        "author_name": f"Guest {author}",
        "author_url": f"https://{server}/@guest{author}",
        "author_is_discoverable": True,
        "created_at": f"{moment:%Y-%m-%d %H:%M:%S.%f}",
        "html": f"<p>{text}</p>",
        "text": text,
        "language": rng.choice(["en", "en", "de", "fr"]),
        "boosts": int(rng.expovariate(0.3)),
        "favourites": int(rng.expovariate(0.1)),
        "replies": int(rng.expovariate(0.8)),
        "hashtags": f" {HASHTAG} film ",
        "media_count": int(rng.random() < 0.4),
        "is_authoritative": True,
    }
