from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.decorators import display

from common.errors import MastoscoreError
from events.accounts import check_account
from events.admin_forms import AccountForm
from events.admin_pages import Button, show_error
from events.models import MastodonAccount, OptOut


@admin.register(MastodonAccount)
class AccountAdmin(ModelAdmin):
    """Never reads a token from the database, so no page can show one, or fail over one that does not open."""

    form = AccountForm
    list_display = ["display_name", "server", "display_token", "verified_at"]
    search_fields = ["server", "username"]
    readonly_fields = ["username", "display_token", "verified_at"]
    change_form_outer_before_template = "admin/events/buttons.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MastodonAccount]:
        has_token = ExpressionWrapper(~Q(token=""), output_field=BooleanField())
        accounts: QuerySet[MastodonAccount] = super().get_queryset(request)
        return accounts.defer("token").annotate(is_token_stored=has_token)

    def get_fields(self, request: HttpRequest, obj: MastodonAccount | None = None) -> list[Any]:
        if obj is None:
            return ["server", "set_token"]
        known: list[Any] = ["server", "username", ("display_token", "verified_at")]
        return [*known, "set_token", "forget_token"] if self.has_change_permission(request, obj) else known

    def get_readonly_fields(self, request: HttpRequest, obj: MastodonAccount | None = None) -> list[str]:
        # A token belongs to its server: moving the account would send it to another one.
        return [*self.readonly_fields, "server"] if obj else list(self.readonly_fields)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.check_token)
        return [path("<int:account_id>/check/", view, name="events_mastodonaccount_check"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> HttpResponse:
        account = kwargs.get("obj")
        if account is not None and account.is_token_stored and self.has_change_permission(request, account):
            url = reverse("admin:events_mastodonaccount_check", args=[account.pk])
            context["house_buttons"] = [Button(url, "Check token", "verified_user")]
        response: HttpResponse = super().render_change_form(request, context, **kwargs)
        return response

    def check_token(self, request: HttpRequest, account_id: int) -> HttpResponse:
        """Ask the server whose the token is; outside of any transaction, as it waits for the network."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        account = self.get_object(request, str(account_id))
        if account is None:
            raise Http404
        try:
            outcome = check_account(account)
        except MastoscoreError as error:
            show_error(request, error)
        else:
            for warning in outcome.warnings:
                messages.warning(request, warning)
            if outcome.is_verified:
                messages.success(request, f"{account.server} says that the token belongs to {outcome.account}.")
        return HttpResponseRedirect(reverse("admin:events_mastodonaccount_change", args=[account_id]))

    @display(description="Account", ordering="username")
    def display_name(self, account: MastodonAccount) -> str:
        return str(account)

    @display(description="Token", label={"stored": "success", "none": "warning"})
    def display_token(self, account: MastodonAccount) -> str:
        return "stored" if getattr(account, "is_token_stored", False) else "none"


@admin.register(OptOut)
class OptOutAdmin(ModelAdmin):
    list_display = ["target", "reason", "created_at"]
    search_fields = ["target", "reason"]
    fields = ["target", "reason"]
