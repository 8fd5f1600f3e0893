"""Services to which posts are saved for later. What was entered to sign in there is never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from feeds import saving
from feeds.errors import FeedsError, InvalidService
from feeds.models import MAX_ADDRESS_CHARS, SavedPost, SavingService
from feeds.pages.manage.allowances import TOO_MANY, may_ask
from feeds.pages.manage.forms import LineField, ManageForm
from feeds.pages.manage.ground import find_own, go, page, show, user_of

ABOUT = {
    "instapaper": "Your account at instapaper.com.",
    "wallabag": "Your own wallabag, or one that you have an account at. Make an API client there first.",
    "linkding": "Your own Linkding. The token stands in its settings, under Integrations.",
    "readeck": "Your own Readeck. Make a token in its profile, under API Tokens.",
    "webhook": "An address of your own that gets each post as JSON, with its text as Markdown.",
}


class ServiceForm(ManageForm):
    """``credential_<name>`` for each thing that this kind of service wants; empty ones of a service that is there
    mean those that are stored."""

    name = LineField(max_length=100, required=False, help_text="What the button is called.")
    url = forms.CharField(
        label="Address",
        max_length=MAX_ADDRESS_CHARS,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "placeholder": "https://"}),
    )
    is_default = forms.BooleanField(label="Save there when no other is named", required=False)

    def __init__(self, kind: str, *args: Any, service: SavingService | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.service = kind, service
        is_kept = service is not None and saving.has_credentials(service)
        if not saving.needs_address(kind):
            del self.fields["url"]
        for field in saving.fields_of(kind):
            self.fields[f"credential_{field.name}"] = _credential(field.label, field.is_secret, is_kept)
        if service is None or service.is_default:
            del self.fields["is_default"]
        self.order_fields(["name", "url", *(name for name in self.fields if name.startswith("credential_"))])

    def values(self) -> dict[str, Any]:
        """What the services take; names that are not on the form are left out."""
        given = self.cleaned_data
        prefix = "credential_"
        found = {name.removeprefix(prefix): text for name, text in given.items() if name.startswith(prefix)}
        values: dict[str, Any] = {"name": given["name"], "credentials": found}
        values |= {name: given[name] for name in ("url", "is_default") if name in given}
        if not values["name"]:
            del values["name"]
        return values


def _credential(label: str, is_secret: bool, is_kept: bool) -> forms.CharField:
    attrs = {"autocomplete": "new-password" if is_secret else "off", "autocapitalize": "none", "spellcheck": "false"}
    widget = forms.PasswordInput(attrs=attrs) if is_secret else forms.TextInput(attrs=attrs)
    return forms.CharField(
        label=label,
        max_length=saving.MAX_SECRET_CHARS,
        required=False,
        strip=False,
        widget=widget,
        help_text="Stored. Leave it empty to keep it." if is_kept else "",
    )


@page("GET", "POST")
def service_add(request: HttpRequest) -> HttpResponse:
    """First the kind, then what it needs."""
    kind = request.POST.get("kind", "") or request.GET.get("kind", "")
    if kind not in SavingService.Kind.values:
        kinds = [{"kind": choice, "label": _label(choice), "about": ABOUT[choice]} for choice in SavingService.Kind]
        return show(request, "service_kinds", {"room": "settings", "kinds": kinds})
    initial = {"name": _label(kind)}
    form = ServiceForm(kind, request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            service = saving.create_service(user_of(request), kind=kind, **form.values())
        except InvalidService as error:
            form.add_error(None, error.user_message)
        else:
            messages.success(request, f"“{service.name}” is there. Try it to see whether it takes your posts.")
            return go(request, "reader-settings")
    return _show_form(request, form, 422 if form.is_bound else 200)


@page("GET", "POST")
def service_edit(request: HttpRequest, pk: int) -> HttpResponse:
    service = find_own(SavingService.objects.all(), user_of(request), pk)
    initial = {"name": service.name, "url": service.url}
    data = request.POST if request.method == "POST" else None
    form = ServiceForm(service.kind, data, service=service, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            saving.change_service(service, form.values())
        except FeedsError as error:
            form.add_error(None, error.user_message)
        else:
            messages.success(request, f"“{service.name}” was changed.")
            return go(request, "reader-settings")
    return _show_form(request, form, 422 if form.is_bound else 200)


@page("POST")
def service_try(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks the service whether it takes what was entered; that may take some seconds."""
    service = find_own(SavingService.objects.all(), user_of(request), pk)
    if not may_ask(user_of(request), "look"):
        messages.error(request, TOO_MANY)
        return go(request, "reader-settings")
    try:
        saving.try_service(service)
    except FeedsError as error:
        messages.error(request, f"“{service.name}” does not work yet. {error.user_message}")
    else:
        messages.success(request, f"“{service.name}” works.")
    return go(request, "reader-settings")


@page("POST")
def service_default(request: HttpRequest, pk: int) -> HttpResponse:
    service = find_own(SavingService.objects.all(), user_of(request), pk)
    saving.change_service(service, {"is_default": True})
    messages.success(request, f"Posts are saved to “{service.name}” from now on.")
    return go(request, "reader-settings")


@page("GET", "POST")
def service_delete(request: HttpRequest, pk: int) -> HttpResponse:
    service = find_own(SavingService.objects.all(), user_of(request), pk)
    if request.method == "POST":
        saving.delete_service(service)
        messages.success(request, f"“{service.name}” was removed, with what was stored to sign in there.")
        return go(request, "reader-settings")
    count = SavedPost.objects.filter(service=service, saved_at__isnull=False).count()
    return show(request, "service_delete", {"room": "settings", "service": service, "count": count})


def _show_form(request: HttpRequest, form: ServiceForm, status: int) -> HttpResponse:
    context = {
        "room": "settings",
        "form": form,
        "service": form.service,
        "kind": form.kind,
        "label": _label(form.kind),
        "about": ABOUT[form.kind],
    }
    return show(request, "service_form", context, status=status)


def _label(kind: str) -> str:
    label = str(SavingService.Kind(kind).label)
    return "Webhook" if kind == SavingService.Kind.WEBHOOK else label
