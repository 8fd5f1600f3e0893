"""What a user chose for reading, and where else the posts can be read."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from feeds.models import ReaderOptions
from feeds.pages.manage.forms import OptionsForm
from feeds.pages.manage.ground import go, page, show, user_of
from feeds.saving import MAX_SERVICES, services_of

# Where phone apps find the reader; the site adds them, see its module phone_apps.
GOOGLE_READER, FEVER = "/api/greader.php", "/api/fever.php"


@page("GET", "POST")
def options(request: HttpRequest) -> HttpResponse:
    chosen = ReaderOptions.objects.filter(user=user_of(request)).first() or ReaderOptions(user=user_of(request))
    form = OptionsForm(request.POST) if request.method == "POST" else OptionsForm.of(chosen)
    if form.is_bound and form.is_valid():
        form.save(user_of(request))
        messages.success(request, "Your settings were saved.")
        return go(request, "reader-settings")
    services = services_of(user_of(request))
    context = {
        "room": "settings",
        "form": form,
        "services": services,
        "has_room": len(services) < MAX_SERVICES,
        "google_reader": request.build_absolute_uri(GOOGLE_READER),
        "fever": request.build_absolute_uri(FEVER),
    }
    return show(request, "settings", context, status=422 if form.is_bound else 200)
