"""``/api/v1/jobs``: what runs, how far it is, and a way to stop it or do it again.

Who may see all jobs (``jobs.view_job``) sees all; else everybody sees those they asked for, and those of events if
they may look at events. Another's job is as unknown as one that never was.
"""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from common.api.access import may, posts, reads, runs
from common.api.documents import ANYTHING
from common.api.filters import SearchFilter, TruthFilter
from common.api.paging import read_positive
from common.api.problems import Problem
from common.api.views import ApiViewSet
from jobs import services, waiting
from jobs.models import Job
from jobs.progress import percent_of

TAG = "jobs"
LONGEST_WAIT_SECONDS = 25
# What speaks in public, or takes it back, is for those who may.
PUBLIC_KINDS = services.PUBLIC_KINDS


class JobSerializer(serializers.ModelSerializer[Job]):
    """``event`` is its slug."""

    event = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True, allow_null=True)
    asked_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True, allow_null=True)
    percent = serializers.SerializerMethodField(help_text="null when nobody can tell.")
    message = serializers.SerializerMethodField()
    is_active = serializers.BooleanField(read_only=True)

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "event",
            "subject",
            "status",
            "is_active",
            "percent",
            "message",
            "error",
            "asked_by",
            "cancel_requested_at",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields

    def get_percent(self, job: Job) -> int | None:
        return percent_of(job.progress)

    def get_message(self, job: Job) -> str:
        return str(job.progress.get("message") or "")


class JobDetailSerializer(JobSerializer):
    progress = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()
    params = serializers.SerializerMethodField()

    class Meta(JobSerializer.Meta):
        fields = [*JobSerializer.Meta.fields, "params", "progress", "result", "attempts"]
        read_only_fields = fields

    @extend_schema_field(ANYTHING)
    def get_progress(self, job: Job) -> Any:
        return job.progress

    @extend_schema_field({**ANYTHING, "type": ["object", "null"]})
    def get_result(self, job: Job) -> Any:
        return job.result

    @extend_schema_field(ANYTHING)
    def get_params(self, job: Job) -> Any:
        return job.params


class JobFilter(django_filters.FilterSet):
    kind = SearchFilter(label="such as fetch or score")
    status = django_filters.ChoiceFilter(choices=Job.Status.choices)
    event = SearchFilter(field_name="event__slug", label="slug of an event")
    is_active = TruthFilter(method="is_at_work", label="queued or running")
    ordering = django_filters.OrderingFilter(fields=["id", "created_at", "finished_at"])

    class Meta:
        model = Job
        fields: ClassVar[list[str]] = []

    def is_at_work(self, jobs: QuerySet[Job], name: str, is_active: bool) -> QuerySet[Job]:
        return jobs.filter(status__in=Job.ACTIVE) if is_active else jobs.exclude(status__in=Job.ACTIVE)


_SECONDS = OpenApiParameter(
    "seconds",
    {"type": "integer", "minimum": 1, "maximum": 10**18 - 1, "default": LONGEST_WAIT_SECONDS},
    description=f"How long to wait at most; {LONGEST_WAIT_SECONDS} is the most there is.",
)


class JobViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Jobs: long work, asked for elsewhere, watched here."""

    queryset = Job.objects.select_related("event", "asked_by").order_by("-pk")
    serializer_class = JobDetailSerializer
    filterset_class = JobFilter
    lookup_value_regex = "[0-9]{1,18}"
    rate_scope = "jobs"
    access: ClassVar = {
        "list": reads(),
        "retrieve": reads(),
        "wait": reads(),
        "cancel": runs(),
        "retry": runs(),
    }

    def get_serializer_class(self) -> Any:
        return JobSerializer if self.action == "list" else JobDetailSerializer

    def get_queryset(self) -> QuerySet[Job]:
        jobs: QuerySet[Job] = super().get_queryset()
        if self.action == "list":
            jobs = jobs.defer("result", "params", "event__kept_options", "event__stop_words")
        user: Any = self.request.user
        if user.has_perm("jobs.view_job"):
            return jobs
        own = Q(asked_by=user)
        return jobs.filter(own | Q(event__isnull=False) if user.has_perm("events.view_event") else own)

    @extend_schema(tags=[TAG], summary="List jobs", responses=JobSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Those you may see, the newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(tags=[TAG], summary="One job")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With its progress, and its result once it has one."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(tags=[TAG], summary="Wait for a job", parameters=[_SECONDS])
    @action(detail=True)
    def wait(self, request: Request, pk: str) -> Response:
        """The job once it has ended, or as it is after that many seconds: ask again then. When many wait already it
        comes at once."""
        seconds = min(read_positive(request, "seconds", LONGEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)
        job = waiting.wait_for_end(self.get_object(), seconds)
        return Response(self.get_serializer(job).data)

    @extend_schema(tags=[TAG], summary="Cancel a job", request=None, responses={202: JobDetailSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """A waiting job is dropped, a running one stops within seconds; what it has stored so far is kept. 409 when
        it has ended already."""
        job = self._changeable(request)
        if not job.is_active:
            raise Problem(409, f"Job {job.pk} has ended: {job.get_status_display()}.")
        services.request_cancel(job.pk)
        return self._accepted(self.get_object())

    @extend_schema(tags=[TAG], summary="Do a job again", request=None, responses={202: JobDetailSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """A new job with the same options; this one stays as it is. 409 while it, or another of its event, is at
        work."""
        job = self._changeable(request)
        if job.is_active:
            raise services.AlreadyActive(job)
        return self._accepted(services.ask_again(job, asked_by=request.user))

    def _changeable(self, request: Request) -> Job:
        job: Job = self.get_object()
        is_public = job.kind in PUBLIC_KINDS or bool(job.params.get("send"))
        if is_public and not may(request, posts("pipeline.post_thread")):
            raise PermissionDenied
        is_own = job.event_id is None and job.asked_by_id == request.user.pk
        of_event = job.event_id is not None and may(request, runs("events.change_event"))
        if not (is_own or of_event or may(request, runs("jobs.change_job"))):
            raise PermissionDenied
        return job

    def _accepted(self, job: Job) -> Response:
        return accepted(self.request, job)


def accepted(request: Request, job: Job) -> Response:
    """202 with the job, and where to follow it."""
    address = reverse("job-detail", args=[job.pk], request=request)
    return Response(JobDetailSerializer(job).data, status=202, headers={"Location": address})
