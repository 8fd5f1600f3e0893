"""The live panel of an event on its page of the backstage; the page of its thread is in ``thread_views``."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from events.models import Event
from jobs.models import Job
from jobs.services import MayNotCancel, request_cancel
from pipeline.event_panel import build_panel

# htmx takes the content and stops asking: https://htmx.org/docs/#load_polling
STOP_POLLING = 286


@require_safe
@never_cache
def event_phases(request: HttpRequest, pk: int) -> HttpResponse:
    """The panel alone, asked for every two seconds while a job is at work."""
    return _panel(request, event_or_refuse(request, pk, "events.view_event"))


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the event's active job to stop; answers the panel."""
    event = event_or_refuse(request, pk, "events.change_event")
    for job in event.jobs.filter(status__in=Job.ACTIVE):
        try:
            request_cancel(job.pk, by=request.user)
        except MayNotCancel as error:
            raise PermissionDenied(error.user_message) from error
    return _panel(request, event)


def _panel(request: HttpRequest, event: Event) -> HttpResponse:
    panel = build_panel(event, can_change=request.user.has_perm("events.change_event"))
    status = 200 if panel.is_live else STOP_POLLING
    return render(request, "admin/pipeline/event_panel.html", {"panel": panel, "event": event}, status=status)


def event_or_refuse(request: HttpRequest, pk: int, permission: str) -> Event:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    events = Event.objects.select_related("analysis", "posting_account", "home_account")
    return get_object_or_404(events, pk=pk)
