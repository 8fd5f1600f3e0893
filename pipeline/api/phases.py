"""``POST /api/v1/events/{slug}/fetch`` and its kin: a phase asked for as a job."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import Needs, reads, runs
from common.api.documents import MOMENT, TEXT, list_of, one_of, or_null, record
from common.errors import NotReadyError
from events.api.shapes import StrictBoolean
from events.models import Event
from jobs.services import enqueue
from pipeline.api.ground import EventPart, JobDetailSerializer
from pipeline.models import Analysis
from pipeline.phase_states import PHASES, list_recent_jobs, list_steps
from pipeline.phases.analyse import require_fetch

TAG = "phases"
_STEP = record(
    phase=one_of(*PHASES),
    label=TEXT,
    state=one_of("running", "failed", "stale", "done", "missing"),
    done_at=or_null(MOMENT),
    error=TEXT,
)


class NoWish(serializers.Serializer[Any]):
    """Nothing to choose."""


class FetchWish(serializers.Serializer[Any]):
    mock = StrictBoolean(default=False, help_text="From the bundled fediverse.")
    mode = serializers.ChoiceField(
        choices=Event.FetchMode.choices, allow_blank=True, default="", help_text="Other than the event's own."
    )


class AnalyseWish(serializers.Serializer[Any]):
    refresh = StrictBoolean(default=False, help_text="Even if nothing changed.")


class BlogWish(serializers.Serializer[Any]):
    copy_files = StrictBoolean(default=False, help_text="Into the Hugo site as well.")
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=50, default=list, help_text="Besides the event's own."
    )


class ScoreWish(serializers.Serializer[Any]):
    mock = StrictBoolean(default=False, help_text="From the bundled fediverse.")
    skip_fetch = StrictBoolean(default=False, help_text="Score what is there.")
    refresh = StrictBoolean(default=False, help_text="Analyse even if nothing changed.")
    copy_files = StrictBoolean(default=False, help_text="Put the page into the Hugo site as well.")


def queues(summary: str, wish: type[serializers.Serializer[Any]]) -> Any:
    return extend_schema(
        tags=[TAG],
        summary=summary,
        request=None if wish is NoWish else wish,
        responses={202: JobDetailSerializer},
    )


class PhaseActions(EventPart):
    PHASE_ACCESS: ClassVar[dict[str, Needs]] = {
        "phases": reads("events.view_event"),
        **dict.fromkeys(("fetch", "analyse", "score"), runs("events.change_event")),
    }
    PHASE_RATES: ClassVar[dict[str, str]] = dict.fromkeys(PHASE_ACCESS, "jobs")

    @extend_schema(tags=[TAG], summary="How far an event is", responses={200: list_of(_STEP)})
    @action(detail=True, filterset_class=None, pagination_class=None)
    def phases(self, request: Request, slug: str) -> Response:
        """Phase by phase, and whether its result is older than what it builds on."""
        event = self.find_event()
        steps = list_steps(event, list_recent_jobs(event))
        keys = ("phase", "label", "state", "done_at", "error")
        return Response([{key: getattr(step, key) for key in keys} for step in steps])

    @queues("Fetch the toots", FetchWish)
    @action(detail=True, methods=["post"], serializer_class=FetchWish)
    def fetch(self, request: Request, slug: str) -> Response:
        """Asks every server; again: adds and updates. 409 while a job of the event is at work."""
        return self.start("fetch", FetchWish)

    @queues("Count and rank", AnalyseWish)
    @action(detail=True, methods=["post"], serializer_class=AnalyseWish)
    def analyse(self, request: Request, slug: str) -> Response:
        """409 before the first fetch."""
        return self.start("analyse", AnalyseWish, after_fetch=True)

    @queues("Score", ScoreWish)
    @action(detail=True, methods=["post"], serializer_class=ScoreWish)
    def score(self, request: Request, slug: str) -> Response:
        """Everything from the fetch to the blog page, and the thread as a draft."""
        return self.start("score", ScoreWish)

    def start(
        self, kind: str, wish: type[serializers.Serializer[Any]] = NoWish, *, after_fetch: bool = False
    ) -> Response:
        """Queue a phase; NotReadyError (409) when an earlier one is missing."""
        event = self.find_event()
        given = wish(data=self.request.data)
        given.is_valid(raise_exception=True)
        if after_fetch:
            require_fetch(event)
        return self.queued(enqueue(kind, event=event, params=given.validated_data, asked_by=self.request.user))


def require_analysis(event: Event) -> Analysis:
    """NotReadyError when the event was never analysed."""
    analysis = Analysis.objects.filter(event=event).first()
    if analysis is None:
        raise NotReadyError(f"Nothing is analysed yet for {event.slug}; run analyse first.")
    return analysis
