"""``manage.py forget``: what is left of somebody, in the database and in the files."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command

from common.errors import ConfigurationError
from events.models import Event, OptOut
from jobs.context import JobContext
from jobs.models import Job
from pipeline.forgetting.erase import find, forget
from pipeline.models import Analysis, Thread, ThreadToot, Toot, Visit
from pipeline.phases import analyse, blog, graph, post, wordcloud
from pipeline.tests.fetch_help import allow, event_at_noon, run_fetch
from tests.remote.fediverse import Fediverse, RemoteServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def fediverse() -> Iterator[Fediverse]:
    with Fediverse() as servers:
        yield servers


@pytest.fixture
def home(fediverse: Fediverse) -> RemoteServer:
    return fediverse.add()


@pytest.fixture
def other(fediverse: Fediverse, home: RemoteServer) -> RemoteServer:
    """Where Ada and Bo write; Ada's toots are the most popular ones, and Bo mentions nobody."""
    server = fediverse.add()
    for number in range(1, 4):
        server.toot(
            number, number, user="Ada", favourites_count=50 + number, reblogs_count=number, replies_count=number
        )
    for number in range(11, 19):
        server.toot(number, number, user="bo", favourites_count=number, reblogs_count=number, replies_count=number)
    home.show(*server.statuses)
    return server


@pytest.fixture
def event(make_event: Any, settings: Any, fediverse: Fediverse, home: RemoteServer, other: RemoteServer) -> Event:
    """Fetched, scored, drafted."""
    event = event_at_noon(make_event, home)
    allow(settings, fediverse)
    run_fetch(event)
    for kind, phase in (
        ("analyse", analyse.run),
        ("graph", graph.run),
        ("wordcloud", wordcloud.run),
        ("blog", blog.run),
    ):
        phase(JobContext.detached(kind, event=Event.objects.get(pk=event.pk)))
    post.run(JobContext.detached("post", event=Event.objects.get(pk=event.pk), params={"mock": True}))
    return event


def run_forget(*arguments: str) -> tuple[str, str, int]:
    output, errors = StringIO(), StringIO()
    try:
        call_command("forget", *arguments, stdout=output, stderr=errors)
    except SystemExit as end:
        return output.getvalue(), errors.getvalue(), int(end.code or 0)
    return output.getvalue(), errors.getvalue(), 0


def places_that_name(words: str, data_dir: Path) -> list[str]:
    """Every column of every table, and every file, that holds the words."""
    found = []
    for model in apps.get_models():
        if model._meta.app_label not in ("events", "jobs", "pipeline", "admin", "django_q"):
            continue
        for row in model._base_manager.all():
            for field in model._meta.concrete_fields:
                if words.casefold() in str(getattr(row, field.attname)).casefold():
                    found.append(f"{model.__name__}.{field.attname}")
    for path in data_dir.rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        if words.casefold() in str(path).casefold() or words.casefold().encode() in content:
            found.append(str(path))
    return sorted(set(found))


def is_on_the_page(name: str, data_dir: Path) -> bool:
    (page,) = data_dir.rglob("index.md")
    return name in page.read_text()


def test_nothing_is_left_of_a_forgotten_author(event: Event, other: RemoteServer, data_dir: Path) -> None:
    handle = f"Ada@{other.name}"
    before = places_that_name("ada@", data_dir)
    assert {"Toot.author_handle", "Analysis.results"} <= set(before)
    assert "ThreadToot.sources" in places_that_name("users/Ada", data_dir)
    assert is_on_the_page("Ada", data_dir)

    output, errors, code = run_forget(handle, "--reason", "asked by mail")

    assert (code, errors) == (0, "")
    assert output.splitlines()[1] == f"3 toots of ada@{other.name} were erased in {event.slug}."
    assert places_that_name("ada@", data_dir) == ["OptOut.target"]
    assert places_that_name("/@Ada", data_dir) == places_that_name("users/Ada", data_dir) == []
    assert not is_on_the_page("Ada", data_dir)
    opt_out = OptOut.objects.get()
    assert (opt_out.reason, opt_out.erased_at is not None) == ("asked by mail", True)


def test_what_was_made_of_the_toots_is_made_anew(event: Event, other: RemoteServer) -> None:
    kinds = set(event.artifacts.values_list("kind", flat=True))

    forget(f"ada@{other.name}")

    results = Analysis.objects.get(event=event).results
    assert (results["total_toots"], results["unique_ids"]) == (8, 1)
    assert {entry["author"] for entry in results["max_faves"]} == {f"bo@{other.name}"}
    assert set(event.artifacts.values_list("kind", flat=True)) == kinds
    rows = ThreadToot.objects.filter(event=event)
    assert rows.exists() and all("Ada" not in row.text for row in rows)
    assert [place.position for place in rows] == list(range(1, len(rows) + 1))


def test_forgotten_author_does_not_come_back_with_the_next_fetch(
    event: Event, other: RemoteServer, data_dir: Path
) -> None:
    forget(f"ada@{other.name}")
    other.toot(5, 50, user="Ada")

    result = run_fetch(event)

    assert result["toots"] == 8
    assert places_that_name("ada@", data_dir) == ["OptOut.target"]


def test_whole_server_is_forgotten_and_not_asked_again(
    event: Event, home: RemoteServer, other: RemoteServer, data_dir: Path
) -> None:
    own = home.toot(90, 30)
    run_fetch(event)
    other.asked.clear()

    forgotten = forget(other.name)

    assert forgotten.toots == 11
    assert [toot.uri for toot in Toot.objects.all()] == [own["uri"]]
    run_fetch(event)
    assert other.asked == []
    assert not Visit.objects.filter(server=other.name).exists()
    assert places_that_name(other.name, data_dir) == ["OptOut.target"]
    assert places_that_name(other.name.replace(":", "_"), data_dir) == []


def test_other_authors_and_events_stay_as_they_are(event: Event, make_event: Any, other: RemoteServer) -> None:
    bystander = make_event(slug="bystander", hashtag="other")
    before = Event.objects.get(pk=bystander.pk).updated_at

    forgotten = forget(f"ada@{other.name}")

    assert forgotten.events == (event.slug,)
    assert Toot.objects.filter(author_handle=f"bo@{other.name}").count() == 8
    assert Event.objects.get(pk=bystander.pk).updated_at == before


def test_toots_of_a_thread_that_is_out_are_emptied_here_and_named(event: Event, other: RemoteServer) -> None:
    naming = [row for row in ThreadToot.objects.filter(event=event) if "Ada" in row.text]
    assert naming
    for position, row in enumerate(ThreadToot.objects.filter(event=event).order_by("position")):
        address = f"https://bot.example/{position}"
        ThreadToot.objects.filter(pk=row.pk).update(state="sent", url=address, posted_text=row.text)
    Thread.objects.filter(event=event).update(state=Thread.State.SENT)

    _, errors, code = run_forget(f"ada@{other.name}")

    assert code == 0
    for row in naming:
        row.refresh_from_db()
        assert (row.text, row.posted_text, row.sources, row.state) == ("", "", [], "sent")
        assert row.url in errors
    assert errors.count("https://bot.example/") == len(naming)


def test_draft_written_by_hand_only_loses_what_shows_them(event: Event, other: RemoteServer) -> None:
    opening = ThreadToot.objects.filter(event=event).order_by("position")[0]
    ThreadToot.objects.filter(pk=opening.pk).update(is_edited=True, text="My own words")

    forget(f"ada@{other.name}")

    rows = list(ThreadToot.objects.filter(event=event).order_by("position"))
    assert rows[0].text == "My own words"
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    assert not any("Ada" in row.text for row in rows)


def test_results_of_jobs_that_quote_them_are_emptied(event: Event, other: RemoteServer) -> None:
    preview = {"preview": f"@Ada@{other.name}", "toots": 9}
    quoting = Job.objects.create(kind="post", event=event, status="complete", result=preview)
    silent = Job.objects.create(kind="fetch", event=event, status="complete", result={"toots": 11})

    forget(f"ada@{other.name}")

    assert Job.objects.get(pk=quoting.pk).result == {"preview": "", "toots": 9}
    assert Job.objects.get(pk=silent.pk).result == {"toots": 11}


def test_forget_waits_for_no_job_but_protects_at_once(event: Event, other: RemoteServer) -> None:
    Job.objects.create(kind="fetch", event=event, status="running", exclusive_key=f"event:{event.pk}")

    _, errors, code = run_forget(f"ada@{other.name}")

    assert code == 1 and "say forget again" in errors
    assert OptOut.objects.get().erased_at is not None
    run_fetch(event)
    assert Toot.objects.filter(author_handle__istartswith="ada@").count() == 3
    Job.objects.update(status="complete")
    assert run_forget(f"ada@{other.name}")[2] == 0
    assert not Toot.objects.filter(author_handle__istartswith="ada@").exists()


def test_dry_run_erases_nothing(event: Event, other: RemoteServer) -> None:
    output, _, code = run_forget(f"@ADA@{other.name}", "--dry-run")

    assert (code, output) == (0, f"3 toots of ada@{other.name} would be erased in {event.slug}.\n")
    assert Toot.objects.count() == 11 and not OptOut.objects.exists()
    assert find("nobody@nowhere.example").toots == 0


@pytest.mark.parametrize("target", ["", "ada", "not a handle", "ada@", "@@"])
def test_target_that_is_none_is_one_sentence(db: None, target: str) -> None:
    _, errors, code = run_forget(target)

    assert code == 1
    assert errors == "Give an author as user@server, or the name of a server.\n"


def test_own_server_is_not_forgotten_by_accident(event: Event, home: RemoteServer) -> None:
    with pytest.raises(ConfigurationError, match="our own accounts"):
        forget(home.name)
    assert Toot.objects.count() == 11
