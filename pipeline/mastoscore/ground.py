"""What the routes share: the event that a call names, values of its body, answers that say whose they are."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.documents import TEXT, TRUTH, Schema, like, record
from common.api.parsing import json_object
from common.api.problems import Problem
from common.api.views import MastoscoreView
from common.errors import NotReadyError
from events.errors import UnknownEvent
from events.models import Event
from events.services import find_event
from jobs.models import Job
from pipeline.phases.analyse import require_fetch
from pipeline.services import PhaseFailed, run_phase_now

TAG = "mastoscore"
CONFIG_FILE: Schema = like(
    TEXT, "monsterdon-20260222", "The event: its slug, or the name of the INI file it was imported from."
)
BY_QUERY = [OpenApiParameter("config_file", str, required=True, description="The event: its slug, or its INI file.")]
ONLY_EVENT = record(config_file=CONFIG_FILE)
DONE = record(success=TRUTH, config_file=CONFIG_FILE, message=TEXT)
UNKNOWN = "Config file not found"


class EventView(MastoscoreView):
    """A route whose call names an event."""

    def find_named(self, request: Request) -> tuple[Event, str]:
        """The event and the name that the client has for it; Problem 400 or 404."""
        given = request.query_params if request.method in ("GET", "HEAD") else json_object(request)
        name = given.get("config_file")
        if not isinstance(name, str) or not name.strip():
            raise Problem(400, "config_file parameter required")
        return find_config(name), name


def find_config(name: str) -> Event:
    """Looked up in the database alone: what is no event is a 404, whatever it looks like."""
    try:
        return find_event(name)
    except UnknownEvent as error:
        raise Problem(404, UNKNOWN) from error


def read_truth(given: dict[str, Any], name: str, default: bool) -> bool:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.casefold() in ("true", "false"):  # from a form
        return value.casefold() == "true"
    raise Problem(400, f"{name} must be true or false", errors={name: ["This must be true or false."]})


def require_fetched(event: Event, expected_file: str) -> None:
    """Problem 404 in the words of the contract when nothing was fetched."""
    try:
        require_fetch(event)
    except NotReadyError as error:
        raise Problem(404, error.user_message, extra={"success": False, "expected_file": expected_file}) from error


def run_now(kind: str, event: Event, request: Request, **params: Any) -> dict[str, Any]:
    """A phase that the client waits for; Problem 400 with its sentence when it fails."""
    try:
        return run_phase_now(kind, event, params=params, asked_by=request.user)
    except PhaseFailed as error:
        raise Problem(400, error.user_message, extra={"success": False}) from error


def started(job: Job, name: str) -> Response:
    """Clients know no waiting for a worker, so the job counts as running from the beginning."""
    return Response({"job_id": job.pk, "status": "running", "config_file": name}, status=202)


def done(name: str, message: str, **more: Any) -> Response:
    return Response({"success": True, "config_file": name, "message": message, **more})
