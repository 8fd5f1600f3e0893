"""The page on which a user makes and revokes personal API tokens, and the way in and out for who is not staff."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from common.api.access import Scope
from common.errors import ConfigurationError
from mastoscore_site.models import ApiToken
from mastoscore_site.sign_in_limits import limited
from mastoscore_site.tokens import make_token, revoke

_LIFETIMES = {"30": "30 days", "90": "90 days", "365": "a year", "": "until I revoke it"}


class TokenForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="What it is for, such as the name of the program that gets it.")
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=[(scope, f"{scope}: {scope.meaning}") for scope in Scope],
        initial=[Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        help_text="Never more than you may do yourself. “run” and “post” include “read”.",
    )
    days = forms.ChoiceField(label="Good for", choices=list(_LIFETIMES.items()), initial="90", required=False)

    def save(self, user: Any) -> tuple[ApiToken, str] | None:
        """The token and its text; None when the form is to be shown again with what is wrong."""
        values = self.cleaned_data
        days = int(values["days"]) if values["days"] else None
        try:
            return make_token(user, values["name"], [Scope(scope) for scope in values["scopes"]], days=days)
        except ConfigurationError as error:
            self.add_error("name", error.user_message)
            return None


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """POST makes a token and shows its text in the answer: nowhere else, and never again."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    made = form.save(request.user) if form.is_bound and form.is_valid() else None
    context = {
        "form": form if made is None else TokenForm(),
        "made": made[0] if made else None,
        "text": made[1] if made else "",
        "tokens": ApiToken.objects.filter(user=request.user.pk, revoked_at__isnull=True),
    }
    return render(request, "api/tokens.html", context, status=200 if made or not form.errors else 422)


@login_required
@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    token = revoke(token_id, user=request.user)
    if token is None:
        raise Http404
    messages.success(request, f"“{token.name}” does not work any more.")
    return redirect("tokens")


urlpatterns: list[URLPattern] = [
    path(
        "login/",
        limited(
            LoginView.as_view(template_name="api/login.html", next_page="tokens", redirect_authenticated_user=True)
        ),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("tokens/", token_list, name="tokens"),
    path("tokens/<int:token_id>/revoke/", token_revoke, name="token-revoke"),
]
