"""The reader's rows for the API's root: list routes with their viewsets, and plain views with theirs."""

from __future__ import annotations

from typing import Any

from rest_framework.viewsets import ViewSetMixin

from feeds.api import jobs, metrics, opml, outside
from feeds.api.categories import CategoryViewSet
from feeds.api.posts import PostViewSet
from feeds.api.saving import SavingServiceViewSet
from feeds.api.sources import SourceViewSet

VIEWSETS: list[tuple[str, type[ViewSetMixin], str]] = [
    ("posts", PostViewSet, "reader-post"),
    ("sources", SourceViewSet, "reader-source"),
    ("categories", CategoryViewSet, "reader-category"),
    ("saving-services", SavingServiceViewSet, "reader-saving-service"),
]
VIEWS: list[tuple[str, Any, str]] = [
    ("export-opml", opml.ExportOpml.as_view(), "reader-export-opml"),
    ("preview-opml", opml.PreviewOpml.as_view(), "reader-preview-opml"),
    ("import-opml", opml.ImportOpml.as_view(), "reader-import-opml"),
    ("jobs/sources/<str:source_id>/refresh", jobs.RefreshJob.as_view(), "reader-refresh-job"),
    ("jobs/posts/<str:post_id>/summary", jobs.SummaryJob.as_view(), "reader-summary-job"),
    ("jobs/summary-status/<str:key>", jobs.SummaryStatus.as_view(), "reader-summary-status"),
    ("jobs/queue-status", jobs.QueueStatus.as_view(), "reader-queue-status"),
    # As InfraRead's own client spells them.
    ("jobs/summary/<str:key>/status", jobs.SummaryStatus.as_view(schema=None), "reader-summary-status-alias"),
    ("jobs/queue/status", jobs.QueueStatus.as_view(schema=None), "reader-queue-status-alias"),
    ("metrics/sources/<str:source_id>", metrics.SourceMetrics.as_view(), "reader-source-metrics"),
    ("metrics/system", metrics.SystemMetrics.as_view(), "reader-system-metrics"),
    ("metrics/sources-health", metrics.SourcesHealth.as_view(), "reader-sources-health"),
    ("metrics/recent-activity", metrics.RecentActivity.as_view(), "reader-recent-activity"),
    ("metrics/crawl-status", metrics.CrawlStatus.as_view(), "reader-crawl-status"),
]
# Below ``/api`` itself; error messages as in version 1 (``mastoscore_site.api_errors.shape_of``).
OUTSIDE: list[tuple[str, Any, str]] = [
    ("user", outside.User.as_view(), "reader-user"),
    ("test", outside.Test.as_view(), "reader-test"),
    ("urlanalyze", outside.AnalyseUrl.as_view(), "reader-urlanalyze"),
    ("v2_readlaterservice", outside.ReadLaterService.as_view(), "reader-readlaterservice"),
]
