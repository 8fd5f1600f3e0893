"""The one shape of an API error: ``{"message", "errors"}``, and ``{"error"}`` on routes of the Mastoscore contract.

``errors`` (field -> sentences) is there when the input was at fault. Nothing of a bug gets out: it is logged with its
traceback, and the client reads "Server Error".
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import IntegrityError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, JsonResponse
from django.http.request import UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from common.api.problems import INVALID, NO_FIELD, Problem
from common.errors import ConfigurationError, MastoscoreError, NotReadyError, RemoteError
from events.errors import EventConflict, InvalidEvent, UnknownEvent
from feeds.errors import TooManyAtOnce
from jobs.services import AlreadyActive

logger = logging.getLogger(__name__)

UNAUTHENTICATED = "Unauthenticated."
TOO_MANY = "Too Many Attempts."
NOT_FOUND = "Not found."
# The last three are those that phone apps expect below the address of a site.
_API_FOLDERS = ("/api/", "/reader/api/", "/fever/", "/accounts/ClientLogin/")
_INFRAREAD_PATHS = ("/api/user", "/api/test", "/api/urlanalyze", "/api/v2_readlaterservice")
SERVER_ERROR = {"message": "Server Error", "error": "An unexpected error occurred"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """An answer that is no success, before it has a shape."""

    status: int
    message: str
    errors: Mapping[str, list[str]] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


# --- the handler of DRF ---------------------------------------------------------------------------------------------
def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: every exception below a view ends here."""
    trouble = describe(error)
    request = context["request"]
    if isinstance(error, Problem | MastoscoreError):
        if trouble.status >= 500:  # foreseen, so there is nothing in a traceback to be found
            logger.warning("%s %s: %s", request.method, request.path, error)
    elif trouble.status >= 500:
        logger.error("%s %s: %r", request.method, request.path, error, exc_info=error)
    set_rollback()
    if isinstance(error, Http404) and context.get("view") is not None:
        context["view"].is_missing = True  # so its page has no forms
    shape = getattr(context.get("view"), "error_shape", None) or shape_of(request.path_info)
    status, body = render(trouble, shape)
    return Response(body, status=status, headers={**trouble.headers, **_login_header(error)})


def _login_header(error: Exception) -> dict[str, str]:
    header = getattr(error, "auth_header", None)
    return {"WWW-Authenticate": header} if header else {}


def is_api_path(path: str) -> bool:
    return path in ("/api", "/fever", "/accounts/ClientLogin") or path.startswith(_API_FOLDERS)


def shape_of(path: str) -> str:
    """Routes without a version are those of the Mastoscore contract, but for a few of InfraRead."""
    is_ours = path == "/api/v1" or path.startswith("/api/v1/") or path.rstrip("/") in _INFRAREAD_PATHS
    return "message" if is_ours else "error"


def render(trouble: Trouble, shape: str) -> tuple[int, dict[str, Any]]:
    """Status and body in that shape. The Mastoscore contract knows no 422: wrong input is 400 there."""
    if trouble.status == 500:
        return 500, dict(SERVER_ERROR)
    body: dict[str, Any] = {"error" if shape == "error" else "message": trouble.message}
    if trouble.errors is not None:
        body["errors"] = dict(trouble.errors)
    status = 400 if shape == "error" and trouble.status == 422 else trouble.status
    return status, {**body, **trouble.extra}


def plain_answer(trouble: Trouble, path: str) -> JsonResponse:
    """The same outside of DRF."""
    status, body = render(trouble, shape_of(path))
    return JsonResponse(body, status=status, headers=dict(trouble.headers))


# --- what each error is to a client ---------------------------------------------------------------------------------
@singledispatch
def describe(error: Exception) -> Trouble:
    """Anything not named below is a bug of ours."""
    return Trouble(500, SERVER_ERROR["message"])


@describe.register
def _(error: exceptions.APIException) -> Trouble:
    return Trouble(error.status_code, str(error.detail))


@describe.register
def _(error: Problem) -> Trouble:
    return Trouble(error.status_code, error.message, error.errors, error.extra, error.headers)


@describe.register(exceptions.NotAuthenticated)
@describe.register(exceptions.AuthenticationFailed)
def _(error: exceptions.APIException) -> Trouble:
    return Trouble(401, UNAUTHENTICATED)


@describe.register
def _(error: exceptions.Throttled) -> Trouble:
    wait: float | None = getattr(error, "wait", None)
    headers = {} if wait is None else {"Retry-After": str(math.ceil(wait))}
    return Trouble(429, TOO_MANY, headers=headers)


@describe.register
def _(error: exceptions.ValidationError) -> Trouble:
    return Trouble(422, INVALID, flatten(error.detail))


@describe.register
def _(error: ValidationError) -> Trouble:
    errors = error.message_dict if hasattr(error, "error_dict") else {NO_FIELD: error.messages}
    return Trouble(422, INVALID, {NO_FIELD if name == "__all__" else name: texts for name, texts in errors.items()})


@describe.register
def _(error: Http404) -> Trouble:
    return Trouble(404, NOT_FOUND)  # its own text may name models and routes


@describe.register
def _(error: PermissionDenied) -> Trouble:
    return Trouble(403, str(exceptions.PermissionDenied.default_detail))


@describe.register(SuspiciousOperation)
@describe.register(UnreadablePostError)
def _(error: Exception) -> Trouble:
    return Trouble(400, "The request cannot be read.")


@describe.register
def _(error: RequestDataTooBig) -> Trouble:
    return Trouble(413, "The body is too large.")


@describe.register
def _(error: MastoscoreError) -> Trouble:
    return Trouble(422, error.user_message, {})


@describe.register
def _(error: ConfigurationError) -> Trouble:
    return Trouble(422, error.user_message, {NO_FIELD: [error.user_message]})


@describe.register
def _(error: TooManyAtOnce) -> Trouble:
    return Trouble(429, error.user_message, headers={"Retry-After": "10"})


@describe.register
def _(error: InvalidEvent) -> Trouble:
    return Trouble(422, INVALID, {NO_FIELD: list(error.problems)})


@describe.register
def _(error: UnknownEvent) -> Trouble:
    return Trouble(404, error.user_message)


@describe.register(EventConflict)
@describe.register(NotReadyError)
def _(error: MastoscoreError) -> Trouble:
    return Trouble(409, error.user_message)


@describe.register
def _(error: AlreadyActive) -> Trouble:
    return Trouble(409, error.user_message, extra={"job_id": error.job.pk})


@describe.register
def _(error: RemoteError) -> Trouble:
    headers = {} if error.retry_after is None else {"Retry-After": str(max(1, int(error.retry_after)))}
    return Trouble(502, error.user_message, headers=headers)


@describe.register
def _(error: ProtectedError) -> Trouble:
    return Trouble(409, "Something else still uses it.")


@describe.register
def _(error: IntegrityError) -> Trouble:
    logger.warning("a constraint of the database refused a call: %s", error, exc_info=error)
    return Trouble(409, "This does not fit with what somebody else has saved meanwhile.")


@describe.register
def _(error: OperationalError) -> Trouble:
    return Trouble(503, "The database is busy; try again in a moment.", headers={"Retry-After": "2"})


def flatten(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested details as field -> sentences; what is deeper has a path: ``post_ids.1``, ``start.date``."""
    if isinstance(detail, dict):
        parts: list[tuple[str, Any]] = [(f"{prefix}.{key}".lstrip("."), value) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        parts = [(f"{prefix}.{place}".lstrip("."), item) for place, item in enumerate(detail)]
    else:
        texts = detail if isinstance(detail, list) else [detail]
        return {prefix or NO_FIELD: [str(text) for text in texts]} if texts else {}
    flat: dict[str, list[str]] = {}
    for path, part in parts:
        for name, texts in flatten(part, path).items():
            flat.setdefault(name, []).extend(texts)
    return flat
