"""Where hubs call: to ask whether we meant it (GET), and with news (POST). They know the key in the address alone."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from common.times import now_utc
from feeds import hubs, hubs_news
from feeds.retrieval import MAX_BYTES

_KEY = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def _said(status: int, sentence: str = "", **headers: str) -> HttpResponse:
    plain = "text/plain; charset=utf-8"
    return HttpResponse(sentence, status=status, content_type=plain, headers=headers)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest, key: str) -> HttpResponse:
    if not _KEY.fullmatch(key):
        return _said(404, "There is no such subscription.\n")
    return _take_news(request, key) if request.method == "POST" else _confirm(request, key)


def _confirm(request: HttpRequest, key: str) -> HttpResponse:
    params = {name: value for name, value in request.GET.items() if isinstance(value, str)}
    challenge = None if any("\0" in value for value in params.values()) else hubs.confirm(key, params, now_utc())
    if challenge is None:
        return _said(404, "This was not asked for.\n")
    # Plain text, and no browser may take it for anything else: the words are a stranger's.
    return _said(200, challenge, **{"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"})


def _take_news(request: HttpRequest, key: str) -> HttpResponse:
    row = hubs_news.find_active(key)
    if row is None:
        return _said(404, "There is no such subscription.\n")
    length = request.META.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()):
        return _said(411, "Send the document with its Content-Length.\n")
    if int(length) > MAX_BYTES:
        return _said(413, f"At most {MAX_BYTES} bytes are read.\n")
    try:
        body = request.read(MAX_BYTES + 1)
    except (UnreadablePostError, OSError):
        return _said(400, "The document ended too early.\n")
    signature = request.headers.get("X-Hub-Signature", "")
    if not hubs_news.is_signed(signature, hubs.secret_of(row), body):
        return _said(202)  # as W3C asks: who tries keys learns nothing
    try:
        body = hubs_news.unpacked(body, request.headers.get("Content-Encoding", ""))
    except hubs_news.Unreadable:
        return _said(415, "This encoding is not read here, or the document is too large.\n")
    if not hubs_news.keep(row, body, request.headers.get("Content-Type", ""), now_utc()):
        return _said(503, "Too much is waiting to be read.\n", **{"Retry-After": "600"})
    return _said(202)


urlpatterns: list[URLPattern] = [path("websub/<str:key>", callback, name="hub-callback")]
