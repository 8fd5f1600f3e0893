"""The first visit: bring a list, take some of ours, or type an address."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from common.times import now_utc
from feeds.models import Source
from feeds.pages.manage.coming import page_of
from feeds.pages.manage.forms import AddressForm
from feeds.pages.manage.ground import go, page, show, user_of
from feeds.pages.manage.opml import UploadForm
from feeds.starters import starters, subscribe_to_starters

MAX_CHOSEN = 200


@page("GET", "POST")
def welcome(request: HttpRequest) -> HttpResponse:
    """POST subscribes to the suggested feeds that were ticked (``feed``)."""
    mine = set(Source.objects.filter(user=user_of(request)).values_list("feed__url", flat=True))
    if request.method != "POST":
        return _show(request, mine)
    known = {listed.url for listed in starters().feeds}
    chosen = {url for url in request.POST.getlist("feed")[:MAX_CHOSEN] if url in known}
    if not chosen:
        return _show(request, mine, "Tick at least one of them.")
    now = now_utc()
    subscribe_to_starters(user_of(request), chosen, now)
    return go(request, page_of(since=now))


def _show(request: HttpRequest, mine: set[str], error: str = "") -> HttpResponse:
    context = {
        "room": "welcome",
        "has_any": bool(mine),
        "upload": UploadForm(auto_id="upload-%s"),
        "address": _address_form(),
        "groups": [
            {"name": name, "feeds": [{"feed": feed, "is_known": feed.url in mine} for feed in feeds]}
            for name, feeds in starters().by_category().items()
        ],
        "has_free": any(feed.url not in mine for feed in starters().feeds),
        "error": error,
    }
    return show(request, "welcome", context, status=422 if error else 200)


def _address_form() -> Any:
    form = AddressForm(auto_id="look-%s")
    form.fields["address"].widget.attrs.pop("autofocus", None)
    return form
