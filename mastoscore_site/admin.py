"""API tokens of all users: who has which, and when it was last used. Never a secret: those are made elsewhere."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from mastoscore_site.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    list_display = ["name", "user", "scopes", "display_state", "last_used_at", "expires_at", "created_at"]
    list_select_related = ["user"]
    list_filter = ["scopes", "revoked_at"]
    search_fields = ["name", "user__username", "prefix"]
    readonly_fields = fields = [
        "name", "user", "prefix", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at"
    ]  # fmt: skip
    actions = ["revoke_tokens"]

    @display(description="State", label={"works": "success", "expired": "warning", "revoked": "danger"})
    def display_state(self, token: ApiToken) -> str:
        if token.revoked_at is not None:
            return "revoked"
        return "works" if token.is_valid() else "expired"

    @action(description="Revoke", permissions=["change"])
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        count = queryset.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
        messages.success(request, f"{count} token{'' if count == 1 else 's'} revoked.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        tokens: QuerySet[ApiToken] = super().get_queryset(request)
        return tokens.defer("digest")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # Else a digest could be guessed letter by letter in the address of the list.
        return lookup.split("__")[0] != "digest" and bool(super().lookup_allowed(lookup, value, request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_change_permission(request))
