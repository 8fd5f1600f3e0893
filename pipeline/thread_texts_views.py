"""The texts of a thread written anew, for an event or for a series, with a preview that follows every letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from common.errors import MastoscoreError
from events.guarding import APPROVING_FIELDS, save_guarded
from events.models import Series
from events.thread_texts import COMMON_SAMPLES, THREAD_TEXTS
from pipeline.admin_views import event_or_refuse
from pipeline.core.thread_preview import marked_paragraphs
from pipeline.thread import ledger
from pipeline.thread.trial import Trial, try_event_texts, try_series_texts
from pipeline.thread_forms import SeriesTextsForm, TextsForm
from pipeline.thread_page import ROLES

MAY_CHANGE, MAY_CHANGE_SERIES = "events.change_event", "events.change_series"
Try = Callable[..., Trial]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def event_texts(request: HttpRequest, pk: int) -> HttpResponse:
    """The words of the event's threads, and how they go out."""
    event = event_or_refuse(request, pk, MAY_CHANGE)
    back = reverse("pipeline_admin:thread", args=[pk])
    places = [(reverse("admin:events_event_change", args=[pk]), event.title), (back, "Thread")]
    return _page(
        request,
        TextsForm(request.POST or None, instance=event),
        try_event_texts,
        places=places,
        try_url=reverse("pipeline_admin:thread_try", args=[pk]),
        saved="Saved. Make the draft anew to use these texts.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def series_texts(request: HttpRequest, pk: int) -> HttpResponse:
    """The words that events of the series begin with."""
    series = _series_or_refuse(request, pk)
    return _page(
        request,
        SeriesTextsForm(request.POST or None, instance=series),
        try_series_texts,
        places=[(reverse("admin:events_series_change", args=[pk]), series.title)],
        try_url=reverse("pipeline_admin:series_try", args=[pk]),
        saved="Saved. Events made from now on begin with these texts; those that are there keep their own.",
    )


@require_POST
def try_event(request: HttpRequest, pk: int) -> HttpResponse:
    """The thread as it would be with the texts typed so far."""
    return _typed(request, event_or_refuse(request, pk, MAY_CHANGE), try_event_texts)


@require_POST
def try_series(request: HttpRequest, pk: int) -> HttpResponse:
    """The same for a series."""
    return _typed(request, _series_or_refuse(request, pk), try_series_texts)


def _page(
    request: HttpRequest, form: Any, try_texts: Try, *, places: list[tuple[str, str]], try_url: str, saved: str
) -> HttpResponse:
    user: Any = request.user
    subject, may_post = form.instance, user.has_perm(ledger.PERMISSION)
    for name in () if may_post else APPROVING_FIELDS:
        form.fields[name].disabled = True
    if request.method == "POST" and form.is_valid():
        for sentence in save_guarded(form.save(commit=False), may_post=may_post, by=user):
            messages.warning(request, sentence)
        if form.has_changed():
            note = f"Changed {', '.join(str(form.fields[name].label).lower() for name in form.changed_data)}."
            LogEntry.objects.log_actions(user.pk, [subject], CHANGE, change_message=note, single_object=True)
        messages.success(request, saved)
        return HttpResponseRedirect(places[-1][0])
    sources = {name: getattr(subject, f"thread_{name}") for name in THREAD_TEXTS}
    context = {
        **admin.site.each_context(request),
        "title": "Texts of the thread",
        "form": form,
        "places": places,
        "back_url": places[-1][0],
        "try_url": try_url,
        "common_values": list(COMMON_SAMPLES),
        **_tried(subject, try_texts, sources, is_mentioning=subject.tag_users),
    }
    return render(request, "admin/pipeline/thread_texts.html", context)


def _typed(request: HttpRequest, subject: Any, try_texts: Try) -> HttpResponse:
    sources = {name: request.POST.get(f"thread_{name}", "") for name in THREAD_TEXTS}
    shown = _tried(subject, try_texts, sources, is_mentioning="tag_users" in request.POST)
    return render(request, "admin/pipeline/_thread_tried.html", shown)


def _tried(subject: Any, try_texts: Try, sources: Mapping[str, str], *, is_mentioning: bool) -> dict[str, Any]:
    try:
        trial = try_texts(subject, sources, is_mentioning=is_mentioning)
    except MastoscoreError as error:
        return {"tried_problem": error.user_message}
    shown = [(ROLES.get(toot.role, toot.role), marked_paragraphs(toot.text)) for toot in trial.toots]
    return {"tried": shown, "tried_numbers": trial.numbers}


def _series_or_refuse(request: HttpRequest, pk: int) -> Series:
    if not request.user.has_perm(MAY_CHANGE_SERIES):
        raise PermissionDenied
    return get_object_or_404(Series, pk=pk)
