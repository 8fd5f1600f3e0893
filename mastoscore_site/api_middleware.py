"""What holds for every answer below ``/api``: JSON errors, rate headers, no caching, other sites, bounds."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.response import Response

from mastoscore_site.api_errors import NOT_FOUND, SERVER_ERROR, TOO_MANY, Trouble, is_api_path, plain_answer
from mastoscore_site.api_rates import untouched

NO_CACHING = {
    "Cache-Control": "no-store, no-cache, must-revalidate, max-age=0",
    "Pragma": "no-cache",
    "Expires": "0",
}
READABLE_HEADERS = "Location, ETag, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "600",
}
_MESSAGES = {
    400: "The request cannot be read.",
    403: "You do not have permission to perform this action.",
    404: NOT_FOUND,
    405: "This method is not allowed here.",
    429: TOO_MANY,
}


class ApiAnswers:
    """Stands outside of everything that may turn an exception into a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_api_path(request.path_info):
            return self.get_response(request)
        response = self._answer(request)
        allowance = getattr(request, "allowance", None) or untouched()  # nothing is counted before a view is found
        for name, value in allowance.headers.items():
            response[name] = value
        if not (response.status_code == 304 or response.get("Content-Type", "").startswith("image/")):
            for name, value in NO_CACHING.items():
                response[name] = value
        _share_with_other_sites(request, response)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        early = _preflight(request) or _refuse_body(request) or _refuse_path(request)
        if early is not None:
            return early
        response = self.get_response(request)
        return _as_json(request, response) if _is_page_of_an_error(response) else response


# --- bounds ---------------------------------------------------------------------------------------------------------
def _refuse_body(request: HttpRequest) -> HttpResponse | None:
    limit: int = settings.API_MAX_BODY_BYTES
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return plain_answer(Trouble(400, _MESSAGES[400]), request.path_info)
    if int(length) > limit:
        return plain_answer(
            Trouble(413, f"The body is too large: at most {limit} bytes are read."), request.path_info
        )
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower() and int(length) == 0:
        return plain_answer(Trouble(411, "Send the body with its Content-Length, not chunked."), request.path_info)
    return None


def _refuse_path(request: HttpRequest) -> HttpResponse | None:
    """No route and no row has a null character in its name, and PostgreSQL refuses to look for one."""
    return plain_answer(Trouble(404, NOT_FOUND), request.path_info) if "\0" in request.path_info else None


# --- errors made by Django rather than by a view of ours ------------------------------------------------------------
def _is_page_of_an_error(response: HttpResponseBase) -> bool:
    is_page = response.get("Content-Type", "").startswith("text/html")
    return response.status_code >= 400 and is_page and not isinstance(response, Response)


def _as_json(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    status = response.status_code
    message = SERVER_ERROR["message"] if status >= 500 else _MESSAGES.get(status, response.reason_phrase)
    return plain_answer(Trouble(500 if status >= 500 else status, message), request.path_info)


# --- other sites (CORS) ---------------------------------------------------------------------------------------------
def _preflight(request: HttpRequest) -> HttpResponse | None:
    """Answers a browser's question whether a page of another site may call; only sites of the list get one."""
    is_question = request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META
    if not (is_question and _allowed_origin(request)):
        return None
    return HttpResponse(status=204, headers=PREFLIGHT)


def _share_with_other_sites(request: HttpRequest, response: HttpResponseBase) -> None:
    """Without credentials: a page of another site has a token, never somebody's session."""
    if not settings.API_CORS_ORIGINS:
        return
    patch_vary_headers(response, ["Origin"])
    origin = _allowed_origin(request)
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = READABLE_HEADERS


def _allowed_origin(request: HttpRequest) -> str:
    origin: str = request.META.get("HTTP_ORIGIN", "")
    if not origin:
        return ""
    if "*" in settings.API_CORS_ORIGINS:
        return "*"
    return origin if origin in settings.API_CORS_ORIGINS else ""
