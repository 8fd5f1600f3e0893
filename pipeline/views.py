"""The stage: pages everybody may see of events that are published."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Paginator
from django.db.models import F, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from events.models import Event
from pipeline import public_files
from pipeline.event_page import build_event_page
from pipeline.file_answers import answer_with_file
from pipeline.models import Artifact
from pipeline.servers_report import (
    find_reported_crawl,
    list_server_lines,
    report_as_csv,
    report_as_json,
    summarise_servers,
)
from pipeline.toots import load_opt_outs

EVENTS_PER_PAGE = 25


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    pictures = Prefetch(
        "artifacts", queryset=Artifact.objects.filter(kind__in=("graph", "graph-dark")), to_attr="pictures"
    )
    events = (
        visible_events(request)
        .annotate(total_toots=F("analysis__results__total_toots"), authors=F("analysis__results__unique_ids"))
        .prefetch_related(pictures)
        .order_by("-start", "-id")
    )
    page = Paginator(events, EVENTS_PER_PAGE).get_page(request.GET.get("page"))
    cards = [_card(event) for event in page]
    return render(request, "pipeline/home.html", {"page": page, "cards": cards})


@require_safe
def event_page(request: HttpRequest, slug: str) -> HttpResponse:
    event = get_object_or_404(visible_events(request).select_related("analysis", "series"), slug=slug)
    return render(request, "pipeline/event.html", {"event": event, "page": build_event_page(event)})


@require_safe
def servers(request: HttpRequest, slug: str) -> HttpResponse:
    event = get_object_or_404(visible_events(request), slug=slug)
    crawl = find_reported_crawl(event)
    context: dict[str, Any] = {"event": event}
    if crawl is not None:
        visits = crawl.visits.order_by("-toots", "server")
        context["summary"] = summarise_servers(crawl)
        context["lines"] = list_server_lines(visits, load_opt_outs())
    return render(request, "pipeline/servers.html", context)


@require_safe
def servers_download(request: HttpRequest, slug: str, suffix: str) -> HttpResponse:
    """The same as JSON or CSV."""
    event = get_object_or_404(visible_events(request), slug=slug)
    crawl = find_reported_crawl(event)
    if crawl is None:
        raise Http404
    lines = list_server_lines(crawl.visits.order_by("-toots", "server"), load_opt_outs())
    response: HttpResponse
    if suffix == "json":
        response = JsonResponse(report_as_json(event, summarise_servers(crawl), lines))
    else:
        response = HttpResponse(report_as_csv(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{event.slug}-servers.{suffix}"'
    return response


@require_safe
def event_file(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """A file of the event by its exact name; 304 when the reader has it already."""
    event = get_object_or_404(visible_events(request).select_related("analysis"), slug=slug)
    artifact = public_files.find_by_name(event, name)
    if artifact is None or not (may_see_unpublished(request) or _is_public(event, artifact)):
        raise Http404
    cache_control = "public, max-age=300" if event.is_published else "private, no-store"
    response = answer_with_file(request, artifact, cache_control=cache_control)
    if response is None:
        raise Http404
    return response


def visible_events(request: HttpRequest) -> QuerySet[Event]:
    """Published events for everybody, all events for staff who may view events."""
    return Event.objects.all() if may_see_unpublished(request) else Event.objects.filter(is_published=True)


def may_see_unpublished(request: HttpRequest) -> bool:
    user = request.user
    return not isinstance(user, AnonymousUser) and user.is_staff and user.has_perm("events.view_event")


def _is_public(event: Event, artifact: Artifact) -> bool:
    if artifact.kind in public_files.HOST_KINDS:
        return False
    return artifact.kind not in public_files.NAMING_KINDS or not build_event_page(event).is_withholding


def _card(event: Any) -> dict[str, Any]:
    files = public_files.list_public_files(event.pictures, is_withholding=False)
    return {
        "event": event,
        "graph": files.get("graph"),
        "graph_dark": files.get("graph-dark"),
        "toots": event.total_toots,
        "authors": event.authors,
    }
