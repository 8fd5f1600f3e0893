"""The Fever API: one address, what is wanted stands in the names of its parameters.

Every answer has ``api_version`` and ``auth``; a wrong key gets these two alone, with status 200, as apps expect.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import F, Max
from django.db.models.functions import Length
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import ANYBODY, may, runs
from common.api.parsing import MAX_INTEGER
from common.api.problems import Problem
from feeds import posts
from feeds.content import content_of
from feeds.models import Category, Feed, FeedIcon, Post, Source
from feeds.sync import marking, names, shapes
from feeds.sync.forms import Asked
from feeds.sync.greader import SyncView

VERSION = 3
PAGE = 50
MAX_WITH_IDS = 250
# All pictures go out in one answer, so they have to be small, and there is an end to them.
MAX_ICON_BYTES = 32_768
MAX_ICONS = 500

_NO_STARS = "Nothing can be saved here: there are no stars."
_ALL_GROUPS, _NO_GROUP = 0, -1  # “Kindling”, which holds every feed; “Sparks”, which holds none


class Fever(SyncView):
    """The key decides who asks; the site's authentication has looked at it."""

    access = {"get": ANYBODY, "post": ANYBODY}

    def get(self, request: Request) -> Response:
        if not request.user.is_authenticated:
            return Response({"api_version": VERSION, "auth": 0})
        asked = Asked(request)
        if asked.one("api").lower() == "xml":
            raise _problem(400, "Only JSON is spoken here.")
        told = {"api_version": VERSION, "auth": 1, "last_refreshed_on_time": _last_refresh(request.user)}
        try:
            if "mark" in asked:
                _mark(request, asked)
            elif "unread_recently_read" in asked:
                raise Problem(400, "What was read is marked as unread one by one.")
            for name, tell in _TELLERS.items():
                if name in asked:
                    told |= tell(request.user, asked)
        except Problem as problem:
            raise _problem(problem.status_code, problem.message) from None
        return Response(told)

    post = get


def _problem(status: int, sentence: str) -> Problem:
    """Apps read these two keys whatever happens."""
    return Problem(status, sentence, extra={"api_version": VERSION, "auth": 1})


def _last_refresh(user: Any) -> int:
    moment = Feed.objects.filter(sources__user=user).aggregate(last=Max("fetched_at"))["last"]
    return 0 if moment is None else names.seconds(moment)


# --- read -----------------------------------------------------------------------------------------------------------
def _groups(user: Any, asked: Asked) -> dict[str, Any]:
    rows = Category.objects.filter(user=user).values_list("pk", "description")
    return {"groups": [{"id": pk, "title": title} for pk, title in rows], **_feeds_groups(user)}


def _feeds_groups(user: Any) -> dict[str, Any]:
    groups: dict[int, list[int]] = {}
    for pk, category_id in Source.objects.filter(user=user).order_by("pk").values_list("pk", "category_id"):
        groups.setdefault(category_id, []).append(pk)
    return {"feeds_groups": [{"group_id": group, "feed_ids": _joined(ids)} for group, ids in groups.items()]}


def _feeds(user: Any, asked: Asked) -> dict[str, Any]:
    with_icon = {icon["source"] for icon in _icons(user, "feed_id")}
    sources = Source.objects.filter(user=user).select_related("feed").defer("feed__etag", "feed__last_modified")
    rows = [
        {
            "id": source.pk,
            "favicon_id": source.pk if source.pk in with_icon else 0,
            "title": source.name,
            "url": source.feed.url,
            "site_url": shapes.site_of(source),
            "is_spark": 0,
            "last_updated_on_time": names.seconds(source.feed.changed_at or source.created_at),
        }
        for source in sources
    ]
    return {"feeds": rows, **_feeds_groups(user)}


def _favicons(user: Any, asked: Asked) -> dict[str, Any]:
    rows = [
        {
            "id": icon["source"],
            "data": f"{icon['media_type']};base64,{base64.b64encode(bytes(icon['content'])).decode()}",
        }
        for icon in _icons(user, "media_type", "content")
    ]
    return {"favicons": rows}


def _icons(user: Any, *columns: str) -> list[dict[str, Any]]:
    """Small ones of the user's sources, each with its source's number; the same whatever columns are asked for."""
    icons = FeedIcon.objects.filter(feed__sources__user=user).exclude(digest="")
    small = icons.annotate(source=F("feed__sources__pk"), size=Length("content")).filter(size__lte=MAX_ICON_BYTES)
    return list(small.order_by("source").values("source", *columns)[:MAX_ICONS])


def _items(user: Any, asked: Asked) -> dict[str, Any]:
    mine = Post.objects.filter(user=user)
    page = posts.full_posts(mine.filter(pk__in=_item_ids(mine, asked)))
    rows = {post.pk: _item(post) for post in page}
    return {"items": [rows[pk] for pk in sorted(rows)], "total_items": mine.count()}


def _item_ids(mine: Any, asked: Asked) -> list[int]:
    """Those named; else the next ones after ``since_id``; else the ones before ``max_id``, of which 0 is the end."""
    if "with_ids" in asked:
        return _read_ids(asked.one("with_ids"))
    ids = mine.values_list("pk", flat=True)
    if "since_id" in asked:
        return list(ids.filter(pk__gt=asked.whole("since_id", 0)).order_by("pk")[:PAGE])
    below = asked.whole("max_id", 0) or MAX_INTEGER
    return list(ids.filter(pk__lt=below).order_by("-pk")[:PAGE])


def _item(post: Post) -> dict[str, Any]:
    return {
        "id": post.pk,
        "feed_id": post.source_id,
        "title": post.entry.title,
        "author": post.entry.author,
        "html": content_of(post),
        "url": post.entry.url or shapes.site_of(post.source),
        "is_saved": 0,
        "is_read": int(post.is_read),
        "created_on_time": names.seconds(post.posted_at),
    }


def _unread_item_ids(user: Any, asked: Asked) -> dict[str, Any]:
    unread = Post.objects.filter(user=user, is_read=False).order_by("pk")
    return {"unread_item_ids": _joined(unread.values_list("pk", flat=True))}


_TELLERS: dict[str, Callable[[Any, Asked], dict[str, Any]]] = {
    "groups": _groups,
    "feeds": _feeds,
    "favicons": _favicons,
    "items": _items,
    "unread_item_ids": _unread_item_ids,
    "saved_item_ids": lambda user, asked: {"saved_item_ids": ""},
    "links": lambda user, asked: {"links": []},
}


# --- marked ---------------------------------------------------------------------------------------------------------
def _mark(request: Request, asked: Asked) -> None:
    if not may(request, runs()):
        raise Problem(403, "This token lacks the scope “run”.")
    what, state = asked.one("mark"), asked.one("as")
    if state in ("saved", "unsaved"):
        raise Problem(403, _NO_STARS)
    if what == "item" and state in ("read", "unread"):
        marking.mark_items(request.user, [asked.whole("id", 0)], is_read=state == "read")
    elif what in ("feed", "group") and state == "read":
        _mark_many(request.user, what, asked)
    else:
        raise Problem(400, "Mark an item as read or unread, a feed or a group as read.")


def _mark_many(user: Any, what: str, asked: Asked) -> None:
    given = asked.one("id")
    number = _NO_GROUP if what == "group" and given == str(_NO_GROUP) else asked.whole("id", 0)
    until = names.parse_moment(asked.one("before"))
    if not given or until is None:
        raise Problem(400, "Say which feed or group (id), and up to when (before).")
    mine = Post.objects.filter(user=user)
    if what == "feed":
        mine = mine.filter(source_id=number)
    elif number == _NO_GROUP:
        return
    elif number != _ALL_GROUPS:
        sources = Source.objects.filter(user=user, category_id=number)
        mine = mine.filter(source_id__in=list(sources.values_list("pk", flat=True)))
    marking.mark_all_read(mine, until)


# --- numbers --------------------------------------------------------------------------------------------------------
def _joined(ids: Iterable[int]) -> str:
    return ",".join(map(str, ids))


def _read_ids(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MAX_WITH_IDS:
        raise Problem(400, f"Name at most {MAX_WITH_IDS} items at once.")
    ids = [names.parse_item(part) for part in parts]
    if None in ids:
        raise Problem(400, "with_ids must be numbers with commas between.")
    return [number for number in ids if number is not None]
