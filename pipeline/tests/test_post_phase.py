"""The thread drafted: rows in the ledger, limits of the server, nothing sent, nobody named against a wish."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from common.errors import ConfigurationError, NotReadyError
from common.files import write_bytes
from events.models import MastodonAccount, OptOut
from jobs.context import JobContext
from pipeline import paths
from pipeline.artifacts import remember_file
from pipeline.core.toot_text import count_characters
from pipeline.models import ThreadToot
from pipeline.phases import post
from pipeline.tests.scored_event import add_toot, make_scored
from tests.remote.tmdb import poster_image

State = ThreadToot.State


def run(event: Any, **params: Any) -> dict[str, Any]:
    return post.run(JobContext.detached("post", event=event, params=params))


@pytest.fixture
def event(make_event: Any, settings: Any) -> Any:
    """A scored event whose account's server is nowhere."""
    settings.MASTOSCORE_PRIVATE_HOSTS = ["127.9.9.9:1025"]
    made = make_scored(make_event(home_account=MastodonAccount.objects.create(server="127.9.9.9:1025")))
    made.thread.all().delete()
    return made


@contextmanager
def account_server(
    settings: Any, configuration: dict[str, Any], status: int = 200
) -> Iterator[tuple[str, list[str]]]:
    """A server that says its limits: its name, and the requests it got."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path} {self.headers.get('Authorization', '')}".strip())
            body = json.dumps({"domain": "x", "configuration": configuration}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *arguments: Any) -> None:
            """Tests read ``asked`` instead."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    name = f"127.0.0.1:{server.server_address[1]}"
    settings.MASTOSCORE_PRIVATE_HOSTS = [name]
    try:
        yield name, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_draft_is_rows_in_order_with_pictures_and_words_for_them(event: Any) -> None:
    result = run(event)
    rows = list(event.thread.order_by("position"))
    roles = ["opening", "author", "boosts", "favourites", "replies", "graph", "wordcloud"]
    assert [row.role for row in rows] == result["roles"] == roles
    assert [row.position for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert {row.state for row in rows} == {State.PLANNED}
    assert rows[0].text.startswith("Monsterdon: The Blob (1958), 22 February 2026.")
    assert "#monsterdon" in rows[0].text
    assert rows[2].text.startswith("Most boosted\n\n1. User 8: 8 boosts\nhttps://origin.example/@u/8\n\n2. User 7")
    assert rows[5].media == [{"path": "2026/02/22/monsterdon-20260222.png", "description": "graph in words"}]


def test_usual_limits_hold_when_the_server_cannot_be_asked(event: Any) -> None:
    limits = run(event)["limits"]
    assert (limits["max_characters"], limits["characters_per_url"], limits["description_limit"]) == (500, 23, 1500)
    assert limits["told_by"] == "Mastodon's usual limits, as 127.9.9.9:1025 could not be asked"


def test_event_without_account_gets_the_usual_limits(event: Any) -> None:
    event.home_account = None
    assert "no account" in run(event)["limits"]["told_by"]


def test_limits_are_those_of_the_posting_account(event: Any, settings: Any) -> None:
    statuses = {"max_characters": 120, "characters_reserved_per_url": 30}
    configuration = {"statuses": statuses, "media_attachments": {"description_limit": 10}}
    with account_server(settings, configuration) as (name, asked):
        event.posting_account = MastodonAccount.objects.create(server=name)
        limits = run(event)["limits"]
    assert (limits["max_characters"], limits["characters_per_url"], limits["description_limit"]) == (120, 30, 10)
    assert limits["told_by"] == f"limits of {name}"
    assert all(count_characters(row.text, 30) <= 120 for row in event.thread.all())
    assert event.thread.filter(role="boosts").count() == 2
    assert event.thread.get(role="graph").media[0]["description"] == "graph in…"
    assert [line for line in asked if not line.startswith("GET /api/v")] == []


def test_practice_asks_no_real_server(event: Any, settings: Any) -> None:
    event.crawls.update(is_mock=True)
    with account_server(settings, {}) as (name, asked):
        settings.MASTOSCORE_PRIVATE_HOSTS = []
        event.posting_account = MastodonAccount.objects.create(server=name)
        assert "practice" in run(event)["limits"]["told_by"]
        event.crawls.update(is_mock=False)
        assert "practice" in run(event, mock=True)["limits"]["told_by"]
    assert asked == []


def test_nobody_is_mentioned_unless_the_event_says_so(event: Any) -> None:
    event.toots.filter(uri__endswith="/8").update(author_name="@bob@evil.example #spam")
    run(event)
    texts = "\n".join(event.thread.values_list("text", flat=True))
    assert "1. bob at evil.example spam: 8 boosts" in texts
    assert "@" not in texts.replace("/@", "/")
    event.tag_users = True
    run(event)
    assert "1. @user8@origin.example: 8 boosts" in event.thread.get(role="boosts").text


def test_opted_out_and_vanished_toots_make_way(event: Any) -> None:
    OptOut.objects.create(target="user8@origin.example")
    event.toots.filter(uri__endswith="/7").delete()
    run(event)
    texts = "\n".join(event.thread.values_list("text", flat=True))
    assert "1. User 6: 6 boosts" in texts
    assert "User 8" not in texts
    assert "User 7" not in texts


def test_most_active_author_is_named_with_profile(event: Any) -> None:
    for number in (20, 21):
        add_toot(event, number, author_handle="ada@b.example", author_name="Ada", author_url="https://b.example/@ada")
    run(event)
    assert event.thread.get(role="author").text == (
        "Most active: Ada (ada at b.example) with 2 toots.\nhttps://b.example/@ada"
    )


def test_equals_are_among_the_most_active(event: Any) -> None:
    run(event)
    assert event.thread.get(role="author").text.startswith("Among the most active: User ")


def test_closing_links_the_blog_page(event: Any, settings: Any) -> None:
    settings.MASTOSCORE_BLOG_URL = "https://blog.example/posts"
    run(event)
    assert event.thread.get(role="closing").text.endswith("\nhttps://blog.example/posts/monsterdon-20260222/")


def test_running_again_renews_the_draft(event: Any) -> None:
    run(event)
    before = set(event.thread.values_list("pk", flat=True))
    event.thread.filter(position=1).update(text="edited", state=State.FAILED)
    run(event)
    assert event.thread.count() == len(before)
    assert not before & set(event.thread.values_list("pk", flat=True))
    assert not event.thread.filter(text="edited").exists()


@pytest.mark.parametrize("state", [State.SENT, State.SENDING])
@pytest.mark.parametrize("dry_run", [True, False])
def test_thread_that_is_out_stays_as_it_was_sent(event: Any, state: str, dry_run: bool) -> None:
    run(event)
    event.thread.filter(position=1).update(state=state)
    before = list(event.thread.values_list("pk", "text", "state"))
    with pytest.raises(ConfigurationError, match="already posted"):
        run(event, dry_run=dry_run)
    assert list(event.thread.values_list("pk", "text", "state")) == before


def test_too_early_names_the_phase_that_is_missing(make_event: Any) -> None:
    with pytest.raises(NotReadyError, match="run analyse first"):
        run(make_event())


def find_artifact_path(event: Any, kind: str) -> Path:
    return paths.data_dir() / event.artifacts.get(kind=kind).path


def test_preview_is_a_page_of_its_own_or_text(event: Any) -> None:
    for kind in ("graph", "wordcloud"):
        remember_file(event, kind, write_bytes(find_artifact_path(event, kind), poster_image("PNG", (1200, 675))))
    html = run(event, dry_run=True)["preview"]
    assert html.startswith("<!doctype html>")
    assert html.count("data:image/webp;base64,") == 2
    text = run(event, dry_run=True, format="text")["preview"]
    assert "── 1/7 · opening · " in text
    assert "preview" not in run(event)
    with pytest.raises(ConfigurationError, match="html or text"):
        run(event, format="pdf")
