"""Is the process there (``/healthz``), and can the site do its work (``/readyz``)? For supervisors and balancers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.models import Beat, Job
from jobs.recovery import WORKER_BEAT


@dataclass(frozen=True, slots=True)
class Finding:
    """``facts`` are numbers and words that may be public: no path, no address, no text of an error."""

    is_well: bool
    facts: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.is_well, **self.facts}


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The web server answers. Nothing else is looked at, so that a slow database does not get it restarted."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    findings = {name: look() for name, look in CHECKS.items()}
    is_ready = all(finding.is_well for finding in findings.values())
    body = {
        "status": "ready" if is_ready else "not ready",
        "checks": {name: finding.as_json() for name, finding in findings.items()},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


def check_database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return Finding(cursor.fetchone() is not None, {})
    except DatabaseError:
        return Finding(False, {})


def check_worker() -> Finding:
    """A worker has shown within ``WORKER_SILENT_SECONDS`` that it does tasks."""
    try:
        age = worker_age()
    except DatabaseError:
        return Finding(False, {"age_seconds": None})
    return Finding(age is not None and age <= settings.WORKER_SILENT_SECONDS, {"age_seconds": age})


def check_queue() -> Finding:
    """No job has been waiting for longer than ``READY_MAX_QUEUE_SECONDS``."""
    try:
        age = oldest_queued_age()
    except DatabaseError:
        return Finding(False, {"oldest_seconds": None})
    return Finding(age <= settings.READY_MAX_QUEUE_SECONDS, {"oldest_seconds": age})


def check_disk() -> Finding:
    """There is room for files and database."""
    try:
        free = shutil.disk_usage(settings.DATA_DIR).free // 1_000_000
    except OSError:
        return Finding(False, {"free_mb": None})
    return Finding(free >= settings.READY_MIN_DISK_MB, {"free_mb": free})


CHECKS: dict[str, Callable[[], Finding]] = {
    "database": check_database,
    "worker": check_worker,
    "queue": check_queue,
    "disk": check_disk,
}


def worker_age() -> float | None:
    """Seconds since a worker last did a task; None if none ever did."""
    seen_at = Beat.objects.filter(name=WORKER_BEAT).values_list("at", flat=True).first()
    return None if seen_at is None else _seconds_since(seen_at)


def oldest_queued_age() -> float:
    """Seconds that the oldest waiting job has been waiting; 0 when none waits."""
    oldest = Job.objects.filter(status=Job.Status.QUEUED).aggregate(at=Min("created_at"))["at"]
    return 0.0 if oldest is None else _seconds_since(oldest)


def _seconds_since(moment: datetime) -> float:
    return round(max(0.0, (timezone.now() - moment).total_seconds()), 1)
