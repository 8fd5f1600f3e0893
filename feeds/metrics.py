"""How a user's sources are: counts, health, what came lately. Everything is counted in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, Max, Min, Q, QuerySet, Sum

from feeds import schedule
from feeds.models import Category, Feed, Post, Source
from jobs.models import Beat

MAX_PROBLEMS = 10
MAX_RECENT = 20
CRAWL_BEAT = "crawl of feeds"

Health = Feed.Health


@dataclass(frozen=True, slots=True)
class SourceNumbers:
    posts: int
    unread: int
    latest_post_at: datetime | None


def describe_health(feed: Feed) -> str:
    return schedule.status_description(feed.health, feed.failures)


def next_attempt_at(feed: Feed) -> datetime | None:
    """When the clock will try again after failures; None without any."""
    return schedule.next_attempt_at(feed.last_error_at, feed.failures)


def source_numbers(source: Source) -> SourceNumbers:
    row = Post.objects.filter(source=source).aggregate(
        posts=Count("pk"), unread=Count("pk", filter=Q(is_read=False)), latest=Max("posted_at")
    )
    return SourceNumbers(row["posts"], row["unread"], row["latest"])


def system_numbers(user: Any, now: datetime) -> dict[str, dict[str, Any]]:
    """By the contract's keys. Health is counted over all sources, also those switched off."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    sources = Source.objects.filter(user=user)
    by_health = _by_health(sources)
    posts = Post.objects.filter(user=user)
    fetched = sources.filter(feed__fetched_at__gte=now - timedelta(days=1))
    durations = fetched.aggregate(
        average=Avg("feed__duration_ms"), fastest=Min("feed__duration_ms"), slowest=Max("feed__duration_ms")
    )
    categories = Category.objects.filter(user=user)
    failing = (
        sources.filter(feed__failures__gt=0).select_related("feed").only("feed__failures", "feed__last_error_at")
    )
    waiting = [source for source in failing if (next_attempt_at(source.feed) or now) > now]
    return {
        "sources": {
            "total_sources": sources.count(),
            "active_sources": sources.filter(active=True).count(),
            "healthy_sources": by_health[Health.ACTIVE],
            "warning_sources": by_health[Health.WARNING],
            "failed_sources": by_health[Health.FAILED],
        },
        "posts": {
            "total_posts": posts.count(),
            "unread_posts": posts.filter(is_read=False).count(),
            "posts_today": posts.filter(created_at__gte=midnight).count(),
            "posts_this_week": posts.filter(created_at__gte=now - timedelta(days=7)).count(),
            "posts_this_month": posts.filter(created_at__gte=_month_before(now)).count(),
        },
        "categories": {
            "total_categories": categories.count(),
            "categories_with_sources": sources.values("category").distinct().count(),
        },
        "performance": {
            "sources_updated_today": sources.filter(feed__fetched_at__gte=midnight).count(),
            "average_fetch_duration_ms": int(durations["average"] or 0),
            "fastest_source_ms": durations["fastest"] or 0,
            "slowest_source_ms": durations["slowest"] or 0,
        },
        "errors": {
            "sources_with_errors": sources.filter(feed__failures__gt=0).count(),
            "total_consecutive_failures": sources.aggregate(sum=Sum("feed__failures"))["sum"] or 0,
            "sources_in_backoff": len(waiting),
        },
    }


def health_numbers(user: Any) -> dict[str, int]:
    sources = Source.objects.filter(user=user)
    total, active = sources.count(), sources.filter(active=True).count()
    by_health = _by_health(sources)
    return {
        "total": total,
        "active": active,
        "inactive": total - active,
        "healthy": by_health[Health.ACTIVE],
        "warning": by_health[Health.WARNING],
        "failed": by_health[Health.FAILED],
    }


def problematic_sources(user: Any) -> QuerySet[Source]:
    """Those that are switched on and do not work, the worst first."""
    sources = Source.objects.filter(user=user, active=True).exclude(feed__health=Health.ACTIVE)
    return sources.select_related("feed").order_by("-feed__failures", "name")[:MAX_PROBLEMS]


def recently_fetched(user: Any, now: datetime) -> QuerySet[Source]:
    sources = Source.objects.filter(user=user, feed__fetched_at__gte=now - timedelta(days=1))
    return sources.select_related("feed").order_by("-feed__fetched_at", "name")[:MAX_RECENT]


def recent_posts_count(user: Any, now: datetime) -> int:
    return Post.objects.filter(user=user, created_at__gte=now - timedelta(days=1)).count()


def last_crawl_at() -> datetime | None:
    """When the clock last went through the feeds with at least one success, or found nothing to do."""
    return Beat.objects.filter(name=CRAWL_BEAT).values_list("at", flat=True).first()


def _by_health(sources: QuerySet[Source]) -> dict[str, int]:
    counted = sources.order_by().values_list("feed__health").annotate(count=Count("pk"))
    return {**dict.fromkeys(Health.values, 0), **dict(counted)}


def _month_before(now: datetime) -> datetime:
    """The same day of the month before, or that month's last day."""
    last_of_month_before = now.replace(day=1) - timedelta(days=1)
    return last_of_month_before.replace(day=min(now.day, last_of_month_before.day))
