"""Marking from a page: what its reader can have seen, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feeds.models import Post
from feeds.posts import PostFilter, select_posts


@dataclass(frozen=True, slots=True)
class Marked:
    """How many posts became read at ``moment``, by which they can be told from all others."""

    count: int
    moment: datetime


def mark_some(user: Any, ids: Iterable[int], is_read: bool, now: datetime) -> int:
    """Mark those of the posts that (still) are the user's; returns how many that are."""
    posts = Post.objects.filter(user=user, pk__in=list(ids))
    return posts.update(is_read=is_read, read_at=now if is_read else None)


def mark_seen(user: Any, chosen: PostFilter, seen_until: datetime | None, now: datetime) -> Marked:
    """Mark every unread post that fits as read, but none that came after the page was made."""
    posts = select_posts(user, chosen).filter(is_read=False)
    if seen_until is not None:
        posts = posts.filter(created_at__lte=seen_until)
    return Marked(posts.update(is_read=True, read_at=now), now)


def take_back(user: Any, moment: datetime) -> int:
    """Undo what was marked at that moment; returns how many posts are unread again."""
    return Post.objects.filter(user=user, is_read=True, read_at=moment).update(is_read=False, read_at=None)
