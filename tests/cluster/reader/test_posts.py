"""Section 1.3 of the reader's contract, posts: each route with its answers, messages and complaints."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.cluster.reader.client import LONG, Reader, fill
from tests.remote.feed_host import FeedHost, Page, item, rss

ROW = {"id", "title", "content", "url", "excerpt", "posted_at", "read", "uid", "author", "time_ago"}


@pytest.fixture
def filled(reader: Reader, host: FeedHost) -> dict[str, Any]:
    """Posts 1 to 3 of “First” in Frogs, 11 and 12 of “Second” in Toads: dated by their numbers in August 2026."""
    one = reader.subscribe(fill(host, "/one", 3), reader.make_category("Frogs"), name="First", description="About")
    two = reader.subscribe(fill(host, "/two", 2, first=11), reader.make_category("Toads"), name="Second")
    return {"one": one, "two": two, "posts": reader.posts()}


def titles(rows: list[Any]) -> list[int]:
    return [int(row["title"].removeprefix("Post ")) for row in rows]


# --- GET /posts -----------------------------------------------------------------------------------------------------
def test_rows_have_the_keys_of_both_documents(filled: dict[str, Any]) -> None:
    row = filled["posts"][0]
    assert set(row) >= ROW
    assert not {"source", "category"} & set(row)
    assert (row["title"], row["url"], row["uid"]) == ("Post 1", "https://blog.example/1", "id-1")
    assert (row["read"], row["posted_at"]) == (False, "2026-08-02T10:00:00Z")
    assert row["content"].startswith("<p>Sentence number 0")
    assert len(row["excerpt"]) == 281
    assert row["time_ago"].endswith(" ago")


@pytest.mark.parametrize("spelling", ["source_id", "filter[source]"])
def test_list_by_source(reader: Reader, filled: dict[str, Any], spelling: str) -> None:
    assert titles(reader.posts(**{spelling: filled["two"]["id"]})) == [11, 12]
    assert reader.posts(**{spelling: 999_999}) == []


@pytest.mark.parametrize("spelling", ["category_id", "filter[category]"])
def test_list_by_category_follows_the_source(reader: Reader, filled: dict[str, Any], spelling: str) -> None:
    toads, one = filled["two"]["category_id"], filled["one"]
    assert titles(reader.posts(**{spelling: toads})) == [11, 12]
    reader.call("PUT", f"/sources/{one['id']}", {"category_id": toads})
    assert titles(reader.posts(**{spelling: toads})) == [1, 2, 3, 11, 12]
    assert reader.posts(**{spelling: 999_999}) == []


def test_list_by_state_means_what_it_says(reader: Reader, filled: dict[str, Any]) -> None:
    reader.call("PATCH", f"/posts/{filled['posts'][1]['id']}/read-status", {"read": True})
    for text in ("true", "1", "True"):
        assert titles(reader.posts(**{"filter[read]": text})) == [2], text
    for text in ("false", "0"):
        assert titles(reader.posts(**{"filter[read]": text})) == [1, 3, 11, 12], text
    assert titles(reader.posts(**{"filter[read]": "false", "source_id": filled["one"]["id"]})) == [1, 3]


def test_list_is_oldest_first_unless_turned_round(reader: Reader, filled: dict[str, Any]) -> None:
    assert titles(reader.posts()) == titles(reader.posts(sort="posted_at")) == [1, 2, 3, 11, 12]
    assert titles(reader.posts(sort="-posted_at")) == [12, 11, 3, 2, 1]


def test_posts_of_one_moment_stay_in_order_of_their_numbers(reader: Reader, host: FeedHost) -> None:
    moment = "Sat, 01 Aug 2026 10:00:00 GMT"
    host.pages["/same"] = Page(rss(*(item(n, date=moment) for n in range(1, 7))))
    reader.subscribe(host.url("/same"), reader.make_category())
    ids = [row["id"] for row in reader.posts(per_page=3)] + [row["id"] for row in reader.posts(per_page=3, page=2)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 6


@pytest.mark.parametrize("include", ["source,category", " category , source ,frogs", "source", "category", "frogs"])
def test_included_objects(reader: Reader, filled: dict[str, Any], include: str) -> None:
    row = reader.posts(include=include)[0]
    assert ("source" in row, "category" in row) == ("source" in include, "category" in include)
    if "source" in row:
        assert {"id", "name", "description"} <= set(row["source"])
        assert (row["source"]["name"], row["source"]["description"]) == ("First", "About")
    if "category" in row:
        assert row["category"]["description"] == "Frogs"
        assert "sources" not in row["category"]


def test_light_lists_leave_the_content_out(reader: Reader, filled: dict[str, Any]) -> None:
    assert all(set(row) >= ROW - {"content"} and "content" not in row for row in reader.posts(content="false"))


@pytest.mark.parametrize(
    "query",
    [
        *({name: value} for name in ("source_id", "filter[source]", "category_id") for value in ("x", "-1", "1.5")),
        {"filter[read]": "perhaps"},
        {"sort": "title"},
        {"filter[category]": "9" * 30},
    ],
)
def test_bad_filters_are_422(reader: Reader, query: dict[str, str]) -> None:
    assert list(reader.refused("GET", "/posts", params=query)) == list(query)


# --- GET /posts/{id} ------------------------------------------------------------------------------------------------
def test_one_post(reader: Reader, filled: dict[str, Any]) -> None:
    path = f"/posts/{filled['posts'][0]['id']}"
    row = reader.call("GET", path)["data"]
    assert row == {**filled["posts"][0], "time_ago": row["time_ago"]}
    assert reader.call("GET", path, params={"include": "source"})["data"]["source"]["name"] == "First"


# --- PATCH /posts/{id}/read-status ----------------------------------------------------------------------------------
@pytest.mark.parametrize("given", [True, False, 1, 0, "1", "0"])
def test_read_status(reader: Reader, filled: dict[str, Any], given: Any) -> None:
    post = filled["posts"][0]["id"]
    answer = reader.call("PATCH", f"/posts/{post}/read-status", {"read": given})
    is_read = given in (True, "1")
    assert answer["message"] == f"Post marked as {'read' if is_read else 'unread'}"
    assert (answer["data"]["id"], answer["data"]["read"], answer["data"]["title"]) == (post, is_read, "Post 1")
    assert reader.call("GET", f"/posts/{post}")["data"]["read"] is is_read


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "The read status is required."),
        ({"read": None}, "The read status is required."),
        ({"read": ""}, "The read status is required."),
        *(({"read": value}, "The read status must be true or false.") for value in ("yes", 2, [], {}, 0.5)),
    ],
)
def test_read_status_complaints(reader: Reader, filled: dict[str, Any], body: Any, text: str) -> None:
    path = f"/posts/{filled['posts'][0]['id']}/read-status"
    assert reader.refused("PATCH", path, body) == {"read": [text]}


# --- PATCH /posts/bulk-read-status ----------------------------------------------------------------------------------
def test_bulk_counts_what_matched_whatever_its_state(reader: Reader, filled: dict[str, Any]) -> None:
    ids = [row["id"] for row in filled["posts"]]
    for is_read, word in ((True, "read"), (True, "read"), (False, "unread")):
        answer = reader.call("PATCH", "/posts/bulk-read-status", {"post_ids": ids, "read": is_read})
        assert answer["message"] == f"5 posts marked as {word}"
        assert answer["data"] == {"updated_count": 5, "requested_count": 5, "read_status": is_read}
        assert {row["read"] for row in reader.posts()} == {is_read}


def test_bulk_with_unknown_ids_changes_nothing(reader: Reader, stranger: Reader, filled: dict[str, Any]) -> None:
    first = filled["posts"][0]["id"]
    body = {"post_ids": [first, 999_997, 999_999], "read": True}
    answer = reader.call("PATCH", "/posts/bulk-read-status", body, status=422)
    assert answer["message"] == "Some posts were not found"
    assert answer["errors"] == {"post_ids": ["Posts not found: 999997, 999999"]}
    assert not any(row["read"] for row in reader.posts())
    answer = stranger.call("PATCH", "/posts/bulk-read-status", {"post_ids": [first], "read": True}, status=422)
    assert answer["errors"] == {"post_ids": [f"Posts not found: {first}"]}


@pytest.mark.parametrize(
    ("body", "field", "text"),
    [
        ({"read": True}, "post_ids", "Post IDs are required."),
        ({"post_ids": None, "read": True}, "post_ids", "Post IDs are required."),
        ({"post_ids": "7", "read": True}, "post_ids", "Post IDs must be an array."),
        ({"post_ids": {"1": 7}, "read": True}, "post_ids", "Post IDs must be an array."),
        ({"post_ids": [], "read": True}, "post_ids", "At least one post ID is required."),
        ({"post_ids": [1] * 1001, "read": True}, "post_ids", "Cannot update more than 1000 posts at once."),
        *(
            ({"post_ids": [1, value], "read": True}, "post_ids.1", "Each post ID must be a valid integer.")
            for value in ("x", None, 1.5, [], 2**62 * 2 - 1 + 0.5)
        ),
        ({"post_ids": [1, 0], "read": True}, "post_ids.1", "Post IDs must be positive numbers."),
        ({"post_ids": [1]}, "read", "Read status is required."),
        ({"post_ids": [1], "read": "x"}, "read", "Read status must be true or false."),
    ],
)
def test_bulk_complaints(reader: Reader, body: Any, field: str, text: str) -> None:
    assert reader.refused("PATCH", "/posts/bulk-read-status", body) == {field: [text]}


def test_a_thousand_at_once_are_looked_for(reader: Reader) -> None:
    body = {"post_ids": list(range(900_001, 901_001)), "read": True}
    assert reader.call("PATCH", "/posts/bulk-read-status", body, status=422)["message"] == "Some posts were not found"


# --- PATCH /posts/mark-all-read -------------------------------------------------------------------------------------
def test_mark_all_touches_and_counts_the_other_state_only(reader: Reader, filled: dict[str, Any]) -> None:
    reader.call("PATCH", f"/posts/{filled['posts'][0]['id']}/read-status", {"read": True})
    answer = reader.call("PATCH", "/posts/mark-all-read", {"read": True})
    assert answer["message"] == "4 posts marked as read"
    assert answer["data"] == {"updated_count": 4, "read_status": True, "filters_applied": {}}
    answer = reader.call("PATCH", "/posts/mark-all-read", {"read": "0"})
    assert (answer["message"], answer["data"]["read_status"]) == ("5 posts marked as unread", False)


@pytest.mark.parametrize(
    ("conditions", "count"),
    [
        ({"source": "one"}, 3),
        ({"category": "two"}, 2),
        ({"source": "one", "category": "two"}, 0),
        ({"before_date": "2026-08-03"}, 1),  # the day itself is left alone
        ({"posted_before": "2026-08-03 10:00:00"}, 2),  # that very moment is not
        ({"posted_before": "2026-08-03 09:59:59"}, 1),
        ({"posted_before": "2026-08-03T12:00:00+02:00"}, 2),
        ({"source": "one", "before_date": "2026-08-04", "posted_before": "2026-08-02 10:00:00"}, 1),
    ],
)
def test_mark_all_combines_conditions(
    reader: Reader, filled: dict[str, Any], conditions: dict[str, str], count: int
) -> None:
    places = {"source": "id", "category": "category_id"}
    wish = {
        (f"{name}_id" if name in places else name): (filled[value][places[name]] if name in places else value)
        for name, value in conditions.items()
    }
    data = reader.call("PATCH", "/posts/mark-all-read", {"read": True, **wish})["data"]
    assert data["updated_count"] == count
    assert set(data["filters_applied"]) == set(wish)


@pytest.mark.parametrize(
    ("wish", "field", "text"),
    [
        ({"read": None}, "read", "The read status is required."),
        ({"read": "x"}, "read", "The read status must be true or false."),
        ({"source_id": 999_999}, "source_id", "The selected source does not exist."),
        ({"category_id": 999_999}, "category_id", "The selected category does not exist."),
        ({"source_id": "x"}, "source_id", ""),
        ({"before_date": "2026-02-31"}, "before_date", ""),
        ({"before_date": "yesterday"}, "before_date", ""),
        ({"posted_before": "9"}, "posted_before", ""),
        ({"posted_before": []}, "posted_before", ""),
    ],
)
def test_mark_all_complaints(reader: Reader, filled: dict[str, Any], wish: Any, field: str, text: str) -> None:
    errors = reader.refused("PATCH", "/posts/mark-all-read", {"read": True, **wish})
    assert list(errors) == [field]
    assert not text or errors[field] == [text]
    assert not any(row["read"] for row in reader.posts())


def test_mark_all_knows_no_source_of_a_stranger(reader: Reader, stranger: Reader, filled: dict[str, Any]) -> None:
    wish = {"read": True, "source_id": filled["one"]["id"]}
    assert list(stranger.refused("PATCH", "/posts/mark-all-read", wish)) == ["source_id"]


# --- POST /posts/{id}/summary, /quote-explanation -------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "sentences"),
    [({}, 2), ({"sentences": 5}, 5), ({"sentences": "3"}, 3)]
    + [({"sentences": value}, 2) for value in (0, 11, -1, "x", True, [], 2.5)],
)
def test_summary_has_as_many_sentences_as_asked_for(
    reader: Reader, filled: dict[str, Any], body: Any, sentences: int
) -> None:
    post = filled["posts"][0]["id"]
    answer = reader.call("POST", f"/posts/{post}/summary", body)
    assert set(answer) == {"data"}
    data = answer["data"]
    assert (data["post_id"], data["sentences"]) == (post, sentences)
    assert data["summary"].count("Sentence number") == sentences
    assert "<" not in data["summary"]


def test_summary_of_nothing_is_502_with_its_reason(reader: Reader, host: FeedHost) -> None:
    host.pages["/empty"] = Page(rss("<item><title>Only a title</title><guid>t</guid></item>"))
    reader.subscribe(host.url("/empty"), reader.make_category())
    answer = reader.call("POST", f"/posts/{reader.posts()[0]['id']}/summary", status=502)
    assert answer["error"].endswith(".")


def test_quote_explanation(reader: Reader, filled: dict[str, Any]) -> None:
    path = f"/posts/{filled['posts'][0]['id']}/quote-explanation"
    first = reader.call("POST", path, {"quote": f"<p>{LONG}</p>"})["data"]
    assert set(first) == {"post_id", "hash", "cached", "explanation"}
    assert first["hash"] == hashlib.sha1(LONG.encode()).hexdigest()
    assert (first["post_id"], first["cached"]) == (filled["posts"][0]["id"], False)
    assert 0 < len(first["explanation"].split()) < 120
    second = reader.call("POST", path, {"quote": LONG.replace(" ", " \n\t")})["data"]
    assert second == {**first, "cached": True}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"quote": "word " * 74}, "Quote must contain at least 75 words."),
        ({"quote": "<b>" + "word </b><b>" * 74 + "</b>"}, "Quote must contain at least 75 words."),
        ({}, ""),
        ({"quote": ["x"]}, ""),
        ({"quote": "word " * 2401}, ""),
    ],
)
def test_quote_complaints(reader: Reader, filled: dict[str, Any], body: Any, text: str) -> None:
    errors = reader.refused("POST", f"/posts/{filled['posts'][0]['id']}/quote-explanation", body)
    assert list(errors) == ["quote"]
    assert not text or errors["quote"] == [text]
