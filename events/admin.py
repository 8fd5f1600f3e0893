"""The admin of events and series; accounts, opt-outs and users are in modules beside this one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.http.response import HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from common.errors import MastoscoreError
from common.times import zone
from events.admin_accounts import AccountAdmin, OptOutAdmin
from events.admin_extensions import actions_for, event_actions, panels_for, series_panels_for, state_of, with_states
from events.admin_filters import WhenFilter
from events.admin_forms import CopyForm, EventForm, ImportForm, NewEventForm, SeriesForm
from events.admin_pages import Button, form_page, show_error
from events.admin_users import GroupAdmin, UserAdmin
from events.guarding import APPROVING_FIELDS, save_guarded
from events.models import Event, Series
from events.services import (
    copy_event_to_next_week,
    create_event_from_series,
    export_event_text,
    import_event_text,
    weeks_later,
)
from events.thread_texts import THREAD_TEXTS

__all__ = ["AccountAdmin", "EventAdmin", "GroupAdmin", "OptOutAdmin", "SeriesAdmin", "UserAdmin"]

_FETCH_FIELDS = ["more_hashtags", "excluded_hashtags", "hours_margin", "fetch_mode", "max_toots", "fetch_dry_run"]
SCORING_TABS: list[tuple[str, dict[str, Any]]] = [
    ("Fetch", {"classes": ["tab"], "fields": _FETCH_FIELDS}),
    (
        "Scoring",
        {"classes": ["tab"], "fields": ["top_n", "consent", "leave_out_bots", ("autoscore", "autoscore_delay")]},
    ),
    ("Graph", {"classes": ["tab"], "fields": ["graph_title", ("start_label", "end_label")]}),
    (
        "Word cloud",
        {
            "classes": ["tab"],
            "fields": [
                "wordcloud_title",
                "hashtag_fix",
                "stop_words",
                ("wordcloud_width", "wordcloud_height"),
                "wordcloud_font",
            ],
        },
    ),
    (
        "Blog and thread",
        {
            "classes": ["tab"],
            "fields": [
                ("blog_tags", "blog_categories"),
                ("posting_account", "bot_username"),
                ("tag_users", "post_dry_run"),
                ("post_visibility", "post_language"),
                "post_content_warning",
                ("post_auto_approve", "post_allow_changes"),
            ],
        },
    ),
    ("Words of the thread", {"classes": ["tab"], "fields": [f"thread_{name}" for name in THREAD_TEXTS]}),
]


class ApprovingOptions:
    """What lets threads out without anybody looking is for those who may approve them; see ``events.guarding``."""

    readonly_fields: Sequence[str] = ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        for sentence in save_guarded(obj, may_post=_may_post(request), by=request.user):
            messages.warning(request, sentence)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return [*self.readonly_fields, *(() if _may_post(request) else APPROVING_FIELDS)]


def _may_post(request: HttpRequest) -> bool:
    return request.user.has_perm("pipeline.post_thread")


@admin.register(Event)
class EventAdmin(ApprovingOptions, ModelAdmin):
    form = EventForm
    list_display = ["display_title", "display_hashtag", "display_start", "display_state", "display_published"]
    list_filter = [
        WhenFilter,
        ("series", RelatedDropdownFilter),
        ("autoscore", BooleanRadioFilter),
        ("is_published", BooleanRadioFilter),
    ]
    list_filter_submit = True
    list_per_page = 50
    search_fields = ["slug", "event_title", "episode_title", "hashtag"]
    date_hierarchy = "local_date"
    autocomplete_fields = ["home_account", "posting_account", "series"]
    warn_unsaved_form = True
    change_form_outer_before_template = "admin/events/buttons.html"
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("event_title", "episode_title"),
                    ("hashtag", "slug"),
                    ("start", "timezone"),
                    ("duration", "home_account"),
                    ("series", "is_published"),
                ]
            },
        ),
        *SCORING_TABS,
    ]
    actions = ["copy_selected_to_next_week"]
    actions_list = ["import_ini"]
    actions_row = ["copy_to_next_week", "download_ini"]
    actions_detail = ["copy_to_next_week", "download_ini"]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """With an event whose thread is out, we would forget what to take back: it is protected."""
        to_delete, counts, missing, protected = super().get_deleted_objects(objs, request)
        posted = [
            f"{event}: toots of its thread are out, or may be; delete the thread first"
            for event in objs
            if event.thread.filter(state__in=("sent", "sending")).exists()
            or event.thread.exclude(strays=[]).exists()
            or event.thread.exclude(former=[]).exists()
        ]
        return to_delete, counts, missing, [*protected, *posted]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return with_states(super().get_queryset(request))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.run_action)
        return [path("<int:event_id>/do/<slug:name>/", view, name="events_event_do"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> HttpResponse:
        event = kwargs.get("obj")
        if event is not None:
            context["house_buttons"] = [
                Button(
                    reverse("admin:events_event_do", args=[event.pk, offered.name]),
                    offered.label,
                    offered.icon,
                    offered.confirm,
                    offered.is_primary,
                )
                for offered in actions_for(request, event)
            ]
            context["house_panels"] = panels_for(request, event)
        response: HttpResponse = super().render_change_form(request, context, **kwargs)
        return response

    def run_action(self, request: HttpRequest, event_id: int, name: str) -> HttpResponseBase:
        """Run a button that another app registered; back to the event's page if it has no page of its own."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        event = self._find(request, event_id)
        chosen = event_actions.get(name)
        if chosen is None:
            raise Http404
        if not chosen.suits(request, event):
            if request.user.has_perm(chosen.permission):
                messages.warning(request, f"“{chosen.label}” is not possible just now.")
                return _to_event(event)
            raise PermissionDenied
        try:
            return chosen.handler(request, event) or _to_event(event)
        except MastoscoreError as error:
            show_error(request, error)
            return _to_event(event)

    @action(description="Copy to next week", url_path="copy", icon="event_repeat", permissions=["make_event"])
    def copy_to_next_week(self, request: HttpRequest, object_id: str) -> HttpResponse:
        event = self._find(request, object_id)
        form = CopyForm(request.POST or None)

        def save() -> str:
            copy = copy_event_to_next_week(
                event,
                form.cleaned_data["weeks"],
                episode_title=form.cleaned_data["episode_title"],
                may_post=_may_post(request),
            )
            self.log_addition(request, copy, f"Copied from {event.slug}.")
            messages.success(request, f"{copy.slug} is {copy.local_start:%A, %d %B %Y, %H:%M} ({copy.timezone}).")
            return _change_url(copy)

        return form_page(
            self,
            request,
            form,
            title=f"Copy {event.title}",
            intro=f"The copy has the same settings and none of the results. One week later is "
            f"{weeks_later(event, 1).astimezone(zone(event.timezone)):%A, %d %B %Y, %H:%M} ({event.timezone}).",
            submit_label="Copy",
            back_url=_change_url(event),
            save=save,
        )

    @admin.action(description="Copy to next week", permissions=["add"])
    def copy_selected_to_next_week(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        for event in queryset.order_by("start"):
            try:
                copy = copy_event_to_next_week(event, may_post=_may_post(request))
            except MastoscoreError as error:
                show_error(request, error)
            else:
                self.log_addition(request, copy, f"Copied from {event.slug}.")
                messages.success(request, format_html('<a href="{}">{}</a> is made.', _change_url(copy), copy.slug))

    @action(description="Download INI", url_path="ini", icon="download", permissions=["read"])
    def download_ini(self, request: HttpRequest, object_id: str) -> HttpResponse:
        event = self._find(request, object_id)
        name = content_disposition_header(as_attachment=True, filename=f"{event.slug}.ini")
        return HttpResponse(
            export_event_text(event),
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": name or "attachment"},
        )

    @action(
        description="Import INI file",
        url_path="import-ini",
        icon="upload_file",
        permissions=["import"],
    )
    def import_ini(self, request: HttpRequest) -> HttpResponse:
        form = ImportForm(request.POST or None, request.FILES or None)

        def save() -> str:
            values = form.cleaned_data
            outcome = import_event_text(
                values["text"],
                name=values["file"].name,
                slug=values["slug"] or None,
                may_post=_may_post(request),
                by=request.user,
            )
            note = self.log_addition if outcome.created else self.log_change
            note(request, outcome.event, "Imported from an INI file.")
            for warning in outcome.warnings:
                messages.warning(request, warning)
            messages.success(request, f"{outcome.event.slug} is {'made' if outcome.created else 'updated'}.")
            return _change_url(outcome.event)

        return form_page(
            self,
            request,
            form,
            title="Import an INI file",
            intro="A file that was imported before updates its event.",
            submit_label="Import",
            back_url=reverse("admin:events_event_changelist"),
            save=save,
        )

    @display(description="Event", header=True, ordering="event_title")
    def display_title(self, event: Event) -> list[str]:
        return [event.event_title, event.episode_title or event.slug]

    @display(description="Hashtag", ordering="hashtag")
    def display_hashtag(self, event: Event) -> str:
        return f"#{event.hashtag}"

    @display(description="Start", header=True, ordering="start")
    def display_start(self, event: Event) -> list[str]:
        return [f"{event.local_start:%a %d %b %Y, %H:%M}", event.timezone.replace("_", " ")]

    @display(
        description="State",
        label={kind: kind for kind in ("info", "success", "warning", "danger", "primary", "")},
    )
    def display_state(self, event: Event) -> tuple[str, str]:
        return state_of(event) or _state_in_time(event)

    @display(description="Published", boolean=True, ordering="is_published")
    def display_published(self, event: Event) -> bool:
        return event.is_published

    # Named like this for unfold, which asks the database about "app.permission" at check time, before migrate.
    def has_read_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("events.view_event") or request.user.has_perm("events.change_event")

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(["events.add_event", "events.change_event"])

    def has_make_event_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("events.add_event")

    def _find(self, request: HttpRequest, event_id: object) -> Event:
        if not self.has_view_permission(request):
            raise PermissionDenied
        event: Event | None = self.get_object(request, str(event_id))
        if event is None:
            raise Http404
        return event


@admin.register(Series)
class SeriesAdmin(ApprovingOptions, ModelAdmin):
    form = SeriesForm
    list_display = ["title", "hashtag", "timezone", "autoscore"]
    search_fields = ["title", "slug", "hashtag"]
    prepopulated_fields = {"slug": ["title"]}
    autocomplete_fields = ["home_account", "posting_account"]
    warn_unsaved_form = True
    fieldsets = [
        (
            None,
            {"fields": [("title", "slug"), ("hashtag", "timezone"), ("duration", "home_account")]},
        ),
        *SCORING_TABS,
    ]
    actions_row = ["new_event"]
    actions_detail = ["new_event"]
    change_form_outer_before_template = "admin/events/buttons.html"

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> HttpResponse:
        series = kwargs.get("obj")
        if series is not None:
            context["house_panels"] = series_panels_for(request, series)
        response: HttpResponse = super().render_change_form(request, context, **kwargs)
        return response

    @action(description="New event from series", url_path="new-event", icon="add", permissions=["make_event"])
    def new_event(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        series = self.get_object(request, object_id)
        if series is None:
            raise Http404
        form = NewEventForm(request.POST or None, series=series)

        def save() -> str:
            event = create_event_from_series(
                series,
                form.cleaned_data["start"],
                episode_title=form.cleaned_data["episode_title"],
                may_post=_may_post(request),
            )
            self.log_addition(request, event, f"Made from the series {series.slug}.")
            messages.success(request, f"{event.slug} is made.")
            return _change_url(event)

        return form_page(
            self,
            request,
            form,
            title=f"New event of {series}",
            intro="Everything else comes from the series and can be changed afterwards.",
            submit_label="Make the event",
            back_url=reverse("admin:events_series_change", args=[series.pk]),
            save=save,
        )

    def has_make_event_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("events.add_event")


def _state_in_time(event: Event) -> tuple[str, str]:
    if event.is_over:
        return "", "over"
    return ("info", "under way") if event.start <= timezone.now() else ("primary", "upcoming")


def _change_url(event: Event) -> str:
    return reverse("admin:events_event_change", args=[event.pk])


def _to_event(event: Event) -> HttpResponseRedirect:
    return HttpResponseRedirect(_change_url(event))
