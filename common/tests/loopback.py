"""Servers on loopback that do what a test tells them, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from common.http import Gate, GatePolicy, parse_private_hosts


@dataclass
class Connection:
    """One accepted connection. ``read_request`` gives the bytes up to the empty line, b"" when the client left."""

    sock: socket.socket
    number: int
    stopping: threading.Event

    def read_request(self) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            piece = self.sock.recv(65536)
            if not piece:
                return b""
            received += piece
        return received

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """End with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.sock.close()

    def drip(self, piece: bytes, *, every: float = 0.02) -> None:
        """Send the piece again and again until the client hangs up or the test ends."""
        while not self.stopping.wait(every):
            self.send(piece)


Handler = Callable[[Connection], None]


@dataclass
class Server:
    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", *, scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def reply(body: bytes = b"", *, status: str = "200 OK", headers: tuple[str, ...] = ()) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def gzip_of_zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(megabytes)) + packer.flush()


def answering(make_answer: Callable[[bytes], bytes]) -> Handler:
    """A well-behaved server: each request is answered on the connection it came on."""

    def handle(connection: Connection) -> None:
        while request := connection.read_request():
            connection.send(make_answer(request))

    return handle


@contextlib.contextmanager
def serve(handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Server]:
    listener = socket.create_server((host, 0), backlog=50)
    listener.settimeout(0.05)
    server, stopping = Server(listener.getsockname()[1]), threading.Event()
    threads: list[threading.Thread] = []

    def work(sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), contextlib.closing(sock):
            sock.settimeout(10)
            wrapped = tls.wrap_socket(sock, server_side=True) if tls else sock
            with contextlib.closing(wrapped):
                handler(_Noting(wrapped, number, stopping, server))

    def accept() -> None:
        while not stopping.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            server.connections += 1
            threads.append(threading.Thread(target=work, args=(sock, server.connections), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        stopping.set()
        acceptor.join(5)
        listener.close()


@dataclass
class _Noting(Connection):
    server: Server = field(default_factory=lambda: Server(0))

    def read_request(self) -> bytes:
        request = super().read_request()
        if request:
            self.server.requests.append(request)
        return request


def open_gate(*private_hosts: str, ssl_context: ssl.SSLContext | None = None, **policy: object) -> Gate:
    """A gate that may contact the whole of loopback unless told otherwise, with limits a test can wait for."""
    limits: dict[str, object] = {"connect_seconds": 5, "read_seconds": 5, "total_seconds": 10, **policy}
    hosts = parse_private_hosts(private_hosts or ("127.0.0.0/8",))
    return Gate(GatePolicy("Mastoscore/test (+https://example.org)", hosts, **limits), ssl_context=ssl_context)  # type: ignore[arg-type]
