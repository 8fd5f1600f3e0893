"""The user's categories and sources with what is unread, as they stand beside the list: two queries, however many."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse

from feeds.icons import address_of
from feeds.models import Feed, Post, Source
from feeds.pages.choice import Choice

LARGE = 150
# Plain values: a thousand sources as objects with feed, category and icon would take longer than all the rest.
_FIELDS = ("pk", "name", "active", "category", "category__description", "feed", "feed__health", "feed__icon__digest")


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source as the list beside the posts shows it."""

    pk: int
    name: str
    href: str
    icon: str
    unread: int
    is_chosen: bool
    trouble: str

    @property
    def is_quiet(self) -> bool:
        """Nothing is unread, nothing is wrong."""
        return not (self.unread or self.is_chosen or self.trouble)


@dataclass(slots=True)
class Drawer:
    """A category with its sources."""

    pk: int
    name: str
    href: str
    is_chosen: bool
    sources: list[SourceLine] = field(default_factory=list)

    @property
    def unread(self) -> int:
        return sum(source.unread for source in self.sources)

    @property
    def quiet(self) -> int:
        """Sources that a large shelf does not list."""
        return sum(source.is_quiet for source in self.sources)

    @property
    def is_open(self) -> bool:
        return self.is_chosen or self.unread > 0 or any(source.is_chosen for source in self.sources)


@dataclass(frozen=True, slots=True)
class Shelf:
    """All drawers of a user, and the sources by number."""

    drawers: list[Drawer]
    by_pk: dict[int, SourceLine]

    @property
    def is_large(self) -> bool:
        """Too many sources to list those in which nothing waits."""
        return len(self.by_pk) > LARGE

    @property
    def unread(self) -> int:
        return sum(drawer.unread for drawer in self.drawers)


def read_shelf(user: Any, chosen: Choice) -> Shelf:
    unread, home = _count_unread(user), reverse("reader")
    drawers: dict[int, Drawer] = {}
    by_pk = {}
    rows = Source.objects.filter(user=user).order_by("category__description", "category", "name", "pk")
    for row in _values(rows):
        category_id = row["category"]
        drawer = drawers.get(category_id)
        if drawer is None:
            href = Choice(category_id=category_id).list_href()
            is_chosen = category_id == chosen.category_id
            drawer = drawers[category_id] = Drawer(category_id, row["category__description"], href, is_chosen)
        line = _line(row, home, unread.get(row["pk"], 0), chosen.source_id)
        drawer.sources.append(line)
        by_pk[line.pk] = line
    return Shelf(list(drawers.values()), by_pk)


def read_lines(user: Any, ids: Collection[int]) -> dict[int, SourceLine]:
    """Some sources by their numbers, with nothing counted."""
    rows, home = _values(Source.objects.filter(user=user, pk__in=ids)), reverse("reader")
    return {row["pk"]: _line(row, home, 0, None) for row in rows}


def _values(sources: QuerySet[Source]) -> Any:
    return sources.values(*_FIELDS)


def _line(row: dict[str, Any], home: str, unread: int, chosen_id: int | None) -> SourceLine:
    health = Feed.Health(row["feed__health"])
    trouble = "" if health == Feed.Health.ACTIVE else str(health.label)
    return SourceLine(
        pk=row["pk"],
        name=row["name"],
        href=home + Choice(source_id=row["pk"]).query(),
        icon=address_of(row["feed"], row["feed__icon__digest"]),
        unread=unread,
        is_chosen=row["pk"] == chosen_id,
        trouble=trouble if row["active"] else "switched off",
    )


def _count_unread(user: Any) -> dict[int, int]:
    # By source rather than by user: the index of unread posts begins with it, and no post itself is looked at.
    mine = Source.objects.filter(user=user).values("pk")
    unread = Post.objects.filter(source__in=mine, is_read=False)
    return dict(unread.order_by().values_list("source").annotate(Count("pk")))
