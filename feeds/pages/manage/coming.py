"""Posts of new sources on their way: what is waited for, what came, what failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from common.times import now_utc, parse_moment
from feeds.models import Post, Source
from feeds.pages.manage.ground import MAX_ID_DIGITS, page, show, user_of
from feeds.pages.manage.states import as_rows, with_feeds

MAX_SHOWN = 60
_HOUR = timedelta(hours=1)
# Feeds of an import wait for their host's turn; longer than this means that no worker is there.
_PATIENCE = timedelta(minutes=15)


def page_of(*, source: Source | None = None, since: datetime | None = None) -> str:
    """Where the posts of that source come, or those of all that were made from that moment on."""
    query = {"source": source.pk} if source is not None else {"since": _exact(since or now_utc())}
    return f"{reverse('reader-coming')}?{urlencode(query)}"


@page("GET")
def coming(request: HttpRequest) -> HttpResponse:
    """One source (``source``), or all that came since a moment (``since``), else within the last hour."""
    now = now_utc()
    number = request.GET.get("source", "")
    is_one = number.isascii() and number.isdigit() and len(number) <= MAX_ID_DIGITS
    since = max(parse_moment(request.GET.get("since", "")) or now - _HOUR, now - timedelta(days=1))
    sources = Source.objects.filter(user=user_of(request))
    sources = sources.filter(pk=int(number)) if is_one else sources.filter(created_at__gte=since)
    counted = _count(sources, now)
    shown = with_feeds(sources).order_by(_first_trouble(), "name", "pk")[:MAX_SHOWN]
    context = {
        "room": "sources",
        **counted,
        "rows": as_rows(list(shown), now),
        "more": max(0, counted["total"] - MAX_SHOWN),
        "query": urlencode({"source": number} if is_one else {"since": _exact(since)}),
    }
    return show(request, "coming", context)


def _exact(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def _count(sources: QuerySet[Source], now: datetime) -> dict[str, Any]:
    """How many are there, asked, failed, and whether asking again soon makes sense."""
    total = sources.count()
    waiting = sources.filter(active=True, feed__attempted_at__isnull=True)
    count = waiting.count()
    failed = sources.filter(feed__failures__gt=0).count()
    posts = Post.objects.filter(source__in=sources.values("pk")).aggregate(count=Count("pk"))["count"]
    is_young = waiting.filter(created_at__gte=now - _PATIENCE).exists()
    return {
        "total": total,
        "done": total - count,
        "waiting": count,
        "failed": failed,
        "posts": posts,
        "is_watched": is_young,
        "is_stuck": count > 0 and not is_young,
    }


def _first_trouble() -> Case:
    """Failed ones, then those that came, then those that wait."""
    return Case(
        When(feed__failures__gt=0, then=Value(0)),
        When(feed__attempted_at__isnull=False, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
