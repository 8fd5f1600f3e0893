"""What the event's admin page shows of its phases, and the buttons that start them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from events.admin_extensions import (
    register_event_action,
    register_event_panel,
    register_event_state,
    register_series_panel,
)
from events.models import Event, Series
from jobs.models import Job
from jobs.services import AlreadyActive, enqueue
from pipeline.models import Visit
from pipeline.phase_states import ICONS, LABELS, PhaseStep, last_job, list_recent_jobs, list_steps
from pipeline.progress_words import Seen, read_progress
from pipeline.public_files import PublicFile, list_public_files
from pipeline.results_page import read_left_out, total_toots
from pipeline.servers_report import ServersSummary, find_reported_crawl, list_refusals, summarise_servers

BUTTONS = ("score", "fetch", "analyse", "graph", "wordcloud", "poster", "blog", "post")
BUTTON_LABELS = {**LABELS, "score": "Score now", "blog": "Blog", "post": "Draft thread"}


@dataclass(frozen=True, slots=True)
class EventPanel:
    """``is_live``: a job is at work, so the page asks again in two seconds."""

    event: Event
    steps: list[PhaseStep]
    job: Job | None
    seen: Seen | None
    files: dict[str, PublicFile]
    toots: int
    authors: int
    left_out: int
    has_numbers: bool
    servers: ServersSummary | None
    refusals: list[Visit]
    thread_size: int
    can_change: bool

    @property
    def more_refusals(self) -> int:
        """How many of the servers that did not show everything are not listed."""
        found = self.servers.closed + self.servers.trouble if self.servers is not None else 0
        return max(0, found - len(self.refusals))

    @property
    def is_live(self) -> bool:
        return self.job is not None and self.job.is_active

    @property
    def is_stopping(self) -> bool:
        return self.job is not None and self.job.cancel_requested_at is not None

    @property
    def graph_dark(self) -> PublicFile | None:
        return self.files.get("graph-dark")

    @property
    def wordcloud_dark(self) -> PublicFile | None:
        return self.files.get("wordcloud-dark")


def build_panel(event: Event, *, can_change: bool) -> EventPanel:
    jobs = list_recent_jobs(event)
    job = last_job(jobs)
    analysis = getattr(event, "analysis", None)
    results: dict[str, Any] = analysis.results if analysis is not None else {}
    crawl = find_reported_crawl(event)
    return EventPanel(
        event=event,
        steps=list_steps(event, jobs),
        job=job,
        seen=read_progress(job.kind, job.progress) if job is not None else None,
        files=list_public_files(list(event.artifacts.all()), is_withholding=False),
        toots=total_toots(results),
        authors=int(results.get("unique_ids") or 0),
        left_out=read_left_out(results).authors,
        has_numbers=analysis is not None,
        servers=summarise_servers(crawl) if crawl is not None else None,
        refusals=list_refusals(crawl) if crawl is not None else [],
        thread_size=event.thread.count(),
        can_change=can_change,
    )


def render_panel(request: HttpRequest, event: Event) -> SafeString:
    panel = build_panel(event, can_change=request.user.has_perm("events.change_event"))
    return render_to_string("admin/pipeline/event_panel.html", {"panel": panel, "event": event}, request)


def start_phase(kind: str) -> Callable[[HttpRequest, Event], None]:
    """A handler that queues the phase and says so on the event's page."""

    def handler(request: HttpRequest, event: Event) -> None:
        try:
            job = enqueue(kind, event=event, asked_by=_user(request))
        except AlreadyActive as error:
            text = "{} is at work on this event already; wait for it, or cancel it."
            messages.warning(request, format_html(text, job_link(error.job)))
            return
        messages.success(request, format_html("{} is queued; its progress shows below.", job_link(job)))

    return handler


def job_link(job: Job) -> SafeString:
    return format_html(
        '<a href="{}">Job {} ({})</a>',
        reverse("admin:jobs_job_change", args=[job.pk]),
        job.pk,
        LABELS.get(job.kind, job.kind).lower(),
    )


def with_last_job(events: QuerySet[Event]) -> QuerySet[Event]:
    newest = Job.objects.filter(event=OuterRef("pk")).order_by("-id")
    return events.annotate(
        last_job_kind=Subquery(newest.values("kind")[:1]), last_job_status=Subquery(newest.values("status")[:1])
    )


def describe_state(event: Any) -> tuple[str, str] | None:
    """Colour and words for the event list, from what ``with_last_job`` added."""
    kind, status = event.last_job_kind, event.last_job_status
    if status is None:
        return None
    label = LABELS.get(kind, kind).lower()
    words = {
        Job.Status.QUEUED: ("info", f"{label}: queued"),
        Job.Status.RUNNING: ("info", f"{label}: at work"),
        Job.Status.COMPLETE: ("success", "scored" if kind == "score" else f"{label}: done"),
        Job.Status.CANCELLED: ("warning", f"{label}: cancelled"),
        Job.Status.ERROR: ("danger", f"{label}: failed"),
    }
    return words.get(status)


def render_series_panel(request: HttpRequest, series: Series) -> SafeString:
    """The way to the page of its texts."""
    if not request.user.has_perm("events.change_series"):
        return SafeString("")
    return render_to_string("admin/pipeline/series_panel.html", {"series": series}, request)


def register() -> None:
    """Called once when the app is ready."""
    register_event_panel(render_panel, name="phases")
    register_series_panel(render_series_panel, name="texts")
    register_event_state(with_last_job, describe_state, name="phases")
    # Always offered: the panel lives on while the page does not, so what fits now may not fit in a minute.
    for kind in BUTTONS:
        icon = ICONS.get(kind, "play_arrow")
        register_event_action(kind, BUTTON_LABELS[kind], icon, start_phase(kind), is_primary=kind == "score")


def _user(request: HttpRequest) -> Any:
    return request.user if request.user.is_authenticated else None
