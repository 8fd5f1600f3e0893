"""What the views here share: who may come, whose rows, pages with and without their frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

Row = TypeVar("Row", bound=Model)
View = Callable[..., HttpResponse]

MAX_ID_DIGITS = 18


def page(*methods: str) -> Callable[[View], View]:
    """A view for who is signed in, under these methods (HEAD goes with GET), kept by no cache."""
    allowed = [*methods, *(["HEAD"] if "GET" in methods else [])]

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if is_fragment(request) and not request.user.is_authenticated:
                return HttpResponse(status=401, headers={"HX-Refresh": "true"})  # the page then leads to the form
            return guarded(request, *args, **kwargs)

        guarded = login_required(view)
        return require_http_methods(allowed)(never_cache(answer))

    return decorate


def user_of(request: HttpRequest) -> Any:
    """Whoever comes to one of these pages is signed in."""
    return request.user


def find_own(rows: QuerySet[Row], user: Any, pk: int) -> Row:
    """The user's row of that number; another's is as unknown as one that never was."""
    if len(str(pk)) > MAX_ID_DIGITS:
        raise Http404
    found = rows.filter(user=user, pk=pk).first()
    if found is None:
        raise Http404
    return found


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx or the dialog asks, which want no frame around the page."""
    return request.headers.get("HX-Request") == "true"


def show(request: HttpRequest, name: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """The page ``reader/manage/<name>.html``."""
    frame = "reader/manage/bare.html" if is_fragment(request) else "reader/manage/base.html"
    values = {"section": "manage", "frame": frame, "is_fragment": is_fragment(request), **context}
    return render(request, f"reader/manage/{name}.html", values, status=status)


def go(request: HttpRequest, to: str, *args: Any) -> HttpResponse:
    """On to another page: by name, or by an address of ours."""
    if is_fragment(request):
        # As a redirect writes it: in plain ASCII on one line, whatever the form has sent.
        return HttpResponse(headers={"HX-Redirect": iri_to_uri(resolve_url(to, *args))})
    return redirect(to, *args)


def back_to(request: HttpRequest, otherwise: str) -> str:
    """Where the form said it came from (``back``), if that is one of these pages; else the page of that name."""
    given = request.POST.get("back", "") or request.GET.get("back", "")
    home = reverse("reader")
    is_ours = url_has_allowed_host_and_scheme(given, allowed_hosts=None) and urlsplit(given).path.startswith(home)
    return given if is_ours and len(given) <= 1000 else reverse(otherwise)


def plural(count: int, one: str, many: str = "") -> str:
    """``1 post``, ``1,200 posts``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
