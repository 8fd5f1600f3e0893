"""Section 1.3 of the reader's contract, OPML: export, preview, import, with their messages and complaints."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cluster.reader.client import Reader, fill
from tests.remote.feed_host import FeedHost


def outline(name: str, url: str) -> str:
    return f"<outline type='rss' text='{name}' xmlUrl='{url}' htmlUrl='https://{name.lower()}.example/'/>"


def folder(name: str, *outlines: str) -> str:
    return f"<outline text='{name}' title='{name}'>{''.join(outlines)}</outline>"


def opml(*parts: str) -> bytes:
    return f"<?xml version='1.0'?><opml version='2.0'><head/><body>{''.join(parts)}</body></opml>".encode()


def upload(content: bytes, name: str = "feeds.opml") -> dict[str, Any]:
    return {"opml": (name, content, "text/x-opml")}


@pytest.fixture
def listing(host: FeedHost) -> bytes:
    """Two feeds in a folder, one in a folder of a folder, one in none, and one without an address."""
    urls = {name: fill(host, f"/{name.lower()}", 2, title=name) for name in ("Pond", "Reed", "Deep", "Loose")}
    rows = {name: outline(name, url) for name, url in urls.items()}
    nested = folder("Newts", rows["Deep"])
    return opml(folder("Frogs", rows["Pond"], rows["Reed"], nested), rows["Loose"], "<outline text='X' type='rss'/>")


def test_preview(reader: Reader, listing: bytes, host: FeedHost) -> None:
    answer = reader.call("POST", "/preview-opml", files=upload(listing))
    assert answer["message"] == "OPML preview generated successfully"
    data = answer["data"]
    assert set(data) == {"categories", "uncategorized_sources", "total_categories", "total_sources"}
    assert all(row["source_count"] == len(row["sources"]) for row in data["categories"])
    names = {row["name"]: [source["name"] for source in row["sources"]] for row in data["categories"]}
    assert names == {"Frogs": ["Pond", "Reed"], "Frogs / Newts": ["Deep"]}
    assert data["uncategorized_sources"] == [
        {"name": "Loose", "url": host.url("/loose"), "site_url": "https://loose.example/"}
    ]
    assert (data["total_categories"], data["total_sources"]) == (2, 4)
    assert reader.call("GET", "/sources")["data"] == []


def test_import_merges_and_the_worker_brings_the_posts(reader: Reader, listing: bytes, host: FeedHost) -> None:
    known = reader.subscribe(host.url("/pond"), reader.make_category("Mine"), name="My pond")
    answer = reader.call("POST", "/import-opml", files=upload(listing), data={"mode": "merge"})
    assert answer["message"] == "OPML imported successfully"
    data = answer["data"]
    expected = {"mode": "merge", "categories_created": 3, "sources_created": 3, "sources_skipped": 1}
    assert expected.items() <= data.items()
    assert len(data["errors"]) == 1
    assert "Skipping source 'X'" in data["errors"][0]
    rows = reader.call("GET", "/sources", params={"include": "category"})["data"]
    assert {row["name"]: row["category"]["description"] for row in rows} == {
        "My pond": "Mine",
        "Reed": "Frogs",
        "Deep": "Frogs / Newts",
        "Loose": "Uncategorized",
    }
    assert known["id"] in [row["id"] for row in rows]
    reader.wait_for_job("/posts", lambda answer: answer["meta"]["total"] == 8)


def test_replace_is_the_default_and_keeps_what_stays(reader: Reader, listing: bytes, host: FeedHost) -> None:
    category = reader.make_category("Mine")
    stays = reader.subscribe(host.url("/pond"), category)
    goes = reader.subscribe(fill(host, "/goes", 1), category)
    post = reader.posts(source_id=stays["id"])[0]["id"]
    reader.call("PATCH", f"/posts/{post}/read-status", {"read": True})
    data = reader.call("POST", "/import-opml", files=upload(listing))["data"]
    assert (data["mode"], data["sources_created"], data["sources_skipped"]) == ("replace", 3, 1)
    reader.unknown("GET", f"/sources/{goes['id']}", "Source", str(goes["id"]))
    assert reader.call("GET", f"/posts/{post}")["data"]["read"] is True
    names = [row["description"] for row in reader.call("GET", "/categories")["data"]]
    assert names == ["Frogs", "Frogs / Newts", "Uncategorized"]


def test_a_list_of_one_outline_is_one_feed(reader: Reader, host: FeedHost) -> None:
    content = opml(outline("Pond", fill(host, "/pond", 1)))
    data = reader.call("POST", "/import-opml", files=upload(content, "list.XML"))["data"]
    assert (data["sources_created"], data["errors"]) == (1, [])


def test_export_can_be_taken_in_again(reader: Reader, stranger: Reader, listing: bytes) -> None:
    reader.call("POST", "/import-opml", files=upload(listing))
    answer = reader.call("GET", "/export-opml")
    assert answer["message"] == "OPML exported successfully"
    data = answer["data"]
    assert set(data) == {"content", "filename", "sources_count", "categories_count"}
    assert re.fullmatch(r"infraread-feeds-\d{4}-\d\d-\d\d\.opml", data["filename"])
    assert (data["sources_count"], data["categories_count"]) == (4, 3)
    taken = stranger.call("POST", "/import-opml", files=upload(data["content"].encode()))["data"]
    assert taken["sources_created"] == 4
    mine, theirs = (_places(owner) for owner in (reader, stranger))
    assert mine == theirs


def _places(reader: Reader) -> list[tuple[str, str, str]]:
    rows = reader.call("GET", "/sources", params={"include": "category"})["data"]
    return [(row["name"], row["rss_url"], row["category"]["description"]) for row in rows]


@pytest.mark.parametrize("route", ["/preview-opml", "/import-opml"])
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"files": {"other": ("x.opml", b"x")}}, "Please select an OPML file to import."),
        ({"files": {"opml": (None, "just a text")}}, "The uploaded file is not valid."),
        ({"files": upload(b"%PDF", "list.pdf")}, "Only OPML and XML files are allowed."),
        ({"files": upload(b"<opml/>" + b" " * 1_048_576)}, "The OPML file must not exceed 1MB."),
    ],
)
def test_complaints_about_the_file(reader: Reader, route: str, options: Any, text: str) -> None:
    assert reader.refused("POST", route, **options) == {"opml": [text]}


def test_an_unknown_mode_is_refused(reader: Reader, listing: bytes) -> None:
    errors = reader.refused("POST", "/import-opml", files=upload(listing), data={"mode": "wipe"})
    assert errors == {"mode": ['Import mode must be either "replace" or "merge".']}


BOMB = (
    b"<?xml version='1.0'?><!DOCTYPE opml [<!ENTITY a '"
    + b"ha" * 200
    + b"'>"
    + b"".join(b"<!ENTITY a%d '%s'>" % (n, (b"&a%d;" % (n - 1) if n else b"&a;") * 20) for n in range(8))
    + b"]><opml><body><outline text='&a7;' xmlUrl='https://x.example/&a7;'/></body></opml>"
)


@pytest.mark.parametrize(
    "content", [b"", b"no list at all", b"<html><body>Hello</body></html>", b"\0\1\2\xff" * 50, b"<opml>" * 9000]
)
def test_an_unreadable_file_changes_nothing(reader: Reader, host: FeedHost, content: bytes) -> None:
    reader.subscribe(fill(host, "/feed", 1), reader.make_category())
    answer = reader.call("POST", "/import-opml", files=upload(content), status=422)
    assert answer["message"] == "Failed to import OPML"
    assert answer["error"].startswith("Import failed: ")
    assert len(reader.call("GET", "/sources")["data"]) == 1


def test_an_unreadable_file_has_no_preview(reader: Reader) -> None:
    answer = reader.call("POST", "/preview-opml", files=upload(b"<html></html>"), status=422)
    assert answer["message"] == "Failed to preview OPML"
    assert answer["error"].startswith("Could not parse OPML file: ")


def test_entities_that_multiply_are_not_followed(reader: Reader) -> None:
    answer = reader.send("POST", "/preview-opml", files=upload(BOMB))
    assert answer.status_code == 200
    assert len(answer.content) < 1000


def test_nothing_of_this_house_gets_out_through_an_entity(reader: Reader, host: FeedHost) -> None:
    secret = reader.house.data_dir / "secret.txt"
    secret.write_text("a secret of this house")
    content = (
        f"<!DOCTYPE opml [<!ENTITY s SYSTEM 'file://{secret}'>]><opml><body>"
        f"<outline text='Pond &s;' xmlUrl='{fill(host, '/feed', 1)}'/></body></opml>"
    )
    answer = reader.send("POST", "/import-opml", files=upload(content.encode()))
    assert "a secret" not in answer.text + reader.send("GET", "/sources").text
