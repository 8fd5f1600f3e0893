"""What can go wrong on the way through the gate. Every one is a RemoteError; none holds a secret."""

from __future__ import annotations

from typing import Any

from common.errors import RemoteError


class Unreachable(RemoteError):
    """No connection, or it broke: name unknown, refused, reset, certificate not valid, hung up half-way."""


class TimedOut(RemoteError):
    """Connecting, an answer's next bytes, or the request as a whole took longer than allowed."""


class TooLarge(RemoteError):
    """The answer is larger than we read, on the wire or after decompression."""


class TooManyRedirects(RemoteError):
    """Sent on and on."""


class _FinalError(RemoteError):
    """Asking again in this run is pointless."""

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message, **{"permanent": True, **facts})


class AddressNotAllowed(_FinalError):
    """The address, port or scheme is none that we contact."""


class InvalidAnswer(_FinalError):
    """Something came back that makes no sense: no HTTP, no JSON, a redirect to nowhere."""


class Aborted(_FinalError):
    """We were told to stop."""
