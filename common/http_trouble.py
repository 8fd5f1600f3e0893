"""What urllib3, http.client and ssl raise, as our own errors. Pure."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

from urllib3 import exceptions as urllib3_errors

from common.errors import RemoteError
from common.http_errors import InvalidAnswer, TimedOut, Unreachable

_TIMEOUTS = (TimeoutError, urllib3_errors.TimeoutError)
_NONSENSE = (
    http.client.HTTPException,
    urllib3_errors.InvalidHeader,
    urllib3_errors.LocationValueError,
    urllib3_errors.InvalidChunkLength,
    ValueError,
)
_BROKEN_OFF = (http.client.RemoteDisconnected, http.client.IncompleteRead, urllib3_errors.IncompleteRead)


def explain(error: BaseException, server: str) -> RemoteError:
    """The RemoteError for a failed exchange. Its texts quote neither address nor headers."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(
                f"certificate of {server} is not valid: {cause.verify_message}",
                server=server,
                permanent=True,
                user_message=f"{server} could not be reached safely: its certificate is not valid.",
            )
    if any(isinstance(cause, _TIMEOUTS) for cause in causes):
        return TimedOut(
            f"{server} stopped answering", server=server, user_message=f"{server} took too long to answer."
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return _unreachable(server, "no safe connection (TLS)")
    if any(isinstance(cause, _BROKEN_OFF) for cause in causes):
        return _unreachable(server, "hung up in the middle of an answer")
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return _unreachable(server, cause.strerror)
    if any(isinstance(cause, _NONSENSE) for cause in causes):
        return InvalidAnswer(
            f"{server} sent an answer that is not HTTP",
            server=server,
            user_message=f"{server} sent something that makes no sense.",
        )
    return _unreachable(server, "the connection broke")


def is_lost_connection(error: BaseException) -> bool:
    """Whether the connection ended under us, as those kept open sometimes do between two requests."""
    lost = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
    return any(isinstance(cause, lost) for cause in _causes(error))


def _unreachable(server: str, reason: str) -> Unreachable:
    return Unreachable(f"{server}: {reason}", server=server, user_message=f"{server} could not be reached: {reason}.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it was raised from, outermost first."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < 30:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]
        waiting += [cause for cause in inner if isinstance(cause, BaseException)]
