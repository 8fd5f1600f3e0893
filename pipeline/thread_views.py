"""The page of a thread in the backstage: seen as it will look, changed toot by toot, approved, sent, taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.errors import MastoscoreError
from events.models import Event
from events.thread_texts import COMMON_SAMPLES, THREAD_TEXTS
from jobs.context import JobContext
from jobs.models import Job
from jobs.services import enqueue, request_cancel
from pipeline.admin_views import STOP_POLLING, event_or_refuse
from pipeline.core.thread_preview import marked_paragraphs
from pipeline.thread import approval, edit, ledger
from pipeline.thread.plan import try_texts as plan_with_texts
from pipeline.thread_forms import TextsForm
from pipeline.thread_page import KINDS, ROLES, build_page

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
        "regenerate": (MAY_CHANGE, lambda event: _queue(request, event, "post")),
        "approve": (MAY_POST, lambda event: approval.approve(event, request.user, revision=_revision(request))),
        "withdraw": (MAY_POST, lambda event: approval.withdraw(event, request.user)),
        "send": (MAY_POST, lambda event: _queue(request, event, ledger.SEND)),
        "delete": (MAY_POST, lambda event: _queue(request, event, ledger.DELETE)),
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


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def texts(request: HttpRequest, pk: int) -> HttpResponse:
    """The words of the event's threads, and how they go out."""
    event = event_or_refuse(request, pk, MAY_CHANGE)
    form = TextsForm(request.POST or None, instance=event)
    if not request.user.has_perm(MAY_POST):
        form.fields["post_auto_approve"].disabled = form.fields["post_allow_changes"].disabled = True
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved. Make the draft anew to use these texts.")
        return HttpResponseRedirect(reverse("pipeline_admin:thread", args=[event.pk]))
    return render(
        request,
        "admin/pipeline/thread_texts.html",
        {
            **_context(request, event, title="Texts of the thread"),
            "form": form,
            "common_values": list(COMMON_SAMPLES),
            **_tried(event, {name: getattr(event, f"thread_{name}") for name in THREAD_TEXTS}),
        },
    )


@require_POST
def try_texts(request: HttpRequest, pk: int) -> HttpResponse:
    """The thread as it would be with the texts typed so far."""
    event = event_or_refuse(request, pk, MAY_CHANGE)
    sources = {name: request.POST.get(f"thread_{name}", "") for name in THREAD_TEXTS}
    return render(request, "admin/pipeline/_thread_tried.html", _tried(event, sources))


def _tried(event: Event, sources: Mapping[str, str]) -> dict[str, Any]:
    try:
        toots, _ = plan_with_texts(JobContext.detached("post", event=event), sources)
    except MastoscoreError as error:
        return {"tried_problem": error.user_message}
    return {"tried": [(ROLES.get(toot.role, toot.role), marked_paragraphs(toot.text)) for toot in toots]}


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


def _queue(request: HttpRequest, event: Event, kind: str) -> Job:
    if kind == ledger.SEND and ledger.find_thread(event).state == ledger.State.DRAFT:
        raise ledger.NotApproved(f"The thread of {event.slug} is not approved yet.")
    return enqueue(kind, event=event, asked_by=request.user)


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
