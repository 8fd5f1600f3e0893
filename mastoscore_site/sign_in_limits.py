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
        window = int(time.time() // WINDOW_SECONDS)
        by_address, by_name = _keys(request, window)
        if not (_has_room(by_address, MOST_PER_ADDRESS) and _has_room(by_name, MOST_PER_NAME)):
            return _refuse(request, (window + 1) * WINDOW_SECONDS)
        response = view(request, *args, **kwargs)
        if response.status_code == 302:
            cache.delete(by_name)
            _take_back(by_address)
        return response

    return answer


def _keys(request: HttpRequest, window: int) -> tuple[str, str]:
    """For the address, and for the name from there; names that look the same are the same."""
    name = unicodedata.normalize("NFKC", request.POST.get("username", "")).strip().casefold()
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    address = f"sign-in:{window}:{client_key(request)}"
    return address, f"{address}:{digest}"


def _has_room(key: str, limit: int) -> bool:
    """Count one; beyond the limit nothing is written any more."""
    return int(cache.get(key, 0)) < limit and increase(key, WINDOW_SECONDS) <= limit


def _take_back(key: str) -> None:
    if int(cache.get(key, 0)) > 0:
        cache.incr(key, -1)


def _refuse(request: HttpRequest, until: float) -> HttpResponseBase:
    seconds = max(1, math.ceil(until - time.time()))
    response = render(request, "429.html", {"minutes": math.ceil(seconds / 60)}, status=429)
    response["Retry-After"] = str(seconds)
    return response
