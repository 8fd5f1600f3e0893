from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from common.errors import MastoscoreError
from events import connecting
from events.accounts import check_account
from events.admin_forms import AccountForm, ConnectForm
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
    actions_list = ["connect"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MastodonAccount]:
        has_token = ExpressionWrapper(~Q(token=""), output_field=BooleanField())
        accounts: QuerySet[MastodonAccount] = super().get_queryset(request)
        return accounts.defer("token").annotate(is_token_stored=has_token)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # Else a token could be guessed letter by letter in the address of the list.
        return lookup.split("__")[0] != "token" and bool(super().lookup_allowed(lookup, value, request))

    def get_fields(self, request: HttpRequest, obj: MastodonAccount | None = None) -> list[Any]:
        if obj is None:
            return ["server", "set_token"]
        known: list[Any] = ["server", "username", ("display_token", "verified_at")]
        return [*known, "set_token", "forget_token"] if self.has_change_permission(request, obj) else known

    def get_readonly_fields(self, request: HttpRequest, obj: MastodonAccount | None = None) -> list[str]:
        # A token belongs to its server: moving the account would send it to another one.
        return [*self.readonly_fields, "server"] if obj else list(self.readonly_fields)

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "events_mastodonaccount"
        return [
            path("<int:account_id>/check/", wrap(self.check_token), name=f"{name}_check"),
            path("<int:account_id>/revoke/", wrap(self.revoke_token), name=f"{name}_revoke"),
            path("connected/", wrap(self.connected), name=f"{name}_connected"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> HttpResponse:
        account = kwargs.get("obj")
        if account is not None and account.is_token_stored and self.has_change_permission(request, account):
            url = reverse("admin:events_mastodonaccount_check", args=[account.pk])
            revoke_url = reverse("admin:events_mastodonaccount_revoke", args=[account.pk])
            confirm = f"Give the token of {account} back? Nothing can be posted or asked as this account then."
            context["house_buttons"] = [
                Button(url, "Check token", "verified_user"),
                Button(revoke_url, "Revoke token", "key_off", confirm),
            ]
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

    # --- connected in the browser ---
    @action(description="Connect", url_path="connect", icon="link", permissions=["connect"])
    def connect(self, request: HttpRequest) -> HttpResponse:
        """Ask for the server, then show the way there: a link, as a form may not lead to another site."""
        form = ConnectForm(request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Connect an account",
            "form": form,
            "intro": "Our program is registered on the server, with the least rights it needs: to read toots, and to "
            "post the threads that you approve.",
            "media": self.media + form.media,
            "submit_label": "Go on",
            "back_url": reverse("admin:events_mastodonaccount_changelist"),
        }
        if request.method == "POST" and form.is_valid():
            back = request.build_absolute_uri(reverse("admin:events_mastodonaccount_connected"))
            try:
                context["address"] = connecting.begin(request.session, form.cleaned_data["server"], back)
            except MastoscoreError as error:
                form.add_error(None, error.user_message)
            else:
                context["server"] = form.cleaned_data["server"]
                return TemplateResponse(request, "admin/events/connect.html", context)
        return TemplateResponse(request, "admin/events/form_page.html", context)

    def connected(self, request: HttpRequest) -> HttpResponse:
        """Where the server sends the host back to, with a code or without."""
        if not self.has_connect_permission(request):
            raise PermissionDenied
        values = request.GET
        try:
            outcome = connecting.complete(
                request.session,
                state=values.get("state", ""),
                code=values.get("code", ""),
                error=values.get("error", ""),
            )
        except MastoscoreError as error:
            show_error(request, error)
            return HttpResponseRedirect(reverse("admin:events_mastodonaccount_changelist"))
        for warning in outcome.warnings:
            messages.warning(request, warning)
        messages.success(request, f"{outcome.account} is connected.")
        note = self.log_addition if outcome.created else self.log_change
        note(request, outcome.account, "Connected in the browser.")
        return HttpResponseRedirect(reverse("admin:events_mastodonaccount_change", args=[outcome.account.pk]))

    def revoke_token(self, request: HttpRequest, account_id: int) -> HttpResponse:
        """Give the token back to the server, outside of any transaction."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        account = MastodonAccount.objects.select_related("app").filter(pk=account_id).first()
        if account is None:
            raise Http404
        try:
            warning = connecting.revoke(account)
        except MastoscoreError as error:
            show_error(request, error)
        else:
            self.log_change(request, account, "Token given back.")
            messages.success(request, f"The token of {account} is gone.")
            if warning:
                messages.warning(request, warning)
        return HttpResponseRedirect(reverse("admin:events_mastodonaccount_change", args=[account_id]))

    def has_connect_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perms(["events.add_mastodonaccount", "events.change_mastodonaccount"])

    @display(description="Account", ordering="username")
    def display_name(self, account: MastodonAccount) -> str:
        return str(account)

    @display(description="Token", label={"stored": "success", "none": "warning"})
    def display_token(self, account: MastodonAccount) -> str:
        return "stored" if getattr(account, "is_token_stored", False) else "none"


@admin.register(OptOut)
class OptOutAdmin(ModelAdmin):
    list_display = ["target", "reason", "created_at", "erased_at"]
    search_fields = ["target", "reason"]
    fields = ["target", "reason"]
