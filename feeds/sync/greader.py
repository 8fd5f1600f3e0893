"""The calls of the Google Reader API, as FreshRSS and Miniflux made them the common tongue of feed apps.

The action token ``T`` is given out, as apps ask for it, and not looked at: it guards against forged forms in a
browser, and no cookie opens these doors.
"""

from __future__ import annotations

import time
from typing import Any

from django.db.models import Count, Max
from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import ANYBODY, reads, runs
from common.api.parsing import StrictMultiPartParser
from common.api.problems import Problem
from common.api.views import ApiView, FirstRenderer
from feeds import posts
from feeds.api.ground import user_of
from feeds.models import Category, Feed, FeedIcon, Post, Source
from feeds.sync import marking, names, shapes, streams
from feeds.sync.forms import Asked, LongFormParser

MAX_IDS = 10_000
MAX_ITEMS = 1000
MAX_STREAMS = 200
# Letters of posts in one answer: a page of a stream ends early, and of posts asked for by name there are too many.
MAX_CHARS = 8_000_000
MAX_NAMED_CHARS = 32_000_000

_ELSEWHERE = "Subscriptions and labels are changed on the site, not by an app."
_NO_STARS = "There are no stars here, and posts have no labels; only read and unread can be set."


class SyncView(ApiView):
    """JSON or plain text out, forms in; ``{"error": …}`` when something is wrong. Never a session."""

    rate_scope = "sync"
    error_shape = "error"
    renderer_classes = [JSONRenderer]
    parser_classes = [LongFormParser, StrictMultiPartParser]
    content_negotiation_class = FirstRenderer
    schema = None

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if response.status_code == 401:
            response["X-Reader-Google-Bad-Token"] = "true"  # some apps sign in again on this
        return super().finalize_response(request, response, *args, **kwargs)


def text(words: str) -> HttpResponse:
    return HttpResponse(words, content_type="text/plain; charset=utf-8")


class UserInfo(SyncView):
    access = {"get": reads()}

    def get(self, request: Request) -> Response:
        user = user_of(request)
        number = str(user.pk)
        facts = {"userId": number, "userProfileId": number, "userName": user.get_username(), "userEmail": user.email}
        return Response(facts)


class ActionToken(SyncView):
    access = {"get": reads()}

    def get(self, request: Request) -> HttpResponse:
        return text("not-looked-at".ljust(57, "-"))  # as long as they always were


class TagList(SyncView):
    """The stars, which apps expect, and the categories."""

    access = {"get": reads()}

    def get(self, request: Request) -> Response:
        labels = Category.objects.filter(user=user_of(request)).values_list("description", flat=True)
        folders = [{"id": names.label_stream(label), "label": label, "type": "folder"} for label in labels]
        return Response({"tags": [{"id": names.STARRED}, *folders]})


class SubscriptionList(SyncView):
    access = {"get": reads()}

    def get(self, request: Request) -> Response:
        sources = Source.objects.filter(user=user_of(request)).select_related("category", "feed__icon")
        rows = sources.defer("feed__etag", "feed__last_modified", "feed__icon__content")
        return Response(
            {"subscriptions": [shapes.subscription(source, _icon_url(request, source.feed)) for source in rows]}
        )


def _icon_url(request: Request, feed: Feed) -> str:
    icon = getattr(feed, "icon", None)  # not looked for yet: AttributeError, by Django's design
    return request.build_absolute_uri(f"../icon/{icon.digest}") if icon is not None and icon.digest else ""


class Icon(SyncView):
    """The picture of a feed, for everybody who knows its digest: apps fetch pictures without a key."""

    access = {"get": ANYBODY}

    def get(self, request: Request, digest: str) -> HttpResponse:
        icon = FeedIcon.objects.filter(digest=digest).exclude(digest="").first()
        if icon is None:
            raise Problem(404, "There is no such picture.")
        forever = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(bytes(icon.content), content_type=icon.media_type, headers=forever)


class UnreadCount(SyncView):
    access = {"get": reads()}

    def get(self, request: Request) -> Response:
        unread = Post.objects.filter(user=user_of(request), is_read=False).order_by()
        found = unread.values("source_id").annotate(count=Count("pk"), newest=Max("created_at"))
        by_source = {row["source_id"]: (row["count"], names.microseconds(row["newest"])) for row in found}
        sources = Source.objects.filter(user=user_of(request)).values_list("pk", "category__description")
        counts: dict[str, list[int]] = {}
        for source_id, label in sources:
            count, newest = by_source.get(source_id, (0, 0))
            for stream in (names.feed_stream(source_id), names.label_stream(label), names.READING_LIST):
                sums = counts.setdefault(stream, [0, 0])
                sums[0], sums[1] = sums[0] + count, max(sums[1], newest)
        rows = [
            {"id": stream, "count": total, "newestItemTimestampUsec": str(latest)}
            for stream, (total, latest) in counts.items()
        ]
        return Response({"max": counts.get(names.READING_LIST, [0])[0], "unreadcounts": rows})


class ItemIds(SyncView):
    """Numbers of the posts of a stream, in decimal."""

    access = {"get": reads(), "post": reads()}

    def get(self, request: Request) -> Response:
        asked = Asked(request)
        wish = _read_wish(user_of(request), asked, asked.one("s", names.READING_LIST))
        page = streams.cut_page(
            streams.select_stream(user_of(request), wish),
            size=_size(asked, default=1000, most=MAX_IDS),
            after=asked.one("c"),
            oldest_first=asked.one("r") == "o",
        )
        return Response({"itemRefs": [{"id": str(number)} for number in page.ids], **_onward(page)})

    post = get


class StreamContents(SyncView):
    """Posts of a stream, which is named in the address, in the field ``s``, or is all there is."""

    access = {"get": reads(), "post": reads()}

    def get(self, request: Request, stream: str = "") -> Response:
        asked = Asked(request)
        name = stream.rstrip("/") or asked.one("s", names.READING_LIST)
        page = streams.cut_page(
            streams.select_stream(user_of(request), _read_wish(user_of(request), asked, name)),
            size=_size(asked, default=20, most=MAX_ITEMS),
            after=asked.one("c"),
            oldest_first=asked.one("r") == "o",
            max_chars=MAX_CHARS,
        )
        return Response({**_head(name), "items": _items(user_of(request), page.ids), **_onward(page)})

    post = get


class ItemContents(SyncView):
    """Posts by number, in the order asked for; those that are not the user's are left out."""

    access = {"get": reads(), "post": reads()}

    def get(self, request: Request) -> Response:
        ids = list(dict.fromkeys(_read_ids(Asked(request), MAX_ITEMS)))
        return Response({**_head(names.READING_LIST), "items": _items(user_of(request), ids, MAX_NAMED_CHARS)})

    post = get


class EditTag(SyncView):
    access = {"post": runs()}

    def post(self, request: Request) -> HttpResponse:
        asked = Asked(request)
        ids = _read_ids(asked, MAX_IDS)
        is_read = _read_mark(asked, user_of(request))
        if is_read is not None:
            marking.mark_items(user_of(request), ids, is_read=is_read)
        return text("OK")


class MarkAllAsRead(SyncView):
    access = {"post": runs()}

    def post(self, request: Request) -> HttpResponse:
        asked = Asked(request)
        until = _moment(asked, "ts")
        if until is not None and not names.seconds(until):
            until = None  # 0 is how some say "whatever came"
        for stream in _read_streams(user_of(request), asked, "s") or [names.Stream(names.Kind.ALL)]:
            wish = streams.Wish(stream)
            marking.mark_all_read(streams.select_stream(user_of(request), wish), until)
        return text("OK")


class NotHere(SyncView):
    """What apps may wish to change and cannot."""

    access = {"get": reads(), "post": reads()}

    def get(self, request: Request) -> Response:
        raise Problem(403, _ELSEWHERE)

    post = get


# --- what was asked for ---------------------------------------------------------------------------------------------
def _read_wish(user: Any, asked: Asked, name: str) -> streams.Wish:
    if len(asked.all("s")) > 1:
        raise Problem(400, "Ask for one stream at a time.")
    return streams.Wish(
        streams.find_stream(user, name),
        only=_read_streams(user, asked, "it"),
        without=_read_streams(user, asked, "xt"),
        since=_moment(asked, "ot"),
        until=_moment(asked, "nt"),
    )


def _read_streams(user: Any, asked: Asked, field: str) -> tuple[names.Stream, ...]:
    """Each once. There is an end to them, as each is a condition of the query, or a query."""
    given = dict.fromkeys(name.strip() for name in asked.all(field))
    found = dict.fromkeys(streams.find_stream(user, name) for name in given if name)
    if len(found) > MAX_STREAMS:
        raise Problem(400, f"Name at most {MAX_STREAMS} streams at once.")
    return tuple(found)


def _moment(asked: Asked, name: str) -> Any:
    given = asked.one(name)
    if not given:
        return None
    moment = names.parse_moment(given)
    if moment is None:
        raise Problem(400, f"{name} must be a count of seconds since 1970.")
    return moment


def _size(asked: Asked, *, default: int, most: int) -> int:
    return max(1, min(asked.whole("n", default) or default, most))


def _read_ids(asked: Asked, most: int) -> list[int]:
    given = asked.all("i")
    if not given:
        raise Problem(400, "Say which items are meant (i=…).")
    if len(given) > most:
        raise Problem(400, f"Name at most {most} items at once.")
    ids = [names.parse_item(one.strip()) for one in given]
    if None in ids:
        raise Problem(400, "One of the items has a name that is none.")
    return [number for number in ids if number is not None]


def _read_mark(asked: Asked, user: Any) -> bool | None:
    """Read, unread, or neither when only marks are taken away that no post has."""
    added = {streams.find_stream(user, name.strip()).kind for name in asked.all("a") if name.strip()}
    removed = {streams.find_stream(user, name.strip()).kind for name in asked.all("r") if name.strip()}
    if not added and not removed:
        raise Problem(400, "Say which mark to add (a=…) or to remove (r=…).")
    if added - {names.Kind.READ, names.Kind.UNREAD, names.Kind.ALL}:
        raise Problem(403, _NO_STARS)
    becomes_read = names.Kind.READ in added
    becomes_unread = names.Kind.READ in removed or names.Kind.UNREAD in added
    if becomes_read and becomes_unread:
        raise Problem(400, "An item cannot become both read and unread.")
    return becomes_read if becomes_read or becomes_unread else None


# --- what is told ---------------------------------------------------------------------------------------------------
def _head(stream: str) -> dict[str, Any]:
    return {"direction": "ltr", "id": stream, "title": stream.rpartition("/")[2], "updated": int(time.time())}


def _onward(page: streams.Page) -> dict[str, str]:
    return {"continuation": page.next} if page.next else {}


def _items(user: Any, ids: list[int], max_chars: int = 0) -> list[dict[str, Any]]:
    rows = {post.pk: post for post in posts.full_posts(Post.objects.filter(user=user, pk__in=ids))}
    items = [shapes.item(rows[number]) for number in ids if number in rows]
    if max_chars and sum(len(one["summary"]["content"]) for one in items) > max_chars:
        raise Problem(413, "These posts are too long for one answer; ask for fewer at once.")
    return items
