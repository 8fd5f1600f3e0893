"""``/api/fetch``, ``/api/jobs`` and ``/api/post``: what takes long."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import posts, reads, runs
from common.api.documents import ANYTHING, MOMENT, TEXT, TRUTH, WHOLE, like, list_of, one_of, or_null, record, says
from common.api.parsing import MAX_INTEGER, json_object
from common.api.problems import Problem
from common.api.views import MastoscoreView
from common.errors import NotReadyError
from common.times import format_z
from events.models import Event
from jobs.models import Job
from jobs.services import MayNotCancel, enqueue
from jobs.waiting import cancel_and_wait
from pipeline import paths
from pipeline.artifacts import find_artifact
from pipeline.mastoscore.ground import (
    BY_QUERY,
    CONFIG_FILE,
    ONLY_EVENT,
    TAG,
    EventView,
    done,
    read_truth,
    run_now,
    started,
)
from pipeline.phases.analyse import require_fetch
from pipeline.services import ask_for_thread
from pipeline.thread.ledger import NotAllowed, ThreadTrouble

CANCEL_SECONDS = 10.0
_JOB_ID = like({"type": ["integer", "string"]}, 7)
_STARTED = record(job_id=like(WHOLE, 7), status=one_of("running"), config_file=CONFIG_FILE)
_ACTIVE = record({"job_id": like(WHOLE, 7)}, error=TEXT)
_DELETED = record(path=like(TEXT, "2026/02/22/monsterdon-mastodon.example.json"), size=like(WHOLE, 48213))


class Fetch(EventView):
    """Asks every server for the event's toots, as a job."""

    access = {"post": runs("events.change_event")}
    rate_scope = "jobs"

    @says(
        "mastoscore_fetch",
        "Fetch the toots",
        tag=TAG,
        takes=record({"mock": like(TRUTH, False, "From the bundled fediverse.")}, config_file=CONFIG_FILE),
        gives={202: _STARTED, 409: _ACTIVE},
    )
    def post(self, request: Request) -> Response:
        event, name = self.find_named(request)
        is_mock = read_truth(json_object(request), "mock", False)
        job = enqueue("fetch", event=event, params={"mock": is_mock}, asked_by=request.user)
        return started(job, name)


class FetchCancel(MastoscoreView):
    """Asks a job to stop and waits for it, ten seconds at most."""

    access = {"post": runs("events.change_event")}
    rate_scope = "jobs"

    @says(
        "mastoscore_fetch_cancel",
        "Cancel a job",
        tag=TAG,
        takes=record(job_id=_JOB_ID),
        gives={200: record(success=TRUTH, job_id=_JOB_ID, message=TEXT, partial_results=ANYTHING)},
    )
    def post(self, request: Request) -> Response:
        job_id = json_object(request).get("job_id")
        if isinstance(job_id, bool) or not isinstance(job_id, int | str) or job_id == "":
            raise Problem(400, "job_id parameter required")
        job = _find_job(job_id)
        if job is None:
            raise _not_cancelled(job_id, "There is no such job.")
        if not job.is_active:
            raise _not_cancelled(job_id, f"The job is not running: {job.get_status_display()}.", job)
        try:
            job = cancel_and_wait(job, CANCEL_SECONDS, by=request.user)
        except MayNotCancel as error:
            raise Problem(403, error.user_message) from error
        if job.is_active:
            raise _not_cancelled(job_id, "The job was asked to stop and has not stopped yet.", job)
        if job.status != Job.Status.CANCELLED:
            raise _not_cancelled(job_id, f"The job ended before it could be stopped: {job.status}.", job)
        return Response(
            {"success": True, "job_id": job_id, "message": "Job cancelled", "partial_results": job.progress}
        )


class FetchReady(EventView):
    """Whether there is something to analyse."""

    access = {"get": reads("events.view_event")}
    rate_scope = "progress"

    @says(
        "mastoscore_fetch_ready",
        "Is it fetched",
        tag=TAG,
        query=BY_QUERY,
        gives={
            200: record(
                {"data_file": TEXT, "expected_file": TEXT}, ready=TRUTH, config_file=CONFIG_FILE, message=TEXT
            )
        },
    )
    def get(self, request: Request) -> Response:
        event, name = self.find_named(request)
        try:
            require_fetch(event)
        except NotReadyError as error:
            answer: dict[str, Any] = {"ready": False, "message": error.user_message}
            return Response({**answer, "config_file": name, "expected_file": expected_file(event)})
        stored = find_artifact(event, "fetch-report") or find_artifact(event, "journal")
        file = stored.path if stored is not None else expected_file(event)
        return Response({"ready": True, "config_file": name, "message": "Data file exists", "data_file": file})


class FetchReset(EventView):
    """Deletes what a fetch left: toots, crawls, journals and the report. Results of later phases stay."""

    access = {"post": runs("events.change_event")}
    rate_scope = "jobs"

    @says(
        "mastoscore_fetch_reset",
        "Forget the toots",
        tag=TAG,
        takes=ONLY_EVENT,
        gives={
            200: record(
                success=TRUTH,
                config_file=CONFIG_FILE,
                files_deleted=list_of(_DELETED),
                total_size=WHOLE,
                message=TEXT,
            ),
            409: _ACTIVE,
        },
    )
    def post(self, request: Request) -> Response:
        event, name = self.find_named(request)
        result = run_now("reset", event, request)
        files = result["files_deleted"]
        message = f"Deleted {len(files)} file(s)" if files else "No files to delete"
        return done(name, message, files_deleted=files, total_size=result["total_size"])


class Post(EventView):
    """Drafts the thread (`dry_run`), or drafts, approves and sends it in your name, as a job."""

    access = {"post": posts("pipeline.post_thread")}
    rate_scope = "jobs"

    @says(
        "mastoscore_post",
        "Post the thread",
        tag=TAG,
        takes=record(
            {"dry_run": like(TRUTH, True, "Unless given, what the event says.")},
            config_file=CONFIG_FILE,
        ),
        gives={202: _STARTED, 409: _ACTIVE},
    )
    def post(self, request: Request) -> Response:
        event, name = self.find_named(request)
        is_dry_run = read_truth(json_object(request), "dry_run", event.post_dry_run)
        try:
            job = ask_for_thread(event, is_dry_run=is_dry_run, asked_by=request.user)
        except NotAllowed as error:
            raise Problem(403, error.user_message) from error
        except ThreadTrouble as error:
            raise Problem(409, error.user_message) from error
        return started(job, name)


class JobState(MastoscoreView):
    """How a job is coming along. An unknown one is `not_found`, with 200."""

    access = {"get": reads("events.view_event")}
    rate_scope = "progress"

    @says(
        "mastoscore_job",
        "How a job is coming along",
        tag=TAG,
        gives={
            200: record(
                {
                    "job_id": like(WHOLE, 7),
                    "started_at": MOMENT,
                    "progress": ANYTHING,
                    "result": or_null(ANYTHING),
                    "error": TEXT,
                },
                status=one_of("queued", "running", "complete", "cancelled", "error", "not_found"),
            )
        },
    )
    def get(self, request: Request, job_id: str) -> Response:
        job = _find_job(job_id)
        if job is None:
            return Response({"status": "not_found"})
        answer: dict[str, Any] = {
            "job_id": job.pk,
            "status": job.status,
            "started_at": format_z(job.started_at or job.created_at),
        }
        if job.progress:
            answer["progress"] = job.progress
        if job.status in (Job.Status.COMPLETE, Job.Status.CANCELLED):
            answer["result"] = job.result
        if job.status == Job.Status.ERROR:
            answer["error"] = job.error
        return Response(answer)


def expected_file(event: Event) -> str:
    return paths.below_data(paths.fetch_report(event))


def _find_job(job_id: int | str) -> Job | None:
    """A job that is about an event; others are nobody's business here."""
    text = str(job_id)
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_INTEGER):
        return None
    return Job.objects.filter(pk=int(text), event__isnull=False).first()


def _not_cancelled(job_id: int | str, sentence: str, job: Job | None = None) -> Problem:
    partial = job.progress if job is not None else {}
    return Problem(400, sentence, extra={"success": False, "job_id": job_id, "partial_results": partial})
