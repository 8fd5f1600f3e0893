"""Addresses on loopback for the bundled fediverse: one for each server, on the same port where the system can."""

from __future__ import annotations

import errno
import socket

from common.errors import MastoscoreError
from pipeline.mock.behaviours import SERVER_COUNT, behaviour_of

NETWORK = "127.1.0"
_TMDB_PLACE = 100
_PORT_TRIES = 60
_BACKLOG = 128


class PortTaken(MastoscoreError, OSError):
    """Another program listens where the bundled fediverse was to be."""


def name_of(listener: socket.socket) -> str:
    """``address:port`` of a bound socket, as servers are named."""
    host, port = listener.getsockname()[:2]
    return f"{host}:{port}"


def has_many_loopback_addresses() -> bool:
    try:
        _bind(f"{NETWORK}.1", 0).close()
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            return False
        raise
    return True


def bind_all(port: int, *, has_many_addresses: bool) -> list[socket.socket]:
    """Bound sockets of every server and the film database, in this order; none is left behind when one fails."""
    for _ in range(1 if port else _PORT_TRIES):
        listeners: list[socket.socket] = []
        try:
            for host, wished_port in _places(port, has_many_addresses=has_many_addresses):
                place_port = wished_port
                if place_port == 0 and listeners:
                    first_port = listeners[0].getsockname()[1]
                    place_port = first_port if has_many_addresses else first_port + len(listeners)
                listener = _bind(host, place_port)
                listeners.append(listener)
                if behaviour_of(len(listeners) - 1).access != "down":  # bound only: whoever connects is refused
                    listener.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            for listener in listeners:
                listener.close()
            if port:
                reason = getattr(error, "strerror", None) or str(error)
                raise PortTaken(
                    f"port {port} cannot be had: {error}",
                    user_message=f"Port {port} cannot be used ({reason}); choose another one with --port.",
                ) from error
        else:
            return listeners
    raise PortTaken("no free port for the bundled fediverse", user_message="No free port was found on this machine.")


def _places(port: int, *, has_many_addresses: bool) -> list[tuple[str, int]]:
    if has_many_addresses:
        return [(f"{NETWORK}.{number}", port) for number in (*range(1, SERVER_COUNT + 1), _TMDB_PLACE)]
    return [("127.0.0.1", port + place if port else 0) for place in range(SERVER_COUNT + 1)]


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener
