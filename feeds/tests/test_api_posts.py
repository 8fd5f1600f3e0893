"""The contract's rows on posts, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.api.access import Scope
from feeds.models import Post, Source
from tests.remote.feed_host import FeedHost, Page, item, rss

from .api import Caller, sign_in
from .making import ask_all, subscribe

pytestmark = pytest.mark.django_db

LONG = " ".join(f"Sentence number {n} says something about frogs in the garden." for n in range(30))


@pytest.fixture
def call(anna: Any) -> Caller:
    return sign_in(anna)


@pytest.fixture
def filled(anna: Any, bert: Any, host: FeedHost) -> dict[str, Source]:
    """Two sources of Anna with three posts each, the first of which Bert reads too."""
    for name in ("one", "two"):
        host.pages[f"/{name}"] = Page(
            rss(
                *(
                    item(
                        number,
                        guid=f"{name}-{number}",
                        title=f"{name} {number}",
                        text=f"<p>{LONG}</p><script>alert(1)</script>",
                        date=f"0{number} Aug 2026 10:00:00 GMT",
                    )
                    for number in (3, 2, 1)
                ),
                title=f"Blog {name}",
            )
        )
    sources = {
        "one": subscribe(anna, host.url("/one"), name="First", category="Frogs"),
        "two": subscribe(anna, host.url("/two"), name="Second", category="Toads"),
    }
    subscribe(bert, host.url("/one"))
    ask_all()
    return sources


def titles(answer: Any) -> list[str]:
    return [row["title"] for row in answer["data"]]


def test_list_is_oldest_first_in_pages_of_fifteen_with_full_links(call: Caller, filled: dict[str, Source]) -> None:
    answer = call("GET", "/posts", **{"filter[read]": "false"})
    assert titles(answer) == ["one 1", "two 1", "one 2", "two 2", "one 3", "two 3"]
    assert answer["meta"] == {"current_page": 1, "from": 1, "last_page": 1, "per_page": 15, "to": 6, "total": 6}
    assert set(answer["links"]) == {"first", "last", "prev", "next"}
    row = answer["data"][0]
    expected = {"id", "title", "content", "url", "excerpt", "posted_at", "read", "uid", "author", "time_ago"}
    assert expected <= set(row)
    assert row["posted_at"] == "2026-08-01T10:00:00Z"
    assert row["read"] is False
    assert "script" not in row["content"]
    assert "frogs in the garden" in row["content"]
    assert len(row["excerpt"]) == 281
    assert "source" not in row
    assert "category" not in row
    second = call("GET", "/posts", page=2, per_page=4, **{"filter[read]": "false"})
    assert titles(second) == ["one 3", "two 3"]
    assert second["meta"]["per_page"] == 4
    assert "filter%5Bread%5D=false" in second["links"]["prev"]


@pytest.mark.parametrize("spelling", ["source_id", "filter[source]"])
def test_list_of_a_source(call: Caller, filled: dict[str, Source], spelling: str) -> None:
    assert titles(call("GET", "/posts", **{spelling: filled["two"].pk})) == ["two 1", "two 2", "two 3"]


@pytest.mark.parametrize("spelling", ["category_id", "filter[category]"])
def test_list_of_a_category_follows_its_sources(call: Caller, filled: dict[str, Source], spelling: str) -> None:
    source = filled["two"]
    assert len(call("GET", "/posts", **{spelling: source.category_id})["data"]) == 3
    Source.objects.filter(pk=source.pk).update(category=filled["one"].category)
    assert call("GET", "/posts", **{spelling: source.category_id})["data"] == []
    assert len(call("GET", "/posts", **{spelling: filled["one"].category_id})["data"]) == 6


def test_list_includes_what_is_asked_for(call: Caller, filled: dict[str, Source]) -> None:
    row = call("GET", "/posts", include="source, category, stranger")["data"][0]
    assert {"id", "name", "description"} <= set(row["source"])
    assert row["source"]["name"] == "First"
    assert row["category"]["description"] == "Frogs"
    assert "source" not in call("GET", "/posts", include="category")["data"][0]


def test_list_sorts_and_searches_and_leaves_content_out(call: Caller, filled: dict[str, Source]) -> None:
    assert titles(call("GET", "/posts", sort="-posted_at"))[0] == "two 3"
    assert titles(call("GET", "/posts", search='"two 2"')) == ["two 2"]
    assert titles(call("GET", "/posts", search="GARDEN two", source_id=filled["one"].pk)) == []
    assert titles(call("GET", "/posts", search="!!")) == []
    assert "content" not in call("GET", "/posts", content="false")["data"][0]


@pytest.mark.parametrize(
    "query",
    [{"source_id": "x"}, {"filter[read]": "maybe"}, {"page": "0"}, {"per_page": "-1"}, {"sort": "id"}],
    ids=str,
)
def test_bad_filters_are_422(call: Caller, filled: dict[str, Source], query: dict[str, str]) -> None:
    answer = call("GET", "/posts", status=422, **query)
    assert answer["message"] == "The given data was invalid."
    assert list(answer["errors"]) == list(query)


def test_list_of_unknown_or_foreign_things_is_empty(call: Caller, bert: Any, filled: dict[str, Source]) -> None:
    foreign = Source.objects.get(user=bert)
    assert call("GET", "/posts", source_id=foreign.pk)["data"] == []
    assert call("GET", "/posts", category_id=foreign.category_id)["data"] == []
    assert call("GET", "/posts", source_id=999_999)["meta"]["total"] == 0
    assert call("GET", "/posts", page=77)["data"] == []


def test_ten_rows_cost_no_more_queries_than_two(call: Caller, filled: dict[str, Source]) -> None:
    counts = []
    for size in (2, 6):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            call("GET", "/posts", per_page=size, include="source,category")
        counts.append(len([query for query in queries if "feeds_" in query["sql"]]))
    assert counts[0] == counts[1] == 3


def test_one_post(call: Caller, filled: dict[str, Source]) -> None:
    post = Post.objects.filter(source=filled["one"]).first()
    assert post is not None
    answer = call("GET", f"/posts/{post.pk}", include="source")
    assert set(answer) == {"data"}
    assert answer["data"]["id"] == post.pk
    assert answer["data"]["source"]["rss_url"] == filled["one"].feed.url
    assert call("GET", f"/posts/{post.pk}/")["data"]["id"] == post.pk


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/posts/{}", None),
        ("PATCH", "/posts/{}/read-status", {"read": True}),
        ("POST", "/posts/{}/summary", {}),
        ("POST", "/posts/{}/quote-explanation", {"quote": LONG}),
        ("POST", "/jobs/posts/{}/summary", {}),
    ],
)
def test_unknown_and_foreign_posts_are_404(
    call: Caller, bert: Any, filled: dict[str, Source], method: str, path: str, body: Any
) -> None:
    foreign = Post.objects.filter(user=bert).first()
    assert foreign is not None
    for number in (foreign.pk, 999_999):
        answer = call(method, path.format(number), body, status=404)
        assert answer == {"message": f"No query results for model [App\\Models\\Post] {number}"}
    assert Post.objects.filter(is_read=True).count() == 0


@pytest.mark.parametrize(("given", "read"), [(True, True), (1, True), ("1", True), (False, False), ("0", False)])
def test_read_status(call: Caller, filled: dict[str, Source], given: Any, read: bool) -> None:
    post = Post.objects.filter(source=filled["one"]).first()
    assert post is not None
    answer = call("PATCH", f"/posts/{post.pk}/read-status", {"read": given})
    assert answer["message"] == f"Post marked as {'read' if read else 'unread'}"
    assert answer["data"]["id"] == post.pk
    assert answer["data"]["read"] is read
    assert answer["data"]["title"] == "one 1"
    post.refresh_from_db()
    assert post.is_read is read
    assert (post.read_at is not None) is read


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "The read status is required."),
        ({"read": ""}, "The read status is required."),
        ({"read": None}, "The read status is required."),
        ({"read": "perhaps"}, "The read status must be true or false."),
        ({"read": [1]}, "The read status must be true or false."),
        ({"read": 2}, "The read status must be true or false."),
    ],
)
def test_read_status_complaints(call: Caller, filled: dict[str, Source], body: Any, text: str) -> None:
    post = Post.objects.filter(source=filled["one"]).first()
    assert post is not None
    answer = call("PATCH", f"/posts/{post.pk}/read-status", body, status=422)
    assert answer == {"message": "The given data was invalid.", "errors": {"read": [text]}}


def test_bulk_counts_rows_that_matched_whatever_their_state(call: Caller, filled: dict[str, Source]) -> None:
    ids = list(Post.objects.filter(source=filled["one"]).values_list("pk", flat=True))
    Post.objects.filter(pk=ids[0]).update(is_read=True)
    answer = call("PATCH", "/posts/bulk-read-status", {"post_ids": ids, "read": True})
    assert answer["message"] == "3 posts marked as read"
    assert answer["data"] == {"updated_count": 3, "requested_count": 3, "read_status": True}
    assert Post.objects.filter(is_read=True).count() == 3


def test_bulk_with_an_unknown_post_changes_nothing(call: Caller, bert: Any, filled: dict[str, Source]) -> None:
    own = Post.objects.filter(source=filled["one"]).first()
    foreign = Post.objects.filter(user=bert).first()
    assert own is not None and foreign is not None
    body = {"post_ids": [own.pk, 999_999, foreign.pk], "read": True}
    answer = call("PATCH", "/posts/bulk-read-status", body, status=422)
    assert answer["message"] == "Some posts were not found"
    assert answer["errors"]["post_ids"][0] == f"Posts not found: 999999, {foreign.pk}"
    assert not Post.objects.filter(is_read=True).exists()


@pytest.mark.parametrize(
    ("body", "field", "text"),
    [
        ({"read": True}, "post_ids", "Post IDs are required."),
        ({"post_ids": "7", "read": True}, "post_ids", "Post IDs must be an array."),
        ({"post_ids": [], "read": True}, "post_ids", "At least one post ID is required."),
        ({"post_ids": [1] * 1001, "read": True}, "post_ids", "Cannot update more than 1000 posts at once."),
        ({"post_ids": [1, "x"], "read": True}, "post_ids.1", "Each post ID must be a valid integer."),
        ({"post_ids": [1, 0], "read": True}, "post_ids.1", "Post IDs must be positive numbers."),
        ({"post_ids": [1]}, "read", "Read status is required."),
        ({"post_ids": [1], "read": "x"}, "read", "Read status must be true or false."),
    ],
)
def test_bulk_complaints(call: Caller, filled: dict[str, Source], body: Any, field: str, text: str) -> None:
    answer = call("PATCH", "/posts/bulk-read-status", body, status=422)
    assert answer["errors"] == {field: [text]}


def test_mark_all_touches_only_posts_in_the_other_state(call: Caller, filled: dict[str, Source]) -> None:
    post = Post.objects.filter(source=filled["one"]).first()
    assert post is not None
    Post.objects.filter(pk=post.pk).update(is_read=True)
    answer = call("PATCH", "/posts/mark-all-read", {"read": True})
    assert answer["message"] == "5 posts marked as read"
    assert answer["data"] == {"updated_count": 5, "read_status": True, "filters_applied": {}}
    assert Post.objects.filter(is_read=False).count() == 3  # Bert's
    assert call("PATCH", "/posts/mark-all-read", {"read": False})["message"] == "6 posts marked as unread"


def test_mark_all_combines_its_conditions(call: Caller, filled: dict[str, Source]) -> None:
    one = filled["one"]
    body = {"read": True, "source_id": one.pk, "category_id": one.category_id, "before_date": "2026-08-02"}
    answer = call("PATCH", "/posts/mark-all-read", body)
    assert answer["data"]["updated_count"] == 1
    assert set(answer["data"]["filters_applied"]) == {"source_id", "category_id", "before_date"}
    body = {"read": True, "posted_before": "2026-08-02 10:00:00"}
    assert call("PATCH", "/posts/mark-all-read", body)["data"]["updated_count"] == 3


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"source_id": 999_999}, "source_id"),
        ({"category_id": "x"}, "category_id"),
        ({"before_date": "yesterday"}, "before_date"),
        ({"before_date": "2026-02-31"}, "before_date"),
        ({"posted_before": "9"}, "posted_before"),
    ],
)
def test_mark_all_complaints(call: Caller, filled: dict[str, Source], values: Any, field: str) -> None:
    answer = call("PATCH", "/posts/mark-all-read", {"read": True, **values}, status=422)
    assert list(answer["errors"]) == [field]
    assert not Post.objects.filter(is_read=True).exists()


def test_mark_all_with_a_foreign_source_is_422(call: Caller, bert: Any, filled: dict[str, Source]) -> None:
    foreign = Source.objects.get(user=bert)
    call("PATCH", "/posts/mark-all-read", {"read": True, "source_id": foreign.pk}, status=422)
    call("PATCH", "/posts/mark-all-read", {"read": True, "category_id": foreign.category_id}, status=422)


@pytest.mark.parametrize(("wish", "sentences"), [({}, 2), ({"sentences": 3}, 3), ({"sentences": "x"}, 2)])
def test_summary(call: Caller, filled: dict[str, Source], wish: Any, sentences: int) -> None:
    post = Post.objects.filter(source=filled["one"]).first()
    assert post is not None
    data = call("POST", f"/posts/{post.pk}/summary", wish)["data"]
    assert data["post_id"] == post.pk
    assert data["sentences"] == sentences
    assert data["summary"].count("Sentence number") == sentences
    assert call("POST", f"/posts/{post.pk}/summary", wish)["data"] == data


def test_quote_explanation_needs_75_words_and_is_kept(call: Caller, filled: dict[str, Source]) -> None:
    post = Post.objects.filter(source=filled["one"]).first()
    assert post is not None
    path = f"/posts/{post.pk}/quote-explanation"
    first = call("POST", path, {"quote": f"<b>{LONG}</b>"})["data"]
    assert set(first) == {"post_id", "hash", "cached", "explanation"}
    assert len(first["hash"]) == 40
    assert first["cached"] is False
    assert first["explanation"]
    assert call("POST", path, {"quote": LONG.replace(" ", "\n ")})["data"] == {**first, "cached": True}
    answer = call("POST", path, {"quote": "<p>" + "word " * 74 + "</p>"}, status=422)
    assert answer["errors"] == {"quote": ["Quote must contain at least 75 words."]}
    assert list(call("POST", path, {}, status=422)["errors"]) == ["quote"]
    assert list(call("POST", path, {"quote": "x" * 12_001}, status=422)["errors"]) == ["quote"]


def test_no_token_is_401_and_a_reading_token_may_not_mark(anna: Any, filled: dict[str, Source]) -> None:
    assert Caller()("GET", "/posts", status=401) == {"message": "Unauthenticated."}
    assert Caller("ms_wrong")("GET", "/posts/7", status=401) == {"message": "Unauthenticated."}
    reading = sign_in(anna, Scope.READ)
    assert len(reading("GET", "/posts")["data"]) == 6
    reading("PATCH", "/posts/mark-all-read", {"read": True}, status=403)
    assert not Post.objects.filter(is_read=True).exists()


def test_broken_json_is_400_and_a_list_is_no_body(call: Caller, filled: dict[str, Source]) -> None:
    call("PATCH", "/posts/mark-all-read", b"{", status=400)
    call("PATCH", "/posts/mark-all-read", [1], status=400)


def test_answers_say_what_is_left_and_are_not_cached(call: Caller, filled: dict[str, Source]) -> None:
    answer = call.ask("GET", "/posts")
    assert answer["X-RateLimit-Limit"] == "60"
    assert int(answer["X-RateLimit-Remaining"]) == 59
    assert "X-RateLimit-Reset" in answer
    assert "no-store" in answer["Cache-Control"]
    post = Post.objects.filter(source=filled["one"]).first()
    assert post is not None
    for _ in range(10):
        assert call.ask("POST", f"/posts/{post.pk}/summary", {}).status_code == 200
    limited = call.ask("POST", f"/posts/{post.pk}/summary", {})
    assert limited.status_code == 429
    assert limited.json() == {"message": "Too Many Attempts."}
    assert int(limited["Retry-After"]) > 0
    call("GET", "/posts")


def test_time_ago_reads_like_a_person_says_it() -> None:
    from feeds.api.shapes import time_ago

    now = datetime(2026, 8, 1, tzinfo=UTC)
    ages = {
        0: "just now",
        90: "1 minute ago",
        7200: "2 hours ago",
        86_400 * 8: "1 week ago",
        86_400 * 800: "2 years ago",
    }
    assert {seconds: time_ago(now - timedelta(seconds=seconds), now) for seconds in ages} == ages
