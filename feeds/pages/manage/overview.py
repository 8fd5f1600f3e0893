"""How everything is: numbers, the crawl, what needs a look."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from common.times import now_utc
from feeds import crawl_status, metrics
from feeds.models import Category, Post, Source
from feeds.pages.manage.ground import go, page, show, user_of
from feeds.pages.manage.states import CONDITIONS, as_rows


@page("GET")
def overview(request: HttpRequest) -> HttpResponse:
    """Who has no source yet is welcomed instead."""
    now = now_utc()
    health = metrics.health_numbers(user_of(request))
    if not health["total"]:
        return go(request, "reader-welcome")
    posts = Post.objects.filter(user=user_of(request))
    last = metrics.last_crawl_at()
    problems = list(metrics.problematic_sources(user_of(request)).select_related("feed", "category"))
    context = {
        "room": "overview",
        "health": health,
        "troubled": problems and _count_troubled(user_of(request)),
        "categories": Category.objects.filter(user=user_of(request)).count(),
        "posts": posts.count(),
        "unread": posts.filter(is_read=False).count(),
        "today": metrics.recent_posts_count(user_of(request), now),
        "crawl": crawl_status.describe(last, now),
        "last_crawl": last,
        "rows": as_rows(problems, now),
    }
    return show(request, "overview", context)


def _count_troubled(user: Any) -> int:
    return Source.objects.filter(Q(CONDITIONS["issues"]) | Q(CONDITIONS["failed"]), user=user).count()
