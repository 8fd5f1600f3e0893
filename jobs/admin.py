"""Jobs backstage: what runs, how far it is, and a way to stop it. Actions are confirmed and sent by POST."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django_q import admin as queue_admin
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from common.errors import MastoscoreError
from jobs import kinds, services
from jobs.models import Job
from jobs.progress import duration_of, line_of, percent_of

STATUS_COLOURS = {
    Job.Status.QUEUED: "primary",
    Job.Status.RUNNING: "info",
    Job.Status.COMPLETE: "success",
    Job.Status.CANCELLED: "warning",
    Job.Status.ERROR: "danger",
}
CANCEL_DIALOG = {
    "title": "Stop this job?",
    "description": "A waiting job is dropped. A running one stops within seconds; what it has stored so far is kept.",
    "form_submit_text": "Yes, stop it",
}
RETRY_DIALOG = {
    "title": "Do this again?",
    "description": "A new job with the same options is put in the queue; this one stays as it is.",
    "form_submit_text": "Yes, do it again",
}


@admin.register(Job)
class JobAdmin(ModelAdmin):
    list_display = ["show_kind", "show_event", "show_status", "show_progress", "show_asked_by", "started_at", "took"]
    list_display_links = ["show_kind"]
    list_filter = ["status", ("kind", admin.AllValuesFieldListFilter)]
    list_select_related = ["event", "asked_by"]
    search_fields = ["=id", "kind", "subject", "event__slug", "error"]
    list_fullwidth = True
    actions = ["cancel_selected"]
    actions_row = ["cancel_job", "retry_job"]
    actions_detail = ["cancel_job", "retry_job"]
    change_form_outer_before_template = "admin/jobs/panel.html"
    readonly_fields = ["show_event", "show_asked_by", "show_params", "show_result", "show_snapshot"]
    fieldsets = [
        (None, {"fields": ["show_event", "show_asked_by", "show_params", "show_result", "show_snapshot"]}),
        (
            "For whoever looks for a fault",
            {"fields": ["worker", "attempts", "fence", "created_at", "woken_at", "heartbeat_at", "exclusive_key"]},
        ),
    ]

    # --- who may do what ---
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a job is what happened; nobody edits it

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (isinstance(obj, Job) and obj.is_active)

    def has_cancel_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, object_id, is_active=True)

    def has_retry_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, object_id, is_active=False)

    def _may(self, request: HttpRequest, object_id: Any, *, is_active: bool) -> bool:
        if not request.user.has_perm("jobs.change_job"):
            return False
        if (
            object_id is None or request.method == "POST"
        ):  # it may have ended since the page was shown: not an offence
            return True
        job = self.get_object(request, str(object_id))
        return job is not None and job.is_active == is_active

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        queryset.exclude(status__in=Job.ACTIVE).delete()

    # --- columns ---
    @display(description="Job", ordering="id")
    def show_kind(self, job: Job) -> str:
        return f"{kinds.label_of(job.kind)} #{job.pk}"

    @display(description="About", ordering="event")
    def show_event(self, job: Job) -> SafeString | str:
        if job.event is None:
            return job.subject or "–"
        options = job.event._meta
        try:
            url = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[job.event.pk])
        except NoReverseMatch:
            return str(job.event)
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, job.event)

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def show_status(self, job: Job) -> tuple[str, str]:
        return job.status, job.get_status_display()

    @display(description="Progress")
    def show_progress(self, job: Job) -> str:
        return render_to_string("admin/jobs/_bar.html", {"percent": _percent(job), "line": line_of(job)})

    @display(description="Asked by", ordering="asked_by")
    def show_asked_by(self, job: Job) -> str:
        return str(job.asked_by) if job.asked_by else "–"

    @display(description="Took")
    def took(self, job: Job) -> str:
        duration = duration_of(job)
        return "–" if duration is None else str(duration)

    @display(description="Options")
    def show_params(self, job: Job) -> SafeString | str:
        return _pretty(job.params)

    @display(description="Result")
    def show_result(self, job: Job) -> SafeString | str:
        return _pretty(job.result)

    @display(description="Last progress")
    def show_snapshot(self, job: Job) -> SafeString | str:
        return _pretty(job.progress)

    # --- the panel that follows a job ---
    def get_urls(self) -> list[URLPattern]:
        panel = path("<int:job_id>/panel/", self.admin_site.admin_view(self.panel_view), name="jobs_job_panel")
        return [panel, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        extra = {**(extra_context or {}), **({"panel": _panel(job)} if job is not None else {})}
        return super().change_view(request, object_id, form_url, extra)  # type: ignore[no-any-return]

    def panel_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """Asked for by the page every second or two while the job is active; at its end the page is loaded anew."""
        job = self.get_object(request, str(job_id))
        if job is None:
            raise Http404
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        response = HttpResponse(render_to_string("admin/jobs/_job.html", {"panel": _panel(job)}))
        if not job.is_active:
            response.headers["HX-Refresh"] = "true"
        return response

    # --- actions ---
    @action(
        description="Stop",
        icon="cancel",
        variant=ActionVariant.DANGER,
        url_path="cancel",
        permissions=["cancel"],
        dialog=CANCEL_DIALOG,
    )
    def cancel_job(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        try:
            job = services.request_cancel(_number(object_id), by=request.user)
        except services.MayNotCancel as error:
            raise PermissionDenied(error.user_message) from error
        if job is None:
            raise Http404
        if job.is_active:
            messages.success(request, f"Job {job.pk} was asked to stop.")
        else:
            messages.info(request, f"Job {job.pk} is {job.get_status_display()}.")
        return _back(request, job)

    @action(description="Do again", icon="replay", url_path="retry", permissions=["retry"], dialog=RETRY_DIALOG)
    def retry_job(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        job = self.get_object(request, object_id)
        if job is None:
            raise Http404
        try:
            again = services.ask_again(job, asked_by=request.user)
        except MastoscoreError as error:
            messages.error(request, error.user_message)
            return _back(request, job)
        messages.success(request, f"Job {again.pk} is in the queue.")
        return HttpResponse(headers={"HX-Redirect": reverse("admin:jobs_job_change", args=[again.pk])})

    @admin.action(description="Stop the selected jobs", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        ids = list(queryset.filter(status__in=Job.ACTIVE).values_list("pk", flat=True))
        try:
            for job_id in ids:
                services.request_cancel(job_id, by=request.user)
        except services.MayNotCancel as error:
            messages.error(request, error.user_message)
            return
        messages.success(request, f"Asked to stop: {len(ids)} of {queryset.count()} (the others had ended).")


def _panel(job: Job) -> dict[str, Any]:
    return {
        "job": job,
        "title": services.describe(job),
        "colour": STATUS_COLOURS[Job.Status(job.status)],
        "percent": _percent(job),
        "line": line_of(job),
        "took": duration_of(job),
    }


def _percent(job: Job) -> int | None:
    return percent_of(job.progress) if job.is_active else None


def _pretty(value: Any) -> SafeString | str:
    if not value:
        return "–"
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre class="ms-json">{}</pre>', text)


def _number(object_id: str) -> int:
    if not (object_id.isascii() and object_id.isdigit() and len(object_id) < 19):
        raise Http404
    return int(object_id)


def _back(request: HttpRequest, job: Job) -> HttpResponse:
    """To the page the action was started from, as htmx tells it."""
    page = request.headers.get("HX-Current-URL", "")
    if not url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        page = reverse("admin:jobs_job_change", args=[job.pk])
    return HttpResponse(headers={"HX-Redirect": page})


# --- the queue's own models, in this admin's clothes; successes are not kept and the queue holds only job numbers ---
for model in (Schedule, Failure, Success, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(Schedule)
class ScheduleAdmin(queue_admin.ScheduleAdmin, ModelAdmin):
    list_display = ["name", "func", "schedule_type", "minutes", "next_run"]
    list_display_links = ["name"]
    list_filter = ["schedule_type"]


@admin.register(Failure)
class FailureAdmin(queue_admin.FailAdmin, ModelAdmin):
    list_display = ["name", "func", "started", "short_result"]
    list_filter: list[str] = []
