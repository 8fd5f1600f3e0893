"""Feed apps that speak the Google Reader API, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.api.access import Scope
from common.times import now_utc
from feeds.models import Category, Entry, Feed, FeedIcon, Post, Source
from feeds.mutes import add_mute
from mastoscore_site.models import ApiToken
from mastoscore_site.sign_in_limits import MOST_PER_NAME
from mastoscore_site.tokens import app_key, make_token, revoke

from .making import fill, subscribe
from .phone import READ, READING_LIST, STARRED, GoogleReaderApp

pytestmark = pytest.mark.django_db(transaction=True)

BASES = ["", "/api/greader", "/api/greader.php"]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    cache.clear()


@pytest.fixture
def blog(anna: Any) -> Source:
    return subscribe(anna, "https://blog.example/feed", category="Frogs & toads", name="A blog")


@pytest.fixture
def app(anna: Any, live_server: Any) -> GoogleReaderApp:
    _, text = make_token(anna, "phone", [Scope.RUN])
    app = GoogleReaderApp(live_server.url + BASES[2], "anna", text)
    assert app.sign_in() == 200
    return app


@pytest.fixture
def reader_only(anna: Any, live_server: Any) -> GoogleReaderApp:
    app = GoogleReaderApp(live_server.url, "anna", make_token(anna, "reading phone", [Scope.READ])[1])
    assert app.sign_in() == 200
    return app


# --- as apps do -----------------------------------------------------------------------------------------------------
def test_app_syncs_two_thousand_posts_then_only_what_is_new(app: GoogleReaderApp, blog: Source) -> None:
    fill(blog, 2000)
    app.sync()
    assert app.labels == ["Frogs & toads"]
    assert [(row["title"], row["categories"][0]["label"]) for row in app.feeds.values()] == [
        ("A blog", "Frogs & toads")
    ]
    assert app.starred == []
    assert len(app.unread) == len(app.kept) == 2000
    assert {item["title"] for item in app.kept.values()} == {f"Post {number}" for number in range(1, 2001)}
    app.mark(sorted(app.unread)[:1990], read=True)
    (newest,) = fill(blog, 1, first=2001)
    before = app.calls
    app.sync()
    assert len(app.unread) == 11
    assert app.kept[newest.pk]["summary"]["content"] == "<p>Text 2001</p>"
    assert app.calls - before == 5


def test_every_base_and_every_form_of_a_number_works(app: GoogleReaderApp, blog: Source, live_server: Any) -> None:
    post = fill(blog, 30)[-1]
    long = f"tag:google.com,2005:reader/item/{post.pk:016x}"
    for base in BASES:
        app.base = live_server.url + base
        assert app.sign_in() == 200
        for name in (long, f"tag:google.com,2005:reader/item/{post.pk:x}", f"{post.pk:016x}", str(post.pk)):
            for items in (
                app.get("stream/items/contents", i=name)["items"],
                app.send("POST", "reader/api/0/stream/items/contents", fields={"i": name}).json()["items"],
            ):
                assert [(item["id"], item["title"]) for item in items] == [(long, "Post 30")]


def test_item_tells_what_apps_rely_on(app: GoogleReaderApp, blog: Source) -> None:
    (post,) = fill(blog, 1)
    Entry.objects.update(
        enclosures=[{"url": "https://blog.example/a.mp3", "media_type": "audio/mpeg", "length": 12}], author="Ada"
    )
    Post.objects.update(is_read=True)
    (item,) = app.get(f"stream/contents/{READING_LIST}")["items"]
    assert item["canonical"][0]["href"] == item["alternate"][0]["href"] == post.entry.url
    assert item["author"] == "Ada"
    assert item["published"] == int(post.posted_at.timestamp())
    assert item["timestampUsec"] == str(round(post.created_at.timestamp() * 1_000_000))
    assert item["crawlTimeMsec"] == item["timestampUsec"][:-3]
    assert item["categories"] == [READING_LIST, "user/-/label/Frogs & toads", READ]
    assert item["origin"]["streamId"] == f"feed/{blog.pk}"
    assert item["enclosure"] == [{"href": "https://blog.example/a.mp3", "type": "audio/mpeg", "length": "12"}]


def test_streams_are_told_apart(app: GoogleReaderApp, blog: Source, anna: Any) -> None:
    other = subscribe(anna, "https://other.example/feed", category="Else", name="Other")
    mine, theirs = fill(blog, 3), fill(other, 2)
    app.mark([mine[0].pk, theirs[0].pk], read=True)
    ids = {
        name: set(app.all_ids(name)) for name in (READING_LIST, READ, STARRED, "user/-/state/com.google/kept-unread")
    }
    everything = {post.pk for post in (*mine, *theirs)}
    read = {mine[0].pk, theirs[0].pk}
    assert list(ids.values()) == [everything, read, set(), everything - read]
    of_blog = {post.pk for post in mine}
    for name in (f"feed/{blog.pk}", "feed/https://blog.example/feed", "user/-/label/Frogs & toads"):
        assert set(app.all_ids(name)) == of_blog
    assert set(app.all_ids(f"user/{anna.pk}/label/Else")) == everything - of_blog
    assert set(app.all_ids(READING_LIST, xt=f"feed/{blog.pk}")) == everything - of_blog
    assert set(app.all_ids(READING_LIST, xt=[READ, f"feed/{other.pk}"])) == of_blog - read
    assert set(app.all_ids(READING_LIST, it=READ, xt="user/-/label/Else")) == {mine[0].pk}
    assert app.all_ids(READING_LIST, it=STARRED) == []
    counts = {row["id"]: row["count"] for row in app.get("unread-count")["unreadcounts"]}
    assert counts == {
        READING_LIST: 3,
        f"feed/{blog.pk}": 2,
        f"feed/{other.pk}": 1,
        "user/-/label/Frogs & toads": 2,
        "user/-/label/Else": 1,
    }


def test_order_and_moments_go_by_arrival(app: GoogleReaderApp, blog: Source) -> None:
    now = now_utc()
    old = fill(blog, 2, came_at=now - timedelta(hours=5))
    new = fill(blog, 2, came_at=now - timedelta(hours=1), first=10)
    newest_first = [post.pk for post in reversed([*old, *new])]
    assert app.all_ids(READING_LIST, size=1) == newest_first
    assert app.all_ids(READING_LIST, size=3, r="o") == newest_first[::-1]
    since = (now - timedelta(hours=2)).timestamp()
    assert set(app.all_ids(READING_LIST, ot=since)) == {post.pk for post in new}  # NetNewsWire sends fractions
    assert set(app.all_ids(READING_LIST, nt=int(since))) == {post.pk for post in old}
    # Stored a moment later than it says, a post must not be missed by who asked in between.
    assert len(app.all_ids(READING_LIST, ot=int((now - timedelta(hours=1) + timedelta(minutes=2)).timestamp()))) == 2


def test_contents_of_a_stream_come_in_pages_that_end_early_when_texts_are_long(
    app: GoogleReaderApp, blog: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.sync.greader.MAX_CHARS", 40)
    fill(blog, 7)
    titles: list[str] = []
    query: dict[str, Any] = {}
    pages = 0
    while query is not None:
        page = app.get("stream/contents", n=5, **query)
        titles += [item["title"] for item in page["items"]]
        query = {"c": page["continuation"]} if "continuation" in page else None  # type: ignore[assignment]
        pages += 1
    assert titles == [f"Post {number}" for number in range(7, 0, -1)]
    assert pages > 2
    monkeypatch.setattr("feeds.sync.greader.MAX_NAMED_CHARS", 40)
    ids = [str(pk) for pk in Post.objects.values_list("pk", flat=True)]
    assert "fewer" in app.get("stream/items/contents", i=ids, status=413)["error"]


def test_pictures_of_feeds_are_fetched_without_a_key(app: GoogleReaderApp, blog: Source, anna: Any) -> None:
    subscribe(anna, "https://none.example/feed", name="None")
    FeedIcon.objects.create(
        feed=blog.feed, content=b"\x89PNG", media_type="image/png", digest="ab" * 32, tried_at=now_utc()
    )
    icons = {row["title"]: row["iconUrl"] for row in app.get("subscription/list")["subscriptions"]}
    assert icons == {"A blog": f"{app.base}/reader/api/0/icon/{'ab' * 32}", "None": ""}
    picture = requests.get(icons["A blog"], timeout=30)
    assert (picture.status_code, picture.content, picture.headers["Content-Type"]) == (200, b"\x89PNG", "image/png")
    assert "immutable" in picture.headers["Cache-Control"]
    assert requests.get(f"{app.base}/reader/api/0/icon/{'cd' * 32}", timeout=30).status_code == 404


# --- marks ----------------------------------------------------------------------------------------------------------
def test_marks_reach_the_house_and_take_thousands_at_once(app: GoogleReaderApp, blog: Source) -> None:
    ids = [post.pk for post in fill(blog, 1500)]
    assert app.mark([*ids, 987654], read=True) == "OK"
    assert Post.objects.filter(is_read=True, read_at__isnull=False).count() == 1500
    app.mark(ids[:2], read=False)
    app.post("edit-tag", [("i", str(ids[2])), ("a", "user/-/state/com.google/kept-unread")])
    assert set(Post.objects.filter(is_read=False, read_at=None).values_list("pk", flat=True)) == set(ids[:3])


def test_all_read_means_what_had_come_by_then(app: GoogleReaderApp, blog: Source, anna: Any) -> None:
    other = subscribe(anna, "https://other.example/feed", category="Else")
    seen = now_utc() - timedelta(minutes=10)
    fill(blog, 2, came_at=seen)
    fill(blog, 1, came_at=seen + timedelta(minutes=5), first=10)
    fill(other, 2, came_at=seen)
    stamp = str(round((seen + timedelta(seconds=1)).timestamp() * 1_000_000))
    app.post("mark-all-as-read", [("s", f"feed/{blog.pk}"), ("ts", stamp)])
    assert Post.objects.filter(source=blog, is_read=False).count() == 1
    app.post("mark-all-as-read", [("s", "user/-/label/Else"), ("ts", str(int(seen.timestamp()) - 60))])
    assert Post.objects.filter(source=other, is_read=False).count() == 2
    app.post("mark-all-as-read", [("s", "user/-/label/Else")])
    assert Post.objects.filter(source=other, is_read=False).count() == 0
    app.post("mark-all-as-read", [("s", READING_LIST)])
    assert not Post.objects.filter(is_read=False).exists()


def test_reading_token_syncs_and_marks_nothing(reader_only: GoogleReaderApp, blog: Source) -> None:
    (post,) = fill(blog, 1)
    reader_only.sync()
    assert "scope" in reader_only.mark([post.pk], read=True, status=403)
    reader_only.post("mark-all-as-read", [("s", READING_LIST)], status=403)
    assert Post.objects.filter(is_read=False).count() == 1


def test_stars_labels_and_subscriptions_are_refused_in_words(app: GoogleReaderApp, blog: Source) -> None:
    (post,) = fill(blog, 1)
    item = ("i", str(post.pk))
    assert "no stars" in app.post("edit-tag", [item, ("a", STARRED), ("a", READ)], status=403)
    assert app.post("edit-tag", [item, ("r", STARRED)]) == "OK"
    app.post("edit-tag", [item, ("a", "user/-/label/Else")], status=403)
    assert Post.objects.get().is_read is False
    for name in ("subscription/edit", "subscription/quickadd", "rename-tag", "disable-tag"):
        assert "on the site" in app.post(name, [("s", f"feed/{blog.pk}"), ("ac", "unsubscribe")], status=403)
    assert Source.objects.count() == 1


def test_muted_posts_come_as_read(app: GoogleReaderApp, blog: Source, anna: Any) -> None:
    add_mute(anna, "Post 2", source=None, in_text=False, now=now_utc())
    fill(blog, 3)
    app.sync()
    assert {item["title"] for item in app.kept.values()} == {"Post 1", "Post 3"}


# --- who is who -----------------------------------------------------------------------------------------------------
def test_nobody_sees_or_marks_what_is_another_users(app: GoogleReaderApp, blog: Source, bert: Any) -> None:
    theirs = subscribe(bert, "https://secret.example/feed", category="Secret")
    (post,) = fill(theirs, 1)
    fill(blog, 1)
    assert len(app.all_ids(READING_LIST)) == 1
    assert app.get("stream/items/contents", i=str(post.pk))["items"] == []
    app.mark([post.pk], read=True)
    app.post("mark-all-as-read", [("s", READING_LIST)])
    assert Post.objects.get(pk=post.pk).is_read is False
    for name in (
        f"feed/{theirs.pk}",
        "feed/https://secret.example/feed",
        "user/-/label/Secret",
        "user/7/label/Secret",
    ):
        assert app.get("stream/items/ids", s=name, status=404)["error"]
        app.post("mark-all-as-read", [("s", name)], status=404)
    assert "ecret" not in str(app.get("subscription/list")) + str(app.get("tag/list")) + str(app.get("unread-count"))


def test_key_ends_with_its_token_and_opens_no_other_door(app: GoogleReaderApp, live_server: Any, anna: Any) -> None:
    assert app.get("user-info")["userName"] == "anna"
    assert app.password not in app.auth
    bearer = {"Authorization": f"Bearer {app.auth}"}
    assert requests.get(f"{live_server.url}/api/v1/posts", headers=bearer, timeout=30).status_code == 401
    token = ApiToken.objects.get(user=anna)
    assert token.last_used_at is not None
    revoke(token.pk, user=anna)
    answer = app.send("GET", "reader/api/0/user-info")
    assert (answer.status_code, answer.headers["X-Reader-Google-Bad-Token"]) == (401, "true")
    assert app.sign_in() == 401


def test_without_a_key_there_is_nothing(live_server: Any) -> None:
    for header in ("", "GoogleLogin auth=", "GoogleLogin auth=a/b", "Bearer x", "GoogleLogin é"):
        answer = requests.get(
            f"{live_server.url}/reader/api/0/user-info", headers={"Authorization": header.encode()}, timeout=30
        )
        assert (answer.status_code, list(answer.json())) == (401, ["error"])


def test_session_opens_nothing(client: Any, anna: Any) -> None:
    client.force_login(anna)
    for base in BASES:
        assert client.get(f"{base}/reader/api/0/subscription/list").status_code == 401
        assert client.get(f"{base}/reader/api/0/nothing").status_code == 404


def test_wrong_passwords_come_to_an_end_without_closing_the_site(app: GoogleReaderApp, client: Any) -> None:
    right, app.password = app.password, "ms_wrong"
    assert [app.sign_in() for _ in range(MOST_PER_NAME + 1)] == [401] * MOST_PER_NAME + [429]
    app.password = right
    assert app.sign_in() == 429
    assert client.post("/login/", {"username": "anna", "password": "wrong"}).status_code == 200


def test_password_in_the_address_is_not_read(app: GoogleReaderApp) -> None:
    assert app.send("GET", "accounts/ClientLogin", Email="anna", Passwd=app.password).status_code == 405
    assert app.send("POST", "accounts/ClientLogin", Email="anna", Passwd=app.password).status_code == 400


# --- what makes no sense --------------------------------------------------------------------------------------------
def test_nonsense_gets_a_sentence(app: GoogleReaderApp) -> None:
    for query, status in (
        ({"s": "user/-/state/com.google/nonsense"}, 404),
        ({"s": "x" * 3000}, 404),
        ({"s": [READING_LIST, READ]}, 400),
        ({"n": "many"}, 400),
        ({"n": "9" * 18}, 200),
        ({"c": "' OR 1=1"}, 400),
        ({"c": f"{'9' * 17}-{'9' * 18}"}, 200),
        ({"ot": "yesterday"}, 400),
        ({"ot": "9" * 20}, 400),
        ({"s": "a\0b"}, 400),
    ):
        answer = app.get("stream/items/ids", status=status, **query)
        assert status == 200 or answer["error"].endswith(".")
    for query, status in (({}, 400), ({"i": "zebra"}, 400), ({"i": "f" * 16}, 200), ({"i": "-5"}, 400)):
        answer = app.get("stream/items/contents", status=status, **query)
        assert status == 200 or answer["error"].endswith(".")
    assert app.get("preference/list", status=404)["error"].endswith("not known here.")


def test_forms_have_an_end(app: GoogleReaderApp, blog: Source) -> None:
    assert "10100 fields" in app.post("edit-tag", [("i", "1")] * 10_200, status=413)
    assert "10000 items" in app.post("edit-tag", [("i", "1")] * 10_050, status=400)
    app.post("edit-tag", [("i", "9" * 3_000_000)], status=413)


def test_calls_have_an_allowance_of_their_own(app: GoogleReaderApp, settings: Any) -> None:
    settings.API_RATES = {**settings.API_RATES, "sync": 3, "general": 0}
    cache.clear()
    codes = [app.send("GET", "reader/api/0/user-info") for _ in range(4)]
    assert [answer.status_code for answer in codes] == [200, 200, 200, 429]
    assert (codes[0].headers["X-RateLimit-Limit"], codes[0].headers["X-RateLimit-Remaining"]) == ("3", "2")
    assert int(codes[3].headers["Retry-After"]) > 0
    assert "no-store" in codes[0].headers["Cache-Control"]


def test_number_of_queries_does_not_grow(
    client: Any, anna: Any, blog: Source, django_assert_num_queries: Any
) -> None:
    token, _ = make_token(anna, "counting", [Scope.RUN])
    headers = {"Authorization": f"GoogleLogin auth={app_key(token)}"}
    paths = ("subscription/list", "unread-count", "tag/list", "stream/contents?n=50", "stream/items/ids")

    def count() -> list[int]:
        counts = []
        for path in paths:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(f"/reader/api/0/{path}", headers=headers).status_code == 200
            counts.append(len([q for q in queries if "cache" not in q["sql"]]))
        return counts

    fill(blog, 2)
    client.get("/reader/api/0/token", headers=headers)
    few = count()
    for number in range(5):
        fill(subscribe(anna, f"https://{number}.example/feed", category=f"Number {number}"), 8)
    assert Category.objects.count() == Feed.objects.count() == 6
    assert count() == few
