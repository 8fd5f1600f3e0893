"""What asking many feeds costs at the least: threads with a plain client, and feedparser on every body.

    python -m tests.bench.feed_floor --port 8000 --feeds 1000

Asks for all of them in full, parses them by feedparser at its cheapest (no sanitising, no resolving of links), and
asks again with the validators it was given. Prints one line of JSON: wall and CPU seconds of each round.
"""

from __future__ import annotations

import gzip
import http.client
import json
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import feedparser

from tests.bench.feed_hosts import address_of

THREADS = 16


class Asker:
    def __init__(self, port: int) -> None:
        self._port = port
        self._etags: dict[int, str] = {}

    def ask(self, number: int) -> int:
        """The number of entries; 0 when nothing has changed."""
        known = self._etags.get(number)
        connection = http.client.HTTPConnection(address_of(number), self._port, timeout=60)
        headers = {"Accept-Encoding": "gzip", **({"If-None-Match": known} if known else {})}
        connection.request("GET", "/feed", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status == 304:
            return 0
        self._etags[number] = answer.headers["ETag"]
        document = BytesIO(gzip.decompress(body))
        return len(feedparser.parse(document, sanitize_html=False, resolve_relative_uris=False).entries)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--feeds", type=int, required=True)
    options = parser.parse_args()
    asker, numbers = Asker(options.port), range(options.feeds)
    with ThreadPoolExecutor(THREADS) as pool:
        print(json.dumps({name: _measure(pool.map, asker.ask, numbers) for name in ("full", "unchanged")}))


def _measure(spread: Callable[..., Iterable[int]], ask: Callable[[int], int], numbers: range) -> dict[str, Any]:
    begun_at, begun_cpu = time.monotonic(), time.process_time()
    entries = sum(spread(ask, numbers))
    return {
        "entries": entries,
        "wall_seconds": time.monotonic() - begun_at,
        "cpu_seconds": time.process_time() - begun_cpu,
    }


if __name__ == "__main__":
    main()
