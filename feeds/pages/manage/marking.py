"""Mark as read what piled up: everything, what is old, all but the newest; everywhere or in one place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.times import now_utc
from feeds.models import Category, Post, Source
from feeds.pages.manage.forms import ManageForm
from feeds.pages.manage.ground import go, is_fragment, page, plural, show, user_of
from feeds.posts import PostFilter, all_but_newest, select_posts

MAX_DAYS, MAX_KEPT = 3650, 5000


class MarkForm(ManageForm):
    """``where`` is "", ``c<number>`` of a category, or ``s<number>`` of a source."""

    what = forms.ChoiceField(
        label="Mark as read",
        choices=[
            ("older", "posts older than some days"),
            ("newest", "all but the newest posts"),
            ("all", "all posts"),
        ],
        widget=forms.RadioSelect,
        initial="older",
        error_messages={"required": "Say which posts."},
    )
    days = forms.IntegerField(label="Days", min_value=1, max_value=MAX_DAYS, initial=7, required=False)
    keep = forms.IntegerField(
        label="How many stay unread", min_value=0, max_value=MAX_KEPT, initial=20, required=False
    )
    where = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": "This is not there any more; choose another."}
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        categories = Category.objects.filter(user=user).order_by("description").values_list("pk", "description")
        sources = Source.objects.filter(user=user).order_by("name", "pk").values_list("pk", "name")
        field: Any = self.fields["where"]
        field.choices = [
            ("", "everywhere"),
            ("Categories", [(f"c{pk}", name) for pk, name in categories]),
            ("Sources", [(f"s{pk}", name) for pk, name in sources]),
        ]

    def clean(self) -> dict[str, Any]:
        """The number that goes with the choice has to be there."""
        values = super().clean() or {}
        needed = {"older": "days", "newest": "keep"}.get(values.get("what", ""))
        if needed and values.get(needed) is None and needed not in self.errors:
            span = f"1 to {MAX_DAYS}" if needed == "days" else f"0 to {MAX_KEPT}"
            self.add_error(needed, f"Type a number from {span}.")
        return values

    def select(self, user: Any, now: datetime) -> QuerySet[Post]:
        """The unread posts that would be marked. For forms that are valid."""
        values = self.cleaned_data
        place, number = values["where"][:1], values["where"][1:]
        source_id, category_id = (int(number) if place == kind else None for kind in ("s", "c"))
        chosen = PostFilter(source_id, category_id, is_read=None)
        if values["what"] == "newest":
            return all_but_newest(user, values["keep"], chosen).filter(is_read=False)
        before = now - timedelta(days=values["days"]) if values["what"] == "older" else None
        return select_posts(user, PostFilter(source_id, category_id, is_read=False, before=before))


@page("GET", "POST")
def mark_read(request: HttpRequest) -> HttpResponse:
    """GET with a choice, and POST with ``look``, say how many posts it is about; other POSTs mark them."""
    now = now_utc()
    if request.method == "POST":
        form = MarkForm(user_of(request), request.POST)
        if form.is_valid() and "look" in request.POST:
            return _show(request, form, form.select(user_of(request), now).count(), 200)
        if form.is_valid():
            marked = form.select(user_of(request), now).update(is_read=True, read_at=now)
            messages.success(request, f"{plural(marked, 'post')} marked as read.")
            return go(request, "reader-mark-read")
        return _show(request, form, None, 422)
    form = MarkForm(user_of(request), request.GET if "what" in request.GET else None)
    count = form.select(user_of(request), now).count() if form.is_bound and form.is_valid() else None
    if is_fragment(request):
        return render(request, "reader/manage/_mark_number.html", {"form": form, "count": count})
    return _show(request, form, count, 422 if form.errors else 200)


def _show(request: HttpRequest, form: MarkForm, count: int | None, status: int) -> HttpResponse:
    unread = Post.objects.filter(user=user_of(request), is_read=False).count()
    context = {"room": "mark-read", "form": form, "count": count, "unread": unread}
    return show(request, "mark_read", context, status=status)
