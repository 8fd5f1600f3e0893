"""A user's sources into an OPML file, and out of one: previewed, merged, or in place of what there is.

Replacing keeps what the file names too, with posts and read marks; all or nothing happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from feeds import opml
from feeds.addresses import address_or_empty, host_of
from feeds.categories import UNCATEGORIZED, find_or_create_category
from feeds.errors import FeedsError
from feeds.models import Category, Entry, Feed, Source
from feeds.sources import MAX_NAME_CHARS, delete_sources
from feeds.storing import catch_up

MAX_BYTES = 1_048_576
REPLACE, MERGE = "replace", "merge"
MAX_ERRORS = 1000
_BATCH = 500


class EmptyOpml(FeedsError):
    """The file names no feed, so it must not replace anything."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed in a file. ``category`` "": it stands in none."""

    name: str
    url: str
    site_url: str
    description: str
    category: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a file says: feeds in its order, and a sentence for each that cannot be used."""

    feeds: tuple[Listed, ...]
    errors: tuple[str, ...]

    def by_category(self) -> dict[str, list[Listed]]:
        """Categories in the order of the file; under "" what stands in none."""
        groups: dict[str, list[Listed]] = {}
        for listed in self.feeds:
            groups.setdefault(listed.category, []).append(listed)
        return groups


@dataclass
class Imported:
    mode: str
    categories_created: int = 0
    sources_created: int = 0
    sources_skipped: int = 0
    sources_removed: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Exported:
    content: str
    filename: str
    sources: int
    categories: int


def import_listing(user: Any, listing: Listing, mode: str, now: datetime) -> Imported:
    """Merge: what is missing comes in, what is there stays as it is. Replace: names and categories follow the file,
    and what it does not name goes. EmptyOpml when a file without feeds is to replace something."""
    if mode == REPLACE and not listing.feeds:
        raise EmptyOpml("The file names no feed, so nothing was replaced.")
    done = Imported(mode, errors=list(listing.errors))
    with transaction.atomic():
        categories = _ensure_categories(user, listing, done)
        known = {source.feed.url: source for source in Source.objects.filter(user=user).select_related("feed")}
        new = [listed for listed in listing.feeds if listed.url not in known]
        done.sources_skipped = len(listing.feeds) - len(new)
        if mode == REPLACE:
            _follow_file(listing, known, categories)
            _remove_others(user, listing, known, done)
        done.sources_created = len(_add_all(user, new, categories, now))
    return done


def sources_beside(user: Any, listing: Listing) -> list[Source]:
    """Those of the user's sources that a file does not name: what "replace" would remove, by name."""
    named = {listed.url for listed in listing.feeds}
    sources = Source.objects.filter(user=user).select_related("feed", "category").order_by("name", "pk")
    return [source for source in sources if source.feed.url not in named]


def export_sources(user: Any, now: datetime) -> Exported:
    rows = (
        Source.objects.filter(user=user).select_related("feed", "category").order_by("category__description", "name")
    )
    groups: dict[str, list[Source]] = {}
    for source in rows:
        groups.setdefault(source.category.description, []).append(source)
    folders = (
        opml.OpmlFolder(
            name, tuple(opml.OpmlFeed(row.name, row.feed.url, row.url or row.feed.site_url) for row in group)
        )
        for name, group in groups.items()
    )
    content = opml.write_opml(folders, (), created_at=now)
    filename = f"infraread-feeds-{now:%Y-%m-%d}.opml"
    return Exported(content, filename, sum(map(len, groups.values())), len(groups))


def _ensure_categories(user: Any, listing: Listing, done: Imported) -> dict[str, Category]:
    categories: dict[str, Category] = {}
    for name in listing.by_category():
        categories[name], is_new = find_or_create_category(user, name or UNCATEGORIZED)
        done.categories_created += is_new
    return categories


def _follow_file(listing: Listing, known: dict[str, Source], categories: dict[str, Category]) -> None:
    changed = []
    for listed in listing.feeds:
        source = known.get(listed.url)
        if source is not None:
            source.name, source.category = listed.name or source.name, categories[listed.category]
            changed.append(source)
    Source.objects.bulk_update(changed, ["name", "category"], batch_size=_BATCH)


def _remove_others(user: Any, listing: Listing, known: dict[str, Source], done: Imported) -> None:
    named = {listed.url for listed in listing.feeds}
    gone = [source for url, source in known.items() if url not in named]
    delete_sources(gone)
    done.sources_removed = len(gone)
    kept = {listed.category.lower() or UNCATEGORIZED.lower() for listed in listing.feeds}
    for category in Category.objects.filter(user=user, sources__isnull=True):
        if category.description.lower() not in kept:
            category.delete()


def _add_all(user: Any, new: Sequence[Listed], categories: dict[str, Category], now: datetime) -> list[Source]:
    """Feeds that are not known yet are due at once; nothing is fetched here."""
    rows = [Feed(url=listed.url, host=host_of(listed.url), next_due_at=now) for listed in new]
    Feed.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
    feeds = _feeds_by_url([listed.url for listed in new])
    sources = Source.objects.bulk_create(
        [
            Source(
                user=user,
                feed=feeds[listed.url],
                category=categories[listed.category],
                name=listed.name or feeds[listed.url].title[:MAX_NAME_CHARS] or listed.url[:MAX_NAME_CHARS],
                description=listed.description,
                url=listed.site_url,
            )
            for listed in new
        ],
        batch_size=_BATCH,
    )
    shared = set(Entry.objects.filter(feed__in=feeds.values()).values_list("feed_id", flat=True).distinct())
    for source in sources:
        if source.feed_id in shared:
            catch_up(source, now)
    return sources


def _feeds_by_url(urls: Sequence[str]) -> dict[str, Feed]:
    found: dict[str, Feed] = {}
    for start in range(0, len(urls), _BATCH):
        rows = Feed.objects.filter(url__in=urls[start : start + _BATCH]).only("url", "title")
        found.update((feed.url, feed) for feed in rows)
    return found


def read_listing(body: bytes) -> Listing:
    """The feeds in an OPML file, each address once; OpmlError if it is none."""
    data = opml.read_opml(body)
    feeds: dict[str, Listed] = {}
    errors = list(data.skipped)
    for category, rows in (*((folder.name, folder.feeds) for folder in data.folders), ("", data.loose)):
        for row in rows:
            address = address_or_empty(row.url)
            if not address:
                errors.append(f"Skipping source '{row.name}': its address cannot be used")
                continue
            listed = Listed(row.name, address, address_or_empty(row.site_url), row.description, category)
            feeds.setdefault(address, listed)
    return Listing(tuple(feeds.values()), tuple(errors[:MAX_ERRORS]))
