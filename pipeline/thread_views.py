"""The page of a thread in the backstage: seen as it will look, changed toot by toot, approved, sent, taken back.

Its texts have a page of their own: see ``thread_texts_views``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from common.errors import MastoscoreError
from events.models import Event
from jobs.models import Job
from jobs.services import request_cancel
from pipeline.admin_views import STOP_POLLING, event_or_refuse
from pipeline.services import ask_for_draft, ask_to_delete_thread, ask_to_send
from pipeline.thread import approval, edit, ledger
from pipeline.thread_page import KINDS, build_page

MAY_LOOK, MAY_CHANGE, MAY_POST = "events.view_event", "events.change_event", ledger.PERMISSION


@require_safe
@never_cache
def page(request: HttpRequest, pk: int) -> HttpResponse:
    event = event_or_refuse(request, pk, MAY_LOOK)
    return render(request, "admin/pipeline/thread.html", _context(request, event, title=f"Thread of {event.title}"))


@require_safe
@never_cache
def panel(request: HttpRequest, pk: int) -> HttpResponse:
    """The part that lives; asked for every second while the thread is on its way."""
    event = event_or_refuse(request, pk, MAY_LOOK)
    wanted = request.GET.get("edit", "")
    return _panel(request, event, edit=int(wanted) if wanted.isascii() and wanted.isdigit() else 0)


@require_POST
def do(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """What is done with the thread as a whole."""
    known: dict[str, tuple[str, Callable[[Event], object]]] = {
        "regenerate": (MAY_CHANGE, lambda event: ask_for_draft(event, asked_by=request.user)),
        "approve": (MAY_POST, lambda event: approval.approve(event, request.user, revision=_revision(request))),
        "withdraw": (MAY_POST, lambda event: approval.withdraw(event, request.user)),
        "send": (MAY_POST, lambda event: ask_to_send(event, asked_by=request.user)),
        "delete": (MAY_POST, lambda event: ask_to_delete_thread(event, asked_by=request.user)),
        "cancel": (MAY_CHANGE, lambda event: _cancel(request, event)),
    }
    if what not in known:
        raise Http404
    permission, action = known[what]
    return _act(request, pk, permission, action)


@require_POST
def change(request: HttpRequest, pk: int, toot: int, what: str) -> HttpResponse:
    """What is done with one toot of the draft."""
    revision = _revision(request)
    known: dict[str, Callable[[Event], object]] = {
        "save": lambda event: edit.edit_toot(
            event,
            toot,
            text=request.POST.get("text"),
            descriptions=request.POST.getlist("description"),
            revision=revision,
        ),
        "move": lambda event: edit.move_toot(event, toot, to=_number(request, "to"), revision=revision),
        "drop": lambda event: edit.drop_toot(event, toot, revision=revision),
    }
    if what not in known:
        raise Http404
    return _act(request, pk, MAY_CHANGE, known[what], edit=toot if what == "save" else 0)


def _act(
    request: HttpRequest, pk: int, permission: str, action: Callable[[Event], object], *, edit: int = 0
) -> HttpResponse:
    """Do it and show the thread as it is then; what could not be done stands above it."""
    event = event_or_refuse(request, pk, permission)
    try:
        action(event)
    except MastoscoreError as error:
        return _panel(request, event, edit=edit, problem=error.user_message)
    return _panel(request, event)


def _panel(request: HttpRequest, event: Event, *, edit: int = 0, problem: str = "") -> HttpResponse:
    shown = build_page(event, request.user, edit=edit, problem=problem)
    is_poll = request.method == "GET" and not edit
    status = STOP_POLLING if is_poll and not shown.is_live else 200
    return render(request, "admin/pipeline/_thread.html", {"page": shown, "event": event}, status=status)


def _context(request: HttpRequest, event: Event, *, title: str) -> dict[str, Any]:
    return {
        **admin.site.each_context(request),
        "title": title,
        "event": event,
        "page": build_page(event, request.user),
    }


def _cancel(request: HttpRequest, event: Event) -> None:
    for job in event.jobs.filter(kind__in=KINDS, status__in=Job.ACTIVE):
        request_cancel(job.pk, by=request.user)


def _revision(request: HttpRequest) -> int:
    return _number(request, "revision")


def _number(request: HttpRequest, name: str) -> int:
    try:
        return int(forms.IntegerField(min_value=0, max_value=10**9).clean(request.POST.get(name)))
    except forms.ValidationError as error:
        raise PermissionDenied from error
