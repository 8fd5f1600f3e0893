"""The way to the account's server: patient with its limits and faults, stopped within seconds, never in a hurry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from django.conf import settings

from common.errors import RemoteError
from common.http import Aborted, Gate, policy_from_settings
from common.mastodon_errors import RateLimited
from common.mastodon_posting import PostingClient

if TYPE_CHECKING:
    from jobs.context import JobContext

T = TypeVar("T")
_LONG_SECONDS = 5.0
# For so long a cancelled job sees to a toot it has just sent: sits out pauses, waits for answers.
_FINISHING_SECONDS = 4.0
_LAST_SECONDS = 3.0


class Outbox:
    """``ask`` is for requests that may be repeated; a toot is sent through ``client`` by ``pipeline.thread.send``."""

    def __init__(self, ctx: JobContext, gate: Gate, client: PostingClient) -> None:
        self.ctx = ctx
        self.client = client
        self.pauses: list[float] = list(settings.MASTOSCORE_RETRY_PAUSES)
        self._gate = gate
        self._is_finishing = False
        self._is_last = False

    @property
    def server(self) -> str:
        return self.client.server

    def ask(self, request: Callable[[], T]) -> T:
        """The answer; limits are waited for, what fails in passing is tried again, a cancel ends it at once."""
        if self._is_last:
            return request()
        pauses = iter(self.pauses)
        while True:
            self.obey()
            try:
                with self._cut_when_stopped():
                    return request()
            except RemoteError as error:
                if isinstance(error, Aborted):
                    self.ctx.check_cancelled()
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
        asked = error.retry_after or 0.0
        self.pause(max(pause, asked), is_limit=isinstance(error, RateLimited) or asked > pause)

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

        Unless the server wants a long pause: then its answer has to do, and the next run looks at the toot.
        """
        self._is_finishing = True
        try:
            yield
        finally:
            self._is_finishing = False

    @contextmanager
    def last_look(self) -> Iterator[None]:
        """A look at the account though the job has to end: every request once, for a few seconds, without waiting."""
        client, policy = self.client, policy_from_settings()
        policy = replace(policy, connect_seconds=_LAST_SECONDS, total_seconds=_LAST_SECONDS)
        with Gate(policy) as gate:  # the other one may be closed already
            self.client, self._is_last = client.through(gate), True
            try:
                yield
            finally:
                self.client, self._is_last = client, False

    @contextmanager
    def _cut_when_stopped(self) -> Iterator[None]:
        """A request under way ends with the job: at once, or some seconds later if it sees to a toot just sent."""
        if not self._is_finishing:
            with self.ctx.on_stop(self._gate.abort):
                yield
            return
        timer = threading.Timer(_FINISHING_SECONDS, self._gate.abort)
        timer.daemon = True
        with self.ctx.on_stop(timer.start):
            try:
                yield
            finally:
                timer.cancel()

    def _check_cancelled(self) -> None:
        if not self._is_finishing:
            self.ctx.check_cancelled()
