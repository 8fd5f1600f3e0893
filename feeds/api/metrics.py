"""``/api/v1/metrics/…`` of the reader: per user."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import reads
from common.api.views import ApiView
from common.times import format_z, now_utc
from feeds import crawl_status, metrics
from feeds.api import schemas
from feeds.api.ground import find_own, said
from feeds.api.shapes import moment_or_none
from feeds.models import Feed, Source

_CACHE_SECONDS = 300


class MetricsView(ApiView):
    access = {"get": reads()}
    rate_scope = "metrics"


class SourceMetrics(MetricsView):
    """How one source is."""

    @extend_schema(
        operation_id="reader_metrics_source",
        tags=["reader"],
        summary="How a source is",
        responses={200: schemas.SOURCE_METRICS},
    )
    def get(self, request: Request, source_id: str) -> Response:
        source = find_own(Source.objects.select_related("feed"), request.user, source_id)
        feed, numbers, now = source.feed, metrics.source_numbers(source), now_utc()
        next_attempt = metrics.next_attempt_at(feed)
        data = {
            "source_id": source.pk,
            "source_name": source.name,
            "source_url": feed.url,
            "metrics": {
                "last_fetched_at": moment_or_none(feed.fetched_at),
                "last_fetch_duration_ms": feed.duration_ms,
                **_health(feed),
                "next_attempt_at": moment_or_none(next_attempt),
                "should_skip_backoff": next_attempt is not None and next_attempt > now,
                "posts_count": numbers.posts,
                "unread_posts_count": numbers.unread,
                "latest_post_date": moment_or_none(numbers.latest_post_at),
                "is_healthy": feed.health == Feed.Health.ACTIVE,
                "is_failed": feed.health == Feed.Health.FAILED,
            },
        }
        return said("Source metrics retrieved successfully", data)


class SystemMetrics(MetricsView):
    """Counts over all your sources and posts; at most five minutes old."""

    @extend_schema(
        operation_id="reader_metrics_system",
        tags=["reader"],
        summary="Counts over everything",
        responses={200: schemas.SYSTEM_METRICS},
    )
    def get(self, request: Request) -> Response:
        data = cache.get_or_set(
            f"feeds:system-metrics:{request.user.pk}", lambda: _system(request.user), _CACHE_SECONDS
        )
        return said("System processing statistics retrieved successfully", data)


class SourcesHealth(MetricsView):
    """Which sources do not work, the worst first."""

    @extend_schema(
        operation_id="reader_metrics_health",
        tags=["reader"],
        summary="Health of the sources",
        responses={200: schemas.SOURCES_HEALTH},
    )
    def get(self, request: Request) -> Response:
        problems = [
            {"id": source.pk, "name": source.name, **_health(source.feed)}
            for source in metrics.problematic_sources(request.user)
        ]
        data = {
            "summary": metrics.health_numbers(request.user),
            "problematic_sources": problems,
            "generated_at": format_z(now_utc()),
        }
        return said("Sources health summary retrieved successfully", data)


class RecentActivity(MetricsView):
    """The last 24 hours."""

    @extend_schema(
        operation_id="reader_metrics_recent",
        tags=["reader"],
        summary="The last 24 hours",
        responses={200: schemas.RECENT_ACTIVITY},
    )
    def get(self, request: Request) -> Response:
        now = now_utc()
        fetched = [
            {
                "source_id": source.pk,
                "source_name": source.name,
                "last_fetched_at": moment_or_none(source.feed.fetched_at),
                "duration_ms": source.feed.duration_ms,
                "status": source.feed.health,
                "consecutive_failures": source.feed.failures,
            }
            for source in metrics.recently_fetched(request.user, now)
        ]
        data = {
            "recent_posts_count": metrics.recent_posts_count(request.user, now),
            "recently_updated_sources": fetched,
            "time_range": "Last 24 hours",
            "generated_at": format_z(now),
        }
        return said("Recent processing activity retrieved successfully", data)


class CrawlStatus(MetricsView):
    """When the clock last went through the feeds."""

    @extend_schema(
        operation_id="reader_metrics_crawl",
        tags=["reader"],
        summary="When feeds were last asked",
        responses={200: schemas.CRAWL_STATUS},
    )
    def get(self, request: Request) -> Response:
        return said("Crawl status retrieved successfully", crawl_status.describe(metrics.last_crawl_at(), now_utc()))


def _system(user: Any) -> dict[str, Any]:
    now = now_utc()
    return {**metrics.system_numbers(user, now), "generated_at": format_z(now), "cache_duration": "5 minutes"}


def _health(feed: Feed) -> dict[str, Any]:
    return {
        "status": feed.health,
        "status_description": metrics.describe_health(feed),
        "consecutive_failures": feed.failures,
        "last_error_at": moment_or_none(feed.last_error_at),
        "last_error_message": feed.last_error or None,
    }
