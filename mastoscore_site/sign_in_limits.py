"""How often a password may be wrong: per quarter of an hour, for a name from an address and for the address.

An attempt is counted before the password is looked at and taken back when it was right, so that many at the same
moment do not get past the limit. The counters are in the shared cache; every quarter of an hour has its own.
"""

from __future__ import annotations

import hashlib
import math
import time
import unicodedata
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from mastoscore_site.api_rates import increase
from mastoscore_site.client_address import client_key

WINDOW_SECONDS = 15 * 60
MOST_PER_NAME = 10
MOST_PER_ADDRESS = 30  # several people may sit behind one

View = Callable[..., HttpResponseBase]


def limited(view: View) -> View:
    """The page with a form to sign in, refusing (429) who was wrong too often."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        attempt = Attempt(request, request.POST.get("username", ""))
        if not attempt.begin():
            return _refuse(request, attempt.wait_seconds)
        response = view(request, *args, **kwargs)
        if response.status_code == 302:
            attempt.succeed()
        return response

    return answer


class Attempt:
    """Somebody trying to sign in: counted for the address, and for the name from there.

    Names that look the same are the same. Each ``door`` counts by itself: an app with an old token, which tries day
    and night, must not keep its owner from signing in on the site.
    """

    def __init__(self, request: HttpRequest, name: str, *, door: str = "sign-in") -> None:
        window = int(time.time() // WINDOW_SECONDS)
        plain = unicodedata.normalize("NFKC", name).strip().casefold()
        digest = hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
        self._by_address = f"{door}:{window}:{client_key(request)}"
        self._by_name = f"{self._by_address}:{digest}"
        self._ends_at = (window + 1) * WINDOW_SECONDS

    def begin(self) -> bool:
        """Count it; False when there were too many."""
        return _has_room(self._by_address, MOST_PER_ADDRESS) and _has_room(self._by_name, MOST_PER_NAME)

    def begin_without_name(self) -> bool:
        """The same where there is nothing but a key."""
        return _has_room(self._by_address, MOST_PER_ADDRESS)

    def succeed(self) -> None:
        """It was right, so it does not count."""
        cache.delete(self._by_name)
        _take_back(self._by_address)

    @property
    def wait_seconds(self) -> int:
        return max(1, math.ceil(self._ends_at - time.time()))


def _has_room(key: str, limit: int) -> bool:
    """Count one; beyond the limit nothing is written any more."""
    return int(cache.get(key, 0)) < limit and increase(key, WINDOW_SECONDS) <= limit


def _take_back(key: str) -> None:
    if int(cache.get(key, 0)) > 0:
        cache.incr(key, -1)


def _refuse(request: HttpRequest, seconds: int) -> HttpResponseBase:
    response = render(request, "429.html", {"minutes": math.ceil(seconds / 60)}, status=429)
    response["Retry-After"] = str(seconds)
    return response
