"""Which posts a stream stands for, page by page, in the order in which they came.

By arrival and not by date, so that whoever asks for what came since the last time misses nothing that is dated back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Length

from common.api.problems import Problem
from feeds.models import Category, Post, Source
from feeds.sync.names import Kind, Stream, microseconds, parse_stream

# Posts are stored a while after the moment that stands in them as that of their arrival.
TIME_TO_STORE = timedelta(minutes=3)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"([0-9]{1,17})-([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """Posts of ``stream`` and all of ``only``, in none of ``without``, that came from ``since`` to ``until``."""

    stream: Stream
    only: tuple[Stream, ...] = ()
    without: tuple[Stream, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Behind the post with that number, which came at that moment."""

    came_at: datetime
    post_id: int

    @property
    def text(self) -> str:
        return f"{microseconds(self.came_at)}-{self.post_id}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Problem 400 for what ``text`` never was."""
        found = _PLACE.fullmatch(text)
        if found is None:
            raise Problem(400, "This continuation is none of ours; begin again without it.")
        return cls(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2]))


def find_stream(user: Any, text: str) -> Stream:
    """Problem 404 for a name that stands for nothing here."""
    stream = parse_stream(text, user.pk)
    if stream is None:
        raise Problem(404, "There is no such stream.")
    return stream


def select_stream(user: Any, wish: Wish) -> QuerySet[Post]:
    """The posts, in no order yet. Problem 404 for a feed or label that the user does not have."""
    posts = Post.objects.filter(user=user)
    for stream in (wish.stream, *wish.only):
        posts = posts.filter(_condition(user, stream))
    for stream in wish.without:
        posts = posts.exclude(_condition(user, stream))
    if wish.since is not None:
        posts = posts.filter(created_at__gte=wish.since - TIME_TO_STORE)
    if wish.until is not None:
        posts = posts.filter(created_at__lte=wish.until)
    return posts


def _condition(user: Any, stream: Stream) -> Q:
    if stream.kind is Kind.ALL:
        return Q(user=user)
    if stream.kind is Kind.NOTHING:
        return Q(pk__in=[])
    if stream.kind in (Kind.READ, Kind.UNREAD):
        return Q(is_read=stream.kind is Kind.READ)
    if stream.kind is Kind.FEED:
        return Q(source_id=_find_source(user, stream.name))
    return Q(source_id__in=_sources_of_label(user, stream.name))


def _find_source(user: Any, name: str) -> int:
    """By number, or by the feed's address as the original named feeds."""
    sources = Source.objects.filter(user=user)
    is_number = name.isascii() and name.isdigit() and len(name) <= 18
    found = sources.filter(pk=int(name)) if is_number else sources.filter(feed__url=name)
    number = found.values_list("pk", flat=True).first()
    if number is None:
        raise Problem(404, "You have no such feed.")
    return number


def _sources_of_label(user: Any, name: str) -> list[int]:
    category = Category.objects.filter(user=user, description=name).values_list("pk", flat=True).first()
    if category is None:
        raise Problem(404, "You have no such label.")
    return list(Source.objects.filter(user=user, category_id=category).values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Page:
    """Numbers of posts in order; ``next`` is where to go on, "" at the end."""

    ids: list[int]
    next: str


def cut_page(posts: QuerySet[Post], *, size: int, after: str = "", oldest_first: bool, max_chars: int = 0) -> Page:
    """One page, newest first unless said otherwise. It ends early when its texts are longer than ``max_chars``."""
    if after:
        posts = _behind(posts, Place.parse(after), oldest_first)
    sign = "" if oldest_first else "-"
    columns = posts.order_by(f"{sign}created_at", f"{sign}id").values_list("pk", "created_at")
    rows: list[tuple[Any, ...]] = list(columns[: size + 1])
    if max_chars:
        rows = _measured(rows)
    shown = list(_while_short(rows[:size], max_chars)) if max_chars else rows[:size]
    has_more = len(rows) > len(shown)
    return Page([row[0] for row in shown], Place(shown[-1][1], shown[-1][0]).text if has_more and shown else "")


def _behind(posts: QuerySet[Post], place: Place, oldest_first: bool) -> QuerySet[Post]:
    """The bound stands alone and again in the choice, so that the index is entered at the place."""
    if oldest_first:
        onward = Q(created_at__gt=place.came_at) | Q(id__gt=place.post_id)
        return posts.filter(onward, created_at__gte=place.came_at)
    onward = Q(created_at__lt=place.came_at) | Q(id__lt=place.post_id)
    return posts.filter(onward, created_at__lte=place.came_at)


def _measured(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Each with the length of its texts, of which one will be told."""
    lengths = Length("entry__content") + Coalesce(Length("entry__article__content"), 0)
    by_id = dict(Post.objects.filter(pk__in=[row[0] for row in rows]).values_list("pk", lengths))
    return [(*row, by_id.get(row[0], 0)) for row in rows]


def _while_short(rows: Iterable[tuple[Any, ...]], max_chars: int) -> Iterator[tuple[Any, ...]]:
    """At least one row."""
    chars = 0
    for place, row in enumerate(rows):
        chars += row[2] or 0
        if place and chars > max_chars:
            return
        yield row
