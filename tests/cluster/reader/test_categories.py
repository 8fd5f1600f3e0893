"""Section 1.3 of the reader's contract, categories: each route with its answers, messages and complaints."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.reader.client import Reader, fill
from tests.remote.feed_host import FeedHost

ROW = {"id", "description", "sources_count", "created_at", "updated_at"}


def test_a_category_from_its_making_to_its_end(reader: Reader) -> None:
    answer = reader.call("POST", "/categories", {"description": "Toads"}, status=201)
    assert answer["message"] == "Category created successfully"
    assert set(answer["data"]) == ROW
    assert (answer["data"]["description"], answer["data"]["sources_count"]) == ("Toads", 0)
    path = f"/categories/{answer['data']['id']}"
    assert reader.call("PUT", path, {"description": "Toads"})["message"] == "Category updated successfully"
    answer = reader.call("PUT", path, {"description": "toads"})  # its own name, in other letters
    assert answer["data"]["description"] == "toads"
    answer = reader.call("DELETE", path)
    assert answer["message"] == "Category deleted successfully"
    assert answer["data"] == {"sources_moved": 0, "moved_to_category": None}
    reader.unknown("GET", path, "Category", path.rpartition("/")[2])


def test_list_is_by_name_with_counts_and_one_has_its_sources(reader: Reader, host: FeedHost) -> None:
    toads, frogs = reader.make_category("Toads"), reader.make_category("Frogs")
    reader.subscribe(fill(host, "/one", 1), frogs, name="Pond")
    reader.subscribe(fill(host, "/two", 1), frogs, name="Bog")
    rows = reader.call("GET", "/categories")["data"]
    assert [(row["description"], row["sources_count"]) for row in rows] == [("Frogs", 2), ("Toads", 0)]
    assert all(set(row) == ROW for row in rows)
    one = reader.call("GET", f"/categories/{frogs}")["data"]
    assert set(one) == {*ROW, "sources"}
    assert [source["name"] for source in one["sources"]] == ["Bog", "Pond"]
    assert reader.call("GET", f"/categories/{toads}")["data"]["sources"] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "Category description is required."),
        ("ab", "Category description must be at least 3 characters."),
        ("x" * 256, "Category description cannot exceed 255 characters."),
        ("FROGS", "A category with this description already exists."),
        (["frogs"], "Category description must be a text."),
    ],
)
def test_complaints(reader: Reader, value: Any, text: str) -> None:
    reader.make_category("Frogs")
    other = reader.make_category("Toads")
    for method, path in (("POST", "/categories"), ("PUT", f"/categories/{other}")):
        assert reader.refused(method, path, {"description": value}) == {"description": [text]}
    names = [row["description"] for row in reader.call("GET", "/categories")["data"]]
    assert names == ["Frogs", "Toads"]


def test_names_are_the_users_own(reader: Reader, stranger: Reader) -> None:
    reader.make_category("Frogs")
    stranger.make_category("Frogs")


def test_sources_of_a_deleted_category_go_to_uncategorized(reader: Reader, host: FeedHost) -> None:
    ids = [reader.make_category(name) for name in ("Frogs", "Toads")]
    for number, category in enumerate(ids):
        reader.subscribe(fill(host, f"/{number}", 1), category)
    for category in ids:  # made for the first, found for the second
        answer = reader.call("DELETE", f"/categories/{category}")
        assert answer["data"] == {"sources_moved": 1, "moved_to_category": "Uncategorized"}
    (row,) = reader.call("GET", "/categories")["data"]
    assert (row["description"], row["sources_count"]) == ("Uncategorized", 2)
    assert len(reader.posts(category_id=row["id"])) == 2


def test_uncategorized_stays_while_it_has_sources(reader: Reader, host: FeedHost) -> None:
    category = reader.make_category("Uncategorized")
    source = reader.subscribe(fill(host, "/feed", 1), category)
    assert reader.call("DELETE", f"/categories/{category}", status=422)["message"].endswith(".")
    assert reader.call("GET", f"/categories/{category}")["data"]["sources_count"] == 1
    reader.call("DELETE", f"/sources/{source['id']}")
    assert reader.call("DELETE", f"/categories/{category}")["data"]["sources_moved"] == 0
