"""A user's posts: listed, marked, counted. Every list is one page of ids from an index, then its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from feeds.errors import FeedsError
from feeds.models import Post, Source
from feeds.search import matching_entries

MAX_MARKED_AT_ONCE = 1000


class PostsNotFound(FeedsError):
    """Some posts are not the user's, or not there: ``ids``."""

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__("Posts not found: " + ", ".join(map(str, ids)))
        self.ids = list(ids)


@dataclass(frozen=True, slots=True)
class PostFilter:
    """Which posts; None and "" leave a condition out. ``before`` is exclusive, ``until`` inclusive."""

    source_id: int | None = None
    category_id: int | None = None
    is_read: bool | None = None
    before: datetime | None = None
    until: datetime | None = None
    search: str = ""


def select_posts(user: Any, chosen: PostFilter) -> QuerySet[Post]:
    """The user's posts that fit, in no order yet."""
    posts = Post.objects.filter(user=user)
    if chosen.source_id is not None:
        posts = posts.filter(source_id=chosen.source_id)
    if chosen.category_id is not None:
        # A list of ids rather than a join: the index of posts holds the source, so no other table is looked at.
        sources = Source.objects.filter(user=user, category_id=chosen.category_id)
        posts = posts.filter(source_id__in=list(sources.values_list("pk", flat=True)))
    if chosen.is_read is not None:
        posts = posts.filter(is_read=chosen.is_read)
    if chosen.before is not None:
        posts = posts.filter(posted_at__lt=chosen.before)
    if chosen.until is not None:
        posts = posts.filter(posted_at__lte=chosen.until)
    if chosen.search:
        entries = matching_entries(chosen.search)
        posts = posts.none() if entries is None else posts.filter(entry_id__in=entries)
    return posts


class PostList:
    """Posts in order, counted and cut without reading what is not shown: ``len`` and slices cost one query each.

    Oldest first unless ``newest_first``. Rows come with entry, source, feed and category.
    """

    def __init__(self, posts: QuerySet[Post], *, newest_first: bool = False, with_content: bool = True) -> None:
        sign = "-" if newest_first else ""
        self._posts = posts.order_by(f"{sign}posted_at", f"{sign}id")
        self._with_content = with_content

    def __len__(self) -> int:
        return self._posts.count()

    def __getitem__(self, place: slice) -> list[Post]:
        ids = list(self._posts.values_list("pk", flat=True)[place])
        rows = full_posts(Post.objects.filter(pk__in=ids), with_content=self._with_content)
        by_id = {post.pk: post for post in rows}
        return [by_id[pk] for pk in ids if pk in by_id]


def full_posts(posts: QuerySet[Post], *, with_content: bool = True) -> QuerySet[Post]:
    """With what is shown of them in one query: entry, full text, source, feed, category."""
    unshown = ["entry__text", "source__feed__etag", "source__feed__last_modified"]
    if not with_content:
        rows = posts.select_related("entry", "source__category", "source__feed")
        return rows.defer(*unshown, "entry__content")
    rows = posts.select_related("entry__article", "source__category", "source__feed")
    return rows.defer(*unshown, "entry__article__text")


def mark_post(post: Post, is_read: bool, now: datetime) -> None:
    Post.objects.filter(pk=post.pk).update(**_mark(is_read, now))
    post.is_read, post.read_at = is_read, now if is_read else None


def mark_posts(user: Any, ids: Iterable[int], is_read: bool, now: datetime) -> int:
    """Mark these posts; returns how many they are, whatever state they were in. PostsNotFound: nothing changed."""
    wanted = list(dict.fromkeys(ids))
    posts = Post.objects.filter(user=user, pk__in=wanted)
    found = set(posts.values_list("pk", flat=True))
    missing = [pk for pk in wanted if pk not in found]
    if missing:
        raise PostsNotFound(missing)
    return posts.update(**_mark(is_read, now))


def mark_all(user: Any, chosen: PostFilter, is_read: bool, now: datetime) -> int:
    """Mark every post that fits and is in the other state; returns how many."""
    return select_posts(user, chosen).filter(is_read=not is_read).update(**_mark(is_read, now))


def _mark(is_read: bool, now: datetime) -> dict[str, Any]:
    return {"is_read": is_read, "read_at": now if is_read else None}


def mark_all_but_newest(user: Any, keep: int, now: datetime) -> int:
    """Mark everything as read but the newest ``keep`` posts; returns how many were unread."""
    return all_but_newest(user, keep).filter(is_read=False).update(**_mark(True, now))


def all_but_newest(user: Any, keep: int, chosen: PostFilter | None = None) -> QuerySet[Post]:
    """The posts that fit (all, when nothing is chosen) without the newest ``keep`` of them, read or not."""
    posts = select_posts(user, chosen or PostFilter())
    edge = list(posts.order_by("-posted_at", "-id").values_list("posted_at", "id")[keep : keep + 1])
    if not edge:
        return posts.none()
    ((posted_at, pk),) = edge
    return posts.filter(Q(posted_at__lt=posted_at) | Q(posted_at=posted_at, id__lte=pk))
