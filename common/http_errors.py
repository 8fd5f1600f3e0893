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


class LeadsElsewhere(_FinalError):
    """Sends us on to another server, where this visitor does not go: ``onward``, host with port if it has one."""

    onward = ""


def leads_elsewhere(server: str, onward: str, *, is_closed: bool) -> RemoteError:
    """The error for a redirect to another server; ``is_closed``: one that nobody of us may contact."""
    if is_closed:
        return AddressNotAllowed(
            f"{server} redirects to {onward}",
            server=server,
            user_message=f"{server} sends us on to an address that we do not contact.",
        )
    error = LeadsElsewhere(
        f"{server} redirects to {onward}", server=server, user_message=f"{server} sends us on to {onward}."
    )
    error.onward = onward
    return error
