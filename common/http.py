"""The one door to the network: time, size, redirect and address limits for every request that leaves the house."""

from __future__ import annotations

import copy
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urljoin

import orjson
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError

from common import VERSION
from common.addresses import PrivateHost, is_private_host, parse_address, parse_private_hosts
from common.errors import RemoteError
from common.http_body import ACCEPTED_ENCODINGS, read_body
from common.http_errors import (
    Aborted,
    AddressNotAllowed,
    InvalidAnswer,
    LeadsElsewhere,
    TimedOut,
    TooLarge,
    TooManyRedirects,
    Unreachable,
    leads_elsewhere,
)
from common.http_pools import Pools
from common.http_preparing import Prepared, prepare
from common.http_targets import Target, find_target, is_closed
from common.http_trouble import explain, is_lost_connection
from common.json_reading import NotJson, read_json
from common.lines import Line, Watcher, too_large
from common.transport import shared_ssl_context

__all__ = [
    "Aborted",
    "AddressNotAllowed",
    "Answer",
    "Gate",
    "GatePolicy",
    "InvalidAnswer",
    "LeadsElsewhere",
    "Meter",
    "PrivateHost",
    "Redirect",
    "TimedOut",
    "TooLarge",
    "TooManyRedirects",
    "Unreachable",
    "parse_private_hosts",
    "policy_from_settings",
]

_REDIRECTS = (301, 302, 303, 307, 308)
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key", "api-key"})


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What the gate allows. ``max_bytes`` counts after decompression; ``total_seconds`` includes redirects.

    ``allows_plain_http``: public servers are asked without encryption too, where the address says so. For what
    everybody may read; never for anything with a token. ``stays_on_server``: a redirect to another server is not
    followed but raised as LeadsElsewhere, for visitors who ask one server at a time.
    """

    user_agent: str
    private_hosts: tuple[PrivateHost, ...] = ()
    connect_seconds: float = 10
    read_seconds: float = 20
    total_seconds: float = 40
    max_bytes: int = 8_000_000
    max_redirects: int = 5
    allows_plain_http: bool = False
    stays_on_server: bool = False


def policy_from_settings(*, extra_private_hosts: Iterable[str] = ()) -> GatePolicy:
    """The site's policy; ConfigurationError when a private host in the settings is none."""
    from django.conf import settings  # here alone: processes that only ask servers start without Django

    texts = [*settings.MASTOSCORE_PRIVATE_HOSTS, *extra_private_hosts]
    page = f"+{settings.PROJECT_URL}" if settings.PROJECT_URL else ""
    about = "; ".join(part for part in (page, settings.MASTOSCORE_CONTACT) if part)
    readable = "".join(c for c in about if c.isascii() and c.isprintable())
    return GatePolicy(
        f"Mastoscore/{VERSION} ({readable})" if readable else f"Mastoscore/{VERSION}",
        parse_private_hosts(texts),
        connect_seconds=min(10, settings.MASTOSCORE_READ_SECONDS),
        read_seconds=settings.MASTOSCORE_READ_SECONDS,
        total_seconds=settings.MASTOSCORE_REQUEST_SECONDS,
    )


class Meter(Protocol):
    """Watches over what one visitor sends. Each may refuse by raising.

    ``wait`` comes before a request and may take its time; ``begin`` and ``end`` surround every single exchange,
    redirects and repeated ones too. ``end`` gets the answer, if there was one.
    """

    def wait(self) -> None: ...

    def begin(self, server: str) -> None: ...

    def end(self, received_bytes: int, seconds: float, answer: Answer | None) -> None: ...


class _NoMeter:
    def wait(self) -> None: ...

    def begin(self, server: str) -> None: ...

    def end(self, received_bytes: int, seconds: float, answer: Answer | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Redirect:
    """One redirect that was followed: its status and the address it led to."""

    status_code: int
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with any HTTP status. Headers are found in any case, several of one name joined by ``, ``.

    ``url`` is the address after redirects, ``received_bytes`` the size of the body on the wire, ``seconds``
    the time since the request began, redirects included; ``redirects`` are those that led here, first one first.
    """

    url: str
    status_code: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    received_bytes: int
    redirects: tuple[Redirect, ...] = ()

    def json(self, read: Callable[[bytes], Any] = read_json) -> Any:
        """The body as JSON, as ``read`` reads it; InvalidAnswer if it is none. ``read`` raises NotJson then."""
        try:
            return read(self.body)
        except NotJson as error:
            server = find_target(self.url, ()).server
            raise InvalidAnswer(
                f"{server} sent no JSON: {error}",
                server=server,
                status_code=self.status_code,
                user_message=f"{server} sent something that is not JSON.",
            ) from None


class Gate:
    """Sends requests under a policy, from any number of threads; one open connection per server.

    Every failure is a RemoteError whose texts hold no token and no query. Redirects are followed for GET and HEAD
    only; a request with a token follows them on its own server only.
    """

    def __init__(self, policy: GatePolicy, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self.policy = policy
        self._pools = Pools(ssl_context or shared_ssl_context())
        self._watcher = Watcher()
        self._lock = threading.Lock()
        self._lines: set[Line] = set()
        self._aborted = threading.Event()
        self._meter: Meter = _NoMeter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def metered(self, meter: Meter) -> Gate:
        """The same gate (connections, limits, abort) with every request through it told to ``meter``."""
        gate = copy.copy(self)
        gate._meter = meter
        return gate

    def get(self, url: str, **options: Any) -> Answer:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Answer:
        return self.request("POST", url, **options)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        files: Any = None,
        data: Any = None,
        token: str = "",
        max_bytes: int | None = None,
        total_seconds: float | None = None,
        max_redirects: int | None = None,
    ) -> Answer:
        """The answer to one request, after redirects. Limits given here replace those of the policy."""
        policy = self.policy
        sent = {"User-Agent": policy.user_agent, "Accept-Encoding": ACCEPTED_ENCODINGS, "Accept": "*/*"}
        sent |= dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if json is not None:
            data, sent["Content-Type"] = orjson.dumps(json), "application/json"
        trip = _Trip(
            method=method.upper(),
            headers=sent,
            max_bytes=policy.max_bytes if max_bytes is None else max_bytes,
            max_redirects=policy.max_redirects if max_redirects is None else max_redirects,
            has_token=bool(token),
            data=data,
            files=files,
        )
        self._meter.wait()
        seconds = policy.total_seconds if total_seconds is None else total_seconds
        line = Line(
            seconds=seconds,
            max_bytes=trip.max_bytes,
            private_hosts=policy.private_hosts,
            allows_plain_http=policy.allows_plain_http and not token,
        )
        self._admit(line)
        try:
            return self._travel(trip, line, url, params)
        finally:
            with self._lock:
                self._lines.discard(line)

    def base_url(self, server: str) -> str:
        """``https://server``, or ``http://server`` for a private host of the policy."""
        target = find_target(f"http://{server}", self.policy.private_hosts)
        address = parse_address(target.host)
        if address is not None and is_private_host(address, target.port, self.policy.private_hosts):
            return f"http://{server}"
        return f"https://{server}"

    def abort(self) -> None:
        """From any thread: end every request now, waiting or not, and refuse all later ones, with Aborted."""
        with self._lock:
            self._aborted.set()
            lines = list(self._lines)
        for line in lines:
            line.cut(Aborted)

    def close(self) -> None:
        """End what is under way and close every connection."""
        self.abort()
        self._pools.close()
        self._watcher.close()

    def _admit(self, line: Line) -> None:
        with self._lock:
            if self._aborted.is_set():
                raise Aborted("stopped on request")
            self._lines.add(line)
        self._watcher.watch(line)

    def _travel(self, trip: _Trip, line: Line, url: str, params: Mapping[str, Any] | None) -> Answer:
        started = time.monotonic()
        target, headers = find_target(url, self.policy.private_hosts), trip.headers
        redirects: list[Redirect] = []
        for _ in range(trip.max_redirects + 1):
            request = prepare(trip.method, target, headers, params=params, data=trip.data, files=trip.files)
            target, params = find_target(request.url, self.policy.private_hosts), None
            answer = self._exchange(trip, line, target, request, started)
            location = answer.headers.get("location")
            if answer.status_code not in _REDIRECTS or not location or trip.method not in ("GET", "HEAD"):
                return replace(answer, redirects=tuple(redirects))
            onward = self._next_target(target, location)
            if onward.origin != target.origin:
                if trip.has_token:
                    raise _leads_away(target, onward)
                headers = {name: text for name, text in headers.items() if name.lower() not in _SECRET_HEADERS}
            if self.policy.stays_on_server and onward.server != target.server:
                raise leads_elsewhere(
                    target.server, onward.server, is_closed=is_closed(onward, self.policy.private_hosts)
                )
            target = onward
            redirects.append(Redirect(answer.status_code, target.url))
        raise TooManyRedirects(
            f"{target.server} redirects too often",
            server=target.server,
            permanent=True,
            user_message=f"{target.server} sends us from one address to the next without end.",
        )

    def _next_target(self, target: Target, location: str) -> Target:
        try:
            address = urljoin(target.url, location.encode("latin-1", "ignore").decode("utf-8", "replace"))
        except ValueError:
            address = ""
        return find_target(address, self.policy.private_hosts, sent_by=target.server)

    def _exchange(self, trip: _Trip, line: Line, target: Target, request: Prepared, started: float) -> Answer:
        """One hop; asked again once when a connection kept from before turns out to be dead."""
        for is_last in (False, True):
            try:
                return self._ask_metered(trip, line, target, request, started)
            except (HTTPError, OSError, ValueError) as error:
                line.check()
                is_stale = line.is_reused and not line.exchange_bytes and is_lost_connection(error)
                trouble = explain(error, target.server)
            # Outside of the except block: the causes quote the whole address, whose query may hold a key.
            if is_last or not is_stale or trip.method != "GET":
                raise trouble
        raise AssertionError("unreachable: the second try returns or raises")

    def _ask_metered(self, trip: _Trip, line: Line, target: Target, request: Prepared, started: float) -> Answer:
        self._meter.begin(target.server)
        line.begin_exchange(target.server)
        begun_at, answer = time.monotonic(), None
        try:
            with self._pools.borrow(target) as pool, line.in_this_thread():
                answer = self._ask(pool, trip, line, request, started)
                return answer
        finally:
            self._meter.end(line.exchange_bytes, time.monotonic() - begun_at, answer)

    def _ask(self, pool: HTTPConnectionPool, trip: _Trip, line: Line, request: Prepared, started: float) -> Answer:
        response = pool.urlopen(
            request.method,
            _path_of(request.url),
            request.body,
            request.headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=self.policy.connect_seconds, read=self.policy.read_seconds),
            preload_content=False,
            decode_content=False,
        )
        is_redirect = response.status in _REDIRECTS and "location" in response.headers
        try:
            if _declared_size(response) > trip.max_bytes and not is_redirect and trip.method != "HEAD":
                raise too_large(line.server)
            encoding = "" if trip.method == "HEAD" else response.headers.get("content-encoding", "")
            pieces = response.stream(65_536, decode_content=False)
            body, received = (b"", 0) if is_redirect else read_body(pieces, encoding, line, trip.max_bytes)
        except (RemoteError, HTTPError, OSError, ValueError):
            response.close()
            raise
        if is_redirect:
            response.close()  # its text is of no use to us, and may be long
        response.release_conn()
        return Answer(
            url=request.url,
            status_code=response.status,
            headers=response.headers,
            body=body,
            seconds=time.monotonic() - started,
            received_bytes=received,
        )


@dataclass(frozen=True, slots=True)
class _Trip:
    """What stays the same on every hop of a request."""

    method: str
    headers: dict[str, str]
    max_bytes: int
    max_redirects: int
    has_token: bool
    data: Any
    files: Any


def _declared_size(response: BaseHTTPResponse) -> int:
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _path_of(url: str) -> str:
    """Path and query, as they go into the first line of a request."""
    path = url.partition("://")[2].partition("/")[2]
    return f"/{path}"


def _leads_away(target: Target, onward: Target) -> InvalidAnswer:
    return InvalidAnswer(
        f"{target.server} redirects a signed-in request to {onward.server}",
        server=target.server,
        user_message=f"{target.server} sends us on to {onward.server}; we do not take an account's token there. "
        "Use that server's own name for the account.",
    )
