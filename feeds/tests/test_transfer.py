"""OPML: the contract's rows over HTTP, and what an import does to what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feeds.models import Category, Feed, Post, Source
from jobs.models import Job
from tests.remote.feed_host import FeedHost, Page, posts

from .api import Caller, sign_in
from .making import ask_all, subscribe
from .test_services import command

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(anna: Any) -> Caller:
    return sign_in(anna)


def outline(name: str, url: str) -> str:
    return f"<outline type='rss' text='{name}' xmlUrl='{url}' htmlUrl='https://{name.lower()}.example/'/>"


def opml_file(*parts: str) -> bytes:
    return f"<?xml version='1.0'?><opml version='2.0'><head/><body>{''.join(parts)}</body></opml>".encode()


def folder(name: str, *outlines: str) -> str:
    return f"<outline text='{name}' title='{name}'>{''.join(outlines)}</outline>"


def upload(content: bytes, name: str = "feeds.opml") -> dict[str, Any]:
    return {"opml": SimpleUploadedFile(name, content, "text/x-opml")}


def test_preview_shows_what_would_come(call: Caller) -> None:
    content = opml_file(
        folder("Frogs", outline("Pond", "https://pond.example/rss"), outline("Reed", "https://reed.example/rss")),
        outline("Loose", "https://loose.example/rss"),
        "<outline text='Nothing'/>",
    )
    answer = call.upload("/preview-opml", upload(content))
    assert answer["message"] == "OPML preview generated successfully"
    pond, reed = (
        {"name": n, "url": f"https://{n.lower()}.example/rss", "site_url": f"https://{n.lower()}.example/"}
        for n in ("Pond", "Reed")
    )
    data = answer["data"]
    assert data["categories"] == [{"name": "Frogs", "sources": [pond, reed], "source_count": 2}]
    assert [row["name"] for row in data["uncategorized_sources"]] == ["Loose"]
    assert (data["total_categories"], data["total_sources"]) == (1, 3)
    assert not Source.objects.exists()


def test_merge_adds_what_is_missing_and_leaves_the_rest(call: Caller, anna: Any, wake_ups: list[int]) -> None:
    subscribe(anna, "https://pond.example/rss", name="My pond", category="Mine")
    content = opml_file(
        folder("frogs", outline("Pond", "https://pond.example/rss"), outline("Reed", "https://reed.example/rss")),
        outline("Loose", "https://loose.example/rss"),
        "<outline text='Nothing'/>",
    )
    answer = call.upload("/import-opml", {**upload(content), "mode": "merge"})
    assert answer["message"] == "OPML imported successfully"
    data = answer["data"]
    assert (data["mode"], data["categories_created"], data["sources_created"]) == ("merge", 2, 2)
    assert data["sources_skipped"] == 1
    assert "Nothing" in data["errors"][0]
    rows = Source.objects.order_by("name").values_list("name", "category__description")
    assert list(rows) == [("Loose", "Uncategorized"), ("My pond", "Mine"), ("Reed", "frogs")]
    assert Job.objects.get().kind == "refresh_feeds"
    again = call.upload("/import-opml", {**upload(content), "mode": "merge"})["data"]
    assert (again["sources_created"], again["sources_skipped"], again["categories_created"]) == (0, 3, 0)


def test_replace_is_the_default_and_keeps_posts_and_read_marks_of_what_stays(
    call: Caller, anna: Any, bert: Any, host: FeedHost, wake_ups: list[int]
) -> None:
    host.pages["/stays"] = host.pages["/goes"] = Page(posts(1, 2))
    stays = subscribe(anna, host.url("/stays"), name="Old name", category="Old")
    subscribe(anna, host.url("/goes"), category="Gone")
    subscribe(bert, host.url("/goes"), category="Gone")
    ask_all()
    Post.objects.filter(source=stays, entry__title="Post 1").update(is_read=True)
    content = opml_file(folder("New", outline("Renamed", host.url("/stays")), outline("Fresh", host.url("/fresh"))))
    data = call.upload("/import-opml", upload(content))["data"]
    expected = {"mode": "replace", "categories_created": 1, "sources_created": 1, "sources_skipped": 1}
    assert expected.items() <= data.items()
    assert data["sources_removed"] == 1
    rows = Source.objects.filter(user=anna).order_by("name").values_list("name", "category__description")
    assert list(rows) == [("Fresh", "New"), ("Renamed", "New")]
    assert list(Category.objects.filter(user=anna).values_list("description", flat=True)) == ["New"]
    assert Post.objects.filter(user=anna, is_read=True).count() == 1
    assert Post.objects.filter(user=anna).count() == 2
    assert Post.objects.filter(user=bert).count() == 2


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"no xml at all", opml_file()], ids=str)
def test_a_file_that_cannot_be_used_changes_nothing(call: Caller, anna: Any, content: bytes) -> None:
    subscribe(anna, "https://pond.example/rss")
    files = upload(content or b" ")
    answer = call.upload("/import-opml", files, status=422)
    assert answer["message"] == "Failed to import OPML"
    assert answer["error"].startswith("Import failed: ")
    assert Source.objects.count() == 1


def test_an_unreadable_file_has_no_preview(call: Caller) -> None:
    answer = call.upload("/preview-opml", upload(b"<html></html>"), status=422)
    assert answer["message"] == "Failed to preview OPML"
    assert answer["error"].startswith("Could not parse OPML file: ")


@pytest.mark.parametrize("path", ["/preview-opml", "/import-opml"])
@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({}, "Please select an OPML file to import."),
        ({"opml": "text"}, "The uploaded file is not valid."),
        (upload(opml_file(), "feeds.txt"), "Only OPML and XML files are allowed."),
        (upload(b"x" * 1_048_577), "The OPML file must not exceed 1MB."),
    ],
    ids=["none", "text", "type", "size"],
)
def test_complaints_about_files(call: Caller, path: str, files: dict[str, Any], text: str) -> None:
    if "opml" in files and not isinstance(files["opml"], str):
        files["opml"].seek(0)
    answer = call.upload(path, files, status=422)
    assert answer == {"message": "The given data was invalid.", "errors": {"opml": [text]}}


def test_an_unknown_mode_is_refused(call: Caller) -> None:
    answer = call.upload("/import-opml", {**upload(opml_file()), "mode": "wipe"}, status=422)
    assert answer["errors"] == {"mode": ['Import mode must be either "replace" or "merge".']}


def test_export_can_be_imported_by_another(call: Caller, anna: Any, bert: Any, wake_ups: list[int]) -> None:
    subscribe(anna, "https://pond.example/rss?a=1&b=2", name="Pond & Co", category="Frogs <3")
    subscribe(anna, "https://reed.example/rss", name="Reed", category="Toads")
    answer = call("GET", "/export-opml")
    assert answer["message"] == "OPML exported successfully"
    data = answer["data"]
    assert (data["sources_count"], data["categories_count"]) == (2, 2)
    assert data["filename"].startswith("infraread-feeds-20")
    assert data["filename"].endswith(".opml")
    sign_in(bert).upload("/import-opml", upload(data["content"].encode()))
    rows = ("name", "category__description", "feed__url")
    mine, his = (list(Source.objects.filter(user=user).order_by("name").values_list(*rows)) for user in (anna, bert))
    assert mine == his
    assert Feed.objects.count() == 2


def test_an_import_of_many_feeds_costs_few_queries(call: Caller, wake_ups: list[int]) -> None:
    counts = []
    for size in (10, 400):
        content = opml_file(
            folder(f"Of {size}", *(outline(f"n{n}", f"https://{size}-{n}.example/rss") for n in range(size)))
        )
        with CaptureQueriesContext(connection) as queries:
            call.upload("/import-opml", {**upload(content), "mode": "merge"})
        counts.append(len(queries))
    assert counts[1] <= counts[0] + 20


def test_commands_import_and_export(anna: Any, tmp_path: Path, wake_ups: list[int]) -> None:
    path = tmp_path / "in.opml"
    path.write_bytes(opml_file(folder("Frogs", outline("Pond", "https://pond.example/rss")), "<outline text='Odd'/>"))
    code, out, err = command("import_opml", str(path))
    assert code == 0
    assert "1 sources added, 0 known, 0 removed; 1 categories added." in out
    assert "Odd" in err
    assert "https://pond.example/rss" in command("export_opml", "--user", "anna")[1]
    target = tmp_path / "out.opml"
    assert command("export_opml", "--output", str(target))[0] == 0
    assert "Pond" in target.read_text()
    path.write_bytes(opml_file(outline("Reed", "https://reed.example/rss")))
    assert "1 sources added, 0 known, 1 removed" in command("import_opml", str(path), "--replace")[1]
    path.write_bytes(b"nothing")
    code, _, err = command("import_opml", str(path))
    assert code == 1
    assert err.strip()
    assert command("import_opml", str(tmp_path / "none"))[0] == 1
