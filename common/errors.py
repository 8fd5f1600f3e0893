"""Errors with two readers: ``str(error)`` for the log, ``error.user_message`` for the person."""

from __future__ import annotations


class MastoscoreError(Exception):
    """Base of everything this project raises on purpose.

    ``user_message`` is one clear sentence that may stand on a page; neither text ever holds a secret.
    """

    def __init__(self, message: str, *, user_message: str | None = None) -> None:
        super().__init__(message)
        self.user_message = user_message or message


class RemoteError(MastoscoreError):
    """Somebody else's server did not do what was asked.

    ``permanent``: asking again in this run is pointless. ``retry_after``: seconds the server asked us to
    wait, if it said so. ``status_code``: the HTTP status, when there was an answer at all.
    """

    def __init__(
        self,
        message: str,
        *,
        server: str = "",
        permanent: bool = False,
        retry_after: float | None = None,
        status_code: int | None = None,
        user_message: str | None = None,
    ) -> None:
        super().__init__(message, user_message=user_message)
        self.server = server
        self.permanent = permanent
        self.retry_after = retry_after
        self.status_code = status_code


class ConfigurationError(MastoscoreError):
    """A value a person gave (file, form, setting, command line) cannot be used."""


class NotReadyError(MastoscoreError):
    """A phase was asked for before the phase it builds on has run; the message names that phase."""
