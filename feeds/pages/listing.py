"""The rows of the list, part by part, by as many queries for two posts as for a hundred thousand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from feeds.api.shapes import time_ago
from feeds.models import Post
from feeds.pages.choice import Choice, Place
from feeds.pages.shelf import SourceLine
from feeds.posts import select_posts

Lines = Mapping[int, SourceLine]
LinesOf = Callable[[set[int]], Lines]

PAGE_ROWS = 40
UNTITLED = "Untitled"


@dataclass(frozen=True, slots=True)
class Row:
    """A post in the list."""

    pk: int
    href: str
    title: str
    url: str
    source: SourceLine | None
    posted_at: datetime
    ago: str
    excerpt: str
    is_read: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list, and the address of the next part; "" at the end."""

    rows: list[Row]
    next_href: str


def read_page(
    user: Any, chosen: Choice, lines_of: LinesOf, now: datetime, *, after: Place | None, newest_first: bool
) -> Page:
    """At most ``PAGE_ROWS`` posts behind ``after``. ``lines_of`` gives the sources of these numbers."""
    posts = _behind(select_posts(user, chosen.as_filter()), after, newest_first)
    found = list(posts.values_list("posted_at", "pk", "source")[: PAGE_ROWS + 1])
    next_href = ""
    if len(found) > PAGE_ROWS:
        found.pop()
        next_href = chosen.list_href(after=Place(*found[-1][:2]))
    lines = lines_of({source_id for _, _, source_id in found})
    return Page(_rows([pk for _, pk, _ in found], chosen, lines, now), next_href)


def _behind(posts: QuerySet[Post], after: Place | None, newest_first: bool) -> QuerySet[Post]:
    sign = "-" if newest_first else ""
    posts = posts.order_by(f"{sign}posted_at", f"{sign}id")
    if after is None:
        return posts
    # The first condition is what the index understands; the second sorts out posts of the same moment.
    if newest_first:
        earlier = Q(posted_at__lt=after.posted_at) | Q(id__lt=after.pk)
        return posts.filter(earlier, posted_at__lte=after.posted_at)
    later = Q(posted_at__gt=after.posted_at) | Q(id__gt=after.pk)
    return posts.filter(later, posted_at__gte=after.posted_at)


def _rows(ids: Sequence[int], chosen: Choice, lines: Lines, now: datetime) -> list[Row]:
    posts = Post.objects.filter(pk__in=ids).select_related("entry")
    fields = ("source", "posted_at", "is_read", "entry__title", "entry__url", "entry__excerpt")
    found = {post.pk: post for post in posts.only(*fields)}
    query, base = chosen.query(), reverse("reader") + "posts/"
    return [_row(found[pk], f"{base}{pk}{query}", lines, now) for pk in ids if pk in found]


def _row(post: Post, href: str, lines: Lines, now: datetime) -> Row:
    entry = post.entry
    return Row(
        pk=post.pk,
        href=href,
        title=entry.title or UNTITLED,
        url=entry.url,
        source=lines.get(post.source_id),
        posted_at=post.posted_at,
        ago=time_ago(post.posted_at, now),
        excerpt="" if entry.excerpt.rstrip("…") == entry.title.rstrip("…") else entry.excerpt,
        is_read=post.is_read,
    )
