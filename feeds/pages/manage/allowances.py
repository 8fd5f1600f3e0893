"""How often a person may have others' servers asked from the reader's pages: so many times a minute."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache

# Each look for feeds is a dozen requests to somebody; a refresh is one, and so is a page whose full text is wanted.
# What is shortened may cost money, of which there is so much a day for all readers together.
LIMITS = {"look": 20, "refresh": 60, "full_text": 20, "shorten": 15}
TOO_MANY = "That was often in a short time. Wait a minute, then go on."


def may_ask(user: Any, what: str) -> bool:
    """Count one; beyond the limit nothing is counted any more."""
    key, limit = f"reader:{what}:{user.pk}", LIMITS[what]
    if cache.add(key, 1, 60):
        return True
    if int(cache.get(key, 0)) >= limit:
        return False
    try:
        return bool(cache.incr(key) <= limit)
    except ValueError:  # the minute is over
        return True
