"""Lists of what the phases left behind, to read and to search. Only the text of a planned thread can be edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.decorators import display

from common.errors import MastoscoreError
from common.links import safe_link
from pipeline.models import Analysis, Artifact, Crawl, ServerFacts, Thread, ThreadToot, Toot, Visit
from pipeline.public_files import CONTENT_TYPES, file_name
from pipeline.servers_report import group_of, outcome_words, particulars
from pipeline.thread.edit import edit_toot
from pipeline.thread.ledger import find_thread

STATE_COLOURS = {"running": "info", "complete": "success", "failed": "danger", "cancelled": "warning"}


class ReadOnlyAdmin(ModelAdmin):
    """Rows that phases write and people read."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not on these pages; but an event that may be deleted takes its results with it."""
        match = request.resolver_match
        is_own_page = match is not None and f"_{self.opts.model_name}_" in f"_{match.url_name}_"
        return not is_own_page and super().has_delete_permission(request, obj)


def link_to(model: str, pk: int, text: str) -> str:
    return format_html('<a class="ms-link" href="{}">{}</a>', reverse(f"admin:{model}_change", args=[pk]), text)


def outward_link(url: str) -> str:
    """A link only if the address is one; else the bare text."""
    if not safe_link(url):
        return url or "–"
    return format_html(
        '<a class="ms-link" href="{}" rel="nofollow noopener noreferrer" target="_blank">{}</a>', url, url
    )


@admin.register(Crawl)
class CrawlAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "event_link",
        "state_label",
        "mode",
        "servers_asked",
        "world",
        "created_at",
        "finished_at",
    )
    list_filter = ("state", "mode", "is_mock", "created_at")
    search_fields = ("event__slug", "event__event_title", "event__episode_title", "hashtag")
    list_select_related = ("event",)
    exclude = ("event", "job")
    readonly_fields = ("event_link", "job_link", "servers_link")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Crawl]:
        crawls: QuerySet[Crawl] = super().get_queryset(request)
        return crawls.annotate(visit_count=Count("visits"))

    @display(description="crawl", ordering="id")
    def name(self, crawl: Crawl) -> str:
        return f"Crawl {crawl.pk}"

    @display(description="event", ordering="event__start")
    def event_link(self, crawl: Crawl) -> str:
        return link_to("events_event", crawl.event_id, str(crawl.event))

    @display(
        description="state",
        ordering="state",
        label={"complete": "success", "failed": "danger", "cancelled": "warning"},
    )
    def state_label(self, crawl: Crawl) -> tuple[str, str]:
        return crawl.state, crawl.get_state_display()

    @display(description="asked", ordering="is_mock")
    def world(self, crawl: Crawl) -> str:
        return "the bundled fediverse" if crawl.is_mock else "the real fediverse"

    @display(description="servers", ordering="visit_count")
    def servers_asked(self, crawl: Any) -> str:
        address = f"{reverse('admin:pipeline_visit_changelist')}?crawl__id__exact={crawl.pk}"
        return format_html('<a class="ms-link" href="{}">{}</a>', address, crawl.visit_count)

    @display(description="job")
    def job_link(self, crawl: Crawl) -> str:
        return link_to("jobs_job", crawl.job_id, f"Job {crawl.job_id}") if crawl.job_id else "–"

    @display(description="report per server")
    def servers_link(self, crawl: Any) -> str:
        address = f"{reverse('admin:pipeline_visit_changelist')}?crawl__id__exact={crawl.pk}"
        return format_html(
            '<a class="ms-link" href="{}">What each of the {} servers did</a>', address, crawl.visit_count
        )


@admin.register(ServerFacts)
class ServerFactsAdmin(ReadOnlyAdmin):
    list_display = ("server", "software", "version", "asked_at")
    list_filter = ("software",)
    search_fields = ("server",)


@admin.register(Visit)
class VisitAdmin(ReadOnlyAdmin):
    """The report of a crawl: one line per server, with what it did in words."""

    list_display = (
        "server",
        "what_it_did",
        "toots",
        "passed_over",
        "requests",
        "received",
        "waited",
        "crawl_link",
    )
    list_filter = ("state", "outcome", "is_home", "robots")
    search_fields = ("server", "detail", "crawl__event__slug")
    list_select_related = ("crawl",)
    ordering = ("-crawl_id", "-toots", "server")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "crawl__id__exact" or super().lookup_allowed(lookup, value, request)

    @display(description="what it did", ordering="outcome")
    def what_it_did(self, visit: Visit) -> str:
        words = outcome_words(visit.outcome) if visit.outcome else visit.get_state_display()
        told = particulars(visit)
        detail = format_html("<small>{}</small>", told) if told else ""
        dot = format_html('<span class="ms-dot ms-{}"></span>', group_of(visit.outcome))
        return format_html('<span class="ms-outcome">{}{}{}</span>', dot, words, detail)

    @display(description="received", ordering="received_bytes")
    def received(self, visit: Visit) -> str:
        return filesizeformat(visit.received_bytes)

    @display(description="waited", ordering="seconds")
    def waited(self, visit: Visit) -> str:
        return f"{visit.seconds:.1f} s"

    @display(description="crawl", ordering="crawl_id")
    def crawl_link(self, visit: Visit) -> str:
        return link_to("pipeline_crawl", visit.crawl_id, f"{visit.crawl_id}")


@admin.register(Toot)
class TootAdmin(ReadOnlyAdmin):
    list_display = (
        "words",
        "author_handle",
        "created_at",
        "boosts",
        "favourites",
        "replies",
        "is_authoritative",
        "event",
    )
    list_filter = ("is_authoritative", "author_is_bot", "is_reply", "created_at", "language")
    search_fields = ("text", "author_handle", "author_name", "uri", "event__slug")
    list_select_related = ("event",)
    exclude = ("uri", "url", "author_url", "html")
    readonly_fields = ("address", "identity", "profile", "seen_on")

    @display(description="toot")
    def words(self, toot: Toot) -> str:
        return Truncator(toot.spoiler_text or toot.text or "(no words)").chars(90)

    @display(description="URL")
    def address(self, toot: Toot) -> str:
        return outward_link(toot.url)

    @display(description="URI")
    def identity(self, toot: Toot) -> str:
        return outward_link(toot.uri)

    @display(description="profile")
    def profile(self, toot: Toot) -> str:
        return outward_link(toot.author_url)

    @display(description="seen on")
    def seen_on(self, toot: Toot) -> str:
        servers = toot.sightings.order_by("visit__server").values_list("visit__server", flat=True).distinct()
        return ", ".join(servers) or "–"


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin):
    list_display = ("event", "toots", "authors", "updated_at", "code_version")
    search_fields = ("event__slug", "event__event_title", "event__episode_title")
    list_select_related = ("event",)

    @display(description="toots")
    def toots(self, analysis: Analysis) -> int:
        return int(analysis.results.get("total_toots") or 0)

    @display(description="authors")
    def authors(self, analysis: Analysis) -> int:
        return int(analysis.results.get("unique_ids") or 0)


@admin.register(Artifact)
class ArtifactAdmin(ReadOnlyAdmin):
    list_display = ("preview", "file_link", "kind", "event", "size_words", "updated_at")
    list_display_links = ("file_link",)
    list_filter = ("kind", "updated_at")
    search_fields = ("path", "event__slug", "description")
    list_select_related = ("event",)
    readonly_fields = ("picture", "open_link")

    def get_fields(self, request: HttpRequest, obj: Artifact | None = None) -> list[Any]:
        names = ["event", "kind", "path", "size", "sha256", "description", "parameters", "code_version", "updated_at"]
        return ["picture", "open_link", *names]

    @display(description="picture")
    def preview(self, artifact: Artifact) -> str:
        return self._image(artifact, "ms-thumb")

    @display(description="file", ordering="path")
    def file_link(self, artifact: Artifact) -> str:
        return file_name(artifact)

    @display(description="size", ordering="size")
    def size_words(self, artifact: Artifact) -> str:
        return filesizeformat(artifact.size)

    @display(description="picture")
    def picture(self, artifact: Artifact) -> str:
        return self._image(artifact, "ms-picture") or "This file is no picture."

    @display(description="open")
    def open_link(self, artifact: Artifact) -> str:
        return format_html('<a class="ms-link" href="{}">{}</a>', self._address(artifact), file_name(artifact))

    def _image(self, artifact: Artifact, css_class: str) -> str:
        suffix = f".{file_name(artifact).rpartition('.')[2].lower()}"
        if not CONTENT_TYPES.get(suffix, "").startswith("image/"):
            return ""
        return format_html(
            '<img class="{}" src="{}" alt="{}" loading="lazy">',
            css_class,
            self._address(artifact),
            artifact.description,
        )

    @staticmethod
    def _address(artifact: Artifact) -> str:
        address = reverse("pipeline:file", args=[artifact.event.slug, file_name(artifact)])
        return f"{address}?v={artifact.sha256[:12]}"


@admin.register(ThreadToot)
class ThreadTootAdmin(ReadOnlyAdmin):
    """The ledger of threads. The text of a toot can be changed until it is being sent."""

    list_display = ("position", "role", "words", "state_label", "event", "sent_at")
    list_display_links = ("words",)
    list_filter = ("state", "role")
    search_fields = ("text", "event__slug")
    list_select_related = ("event",)
    ordering = ("-event__start", "position")
    fields = ("event_link", "position", "role", "text", "media", "state", "address", "sent_at")

    def has_change_permission(self, request: HttpRequest, obj: ThreadToot | None = None) -> bool:
        is_open = obj is None or (
            obj.state == ThreadToot.State.PLANNED and find_thread(obj.event).state == Thread.State.DRAFT
        )
        return is_open and request.user.has_perm("pipeline.change_threadtoot")

    def get_readonly_fields(self, request: HttpRequest, obj: ThreadToot | None = None) -> list[str]:
        return [name for name in self.fields if name != "text"]

    def save_model(self, request: HttpRequest, obj: ThreadToot, form: Any, change: bool) -> None:
        """Only while it is still a draft: somebody may have approved it since the form was shown."""
        try:
            edit_toot(obj.event, obj.pk, text=obj.text)
        except MastoscoreError as error:
            self.message_user(request, error.user_message, level="WARNING")

    @display(description="toot")
    def words(self, toot: ThreadToot) -> str:
        return Truncator(toot.text).chars(90)

    @display(
        description="state",
        ordering="state",
        label={"planned": "info", "sending": "warning", "sent": "success", "failed": "danger", "deleted": "danger"},
    )
    def state_label(self, toot: ThreadToot) -> tuple[str, str]:
        return toot.state, toot.get_state_display()

    @display(description="event")
    def event_link(self, toot: ThreadToot) -> str:
        thread = reverse("pipeline_admin:thread", args=[toot.event_id])
        event = link_to("events_event", toot.event_id, str(toot.event))
        return format_html('{}, <a class="ms-link" href="{}">its thread</a>', event, thread)

    @display(description="address")
    def address(self, toot: ThreadToot) -> str:
        return outward_link(toot.url)
