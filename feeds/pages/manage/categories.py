"""Categories: the drawers in which sources lie."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, F, QuerySet
from django.http import HttpRequest, HttpResponse

from feeds import categories
from feeds.errors import CategoryInUse, DuplicateCategory
from feeds.models import Category, Post, Source
from feeds.pages.manage.forms import CategoryForm
from feeds.pages.manage.ground import find_own, go, page, plural, show, user_of

_DUPLICATE = "You have a category of this name already."


@page("GET", "POST")
def category_list(request: HttpRequest) -> HttpResponse:
    """POST makes one."""
    form = CategoryForm(request.POST if request.method == "POST" else None, auto_id="new-%s")
    if form.is_bound and form.is_valid():
        try:
            made = categories.create_category(user_of(request), form.cleaned_data["description"])
        except DuplicateCategory:
            form.add_error("description", _DUPLICATE)
        else:
            messages.success(request, f"The category “{made.description}” is there.")
            return go(request, "reader-categories")
    context = {"room": "categories", "form": form, "categories": _counted(user_of(request))}
    return show(request, "categories", context, status=422 if form.is_bound else 200)


@page("GET", "POST")
def category_rename(request: HttpRequest, pk: int) -> HttpResponse:
    category = find_own(Category.objects.all(), user_of(request), pk)
    former = category.description
    form = CategoryForm(request.POST if request.method == "POST" else None, initial={"description": former})
    if form.is_bound and form.is_valid():
        try:
            categories.rename_category(category, form.cleaned_data["description"])
        except DuplicateCategory:
            form.add_error("description", _DUPLICATE)
        else:
            messages.success(request, f"“{former}” is called “{category.description}” now.")
            return go(request, "reader-categories")
    context = {"room": "categories", "form": form, "category": category, "former": former}
    return show(request, "category_rename", context, status=422 if form.is_bound else 200)


@page("GET", "POST")
def category_delete(request: HttpRequest, pk: int) -> HttpResponse:
    category = find_own(Category.objects.all(), user_of(request), pk)
    if request.method == "POST":
        try:
            moved = categories.delete_category(category)
        except CategoryInUse as error:
            messages.error(request, error.user_message)
        else:
            where = f" {_moved(moved)}" if moved.category is not None else ""
            messages.success(request, f"The category “{category.description}” was deleted.{where}")
        return go(request, "reader-categories")
    context = {
        "room": "categories",
        "category": category,
        "count": Source.objects.filter(category=category).count(),
        "home": categories.UNCATEGORIZED,
        "is_home": category.description.lower() == categories.UNCATEGORIZED.lower(),
    }
    return show(request, "category_delete", context)


def _moved(moved: categories.Moved) -> str:
    verb = "lies" if moved.sources == 1 else "lie"
    return f"{plural(moved.sources, 'source')} of it now {verb} in “{categories.UNCATEGORIZED}”."


def _counted(user: Any) -> list[dict[str, Any]]:
    """Every category with its sources and unread posts: three queries."""
    rows: QuerySet[Category] = Category.objects.filter(user=user).order_by("description", "pk")
    sources = Source.objects.filter(user=user).order_by()
    held = dict(sources.values_list("category").annotate(count=Count("pk")))
    posts = Post.objects.filter(user=user, is_read=False).order_by()
    unread = dict(posts.values_list("source").annotate(count=Count("pk")))
    totals: dict[int, int] = {}
    for source_id, category_id in sources.values_list("pk", F("category_id")):
        totals[category_id] = totals.get(category_id, 0) + unread.get(source_id, 0)
    return [{"category": row, "sources": held.get(row.pk, 0), "unread": totals.get(row.pk, 0)} for row in rows]
