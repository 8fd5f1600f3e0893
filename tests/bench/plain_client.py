"""A plain client of the usual kind: Mastodon.py, one server after another, one page after another.

A script of its own, run by the Python of ``.venv-bench`` (see requirements-bench.txt), so it imports nothing of ours.
It walks as we do: from the home server to every server that a toot of the event names, back to the first page that
lies wholly before the event. It asks no robots.txt. Prints one line of JSON with what it found and what it took.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from mastodon import Mastodon  # type: ignore[import-not-found]

PAGE_SIZE = 40


def walk(server: str, hashtag: str, start: datetime, end: datetime) -> tuple[int, list[Any]]:
    """Pages asked for, and the toots of the event that the server shows."""
    client = Mastodon(api_base_url=f"http://{server}", user_agent="bench")
    pages, found, max_id = 0, [], None
    while True:
        page = client.timeline_hashtag(hashtag, max_id=max_id, limit=PAGE_SIZE)
        pages += 1
        found += [status for status in page if start <= status["created_at"] < end]
        if not page or all(status["created_at"] < start for status in page):
            return pages, found
        max_id = page[-1]["id"]


def crawl(home: str, hashtag: str, start: datetime, end: datetime) -> dict[str, Any]:
    known, waiting, toots = {home}, [home], {}
    pages = copies = 0
    while waiting:
        server = waiting.pop(0)
        asked, found = walk(server, hashtag, start, end)
        pages += asked
        copies += len(found)
        for status in found:
            origin = urlsplit(status["uri"]).netloc
            if origin == server or status["uri"] not in toots:
                toots[status["uri"]] = status
            if origin not in known:
                known.add(origin)
                waiting.append(origin)
    counts = [sum(toot[f"{name}_count"] for toot in toots.values()) for name in ("reblogs", "favourites", "replies")]
    return {"servers": len(known), "pages": pages, "copies": copies, "toots": len(toots), "counts": counts}


def main() -> None:
    home, hashtag, start, end = sys.argv[1:5]
    begun_at = time.monotonic()
    found = crawl(home, hashtag, datetime.fromisoformat(start), datetime.fromisoformat(end))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found["crawl_seconds"] = time.monotonic() - begun_at
    found["cpu_seconds"] = usage.ru_utime + usage.ru_stime
    print(json.dumps(found))


if __name__ == "__main__":
    main()
