"""A round over pages of the web: many hosts at once, one request at a time per host, a pause before its next.

For what is fetched beside the feeds. Hosts that the crawl of feeds is asking, in any process, are left out, and it
leaves out those that are asked here.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Generic, TypeVar

from django.conf import settings
from django.db import transaction

from common.http import Gate
from common.times import now_utc
from feeds.models import Feed
from jobs.context import JobContext

Item = TypeVar("Item", bound=Hashable)
Found = TypeVar("Found")

_MOST_THREADS = 8
_CLAIM = timedelta(minutes=3)
_LOOK_AGAIN_SECONDS = 0.25


class Round(Generic[Item, Found]):
    """``ask`` runs in threads and touches no database; ``store`` runs in the thread that calls ``run``.

    Nothing is begun after ``seconds``; what is left comes in the next round.
    """

    def __init__(
        self,
        ctx: JobContext,
        gate: Gate,
        *,
        ask: Callable[[Item], Found],
        store: Callable[[Item, Found], None],
        seconds: float,
    ) -> None:
        self._ctx = ctx
        self._gate = gate
        self._ask = ask
        self._store = store
        self._begin_until = time.monotonic() + seconds
        self._waiting: dict[str, deque[Item]] = {}
        self._free_at: dict[str, float] = {}
        self._asked: dict[Future[Found], tuple[str, Item]] = {}
        self._held: dict[str, int] = {}

    def run(self, items: Iterable[tuple[str, Item]]) -> int:
        """Ask each, given with its host (with port, as ``addresses.host_of`` has it); returns how many were."""
        for host, item in items:
            self._waiting.setdefault(host, deque()).append(item)
        done, total = 0, sum(map(len, self._waiting.values()))
        with ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="round") as pool:
            try:
                while self._waiting or self._asked:
                    self._ctx.check_cancelled()
                    self._begin(pool)
                    done += self._finish()
                    self._ctx.progress(done=done, total=total)
                self._ctx.check_cancelled()
            finally:
                self._gate.abort()
                for host in list(self._held):
                    self._let_go(host)
        return done

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        now, busy = time.monotonic(), {host for host, _ in self._asked.values()}
        if now > self._begin_until:
            self._waiting.clear()
        for host in list(self._waiting):
            if len(self._asked) >= _MOST_THREADS:
                return
            if host in busy or self._free_at.get(host, 0.0) > now:
                continue
            if not self._hold(host):
                del self._waiting[host]
                continue
            item = self._waiting[host].popleft()
            self._asked[pool.submit(self._ask, item)] = (host, item)
            if not self._waiting[host]:
                del self._waiting[host]

    def _finish(self) -> int:
        if not self._asked:
            self._ctx.wait(_LOOK_AGAIN_SECONDS if self._waiting else 0.0)
            return 0
        finished, _ = wait(self._asked, _LOOK_AGAIN_SECONDS, FIRST_COMPLETED)
        for future in finished:
            host, item = self._asked.pop(future)
            if self._ctx.stopping():  # what was cut off says nothing about the page
                continue
            self._store(item, future.result())
            self._free_at[host] = time.monotonic() + settings.MASTOSCORE_FEED_HOST_PAUSE_SECONDS
            self._let_go(host)
        return len(finished)

    def _hold(self, host: str) -> bool:
        """Whether nobody else asks the host; if so, nobody will until it is let go."""
        now = now_utc()
        feeds = Feed.objects.filter(host=host)
        with transaction.atomic():
            first = feeds.order_by("pk").select_for_update().only("pk").first()
            if first is None:  # no feed of ours is there, so no crawl of feeds comes by
                return True
            if feeds.filter(claimed_until__gt=now).exists():
                return False
            Feed.objects.filter(pk=first.pk).update(claimed_until=now + _CLAIM)
        self._held[host] = first.pk
        return True

    def _let_go(self, host: str) -> None:
        if host in self._held:
            Feed.objects.filter(pk=self._held.pop(host)).update(claimed_until=None)
