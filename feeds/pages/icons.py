"""``/reader/icons/<feed>``: the small picture of a feed, for who has a source of it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from feeds.icons import find_icon, version_of

_LARGEST = 2**63 - 1
_FOR_EVER = "private, max-age=31536000, immutable"
_FOR_AN_HOUR = "private, max-age=3600"


@require_safe
@login_required
def icon(request: HttpRequest, feed_id: int) -> HttpResponse:
    """With ``?v=`` of the picture that is there, browsers never ask again."""
    found = find_icon(request.user, feed_id) if feed_id <= _LARGEST else None
    if found is None:
        raise Http404("This feed has no icon.")
    etag = f'"{found.digest}"'
    is_known = etag in request.headers.get("If-None-Match", "")
    response = HttpResponseNotModified() if is_known else HttpResponse(bytes(found.content), found.media_type)
    response["ETag"] = etag
    response["Cache-Control"] = _FOR_EVER if request.GET.get("v") == version_of(found) else _FOR_AN_HOUR
    response["Content-Security-Policy"] = "default-src 'none'"
    patch_vary_headers(response, ["Cookie"])
    return response
