"""Answers for the page's script: a part of the page, and a sentence that comes up for a moment."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def say(response: HttpResponse, text: str, *, level: str = "success") -> HttpResponse:
    """Let a toast say it; ``level`` is info, success or warning."""
    response["HX-Trigger"] = json.dumps({"reader:toast": {"text": text, "level": level}})
    return response


def refuse(text: str) -> HttpResponse:
    """Nothing changes in the page; the toast says why. A status of its own would be an error in the console."""
    response = HttpResponse(status=200)
    response["HX-Reswap"] = "none"
    return say(response, text, level="warning")


def part(request: HttpRequest, name: str, **context: object) -> HttpResponse:
    return render(request, f"reader/_{name}.html", context)
