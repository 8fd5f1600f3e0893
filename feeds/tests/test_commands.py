"""The reader's commands with everything that a person may get wrong: a sentence, an exit code, nothing half-done."""

from __future__ import annotations

import sys
from datetime import timedelta
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from feeds import refresh
from feeds.models import Feed, Post, ReaderOptions, Source
from feeds.purge import purge_posts
from jobs.context import JobContext
from jobs.models import Job
from jobs.services import enqueue
from tests.remote.feed_host import FeedHost, Page, posts

from .making import ask_all, subscribe
from .test_services import command
from .test_transfer import opml_file, outline

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"\0\xff\xfe" * 1000, "not a list of feeds (OPML)."),
        (b"<html><body>Hello</body></html>", "web page"),
        (b" " * 1_048_577, "too large: at most 1024 KB are read."),
    ],
)
def test_import_of_what_is_no_list_changes_nothing(anna: Any, tmp_path: Path, content: bytes, words: str) -> None:
    subscribe(anna, "https://pond.example/rss")
    path = tmp_path / "feeds.opml"
    path.write_bytes(content)
    for options in ([], ["--replace"]):
        code, out, err = command("import_opml", str(path), *options)
        assert (code, out) == (1, "")
        assert len(err.splitlines()) == 1
        assert words in err
    assert Source.objects.count() == 1


def test_replacing_by_a_list_without_feeds_is_refused(anna: Any, tmp_path: Path) -> None:
    subscribe(anna, "https://pond.example/rss")
    path = tmp_path / "feeds.opml"
    path.write_bytes(opml_file())
    code, _, err = command("import_opml", str(path), "--replace")
    assert (code, err.strip()) == (1, "The file names no feed, so nothing was replaced.")
    assert command("import_opml", str(path))[:2] == (
        0,
        "0 sources added, 0 known, 0 removed; 0 categories added.\n",
    )
    assert Source.objects.count() == 1


def test_import_of_what_cannot_be_opened_says_why(anna: Any, tmp_path: Path) -> None:
    for name, reason in ((str(tmp_path / "none"), "No such file or directory"), (str(tmp_path), "Is a directory")):
        assert command("import_opml", name) == (1, "", f"Could not read {name}: {reason}.\n")
    assert command("import_opml", "a\0b")[0] == 1
    with pytest.raises(CommandError, match="FILE"):
        command("import_opml")


def test_import_reads_standard_input(anna: Any, monkeypatch: pytest.MonkeyPatch, wake_ups: list[int]) -> None:
    body = BytesIO(opml_file(outline("Pond", "https://pond.example/rss")))
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(body))
    assert command("import_opml", "-")[0] == 0
    assert Source.objects.get().name == "Pond"


def test_the_same_import_twice_adds_nothing_and_asks_for_one_job(
    anna: Any, tmp_path: Path, wake_ups: list[int]
) -> None:
    path = tmp_path / "feeds.opml"
    path.write_bytes(opml_file(outline("Pond", "https://pond.example/rss")))
    assert "1 sources added" in command("import_opml", str(path))[1]
    assert "0 sources added, 1 known" in command("import_opml", str(path))[1]
    assert Job.objects.count() == 1


@pytest.mark.parametrize("name", ["import_opml", "export_opml", "mark_read"])
def test_whose_feeds_must_be_clear(make_user: Any, db: None, tmp_path: Path, name: str) -> None:
    arguments = [str(tmp_path / "none")] if name == "import_opml" else []
    assert "There is no user yet." in command(name, *arguments)[2]
    for user in ("anna", "bert"):
        make_user(user)
    assert "There are several users. Say whose feeds are meant: --user NAME" in command(name, *arguments)[2]
    code, _, err = command(name, *arguments, "--user", "nobody")
    assert (code, err.strip()) == (1, "There is no user 'nobody'.")


def test_export_to_where_nothing_can_be_written_says_why(anna: Any, tmp_path: Path) -> None:
    subscribe(anna, "https://pond.example/rss")
    for path in (tmp_path, tmp_path / "file" / "out.opml"):
        (tmp_path / "file").write_text("no folder")
        code, out, err = command("export_opml", "--output", str(path))
        assert (code, out) == (1, "")
        assert err.startswith(f"Could not write {path.name}: ")
        assert len(err.splitlines()) == 1
    assert not list(tmp_path.glob("*.opml*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("purge_posts", "--days", "0"), "--days takes a number from 1 to 36500."),
        (("purge_posts", "--days", "-3"), "--days takes a number from 1 to 36500."),
        (("purge_posts", "--days", "99999999999"), "--days takes a number from 1 to 36500."),
        (("purge_posts", "--user", "anna"), "--user needs --days"),
        (("purge_posts", "--user", "nobody", "--days", "3"), "There is no user 'nobody'."),
        (("mark_read", "--source", "999"), "Source [999] not found"),
        (("mark_read", "--source", "9" * 30), "not found"),
        (("mark_read", "--source", "-1"), "Source [-1] not found"),
        (("mark_read", "--older-than", "100001"), "numbers from 0 to 100000"),
        (("mark_read", "--keep-newest", "-1"), "numbers from 0 to 100000"),
        (("mark_read", "--keep-newest", "3", "--unread"), "--keep-newest stands alone."),
        (("refresh_feeds", "--source", "999"), "Source [999] not found"),
        (("refresh_feeds", "--source", "9" * 30), "not found"),
    ],
)
def test_numbers_that_make_no_sense_change_nothing(
    anna: Any, host: FeedHost, arguments: tuple[str, ...], words: str
) -> None:
    host.pages["/feed"] = Page(posts(1, 2))
    subscribe(anna, host.url())
    ask_all()
    code, out, err = command(*arguments)
    assert (code, out) == (1, "")
    assert words in err
    assert len(err.splitlines()) == 1
    assert Post.objects.filter(is_read=False).count() == 2


@pytest.mark.parametrize(
    "arguments",
    [("purge_posts", "--days", "x"), ("mark_read", "--source", "x"), ("refresh_feeds", "--source", "1", "--all")],
)
def test_wrong_usage_is_told_by_the_parser(anna: Any, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        command(*arguments)


def test_an_age_beyond_all_dates_removes_nothing_and_hinders_nobody(anna: Any, bert: Any, host: FeedHost) -> None:
    host.pages["/feed"] = Page(posts(1))
    for user, days in ((anna, 2_000_000_000), (bert, 1)):
        subscribe(user, host.url())
        ReaderOptions.objects.create(user=user, purge_after_days=days)
    ask_all()
    Post.objects.update(is_read=True, created_at=timezone.now() - timedelta(days=9))
    assert purge_posts(JobContext.detached("purge_posts"))["posts"] == 1
    assert Post.objects.get().user == anna


def test_refresh_of_all_does_the_work_of_one_that_waits(anna: Any, host: FeedHost, wake_ups: list[int]) -> None:
    host.pages["/feed"] = Page(posts(1))
    subscribe(anna, host.url())
    refresh.queue_due()
    code, out, err = command("refresh_feeds", "--all")
    assert (code, err) == (0, "")
    assert "1 changed" in out
    assert sorted(Job.objects.values_list("status", flat=True)) == ["cancelled", "complete"]


def test_refresh_twice_at_once_is_refused_in_a_sentence(anna: Any, host: FeedHost, wake_ups: list[int]) -> None:
    subscribe(anna, host.url())
    job = enqueue("refresh_feeds", exclusive_key=refresh.JOB_KEY)
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(status="running", worker="elsewhere", started_at=now, heartbeat_at=now)
    code, out, err = command("refresh_feeds", "--all")
    assert (code, out) == (1, "")
    assert f"job {job.pk}" in err
    assert len(err.splitlines()) == 1
    assert Feed.objects.get().attempted_at is None
