"""How far an event is: per phase whether and when it was done, and whether it is older than what it builds on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from events.models import Event
from jobs.models import Job
from pipeline.models import Artifact, Crawl, ThreadToot
from pipeline.progress_words import read_progress

RECENT_JOBS = 50
PHASES = ("fetch", "analyse", "graph", "wordcloud", "poster", "blog", "post")
LABELS = {
    "fetch": "Fetch",
    "analyse": "Analyse",
    "graph": "Graph",
    "wordcloud": "Word cloud",
    "poster": "Poster",
    "blog": "Blog page",
    "post": "Thread draft",
    "score": "Score",
}
ICONS = {
    "fetch": "travel_explore",
    "analyse": "calculate",
    "graph": "bar_chart",
    "wordcloud": "cloud",
    "poster": "image",
    "blog": "article",
    "post": "forum",
}
# A phase is out of date when one of these was done after it.
BUILDS_ON = {
    "analyse": ("fetch",),
    "graph": ("fetch",),
    "wordcloud": ("fetch",),
    "blog": ("analyse", "graph", "wordcloud", "poster"),
    "post": ("analyse", "graph", "wordcloud"),
}
_PHASE_OF_KIND = {"graph": "graph", "wordcloud": "wordcloud", "poster": "poster", "page": "blog"}


@dataclass(frozen=True, slots=True)
class PhaseStep:
    """``state``: running, failed, stale, done or missing. ``error`` is the sentence of the job that failed."""

    phase: str
    label: str
    icon: str
    state: str
    done_at: datetime | None
    error: str

    @property
    def words(self) -> str:
        words = {"running": "at work", "failed": "failed", "stale": "out of date", "missing": "not yet"}
        return words.get(self.state, "done")


def list_recent_jobs(event: Event) -> list[Job]:
    """The newest jobs of the event, newest first, without their results."""
    return list(event.jobs.defer("result").order_by("-id")[:RECENT_JOBS])


def last_job(jobs: Sequence[Job]) -> Job | None:
    """The job that is active now, else the newest."""
    return next((job for job in jobs if job.is_active), jobs[0] if jobs else None)


def list_steps(event: Event, jobs: Sequence[Job]) -> list[PhaseStep]:
    done = _done_at(event, jobs)
    errors = _errors_since(jobs, done)
    running = next((_phase_of(job) for job in jobs if job.status == Job.Status.RUNNING), "")
    return [
        PhaseStep(
            phase=phase,
            label=LABELS[phase],
            icon=ICONS[phase],
            state=_state(phase, done, errors, running),
            done_at=done.get(phase),
            error=errors.get(phase, ""),
        )
        for phase in PHASES
    ]


def _state(phase: str, done: Mapping[str, datetime], errors: Mapping[str, str], running: str) -> str:
    if phase == running:
        return "running"
    if phase in errors:
        return "failed"
    if phase not in done:
        return "missing"
    return "stale" if any(done[base] > done[phase] for base in BUILDS_ON.get(phase, ()) if base in done) else "done"


def _done_at(event: Event, jobs: Sequence[Job]) -> dict[str, datetime]:
    """When each phase last left a result that is still there."""
    done = _results_at(event)
    # A phase that found nothing changed writes nothing; the end of its job counts as well.
    for phase, finished_at in _completed(jobs):
        if phase in done:
            done[phase] = max(done[phase], finished_at)
    return done


def _results_at(event: Event) -> dict[str, datetime]:
    done: dict[str, datetime] = {}
    crawl = event.crawls.filter(state=Crawl.State.COMPLETE).order_by("-id").first()
    if crawl is not None:
        done["fetch"] = crawl.finished_at or crawl.created_at
    analysis = getattr(event, "analysis", None)
    if analysis is not None:
        done["analyse"] = analysis.updated_at
    artifacts = Artifact.objects.filter(event=event, kind__in=_PHASE_OF_KIND).order_by("updated_at")
    for kind, updated_at in artifacts.values_list("kind", "updated_at"):
        done[_PHASE_OF_KIND[kind]] = updated_at
    if ThreadToot.objects.filter(event=event).exists():  # the ledger keeps no date of its own
        done["post"] = done.get("analyse", event.updated_at)
    return done


def _completed(jobs: Sequence[Job]) -> Iterator[tuple[str, datetime]]:
    """Phases with the moments their jobs ended well; a completed ``score`` counts for all of them."""
    for job in jobs:
        if job.status == Job.Status.COMPLETE and job.finished_at is not None:
            for phase in PHASES if job.kind == "score" else (job.kind,):
                yield phase, job.finished_at


def _errors_since(jobs: Sequence[Job], done: Mapping[str, datetime]) -> dict[str, str]:
    """The sentence of each phase whose newest job failed after its last good result."""
    errors: dict[str, str] = {}
    judged: set[str] = set()
    for job in jobs:
        phase = _phase_of(job)
        if job.is_active or phase not in PHASES or phase in judged:
            continue
        judged.add(phase)
        is_newer = phase not in done or (job.finished_at is not None and job.finished_at > done[phase])
        if job.status == Job.Status.ERROR and is_newer:
            errors[phase] = job.error
    return errors


def _phase_of(job: Job) -> str:
    return read_progress(job.kind, job.progress).phase
