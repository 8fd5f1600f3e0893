"""The service worker: the script of ``static/js/reader/worker.js``, told which files a page is made of."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

SCRIPT = "js/reader/worker.js"
_FILES = (
    "css/reader.css",
    "css/reader-posts.css",
    "css/reader-panes.css",
    "img/favicon.svg",
    "img/reader-icons.svg",
    "vendor/htmx@2.0.11/htmx.min.js",
)


@never_cache
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """For everybody: it holds nothing of anybody."""
    names = [*_FILES, *_modules()]
    values = {
        "SHELL": [static(name) for name in names],
        "VERSION": _version((*names, SCRIPT)),
        "HOME": reverse("reader"),
        "STATIC": static(""),
    }
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
    return HttpResponse(head + _read(SCRIPT).decode(), content_type="text/javascript; charset=utf-8")


@cache
def _modules() -> tuple[str, ...]:
    folder = _path(SCRIPT).parent
    return tuple(f"js/reader/{path.name}" for path in sorted(folder.glob("*.js")) if path.name != "worker.js")


@cache
def _version(names: tuple[str, ...]) -> str:
    """Another one whenever a file changes."""
    return hashlib.sha256(b"\0".join(map(_read, names))).hexdigest()[:16]


@cache
def _read(name: str) -> bytes:
    return _path(name).read_bytes()


def _path(name: str) -> Path:
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return Path(found)
