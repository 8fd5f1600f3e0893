"""The generated fediverse on the air: every server of a world on loopback, in this one process.

    python -m tests.bench.server --servers 113 --toots 2000 ...

Says on stdout, as one line of JSON, when it is ready, with the facts of its world. Then it takes commands on stdin
and answers each with one line of JSON: ``{"do": "report"}`` (what came by), ``{"do": "check", "database": ...,
"slug": ...}`` (does this database hold what the world holds?) and ``{"do": "count", ...}`` (how much of it?). It ends
with its stdin, so it never outlives who started it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from tests.bench.answers import Answerer
from tests.bench.books import Books
from tests.bench.floor import PAGES_ONLY, WITH_NODEINFO, WITH_ROBOTS, longest_chain
from tests.bench.pages import PageStore
from tests.bench.sizes import Size, add_size_arguments, size_from
from tests.bench.truth import count_found, find_differences
from tests.bench.world import World, build_world, server_names

_PORT_TRIES = 50
_MOST_HEADER_BYTES = 16_384


class Conversation(asyncio.Protocol):
    """One connection to one server; answers each request after the latency, in order."""

    def __init__(self, server: int, answerer: Answerer, books: Books, latency_seconds: float) -> None:
        self._server = server
        self._answerer = answerer
        self._books = books
        self._latency_seconds = latency_seconds
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.TimerHandle] = {}
        self._numbers = itertools.count()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._books.ledgers[self._server].connections += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            self._hear(head)
        if len(self._buffer) > _MOST_HEADER_BYTES and self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for handle in self._waiting.values():
            handle.cancel()
            self._books.end(self._server, 0)
        self._waiting.clear()
        self._transport = None

    def _hear(self, head: bytes) -> None:
        target = head.split(b" ", 2)[1]
        kind = self._answerer.kind_of(target)
        self._books.begin(self._server, kind, target)
        number = next(self._numbers)
        loop = asyncio.get_running_loop()
        self._waiting[number] = loop.call_later(self._latency_seconds, self._speak, number, kind, target, head)

    def _speak(self, number: int, kind: str, target: bytes, head: bytes) -> None:
        del self._waiting[number]
        answer = self._answerer.answer(self._server, kind, target, head)
        self._books.end(self._server, len(answer))
        if self._transport is not None:
            self._transport.write(answer)


def bind_all(count: int) -> tuple[int, list[socket.socket]]:
    """A port free on as many loopback addresses, and a socket bound on each."""
    return bind_addresses([name.partition(":")[0] for name in server_names(count, 0)])


def bind_addresses(hosts: Sequence[str]) -> tuple[int, list[socket.socket]]:
    """The same for these addresses."""
    for _ in range(_PORT_TRIES):
        listeners: list[socket.socket] = []
        port = 0
        try:
            for host in hosts:
                listeners.append(socket.create_server((host, port), backlog=16))
                port = port or listeners[0].getsockname()[1]
        except OSError:
            for listener in listeners:
                listener.close()
        else:
            return port, listeners
    raise SystemExit("no port is free on as many loopback addresses (on macOS they must be made first)")


async def serve(size: Size) -> None:
    port, listeners = bind_all(size.servers)
    world = build_world(size, port=port)
    store = PageStore(world)
    store.prepare()
    books = Books(size.servers)
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    answerer = Answerer(world, store, books)
    stage = _Stage(world, books)
    for server, listener in enumerate(listeners):
        await loop.create_server(_maker(server, answerer, books, size.latency_ms / 1000), sock=listener)
    threading.Thread(target=_listen, args=(loop, stage.obey, gone), daemon=True).start()
    _say(stage.facts())
    await gone.wait()


def _maker(server: int, answerer: Answerer, books: Books, latency_seconds: float) -> Callable[[], Conversation]:
    return lambda: Conversation(server, answerer, books, latency_seconds)


class _Stage:
    """What the one who started us may ask for."""

    def __init__(self, world: World, books: Books) -> None:
        self._world = world
        self._books = books

    def facts(self) -> dict[str, Any]:
        world = self._world
        servers = range(len(world.names))
        return {
            "home": world.names[0],
            "port": int(world.names[0].rpartition(":")[2]),
            "servers": len(world.names),
            "toots": world.toot_count,
            "copies": world.copy_count,
            "pages": sum(world.page_count(server) for server in servers),
            "pages_of_largest_server": max(world.page_count(server) for server in servers),
            "chains": {
                manners.name: longest_chain(world, manners) for manners in (PAGES_ONLY, WITH_ROBOTS, WITH_NODEINFO)
            },
        }

    def obey(self, command: dict[str, str]) -> dict[str, Any]:
        if command["do"] == "check":
            return {"differences": find_differences(self._world, command["database"], command["slug"])}
        if command["do"] == "count":
            found, invented = count_found(self._world, command["database"], command["slug"])
            return {"found": found, "invented": invented}
        return self._books.as_dict()


def _listen(
    loop: asyncio.AbstractEventLoop, obey: Callable[[dict[str, str]], dict[str, Any]], gone: asyncio.Event
) -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(partial(_obey_aloud, obey, json.loads(line)))
    with suppress(RuntimeError):  # the loop ended before
        loop.call_soon_threadsafe(gone.set)


def _obey_aloud(obey: Callable[[dict[str, str]], dict[str, Any]], command: dict[str, str]) -> None:
    _say(obey(command))


def _say(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    add_size_arguments(parser)
    asyncio.run(serve(size_from(parser.parse_args())))


if __name__ == "__main__":
    main()
