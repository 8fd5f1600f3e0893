"""How many calls a user (or, signed in as nobody, an address) may make: an allowance per scope and minute.

A window begins with its first call and lasts a minute. Everything is counted in the shared cache by two operations
that are atomic there, so two calls at the same moment never count as one:

- ``start:<minute>`` is added when no window is open; whoever comes second with ``add`` reads the winner's.
- ``count:<minute>`` is increased; the number that comes back is the caller's own place in the window.

A window that begins within a minute of the clock lasts into the next one, so the minute names it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from mastoscore_site.client_address import client_key

WINDOW_SECONDS = 60
_KEEP_SECONDS = 3 * WINDOW_SECONDS


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of it after a call. ``reset_at``: seconds since 1970, when the window ends."""

    limit: int
    remaining: int
    reset_at: float
    is_exceeded: bool

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(math.ceil(self.reset_at)),
        }

    @property
    def wait_seconds(self) -> int:
        return max(1, math.ceil(self.reset_at - time.time()))


class ScopeThrottle(BaseThrottle):
    """The one throttle of the API. Leaves the Allowance at ``request.allowance`` for the headers of the answer."""

    def allow_request(self, request: Request, view: Any) -> bool:
        self.allowance = count_call(rate_scope_of(view), caller_of(request))
        request._request.allowance = self.allowance  # type: ignore[attr-defined]
        return not self.allowance.is_exceeded

    def wait(self) -> float:
        return self.allowance.wait_seconds


def caller_of(request: Request | HttpRequest) -> str:
    if request.user is not None and request.user.is_authenticated:
        return f"user:{request.user.pk}"
    return f"address:{client_key(request._request if isinstance(request, Request) else request)}"


def rate_scope_of(view: Any) -> str:
    given: str | Mapping[str, str] = getattr(view, "rate_scope", "general")
    if isinstance(given, str):
        return given
    call = getattr(view, "action", None) or view.request.method.lower()
    return given.get(call, "general")


def untouched(scope: str = "general") -> Allowance:
    """What an answer says that was given without counting the call."""
    limit = _limit_of(scope)
    return Allowance(limit, limit, time.time() + WINDOW_SECONDS, False)


def _limit_of(scope: str) -> int:
    try:
        limit: int = settings.API_RATES[scope]
    except KeyError:
        raise ImproperlyConfigured(f"no rate of calls is set for {scope!r}") from None
    return limit


def count_call(scope: str, caller: str) -> Allowance:
    """Count one call. Beyond the limit nothing is written any more, so a flood costs one read per call."""
    limit, now = _limit_of(scope), time.time()
    prefix, minute = f"rate:{scope}:{caller}", int(now // WINDOW_SECONDS)
    starts = {moment: f"{prefix}:start:{moment}" for moment in (minute - 1, minute)}
    counts = {moment: f"{prefix}:count:{moment}" for moment in (minute - 1, minute)}
    seen = cache.get_many([*starts.values(), *counts.values()])
    open_since = {moment: seen.get(key) for moment, key in starts.items()}
    window, start = next(
        ((moment, since) for moment, since in open_since.items() if since and now < since + WINDOW_SECONDS),
        (minute, None),
    )
    if start is None:
        start = cache.get_or_set(starts[minute], now, _KEEP_SECONDS) or now
    count = int(seen.get(counts[window], 0))
    count = count + 1 if count >= limit else increase(counts[window], _KEEP_SECONDS)
    return Allowance(limit, max(0, limit - count), start + WINDOW_SECONDS, count > limit)


def increase(key: str, keep_seconds: int) -> int:
    """The number under that key after adding one; it begins at nothing and is kept so long."""
    for _ in range(3):
        try:
            return cache.incr(key)
        except ValueError:  # nobody counted yet
            if cache.add(key, 1, keep_seconds):
                return 1
    raise RuntimeError("the cache neither counts nor keeps")  # a full disk: better no answer than no limit
