"""Marking posts: asked for by the page's script, or by a plain form, which leads back with a way to undo."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from common.times import now_utc, parse_moment
from feeds import marking
from feeds.pages.choice import Choice, read_number
from feeds.pages.ground import no_content, reading_view, refuse_strangers, safe_next, wants_part
from feeds.posts import MAX_MARKED_AT_ONCE

MAX_DAYS = 3650


@reading_view
@require_POST
def mark(request: HttpRequest) -> HttpResponse:
    """``ids`` (several, or parted by commas) and ``read`` (1 or 0)."""
    values = {**request.POST.dict(), **request.GET.dict()}
    ids = [read_number(text) for text in ",".join(request.POST.getlist("ids")).split(",")]
    if None in ids or len(ids) > MAX_MARKED_AT_ONCE or values.get("read") not in ("0", "1"):
        return HttpResponseBadRequest("These are no posts to mark.")
    is_read, now = values["read"] == "1", now_utc()
    if not marking.mark_some(request.user, [pk for pk in ids if pk is not None], is_read, now):
        raise Http404
    if wants_part(request):
        return no_content()
    return _back(request, now if is_read else None)


@reading_view
@require_POST
def mark_all(request: HttpRequest) -> HttpResponse:
    """What a list shows, or of that what is older than ``days``; nothing that came after ``seen`` (ISO 8601)."""
    chosen = Choice.parse(request.POST.dict())
    refuse_strangers(request.user, chosen)
    now = now_utc()
    days = read_number(request.POST.get("days", ""))
    posts = replace(chosen.as_filter(), is_read=None)
    if days:
        posts = replace(posts, before=now - timedelta(days=min(days, MAX_DAYS)))
    marked = marking.mark_seen(request.user, posts, parse_moment(request.POST.get("seen", "")), now)
    if wants_part(request):
        return JsonResponse({"count": marked.count, "moment": marked.moment.isoformat()})
    number = f"{marked.count} post{'' if marked.count == 1 else 's'}"
    messages.success(request, f"Marked {number} as read." if marked.count else "There was nothing to mark.")
    return _back(request, marked.moment if marked.count else None)


@reading_view
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take back what was marked at ``moment``."""
    moment = parse_moment(request.POST.get("moment", ""))
    if moment is None:
        return HttpResponseBadRequest("This says nothing that could be undone.")
    count = marking.take_back(request.user, moment)
    if wants_part(request):
        return JsonResponse({"count": count})
    return redirect(safe_next(request))


def _back(request: HttpRequest, moment: datetime | None) -> HttpResponse:
    """To where the form stood, with what can be undone now."""
    target = safe_next(request)
    if moment is not None:
        mark = "&" if urlsplit(target).query else "?"
        target += mark + urlencode({"undo": moment.isoformat()})
    return redirect(target)
