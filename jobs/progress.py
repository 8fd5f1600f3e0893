"""Progress as people see it: a share and a line."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from jobs.models import Job


def percent_of(progress: dict[str, Any]) -> int | None:
    """0 to 100 from ``progress_percent``, or else from ``done`` and ``total``; None if neither makes sense."""
    percent, done, total = (_number(progress.get(name)) for name in ("progress_percent", "done", "total"))
    if percent is None:
        if done is None or total is None or total <= 0:
            return None
        percent = 100 * done / total
    return max(0, min(100, int(percent)))


def line_of(job: Job) -> str:
    """What stands beside the bar: the error, or the phase and the last message."""
    if job.error:
        return job.error
    if job.cancel_requested_at is not None and job.status == Job.Status.RUNNING:
        return "Asked to stop …"
    parts = (job.progress.get("phase"), job.progress.get("message"))
    return ": ".join(str(part) for part in parts if part)


def duration_of(job: Job, now: datetime | None = None) -> timedelta | None:
    """From the first start to the end, or to now; whole seconds. None if it never started."""
    if job.started_at is None:
        return None
    seconds = ((job.finished_at or now or timezone.now()) - job.started_at).total_seconds()
    return timedelta(seconds=max(0, int(seconds)))


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
