"""Feed apps that speak the Fever API, over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common.api.access import Scope
from common.times import now_utc
from feeds.models import FeedIcon, Post, Source
from feeds.sync.fever import MAX_ICON_BYTES
from mastoscore_site.models import ApiToken
from mastoscore_site.sign_in_limits import MOST_PER_ADDRESS
from mastoscore_site.tokens import make_token, revoke

from .making import fill, subscribe
from .phone import FeverApp

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = {"api_version": 3, "auth": 0}


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    cache.clear()
    yield


@pytest.fixture
def blog(anna: Any) -> Source:
    return subscribe(anna, "https://blog.example/feed", category="Frogs", name="A blog")


@pytest.fixture
def app(anna: Any, live_server: Any) -> FeverApp:
    return FeverApp(f"{live_server.url}/fever/", "anna", make_token(anna, "phone", [Scope.RUN])[1])


def test_app_syncs_everything_then_only_what_is_new(app: FeverApp, blog: Source) -> None:
    posts = fill(blog, 230)
    app.sync()
    assert [(group["title"]) for group in app.groups["groups"]] == ["Frogs"]
    assert app.feeds["feeds_groups"] == [{"group_id": blog.category_id, "feed_ids": str(blog.pk)}]
    (feed,) = app.feeds["feeds"]
    assert (feed["id"], feed["title"], feed["url"]) == (blog.pk, "A blog", "https://blog.example/feed")
    assert set(app.kept) == app.unread == {post.pk for post in posts}
    item = app.kept[posts[0].pk]
    assert (item["title"], item["html"], item["feed_id"]) == ("Post 1", "<p>Text 1</p>", blog.pk)
    assert (item["is_read"], item["is_saved"], item["created_on_time"]) == (0, 0, int(posts[0].posted_at.timestamp()))
    app.ask(mark="item", **{"as": "read", "id": posts[3].pk})
    (newest,) = fill(blog, 1, first=500)
    app.sync()
    assert newest.pk in app.kept
    assert app.unread == {post.pk for post in (*posts, newest)} - {posts[3].pk}
    app.ask(f"&mark=item&as=unread&id={posts[3].pk}")  # Read You puts it into the address
    assert Post.objects.filter(is_read=False).count() == 231


def test_items_come_downwards_and_by_number_too(app: FeverApp, blog: Source) -> None:
    ids = [post.pk for post in fill(blog, 120)]
    pages, below = [], 0
    while items := app.ask(f"&items&max_id={below}")["items"]:
        pages.append(len(items))
        below = min(item["id"] for item in items)
    assert pages == [50, 50, 20]
    highest = app.ask(f"&items&max_id={2**53 - 1}")  # how Fluent Reader begins
    assert ([item["id"] for item in highest["items"]], highest["total_items"]) == (ids[-50:], 120)
    chosen = app.ask(f"&items&with_ids={ids[5]},{ids[7]},987654")
    assert [item["id"] for item in chosen["items"]] == [ids[5], ids[7]]
    assert "at most" in app.ask("&items&with_ids=" + ",".join(["1"] * 300), status=400)["error"]
    assert app.ask("&items&since_id=0&groups&saved_item_ids&links").keys() >= {
        *("api_version", "auth", "last_refreshed_on_time", "items", "total_items"),
        *("groups", "feeds_groups", "saved_item_ids", "links"),
    }


def test_feeds_and_groups_are_marked_up_to_a_moment(app: FeverApp, blog: Source, anna: Any) -> None:
    other = subscribe(anna, "https://other.example/feed", category="Else")
    seen = now_utc() - timedelta(minutes=10)
    fill(blog, 2, came_at=seen)
    fill(blog, 1, came_at=seen + timedelta(minutes=5), first=10)
    fill(other, 2, came_at=seen)
    before = int(seen.timestamp()) + 1

    def unread(source: Source) -> int:
        return Post.objects.filter(source=source, is_read=False).count()

    app.ask(mark="feed", **{"as": "read", "id": blog.pk, "before": before})
    assert (unread(blog), unread(other)) == (1, 2)
    app.ask(mark="group", **{"as": "read", "id": -1, "before": before})
    app.ask(mark="group", **{"as": "read", "id": other.category_id, "before": before - 60})
    assert (unread(blog), unread(other)) == (1, 2)
    assert "before" in app.ask(mark="group", **{"as": "read", "id": 0}, status=400)["error"]
    app.ask(mark="group", **{"as": "read", "id": other.category_id, "before": before})
    assert (unread(blog), unread(other)) == (1, 0)
    app.ask(mark="group", **{"as": "read", "id": 0, "before": before + 3600})
    assert unread(blog) == 0


def test_pictures_of_feeds_come_along(app: FeverApp, blog: Source, anna: Any, bert: Any) -> None:
    large = subscribe(anna, "https://large.example/feed", name="Large")
    subscribe(anna, "https://none.example/feed", name="None")
    hers = subscribe(bert, "https://blog.example/feed")
    for source, content in ((blog, b"\x89PNG"), (large, b"x" * (MAX_ICON_BYTES + 1))):
        FeedIcon.objects.create(
            feed=source.feed, content=content, media_type="image/png", digest="d", tried_at=now_utc()
        )
    told = app.ask("&feeds&favicons")
    assert {row["title"]: row["favicon_id"] for row in told["feeds"]} == {"A blog": blog.pk, "Large": 0, "None": 0}
    data = base64.b64encode(b"\x89PNG").decode()
    assert told["favicons"] == [{"id": blog.pk, "data": f"image/png;base64,{data}"}]
    assert hers.feed_id == blog.feed_id


def test_nobody_sees_or_marks_what_is_another_users(app: FeverApp, blog: Source, bert: Any) -> None:
    theirs = subscribe(bert, "https://secret.example/feed", category="Secret")
    (post,) = fill(theirs, 1)
    assert app.ask(f"&items&with_ids={post.pk}")["items"] == []
    app.ask(mark="item", **{"as": "read", "id": post.pk})
    app.ask(mark="feed", **{"as": "read", "id": theirs.pk, "before": 4_000_000_000})
    app.ask(mark="group", **{"as": "read", "id": theirs.category_id, "before": 4_000_000_000})
    app.ask(mark="group", **{"as": "read", "id": 0, "before": 4_000_000_000})
    assert Post.objects.get(pk=post.pk).is_read is False
    assert "ecret" not in str(app.ask("&groups&feeds&items&unread_item_ids&favicons&links"))


def test_reading_token_marks_nothing_and_stars_are_refused_in_words(app: FeverApp, blog: Source, anna: Any) -> None:
    (post,) = fill(blog, 1)
    refused = app.ask(mark="item", **{"as": "saved", "id": post.pk}, status=403)
    assert (refused["auth"], refused["api_version"]) == (1, 3)
    assert "no stars" in refused["error"]
    app.password = make_token(anna, "reading phone", [Scope.READ])[1]
    app.sync()
    assert "scope" in app.ask(mark="item", **{"as": "read", "id": post.pk}, status=403)["error"]
    for query in ("=xml", "&mark=item&as=blue&id=1", "&unread_recently_read=1", "&items&since_id=x"):
        assert app.ask(query, status=403 if "mark" in query else 400)["error"].endswith(".")
    assert Post.objects.get().is_read is False


def test_key_is_checked_kept_as_a_digest_and_ends_with_its_token(app: FeverApp, blog: Source, anna: Any) -> None:
    assert app.ask()["auth"] == 1
    assert requests.post(f"{app.address}?api", data={"api_key": app.key.upper()}, timeout=30).json()["auth"] == 1
    token = ApiToken.objects.get()
    assert token.last_used_at is not None
    assert app.key not in str(ApiToken.objects.values().get())
    assert requests.get(f"{app.address}?api&api_key={app.key}", timeout=30).json() == NOBODY
    assert requests.post(f"{app.address}?api&groups", timeout=30).json() == NOBODY
    ApiToken.objects.update(expires_at=now_utc() - timedelta(seconds=1))
    assert app.ask("&groups") == NOBODY
    ApiToken.objects.update(expires_at=None)
    assert app.ask("&groups")["auth"] == 1
    revoke(token.pk, user=anna)
    assert app.ask("&groups") == NOBODY
    old, app.password = make_token(anna, "old", [Scope.READ])
    ApiToken.objects.filter(pk=old.pk).update(fever_digest="")  # made before there were such keys
    assert app.ask() == NOBODY


def test_session_opens_nothing(client: Client, anna: Any) -> None:
    client.force_login(anna)
    for address in ("/fever/", "/fever", "/api/fever.php"):
        assert client.post(f"{address}?api&groups").json() == NOBODY


@time_machine.travel(datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC), tick=True)  # the beginning of a window
def test_wrong_keys_come_to_an_end_for_the_address(app: FeverApp, client: Client, settings: Any) -> None:
    right, app.password = app.password, "wrong"
    codes = [app.send("&groups").status_code for _ in range(MOST_PER_ADDRESS + 1)]
    assert codes == [200] * MOST_PER_ADDRESS + [429]
    app.password = right
    assert app.ask()["auth"] == 1  # another phone behind the same address
    assert client.post("/login/", {"username": "anna", "password": "wrong"}).status_code == 200


def test_number_of_queries_does_not_grow(app: FeverApp, blog: Source, anna: Any) -> None:
    client = Client()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(
                "/fever/?api&groups&feeds&favicons&items&unread_item_ids&saved_item_ids&links", {"api_key": app.key}
            )
        assert answer.json()["auth"] == 1
        return len([query for query in queries if "cache" not in query["sql"]])

    fill(blog, 2)
    app.ask()
    few = count()
    for number in range(5):
        fill(subscribe(anna, f"https://{number}.example/feed", category=f"Number {number}"), 8)
    assert count() == few
