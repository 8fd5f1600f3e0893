"""The way to the account's server: patient with its limits and faults, stopped within seconds, never in a hurry."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from django.conf import settings

from common.errors import RemoteError
from common.http import Gate
from common.mastodon_errors import RateLimited
from common.mastodon_posting import PostingClient

if TYPE_CHECKING:
    from jobs.context import JobContext

T = TypeVar("T")
_LONG_SECONDS = 5.0
# Pauses up to this are sat out by a cancelled job that sees to a toot it has just sent.
_FINISHING_SECONDS = 4.0


class Outbox:
    """``ask`` is for requests that may be repeated; a toot is sent through ``client`` by ``pipeline.thread.send``."""

    def __init__(self, ctx: JobContext, gate: Gate, client: PostingClient) -> None:
        self.ctx = ctx
        self.client = client
        self.pauses: list[float] = list(settings.MASTOSCORE_RETRY_PAUSES)
        self._gate = gate
        self._is_finishing = False

    @property
    def server(self) -> str:
        return self.client.server

    def ask(self, request: Callable[[], T]) -> T:
        """The answer; limits are waited for, what fails in passing is tried again, a cancel ends it at once."""
        pauses = iter(self.pauses)
        while True:
            self.obey()
            try:
                with nullcontext() if self._is_finishing else self.ctx.on_stop(self._gate.abort):
                    return request()
            except RemoteError as error:
                self._check_cancelled()
                pause = next(pauses, None)
                if error.permanent or pause is None:
                    raise
                self.wait_after(error, pause)

    def obey(self) -> None:
        """Wait as long as the server asked for with its last answer, if it did."""
        self._check_cancelled()
        seconds, self.client.pause_seconds = self.client.pause_seconds, 0.0
        if seconds:
            self.pause(seconds)

    def wait_after(self, error: RemoteError, pause: float) -> None:
        self.client.pause_seconds = 0.0
        self.pause(max(pause, error.retry_after or 0.0), is_limit=isinstance(error, RateLimited))

    def pause(self, seconds: float, *, is_limit: bool = True) -> None:
        if seconds >= _LONG_SECONDS and is_limit:
            self.ctx.say(f"{self.server} asks us to wait {seconds:.0f} seconds.")
        if self._is_finishing and seconds <= _FINISHING_SECONDS:
            time.sleep(seconds)
        else:
            self.ctx.wait(seconds)

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """While a toot that was just sent is seen to, a cancel waits: it stops between toots, not within one.

        Unless the server wants a long pause: then the toot stays in doubt, and the next run looks for it.
        """
        self._is_finishing = True
        try:
            yield
        finally:
            self._is_finishing = False

    def _check_cancelled(self) -> None:
        if not self._is_finishing:
            self.ctx.check_cancelled()
