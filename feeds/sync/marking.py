"""Read marks set by apps. What they name may be gone by now, so strange numbers are passed over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from common.times import now_utc
from feeds.models import Post

_BATCH = 500


def mark_items(user: Any, ids: Iterable[int], *, is_read: bool) -> int:
    """Mark those of the posts that are the user's; all or none. Returns how many changed."""
    wanted = sorted(set(ids))
    mine = Post.objects.filter(user=user)
    with transaction.atomic():
        return sum(
            _mark(mine.filter(pk__in=wanted[start : start + _BATCH]), is_read=is_read)
            for start in range(0, len(wanted), _BATCH)
        )


def mark_all_read(posts: QuerySet[Post], until: datetime | None) -> int:
    """Mark as read what came by then: what came later, the person has not seen. Returns how many changed."""
    return _mark(posts if until is None else posts.filter(created_at__lte=until), is_read=True)


def _mark(posts: QuerySet[Post], *, is_read: bool) -> int:
    return posts.filter(is_read=not is_read).update(is_read=is_read, read_at=now_utc() if is_read else None)
