"""Numbers for Prometheus at ``/metrics``, read from the database when asked, so right for all processes together."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Max, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from events.models import Event
from jobs.models import Job
from mastoscore_site.client_address import client_address
from mastoscore_site.health import oldest_queued_age, worker_age
from mastoscore_site.models import ApiToken
from pipeline.models import Artifact, Crawl, Toot, Visit

RECENT = timedelta(hours=24)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """404 unless a token or addresses are set; 403 for who has neither."""
    if not (settings.METRICS_TOKEN or settings.METRICS_ALLOWED):
        raise Http404
    if not _may_read(request):
        return HttpResponseForbidden("Not for you.\n", content_type="text/plain; charset=utf-8")
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(DatabaseNumbers())
    return HttpResponse(encode(registry), content_type=content_type)


def _may_read(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").encode("utf-8", "replace")
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    if settings.METRICS_TOKEN and hmac.compare_digest(given, expected):
        return True
    address = client_address(request)
    return address is not None and any(
        address in ipaddress.ip_network(network, strict=False) for network in settings.METRICS_ALLOWED
    )


class DatabaseNumbers(Collector):
    """All gauges, counters too: rows are deleted in time, and a counter may not go down."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield from _jobs()
        yield from _queue()
        yield from _crawls()
        yield from _results()
        yield _gauge("events", "Events.", Event.objects.count())
        yield _gauge("api_tokens", "API tokens that work.", _valid_tokens())


def _jobs() -> Iterator[Metric]:
    jobs = GaugeMetricFamily("mastoscore_jobs", "Jobs by kind and status.", labels=["kind", "status"])
    for row in Job.objects.order_by().values("kind", "status").annotate(count=Count("id")):
        jobs.add_metric([row["kind"], row["status"]], row["count"])
    yield jobs

    took = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    recent = Job.objects.filter(finished_at__gte=timezone.now() - RECENT, started_at__isnull=False).order_by()
    mean = GaugeMetricFamily(
        "mastoscore_job_seconds_mean",
        "Mean duration of jobs that ended in the last 24 hours.",
        labels=["kind", "status"],
    )
    longest = GaugeMetricFamily(
        "mastoscore_job_seconds_max",
        "Longest of the jobs that ended in the last 24 hours.",
        labels=["kind", "status"],
    )
    ended = GaugeMetricFamily(
        "mastoscore_jobs_ended", "Jobs that ended in the last 24 hours.", labels=["kind", "status"]
    )
    for row in recent.values("kind", "status").annotate(mean=Avg(took), longest=Max(took), count=Count("id")):
        labels = [row["kind"], row["status"]]
        mean.add_metric(labels, row["mean"].total_seconds())
        longest.add_metric(labels, row["longest"].total_seconds())
        ended.add_metric(labels, row["count"])
    yield from (mean, longest, ended)


def _queue() -> Iterator[Metric]:
    waiting = Job.objects.filter(status=Job.Status.QUEUED).count()
    yield _gauge("queue_length", "Jobs that wait for a worker.", waiting)
    yield _gauge("queue_oldest_seconds", "How long the oldest of them has been waiting.", oldest_queued_age())
    age = worker_age()
    if age is not None:
        yield _gauge("worker_silent_seconds", "Since a worker last did a task.", age)


def _crawls() -> Iterator[Metric]:
    yield _by("crawls", "Crawls by state.", "state", Crawl.objects.all())
    visits = GaugeMetricFamily(
        "mastoscore_visits", "Servers asked in crawls, by outcome; empty while at work.", labels=["host", "outcome"]
    )
    requests = GaugeMetricFamily("mastoscore_requests", "Requests made to servers.", labels=["host", "outcome"])
    received = GaugeMetricFamily(
        "mastoscore_received_bytes", "Bytes received from servers.", labels=["host", "outcome"]
    )
    waited = GaugeMetricFamily(
        "mastoscore_waited_seconds", "Time spent waiting for servers.", labels=["host", "outcome"]
    )
    sums = {"asked": Sum("requests"), "bytes": Sum("received_bytes"), "waited": Sum("seconds"), "count": Count("id")}
    rows: Any = Visit.objects.order_by().values("is_home", "outcome").annotate(**sums)
    for row in rows:
        labels = ["home" if row["is_home"] else "other", row["outcome"]]
        visits.add_metric(labels, row["count"])
        requests.add_metric(labels, row["asked"])
        received.add_metric(labels, row["bytes"])
        waited.add_metric(labels, row["waited"])
    yield from (visits, requests, received, waited)


def _results() -> Iterator[Metric]:
    yield _gauge("toots", "Toots of all events.", Toot.objects.count())
    yield _by("artifacts", "Files written for events, by kind.", "kind", Artifact.objects.all())
    size = Artifact.objects.aggregate(size=Sum("size"))["size"]
    yield _gauge("artifact_bytes", "Size of these files.", size or 0)


def _by(name: str, text: str, field: str, rows: Any) -> Metric:
    family = GaugeMetricFamily(f"mastoscore_{name}", text, labels=[field])
    for row in rows.order_by().values(field).annotate(count=Count("id")):
        family.add_metric([row[field]], row["count"])
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"mastoscore_{name}", text, value=value)


def _valid_tokens() -> int:
    unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return ApiToken.objects.filter(unexpired, revoked_at__isnull=True).count()
