"""Servers that do everything wrong that a server can do, each with what should become of its visit.

``HOSTILE`` is the catalogue; ``plant`` adds one server per entry to a fediverse and makes a home server name it.
"""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.remote.fediverse import NOON, Asked, Fediverse, RemoteServer, Reply, Script, Status, make_status

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
METADATA = "169.254.169.254"
MAPPED = (f"[::ffff:{METADATA}]", "[::ffff:127.0.0.1]:8000")
CLOSED_ADDRESSES = (METADATA, "127.0.0.1:1", "127.0.0.1", "[::1]", "[fe80::1]", "0x7f.1", *MAPPED)


@dataclass(frozen=True)
class Hostile:
    """``make`` gives the script of a server. ``words`` stand in the sentence that the host reads about it.

    ``toots``: how many toots of its own the crawl should have from this server itself.
    """

    name: str
    outcome: str
    words: str
    make: Callable[[RemoteServer], Script]
    toots: int = 0


def plant(fediverse: Fediverse, home: RemoteServer) -> dict[str, RemoteServer]:
    """A server per entry of the catalogue, by its name; a toot of each stands on the home timeline."""
    planted = {}
    for number, hostile in enumerate(HOSTILE):
        server = fediverse.add()
        server.script = hostile.make(server)
        home.show(make_status(server.name, 900, NOON + timedelta(seconds=number), user="bait"))
        planted[hostile.name] = server
    return planted


def closed_port() -> str:
    """The name of a server that nobody runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


# --- how they answer ------------------------------------------------------------------------------------------------
def _always(reply: Reply) -> Callable[[RemoteServer], Script]:
    return lambda server: lambda asked: reply


def _raw(send: Callable[[socket.socket, threading.Event], None]) -> Callable[[RemoteServer], Script]:
    return _always(Reply(raw=send))


def _redirect(location: str) -> Callable[[RemoteServer], Script]:
    return _always(Reply(status=302, headers={"Location": location}))


def _rows(make: Callable[[RemoteServer], list[Any]]) -> Callable[[RemoteServer], Script]:
    """The rows on the first page, nothing behind it."""
    return lambda server: lambda asked: Reply([] if "max_id" in asked.query else make(server))


def _drip(head: bytes, piece: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def send(sock: socket.socket, stopping: threading.Event) -> None:
        sock.sendall(head)
        while not stopping.wait(0.05):
            sock.sendall(piece)

    return send


def _stay_silent(sock: socket.socket, stopping: threading.Event) -> None:
    stopping.wait()


def _send_200_mb(sock: socket.socket, stopping: threading.Event) -> None:
    sock.sendall(OK + b"Connection: close\r\n\r\n[")
    for _ in range(200):
        sock.sendall(b" " * 1_000_000)


def _gzip_bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(300)) + packer.flush()


def _loop(server: RemoteServer) -> Script:
    return lambda asked: Reply(status=307, headers={"Location": f"{asked.path}?round={asked.number}"})


def _own(server: RemoteServer, number: int, minutes: float = 1, **values: Any) -> Status:
    return make_status(server.name, number, NOON + timedelta(minutes=minutes), **values)


def _wrong_hashtag(server: RemoteServer, number: int, minutes: float) -> Status:
    return _own(server, number, minutes, tags=[{"name": "elsewhere"}], content="<p>no</p>")


def _repeat(server: RemoteServer) -> Script:
    return lambda asked: Reply([_own(server, number) for number in (3, 2, 1)])


def _never_end(server: RemoteServer) -> Script:
    """New rows of the window for ever; ids go down by one."""

    def script(asked: Asked) -> Reply:
        first = int(asked.query.get("max_id", 10**6))
        rows = [_wrong_hashtag(server, number, 5) for number in range(3)]
        return Reply([{**row, "id": str(first - place)} for place, row in enumerate(rows, 1)])

    return script


def _go_up(server: RemoteServer) -> Script:
    """Every page holds newer ids than were asked for."""

    def script(asked: Asked) -> Reply:
        last = int(asked.query.get("max_id", "100"))
        return Reply([{**_own(server, last + step), "id": str(last + step)} for step in (2, 1)])

    return script


def _wrong_types(server: RemoteServer) -> list[Any]:
    whole = _own(server, 1)
    odd: list[Any] = [None, True, 7, "text", [], [[]], {}, {"id": []}, {"uri": {}, "created_at": 5}]
    values: list[Any] = [None, True, -1, 10**400, 1.5, "", "x" * 5000, [], [None], {}, {"a": {}}]
    rows = [{**whole, "uri": f"{whole['uri']}-{key}", key: value} for key in whole for value in values]
    account = whole["account"]
    rows += [{**whole, "account": {**account, key: value}} for key in account for value in values]
    return [*odd, *rows, _own(server, 2)]


def _nulls(server: RemoteServer) -> list[Any]:
    """A row with nothing but what a toot needs, one where all else is null, and rows that lack what it needs."""
    whole = _own(server, 1)
    needed = {key: whole[key] for key in ("id", "uri", "created_at", "visibility", "tags", "account")}
    nulls = {**dict.fromkeys(whole), **needed, "uri": f"{whole['uri']}1", "id": "2"}
    return [needed, nulls, *({**whole, key: None} for key in ("uri", "created_at", "account", "visibility", "tags"))]


def _scripts(server: RemoteServer) -> list[Any]:
    evil = "<script>alert(1)</script>"
    account = {
        "display_name": evil,
        "note": evil,
        "url": "javascript:alert(1)",
        "acct": f'ada"><img src=x>@{server.name}',
    }
    return [
        _own(server, 1, content=f"<p>{evil} #monsterdon</p>", spoiler_text=evil, url="javascript:alert(1)"),
        _own(server, 2, account={"display_name": evil}),
        _own(server, 3, account=account),
    ]


def _odd_dates(server: RemoteServer) -> list[Any]:
    moments = (
        "1970-01-01T00:00:00.000Z",
        "2099-01-01T00:00:00.000Z",
        "0000-00-00T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "",
    )
    return [*(_own(server, number, created_at=moment) for number, moment in enumerate(moments)), _own(server, 9)]


def _duplicates(server: RemoteServer) -> list[Any]:
    """One toot four times; the version edited last is what its own server says now."""
    first = _own(server, 1, content="<p>first #monsterdon</p>")
    edited = {**first, "content": "<p>edited #monsterdon</p>", "edited_at": "2026-02-23T12:30:00.000Z"}
    older = {**first, "content": "<p>older #monsterdon</p>", "edited_at": "2026-02-23T12:10:00.000Z"}
    return [{**row, "id": str(10 - place)} for place, row in enumerate((first, edited, first, older))]


def _latin_1(server: RemoteServer) -> Script:
    """Words in latin-1 where JSON is UTF-8: one letter of one toot is lost, not the page."""
    first, second = _own(server, 1, content="<p>café #monsterdon</p>"), _own(server, 2)
    body = b"[" + b",".join(_as_latin_1(row) for row in (first, second)) + b"]"
    return lambda asked: Reply([]) if "max_id" in asked.query else Reply(body)


def _as_latin_1(row: Status) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("latin-1")


def _spellings(server: RemoteServer) -> list[Any]:
    """One toot under two schemes, and hosts of one name in every spelling."""
    hosts = ("NAMED.Example", "named.example:443", "named.example.", "named.EXAMPLE.:443")
    rows = [
        _own(
            server, 10 + place, uri=f"https://{host}/users/bo/statuses/{place}", url=f"https://named.example/{place}"
        )
        for place, host in enumerate(hosts)
    ]
    same = [
        _own(server, 20 + place, uri=f"{scheme}://named.example/users/bo/statuses/9", url="https://named.example/9")
        for place, scheme in enumerate(("http", "https"))
    ]
    idn = [
        _own(server, 30 + place, uri=f"https://{host}/users/bo/statuses/{place}")
        for place, host in enumerate(("münchen.example", "xn--mnchen-3ya.example", "MÜNCHEN.example."))
    ]
    return [*rows, *same, *idn]


def _invented_hosts(server: RemoteServer) -> list[Any]:
    """Ten thousand toots of as many hosts on one page."""
    return [
        _own(server, number, uri=f"https://invented-{number}.example/users/x/statuses/1") for number in range(10_000)
    ]


def _catalogue() -> Iterator[Hostile]:
    yield Hostile("silent", "timed_out", "took too long", _raw(_stay_silent))
    yield Hostile("dripping body", "timed_out", "took too long", _raw(_drip(OK + b"\r\n[", b" ")))
    yield Hostile("dripping headers", "timed_out", "took too long", _raw(_drip(OK, b"X-A: b\r\n")))
    for status in (500, 502, 503):
        words = f"fault of its own (HTTP status {status})"
        yield Hostile(f"status {status}", "server_error", words, _always(Reply(b"<html>oops</html>", status)))
    no_list = "no list of toots"
    yield Hostile("HTML", "bad_answer", no_list, _always(Reply(b"<html><body>Welcome</body></html>")))
    yield Hostile("truncated JSON", "bad_answer", no_list, _always(Reply(b'[{"id": "1", "uri": "https://')))
    yield Hostile("JSON in UTF-16", "bad_answer", no_list, _always(Reply('[{"id": "1"}]'.encode("utf-16"))))
    yield Hostile("nesting bomb", "bad_answer", no_list, _always(Reply(b"[" * 3_000_000)))
    yield Hostile("object instead of a list", "bad_answer", "", _always(Reply({"toots": []})))
    bomb = Reply(_gzip_bomb(), headers={"Content-Encoding": "gzip"})
    yield Hostile("gzip bomb", "bad_answer", "more than we read", _always(bomb))
    unknown = Reply(gzip.compress(b"[]"), headers={"Content-Encoding": "zstd"})
    yield Hostile("unknown encoding", "bad_answer", no_list, _always(unknown))
    yield Hostile("200 MB", "bad_answer", "more than we read", _raw(_send_200_mb))
    yield Hostile("redirect loop", "bad_answer", "from one address to the next", _loop)
    for address in (
        METADATA,
        "127.0.0.1:1",
        "[::1]",
        f"[::ffff:{METADATA}]",
        "[::ffff:127.0.0.1]:8000",
        "0x7f.1",
        "[fe80::1]",
    ):
        yield Hostile(f"redirect to {address}", "not_allowed", "not contact", _redirect(f"http://{address}/latest"))
    yield Hostile("redirect to a file", "not_allowed", "not contact", _redirect("file:///etc/passwd"))
    yield Hostile("redirect elsewhere", "moved", "sends us on to moved.example", _redirect("https://moved.example/x"))
    yield Hostile("repeating pages", "not_paged", "same toots again", _repeat, toots=3)
    yield Hostile("endless pages", "bad_answer", "without coming to an end", _never_end)
    yield Hostile("ids going up", "not_paged", "same toots again", _go_up, toots=3)
    yield Hostile("odd dates", "complete", "answered completely", _rows(_odd_dates), toots=1)
    yield Hostile("nulls", "complete", "answered completely", _rows(_nulls), toots=2)
    yield Hostile("wrong types", "complete", "answered completely", _rows(_wrong_types))
    yield Hostile("scripts", "complete", "answered completely", _rows(_scripts))
    yield Hostile("duplicates", "complete", "answered completely", _rows(_duplicates), toots=1)
    yield Hostile("latin-1", "complete", "answered completely", _latin_1, toots=2)
    yield Hostile("spellings", "complete", "answered completely", _rows(_spellings))
    yield Hostile("invented hosts", "reached_max", "more toots than are taken", _rows(_invented_hosts))


HOSTILE = tuple(_catalogue())
