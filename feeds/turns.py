"""How many requests of one person may wait for others' servers at once.

A request that waits holds one of the few threads of the web server; without a bound, one person with addresses of
slow servers would keep everybody else from the site.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache

from feeds.errors import TooManyAtOnce

MOST_AT_ONCE = 3
# Longer than anything that is asked for here lasts: a turn that was never given back, as the process died, ends then.
_LONGEST_SECONDS = 90


@contextmanager
def turn_of(user_id: int) -> Iterator[None]:
    """For as long as others' servers are asked within a request. TooManyAtOnce when all turns are taken."""
    keys = (f"feeds:turn:{user_id}:{number}" for number in range(MOST_AT_ONCE))
    taken = next((key for key in keys if cache.add(key, 1, _LONGEST_SECONDS)), None)
    if taken is None:
        raise TooManyAtOnce("What you asked for before is still being fetched. Wait a moment, then try again.")
    try:
        yield
    finally:
        cache.delete(taken)
