"""Long work: asked for, watched, stopped, recovered."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Job(models.Model):
    """One piece of work. The row is the truth; the queue only carries its id to a worker.

    ::

        queued --claim--> running --finish--> complete | error | cancelled
          ^                  |
          +--- recovery -----+   (no pulse, or the worker is being stopped)

    ``queued -> cancelled`` when cancelled before a worker took it. Every arrow is one filtered ``UPDATE`` in
    ``jobs.services`` whose row count says who won. ``fence`` grows with every claim; a worker whose fence is not
    the row's any more has lost the job and may not write to it.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        COMPLETE = "complete", "complete"
        CANCELLED = "cancelled", "cancelled"
        ERROR = "error", "error"

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    kind = models.CharField(max_length=50)
    event = models.ForeignKey("events.Event", null=True, blank=True, on_delete=models.CASCADE, related_name="jobs")
    subject = models.CharField(max_length=300, blank=True, help_text="What it is about, when it is not an event.")
    exclusive_key = models.CharField(
        max_length=300, blank=True, help_text="At most one active job per key; empty: no limit."
    )
    params = models.JSONField(default=dict, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    progress = models.JSONField(default=dict, blank=True)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="One sentence for a person.")

    fence = models.PositiveIntegerField(default=0, help_text="Grows with every claim.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Claims that ended without an outcome count.")
    worker = models.CharField(max_length=300, blank=True, help_text="host/process id of who holds it.")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    woken_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last told of it.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["exclusive_key"],
                name="one_active_job_per_key",
                condition=Q(status__in=["queued", "running"]) & ~Q(exclusive_key=""),
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "complete", "cancelled", "error"]),
                name="job_status_known",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "heartbeat_at"], name="job_by_pulse"),
            models.Index(fields=["event", "-id"], name="job_by_event"),
            models.Index(fields=["finished_at"], name="job_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject or self.event_id or ''} ({self.status})"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE


class Beat(models.Model):
    """Signs of life, written by tasks that really ran in a worker: ``name`` is what ran."""

    name = models.CharField(max_length=100, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"


class ServerTurn(models.Model):
    """Who may ask a server just now. One row per server, so that nobody else does, whatever process and crawl.

    ``not_before`` is what the server asked for (rate limit, Retry-After); it binds whoever comes next.
    """

    server = models.CharField(max_length=270, primary_key=True)
    holder = models.CharField(max_length=300, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["holder"], name="turn_by_holder")]

    def __str__(self) -> str:
        return f"{self.server}: {self.holder or 'free'}"
