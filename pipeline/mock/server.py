"""The bundled fediverse on the air: real HTTP servers on loopback, in threads of this process."""

from __future__ import annotations

import gzip
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from pipeline.mock.answers import Voice
from pipeline.mock.exchange import Request, Response, as_error
from pipeline.mock.listening import NETWORK, bind_all, has_many_loopback_addresses, name_of
from pipeline.mock.tmdb import FilmDatabase
from pipeline.mock.world import DEFAULT_TOOT_COUNT, SEED, World, build_world

_SMALLEST_TO_COMPRESS = 400
_IDLE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request as the server saw it; names of headers are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: datetime
    status: int

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "")


class ServerLog(list[LoggedRequest]):
    """Every request one server answered, in the order they came to an end, and how many were under way at most."""

    def __init__(self) -> None:
        super().__init__()
        self.peak_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        with self._lock:
            self._in_flight += 1
            self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    @property
    def user_agents(self) -> set[str]:
        return {request.user_agent for request in self}


class Speaker(Protocol):
    def answer(self, request: Request) -> Response: ...


@dataclass(frozen=True, slots=True)
class _House:
    """An address, who speaks there, and its log. ``speaker`` None: nobody listens."""

    name: str
    listener: socket.socket
    speaker: Speaker | None
    log: ServerLog


class Fediverse:
    """Every server of a world, listening from the start on until ``stop`` (or the end of a ``with`` block).

    ``private_hosts`` is what MASTOSCORE_PRIVATE_HOSTS must allow; ``tmdb_api_url`` and ``tmdb_image_url`` are where
    its stand-in for the film database is.
    """

    def __init__(self, world: World, listeners: list[socket.socket], *, latency_seconds: float = 0) -> None:
        self.world = world
        self._latency_seconds = latency_seconds
        names = [name_of(listener) for listener in listeners]
        *server_listeners, film_listener = listeners
        self._houses = [
            _House(name, listener, self._speaker(name, number), ServerLog())
            for number, (name, listener) in enumerate(zip(names[:-1], server_listeners, strict=True), 1)
        ]
        self._films = _House(names[-1], film_listener, FilmDatabase(names[-1]), ServerLog())
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._wake, self._woken = socket.socketpair()
        self._is_stopped = False
        self._acceptor = threading.Thread(target=self._accept, name="fediverse", daemon=True)
        self._acceptor.start()

    @property
    def home(self) -> str:
        return self.world.home

    @property
    def token(self) -> str:
        """The token of the home server's host."""
        return self.world.token

    @property
    def port(self) -> int:
        return int(self.home.rpartition(":")[2])

    @property
    def private_hosts(self) -> list[str]:
        names = [house.name for house in (*self._houses, self._films)]
        if all(name.startswith(f"{NETWORK}.") for name in names):
            return [f"{NETWORK}.0/24:{self.port}"]
        return names

    @property
    def requests(self) -> dict[str, ServerLog]:
        """The log of every server, by name; the film database is among them."""
        return {house.name: house.log for house in (*self._houses, self._films)}

    @property
    def tmdb_api_url(self) -> str:
        return f"http://{self._films.name}/3"

    @property
    def tmdb_image_url(self) -> str:
        return f"http://{self._films.name}/t/p"

    def stop(self) -> None:
        """Close every socket and wait for the threads; calling it again does nothing."""
        with self._lock:
            if self._is_stopped:
                return
            self._is_stopped = True
        self._wake.send(b".")
        self._acceptor.join()
        with self._lock:
            connections, threads = list(self._connections), list(self._threads)
        for connection in connections:
            _hang_up(connection)
        for thread in threads:
            thread.join()
        for house in (*self._houses, self._films):
            house.listener.close()
        self._wake.close()
        self._woken.close()

    def __enter__(self) -> Fediverse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _speaker(self, name: str, number: int) -> Speaker | None:
        server = self.world.servers[name]
        return None if server.behaviour.access == "down" else Voice(self.world, server, number)

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ, None)
            for house in (*self._houses, self._films):
                if house.speaker is not None:
                    house.listener.setblocking(False)
                    selector.register(house.listener, selectors.EVENT_READ, house)
            while not self._is_stopped:
                for key, _ in selector.select():
                    if key.data is not None:
                        self._welcome(key.data)

    def _welcome(self, house: _House) -> None:
        try:
            connection, address = house.listener.accept()
        except OSError:  # the client hung up before it was let in
            return
        connection.setblocking(True)
        thread = threading.Thread(target=self._serve, args=(house, connection, address), daemon=True)
        with self._lock:
            self._connections.add(connection)
            self._threads.add(thread)
        thread.start()

    def _serve(self, house: _House, connection: socket.socket, address: Any) -> None:
        try:
            _Handler(connection, address, _Desk(house, self._latency_seconds))  # type: ignore[arg-type]
        except OSError:
            return  # the client, or stop(), hung up in the middle
        finally:
            _hang_up(connection)
            connection.close()
            with self._lock:
                self._connections.discard(connection)
                self._threads.discard(threading.current_thread())


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a handler needs of the house it answers for; in the place of http.server's server object."""

    house: _House
    latency_seconds: float


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one piece
    server: _Desk  # type: ignore[assignment]

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are in the log of the house, not on the terminal."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        body = self.rfile.read(int(length) if length.isascii() and length.isdigit() else 0)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(self.command, parts.path, query, headers, body)
        house, came_at = self.server.house, datetime.now(UTC)
        with house.log.in_flight():
            if self.server.latency_seconds:
                time.sleep(self.server.latency_seconds)
            response = house.speaker.answer(request) if house.speaker else as_error("Nobody is here", 503)
            house.log.append(LoggedRequest(self.command, parts.path, query, headers, came_at, response.status))
            answer, encoding = _compressed(response, headers.get("accept-encoding", ""))
        self._send(response, answer, encoding)

    def _send(self, response: Response, body: bytes, encoding: tuple[tuple[str, str], ...]) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (*response.headers, *encoding):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def start_fediverse(
    hashtag: str,
    start: datetime,
    duration: timedelta,
    margin: timedelta,
    *,
    port: int = 0,
    toot_count: int = DEFAULT_TOOT_COUNT,
    seed: int = SEED,
    latency_seconds: float = 0,
    has_many_addresses: bool | None = None,
) -> Fediverse:
    """The world of that event, listening. ``port`` 0: any that is free; PortTaken (an OSError) if the one asked for
    is not.

    Servers are 127.1.0.1, 127.1.0.2, ... on one port; where the system has only 127.0.0.1 (``has_many_addresses``
    False; None: find out), they are that address on consecutive ports.
    """
    if has_many_addresses is None:
        has_many_addresses = has_many_loopback_addresses()
    listeners = bind_all(port, has_many_addresses=has_many_addresses)
    names = [name_of(listener) for listener in listeners[:-1]]
    world = build_world(hashtag, start, duration, margin, servers=names, toot_count=toot_count, seed=seed)
    return Fediverse(world, listeners, latency_seconds=latency_seconds)


def _compressed(response: Response, accepted: str) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    is_text = response.content_type.startswith(("application/json", "text/"))
    if "gzip" not in accepted or not is_text or len(response.body) < _SMALLEST_TO_COMPRESS:
        return response.body, ()
    return gzip.compress(response.body, 5, mtime=0), (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was not connected any more
