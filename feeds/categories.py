"""A user's categories: made, renamed, deleted. Sources never stand without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from common.text import clean_line
from feeds.errors import CategoryInUse, DuplicateCategory
from feeds.models import Category, Source

UNCATEGORIZED = "Uncategorized"
MAX_CHARS = 255


@dataclass(frozen=True, slots=True)
class Moved:
    """How many sources of a deleted category went to ``category``; None when there were none."""

    sources: int
    category: Category | None


def create_category(user: Any, description: str) -> Category:
    """DuplicateCategory when the user has one of that name, in any case of letters."""
    try:
        with transaction.atomic():
            return Category.objects.create(user=user, description=description)
    except IntegrityError:
        raise _duplicate() from None


def rename_category(category: Category, description: str) -> Category:
    category.description = description
    try:
        with transaction.atomic():
            category.save(update_fields=["description", "updated_at"])
    except IntegrityError:
        raise _duplicate() from None
    return category


def find_or_create_category(user: Any, name: str) -> tuple[Category, bool]:
    """The user's category of that name, in any case of letters, and whether it was made for this."""
    description = clean_line(name)[:MAX_CHARS].strip() or UNCATEGORIZED
    found = Category.objects.filter(user=user, description__iexact=description).first()
    if found is not None:
        return found, False
    try:
        return create_category(user, description), True
    except DuplicateCategory:  # somebody else made it in this moment
        return Category.objects.get(user=user, description__iexact=description), False


def delete_category(category: Category) -> Moved:
    """Its sources go to “Uncategorized”, which is made if missing. CategoryInUse for that one itself with sources."""
    with transaction.atomic():
        sources = Source.objects.filter(category=category)
        count = sources.count()
        home = None
        if count:
            if category.description.lower() == UNCATEGORIZED.lower():
                raise CategoryInUse(f"The category “{category.description}” cannot be deleted while it has sources.")
            home, _ = find_or_create_category(category.user, UNCATEGORIZED)
            sources.update(category=home)
        category.delete()
    return Moved(count, home)


def _duplicate() -> DuplicateCategory:
    return DuplicateCategory("A category with this description already exists.")
