"""The first page of the backstage: what is coming, what is at work, what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone

from events.models import Event
from jobs.models import Job
from pipeline.models import Toot
from pipeline.phase_states import LABELS
from pipeline.progress_words import Seen, read_progress

ROWS = 5


@dataclass(frozen=True, slots=True)
class JobRow:
    job: Job
    label: str
    seen: Seen


def add_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK. Shows only what the user may view."""
    may_events = request.user.has_perm("events.view_event")
    may_jobs = request.user.has_perm("jobs.view_job")
    return {
        **context,
        "title": "Start",
        "events_shown": _event_cards() if may_events else None,
        "jobs_shown": _job_cards() if may_jobs else None,
        "totals": _totals() if may_events else None,
    }


def _event_cards() -> dict[str, list[Event]]:
    now = timezone.now()
    return {
        "upcoming": list(Event.objects.filter(start__gte=now).order_by("start")[:ROWS]),
        "last": list(Event.objects.filter(start__lt=now).select_related("analysis").order_by("-start")[:ROWS]),
    }


def _job_cards() -> dict[str, list[JobRow]]:
    jobs = Job.objects.select_related("event").defer("result")
    return {
        "active": [_row(job) for job in jobs.filter(status__in=Job.ACTIVE).order_by("id")[:ROWS]],
        "errors": [_row(job) for job in jobs.filter(status=Job.Status.ERROR).order_by("-id")[:ROWS]],
    }


def _totals() -> dict[str, int]:
    counts = Event.objects.aggregate(events=Count("id"), published=Count("id", filter=Q(is_published=True)))
    return {**counts, "toots": Toot.objects.count()}


def _row(job: Job) -> JobRow:
    return JobRow(job, LABELS.get(job.kind, job.kind), read_progress(job.kind, job.progress))
