"""Many blogs on loopback, each on an address of its own, in this one process; feeds as large as real ones.

    python -m tests.bench.feed_hosts --feeds 1000 --entries 20 --seed 1

Says on stdout, as one line of JSON, when it is ready. Then it takes commands on stdin, a line of JSON each:
``{"do": "change", "feeds": 50}`` (so many feeds have one entry more from now on) and ``{"do": "report"}`` (what came
by since the last report). It ends with its stdin.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
import zlib
from argparse import ArgumentParser
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import Any

from tests.bench.server import bind_addresses

_LEVEL = 6
_WORDS = [
    "pond",
    "frog",
    "reed",
    "water",
    "heron",
    "dragonfly",
    "marsh",
    "toad",
    "spawn",
    "lily",
    "moss",
    "drizzle",
    "jetty",
    "rowing",
    "boat",
    "evening",
    "chorus",
    "habitat",
    "survey",
    "county",
    "council",
    "meadow",
    "drainage",
    "permit",
    "volunteers",
    "counted",
    "several",
    "dozen",
    "adults",
    "crossing",
    "the",
    "road",
]


def address_of(number: int) -> str:
    return f"127.2.{number // 250}.{number % 250 + 1}"


def make_feed(number: int, entries: int, *, seed: int, edition: int = 0) -> bytes:
    """An RSS document of about 2.5 KB per entry; a later edition has one entry more in front."""
    chance = random.Random(f"{seed}-{number}")
    items = [_item(number, entry, chance) for entry in range(entries + 1)]
    shown = items if edition else items[:entries]
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>Blog {number}</title><link>https://blog{number}.example/</link>"
        f"<description>All about pond {number}</description><language>en</language>{''.join(reversed(shown))}"
        "</channel></rss>"
    ).encode()


def _item(number: int, entry: int, chance: random.Random) -> str:
    paragraphs = "".join(
        f'<p>{_sentence(chance)} <a href="https://blog{number}.example/{chance.randrange(999)}">{_sentence(chance)}'
        f"</a> <em>{_sentence(chance)}</em>.</p>"
        for _ in range(6)
    )
    picture = f'<p><img src="/img/{entry}.jpg" alt="a frog" width="640" height="480"></p>'
    return (
        f"<item><title>{_sentence(chance)[:70]} {entry}</title>"
        f"<link>https://blog{number}.example/posts/{entry}</link>"
        f'<guid isPermaLink="false">blog{number}-{entry}</guid><dc:creator>Ines Example</dc:creator>'
        f"<pubDate>{entry % 28 + 1:02} Aug 2026 {entry % 24:02}:15:00 GMT</pubDate>"
        f"<category>ponds</category><category>frogs</category>"
        f"<description><![CDATA[<p>{_sentence(chance)}.</p>]]></description>"
        f"<content:encoded><![CDATA[{picture}{paragraphs}]]></content:encoded></item>"
    )


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=18))


class Blogs:
    """The answers of all blogs, packed and ready, and what came by."""

    def __init__(self, feeds: int, entries: int, seed: int) -> None:
        self._entries, self._seed = entries, seed
        self._editions = [0] * feeds
        self._packed = [self._pack(number) for number in range(feeds)]
        self.counts: Counter[str] = Counter()

    def facts(self) -> dict[str, Any]:
        plain = make_feed(0, self._entries, seed=self._seed)
        return {"feeds": len(self._packed), "entries": self._entries, "bytes_per_feed": len(plain)}

    def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["do"] == "change":
            for number in range(command["feeds"]):
                self._editions[number] += 1
                self._packed[number] = self._pack(number)
        report, self.counts = dict(self.counts), Counter()
        return report

    def answer(self, number: int, head: bytes) -> bytes:
        etag = f'"{number}-{self._editions[number]}"'.encode()
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        asked = {name.lower(): value for name, value in lines.items()}
        self.counts["requests"] += 1
        if b"if-none-match" not in asked:
            self.counts["unconditional"] += 1
        if asked.get(b"if-none-match") == etag:
            self.counts["unchanged"] += 1
            return b"HTTP/1.1 304 Not Modified\r\nETag: %s\r\n\r\n" % etag
        body = self._packed[number]
        self.counts["bytes"] += len(body)
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Encoding: gzip\r\nETag: %s\r\n"
            b"Content-Length: %d\r\n\r\n" % (etag, len(body))
        ) + body

    def _pack(self, number: int) -> bytes:
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
        body = make_feed(number, self._entries, seed=self._seed, edition=self._editions[number])
        return packer.compress(body) + packer.flush()


class Conversation(asyncio.Protocol):
    def __init__(self, number: int, blogs: Blogs) -> None:
        self._number, self._blogs = number, blogs
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            if self._transport is not None:
                self._transport.write(self._blogs.answer(self._number, head))


async def serve(feeds: int, entries: int, seed: int) -> None:
    port, listeners = bind_addresses([address_of(number) for number in range(feeds)])
    blogs = Blogs(feeds, entries, seed)
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    for number, listener in enumerate(listeners):
        await loop.create_server(partial(Conversation, number, blogs), sock=listener)
    threading.Thread(target=_listen, args=(loop, blogs, gone), daemon=True).start()
    print(json.dumps({**blogs.facts(), "port": port}), flush=True)
    await gone.wait()


def _listen(loop: asyncio.AbstractEventLoop, blogs: Blogs, gone: asyncio.Event) -> None:
    for line in sys.stdin:
        command = json.loads(line)
        loop.call_soon_threadsafe(lambda command=command: print(json.dumps(blogs.obey(command)), flush=True))
    with suppress(RuntimeError):  # the loop ended before
        loop.call_soon_threadsafe(gone.set)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, required=True)
    parser.add_argument("--entries", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    asyncio.run(serve(options.feeds, options.entries, options.seed))


if __name__ == "__main__":
    main()
