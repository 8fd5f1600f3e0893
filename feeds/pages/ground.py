"""What every reading view stands on: who may come, what the page may load, whose it is, the user's own rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from feeds import posts
from feeds.models import Category, Post, Source
from feeds.pages.choice import Choice
from feeds.players import PLAYER_HOSTS

View = Callable[..., HttpResponseBase]

# Posts bring pictures from anywhere, and films and sounds that play when asked to; frames of known players only.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: https: http:",
        "media-src 'self' https: http:",
        "frame-src " + " ".join(f"https://{host}" for host in sorted(PLAYER_HOSTS)),
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
KEY_HEADER = "X-Reader-Key"
# Whose posts this browser may have kept for reading offline; whoever signs in next and is somebody else empties it.
KEPT_FOR = "reader_kept_for"
_YEAR_SECONDS = 365 * 24 * 3600


def reading_view(view: View) -> View:
    """For who is signed in. The answer says whose it is, so that a browser never keeps it for somebody else."""

    @never_cache
    @login_required
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Content-Security-Policy"] = POLICY
        key = response[KEY_HEADER] = reader_key(request.user)
        if request.COOKIES.get(KEPT_FOR) != key:
            secure = request.is_secure()
            response.set_cookie(KEPT_FOR, key, _YEAR_SECONDS, httponly=True, samesite="Lax", secure=secure)
        return response

    return answer


def reader_key(user: Any) -> str:
    """Tells users apart without naming them; another one after a new password."""
    return salted_hmac("feeds.pages.reader_key", f"{user.pk} {user.get_session_auth_hash()}").hexdigest()[:32]


def user_of(request: HttpRequest) -> Any:
    """Whoever comes to one of these pages is signed in."""
    return request.user


def find_post(user: Any, post_id: int) -> Post:
    """The user's post with all that is shown of it; else 404."""
    post = posts.full_posts(Post.objects.filter(user=user, pk=post_id)).first()
    if post is None:
        raise Http404
    post.user = user
    return post


def refuse_strangers(user: Any, chosen: Choice) -> None:
    """404 for a source or category that is not the user's."""
    for model, pk in ((Source, chosen.source_id), (Category, chosen.category_id)):
        if pk is not None and not model._default_manager.filter(user=user, pk=pk).exists():
            raise Http404


def wants_part(request: HttpRequest) -> bool:
    """Whether a script asks, which puts the answer into the page itself."""
    return "HX-Request" in request.headers or request.headers.get("X-Requested-With") == "fetch"


def safe_next(request: HttpRequest) -> str:
    """Where to go after a form: within the reader, whatever was sent."""
    wanted = request.POST.get("next", "")
    home = reverse("reader")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith(home)
    return wanted if is_ours else home


def no_content() -> HttpResponse:
    return HttpResponse(status=204)
