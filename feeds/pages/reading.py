"""The list of posts, and one post in it. Scripts ask for a ``part`` of the page; everybody else gets the whole."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from common.times import format_z, now_utc, parse_moment
from feeds import crawl_status, metrics
from feeds.models import Post, ReaderOptions
from feeds.pages.choice import SHOWN, Choice, Place
from feeds.pages.ground import find_post, reader_key, reading_view, refuse_strangers
from feeds.pages.listing import LinesOf, read_page
from feeds.pages.one_post import read_post
from feeds.pages.shelf import Shelf, read_lines, read_shelf

_PARTS = {"rows": "reader/_rows.html", "list": "reader/_list.html", "post": "reader/_post.html"}
OLDER_THAN_DAYS = ((1, "a day"), (3, "three days"), (7, "a week"), (30, "a month"))


@reading_view
@require_safe
def post_list(request: HttpRequest) -> HttpResponse:
    part = request.GET.get("part", "")
    if part == "rows":
        return render(request, _PARTS[part], _rows_context(request))
    context = _list_context(request)
    if not context["shelf"].by_pk:
        return redirect("reader-welcome")
    if part == "list":
        return render(request, _PARTS[part], context)
    return render(request, "reader/posts.html", context)


@reading_view
@require_safe
def one_post(request: HttpRequest, post_id: int) -> HttpResponse:
    post = find_post(request.user, post_id)
    if request.GET.get("part") == "post":
        chosen = Choice.parse(request.GET.dict())
        return render(request, _PARTS["post"], {"shown": read_post(post, chosen, now_utc())})
    return show_post(request, post)


def show_post(request: HttpRequest, post: Post, *, summary: str = "", content: str = "") -> HttpResponse:
    """The whole page with that post open; ``content`` instead of its own."""
    shown = read_post(post, Choice.parse(request.GET.dict()), now_utc(), content=content)
    return render(request, "reader/posts.html", {**_list_context(request), "shown": shown, "summary": summary})


def _list_context(request: HttpRequest) -> dict[str, Any]:
    user: Any = request.user
    chosen, now = Choice.parse(request.GET.dict()), now_utc()
    shelf = read_shelf(user, chosen)
    title = _title(chosen, shelf)
    options = _options(user)
    return {
        **_page_context(request, chosen, options, lambda ids: shelf.by_pk, now),
        "section": "reading",
        "chosen": chosen,
        "shelf": shelf,
        "options": options,
        "title": title,
        "seen": format_z(now),
        "undo_moment": parse_moment(request.GET.get("undo", "")),
        "here": chosen.list_href(),
        "all_href": chosen.showing("all").list_href(),
        "shows": [(chosen.showing(show).list_href(), show) for show in SHOWN],
        "manage_href": reverse("reader-manage"),
        "older_than_days": OLDER_THAN_DAYS,
        "reader_key": reader_key(user),
        "is_behind": "after" in request.GET,
        "alert": _alert(now),
    }


def _rows_context(request: HttpRequest) -> dict[str, Any]:
    """For the next part of a list: nothing of what stands around it."""
    user: Any = request.user
    chosen = Choice.parse(request.GET.dict())
    refuse_strangers(user, chosen)
    return _page_context(request, chosen, _options(user), partial(read_lines, user), now_utc())


def _page_context(
    request: HttpRequest, chosen: Choice, options: ReaderOptions, lines_of: LinesOf, now: datetime
) -> dict[str, Any]:
    after = Place.parse(request.GET.get("after", ""))
    page = read_page(request.user, chosen, lines_of, now, after=after, newest_first=options.newest_first)
    return {"page": page, "unread_action": reverse("reader-mark") + "?read=0"}


def _options(user: Any) -> ReaderOptions:
    return ReaderOptions.objects.filter(user=user).first() or ReaderOptions(user=user)


def _title(chosen: Choice, shelf: Shelf) -> str:
    """Whose posts are listed; 404 for a source or category that is not the user's."""
    if chosen.source_id is not None:
        source = shelf.by_pk.get(chosen.source_id)
        if source is None:
            raise Http404
        return source.name
    if chosen.category_id is not None:
        drawer = next((drawer for drawer in shelf.drawers if drawer.pk == chosen.category_id), None)
        if drawer is None:
            raise Http404
        return drawer.name
    return ""


def _alert(now: datetime) -> dict[str, Any] | None:
    """What is wrong with the crawl, in the words of the API; None when nothing is."""
    status = crawl_status.describe(metrics.last_crawl_at(), now)
    return None if status["status"] == "ok" else status
