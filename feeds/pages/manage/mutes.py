"""Phrases that nobody here wants to read about."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse

from common.times import now_utc
from feeds.models import Mute
from feeds.mutes import InvalidMute, add_mute
from feeds.pages.manage.forms import MuteForm
from feeds.pages.manage.ground import find_own, go, page, show, user_of

PER_PAGE = 100


@page("GET", "POST")
def mute_list(request: HttpRequest) -> HttpResponse:
    """POST adds one."""
    form = MuteForm(user_of(request), request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        values = form.cleaned_data
        try:
            mute, count = add_mute(
                user_of(request),
                values["phrase"],
                source=values["source"],
                in_text=values["where"] == "text",
                now=now_utc(),
            )
        except InvalidMute as error:
            form.add_error("phrase", error.user_message)
        else:
            messages.success(request, f"“{mute.phrase}” is muted. {_marked(count)}")
            return go(request, "reader-mutes")
    rows = Mute.objects.filter(user=user_of(request)).select_related("source").order_by("phrase", "pk")
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return show(
        request, "mutes", {"room": "mutes", "form": form, "page": shown}, status=422 if form.is_bound else 200
    )


@page("POST")
def mute_delete(request: HttpRequest, pk: int) -> HttpResponse:
    mute = find_own(Mute.objects.all(), user_of(request), pk)
    mute.delete()
    messages.success(request, f"“{mute.phrase}” is not muted any more. What it marked as read stays read.")
    return go(request, "reader-mutes")


def _marked(count: int) -> str:
    if count == 0:
        return "No post that is there holds it; new ones will arrive marked as read."
    posts = "1 post that held it was" if count == 1 else f"{count:,} posts that held it were"
    return f"{posts} marked as read, and so will be new ones."
