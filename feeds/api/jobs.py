"""``/api/v1/jobs/…`` of the reader: refresh and summary in the background, and how the queue is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from common.api.access import reads, runs
from common.api.parsing import json_object
from common.api.views import ApiView
from common.times import format_z, now_utc
from feeds import digests, queue_status, refresh
from feeds.api import schemas
from feeds.api.ground import find_own, said
from feeds.api.inputs import TrimmedInput, words
from feeds.api.shapes import moment_or_none
from feeds.models import Digest, Post, Source
from jobs.models import Job

_SENTENCES = "The number of sentences must be a whole number from 1 to 10."


class SummaryJobWish(TrimmedInput):
    sentences = serializers.IntegerField(
        min_value=1,
        max_value=digests.MAX_SENTENCES,
        default=digests.JOB_SENTENCES,
        error_messages=words(
            invalid=_SENTENCES, min_value=_SENTENCES, max_value=_SENTENCES, max_string_length=_SENTENCES
        ),
    )


class RefreshJob(ApiView):
    """A refresh of one source, as a job."""

    access = {"post": runs()}
    rate_scope = "jobs"

    @extend_schema(
        operation_id="reader_jobs_refresh",
        tags=["reader"],
        summary="Refresh a source",
        request=None,
        responses={202: schemas.REFRESH_JOB},
    )
    def post(self, request: Request, source_id: str) -> Response:
        source = find_own(Source.objects.select_related("feed"), request.user, source_id)
        job = refresh.queue_source(source, asked_by=request.user)
        data = {
            "source_id": source.pk,
            "source_name": source.name,
            "job_id": job.pk,
            "job_dispatched": True,
            "status": "queued",
            "estimated_completion": _soon(),
        }
        return said("Source refresh job dispatched successfully", data, status=202)


class SummaryJob(ApiView):
    """A summary of one post, as a job."""

    access = {"post": runs()}
    rate_scope = "jobs"

    @extend_schema(
        operation_id="reader_jobs_summary",
        tags=["reader"],
        summary="Summarise a post in the background",
        request=SummaryJobWish,
        responses={202: schemas.SUMMARY_JOB},
    )
    def post(self, request: Request, post_id: str) -> Response:
        post = find_own(Post.objects.select_related("entry"), request.user, post_id)
        wish = SummaryJobWish(data=json_object(request))
        wish.is_valid(raise_exception=True)
        sentences = wish.validated_data["sentences"]
        job = digests.queue_summary(post, sentences, asked_by=request.user)
        address = reverse("reader-summary-status", args=[digests.cache_key(post.pk, sentences)])
        data = {
            "post_id": post.pk,
            "post_title": post.entry.title,
            "sentences": sentences,
            "job_id": job.pk,
            "job_dispatched": True,
            "status": "queued",
            "cache_key": digests.cache_key(post.pk, sentences),
            "estimated_completion": _soon(),
            "status_check_url": address,
            "check_status_url": request.build_absolute_uri(address),
        }
        return said("Summary generation job dispatched successfully", data, status=202)


class SummaryStatus(ApiView):
    """What became of a summary asked for as a job."""

    access = {"get": reads()}
    rate_scope = "jobs"

    @extend_schema(
        operation_id="reader_jobs_summary_status",
        tags=["reader"],
        summary="How a summary is coming along",
        responses={200: schemas.SUMMARY_STATUS, 404: schemas.SUMMARY_UNKNOWN, 422: schemas.SUMMARY_FAILED},
    )
    def get(self, request: Request, key: str) -> Response:
        job = digests.find_summary_job(request.user, key)
        if job is None:
            return _unknown_key()
        if job.is_active:
            started = format_z(job.started_at or job.created_at)
            waiting = {"status": "processing", "cache_key": key, "started_at": started}
            return Response({"status": "processing", "message": "Summary is being generated", "data": waiting})
        digest = _digest_of(job)
        if digest is None:
            return _failed(key, job)
        data: dict[str, Any] = {
            "status": "completed",
            "cache_key": key,
            "post_id": digest.post_id,
            "summary": digest.text,
            "sentences": digest.sentences,
            "generated_at": format_z(digest.created_at),
            "completed_at": moment_or_none(job.finished_at),
        }
        return Response({"status": "completed", "message": "Summary generated successfully", "data": data})


class QueueStatus(ApiView):
    """What waits, what failed, and whether workers are alive."""

    access = {"get": reads()}
    rate_scope = "jobs"

    @extend_schema(
        operation_id="reader_jobs_queue_status",
        tags=["reader"],
        summary="How the queue is",
        responses={200: schemas.QUEUE_STATUS},
    )
    def get(self, request: Request) -> Response:
        now = now_utc()
        state = queue_status.look(now)
        data = {
            "queues": {
                name: {"pending_jobs": queue.pending, "failed_jobs": queue.failed}
                for name, queue in state.queues.items()
            },
            "total_pending": state.total_pending,
            "total_failed": state.total_failed,
            "system_healthy": state.is_healthy,
            "generated_at": format_z(now),
        }
        return said("Queue status retrieved successfully", data)


def _digest_of(job: Job) -> Digest | None:
    result: dict[str, Any] = job.result or {}
    return Digest.objects.filter(pk=int(result.get("digest_id", 0)), post__user=job.asked_by_id).first()


def _unknown_key() -> Response:
    body = {
        "status": "not_found",
        "message": "Summary job not found or expired",
        "error": "Invalid cache key or job expired",
    }
    return Response(body, status=404)


def _failed(key: str, job: Job) -> Response:
    error = job.error or "The summary was not made."
    data = {"status": "failed", "cache_key": key, "error": error}
    body = {"status": "failed", "error": error, "message": "Summary generation failed", "data": data}
    return Response(body, status=422)


def _soon() -> str:
    return format_z(now_utc() + timedelta(seconds=30))
