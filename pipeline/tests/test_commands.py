"""The phase commands: one job each, exit codes that mean something, output a person or a script can use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command

from events.models import Event
from jobs import kinds
from jobs.context import JobContext
from jobs.models import Job
from pipeline import paths
from pipeline.management.listeners import PlainListener
from pipeline.management.summaries import summarise
from pipeline.models import Analysis, ThreadToot
from pipeline.progress_words import read_progress
from pipeline.tests.scored_event import add_crawl, add_toot

MakeEvent = Callable[..., Event]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fetched(make_event: MakeEvent) -> Event:
    """An event whose toots are there, and nothing else."""
    event = make_event(slug="monsterdon-20260222")
    for number in range(1, 7):
        add_toot(event, number)
    add_crawl(event, {"home.example": "complete"})
    return event


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    stdout, stderr, code = StringIO(), StringIO(), 0
    try:
        call_command(*arguments, stdout=stdout, stderr=stderr)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, stdout.getvalue(), stderr.getvalue()


@pytest.fixture
def replace_kind(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], None]:
    """A job of that kind does something else in this test."""

    def replace(kind: str, function: Any) -> None:
        replaced = {**kinds._kinds, kind: kinds.Kind(kind, function, kind)}
        monkeypatch.setattr(kinds, "_kinds", replaced)

    return replace


def test_analyse_says_what_it_found_and_which_file_it_wrote(fetched: Event) -> None:
    code, out, err = run("analyse", fetched.slug)
    assert (code, err) == (0, "")
    assert "Analyse: 6 toots, 6 authors, 21 boosts, 42 favourites" in out
    assert f"  {paths.below_data(paths.analysis(fetched))}" in out
    assert Analysis.objects.get().results["total_toots"] == 6


def test_command_leaves_a_job_row_like_any_worker(fetched: Event) -> None:
    run("analyse", fetched.slug, "--refresh")
    job = Job.objects.get()
    assert (job.kind, job.event, job.status, job.params) == ("analyse", fetched, "complete", {"refresh": True})
    assert job.result is not None


def test_second_analysis_says_that_nothing_changed(fetched: Event) -> None:
    run("analyse", fetched.slug)
    assert "unchanged since last time" in run("analyse", fetched.slug)[1]


def test_json_prints_the_result_and_nothing_else_on_stdout(fetched: Event) -> None:
    code, out, err = run("analyse", fetched.slug, "--json")
    assert code == 0
    assert json.loads(out)["toots"] == 6
    assert "There were 6 toots" in err


def test_graph_writes_its_pictures(fetched: Event) -> None:
    code, out, _ = run("graph", fetched.slug)
    assert code == 0
    assert "Graph: drawn from 6 toots" in out
    assert paths.graph(fetched).is_file()


def test_wordcloud_writes_its_picture(fetched: Event) -> None:
    code, out, _ = run("wordcloud", fetched.slug)
    assert code == 0
    assert "drawn" in out
    assert paths.wordcloud(fetched).is_file()


def test_blog_needs_an_analysis_and_says_so(fetched: Event) -> None:
    code, out, err = run("blog", fetched.slug)
    assert code == 1
    assert err.strip() == f"Nothing is analysed yet for {fetched.slug}; run analyse first."
    assert "Blog page" not in out


def test_blog_takes_tags(fetched: Event) -> None:
    run("analyse", fetched.slug)
    code, out, _ = run("blog", fetched.slug, "--tags", "horror, jelly,,")
    assert code == 0
    assert Job.objects.latest("id").params == {"copy_files": False, "tags": ["horror", "jelly"]}
    page = paths.blog_page(fetched).read_text()
    assert "horror" in page
    assert paths.below_data(paths.blog_page(fetched)) in out


def test_analyse_before_any_fetch_names_the_missing_phase(make_event: MakeEvent) -> None:
    event = make_event()
    code, _, err = run("analyse", event.slug)
    assert (code, err.strip()) == (1, f"Nothing is fetched yet for {event.slug}; run fetch first.")


@pytest.mark.parametrize("kind", ["text", "html"])
def test_dry_run_prints_the_thread_and_nothing_else_on_stdout(fetched: Event, kind: str) -> None:
    Event.objects.update(home_account=None)
    run("analyse", fetched.slug)
    code, out, err = run("post", fetched.slug, "--dry-run", "--format", kind)
    assert code == 0
    assert out.startswith("<!doctype html>" if kind == "html" else "Monsterdon")
    assert "Drafted a thread" in err
    assert ThreadToot.objects.filter(event=fetched, state="planned").exists()


def test_dry_run_into_a_file(fetched: Event, tmp_path: Path) -> None:
    Event.objects.update(home_account=None)
    run("analyse", fetched.slug)
    target = tmp_path / "thread.html"
    code, out, _ = run("post", fetched.slug, "--format", "html", "--output", str(target))
    assert code == 0
    assert target.read_text().startswith("<!doctype html>")
    assert str(target) in out


def test_poster_without_a_key_says_which_setting_is_missing(fetched: Event, settings: Any) -> None:
    settings.TMDB_API_KEY = ""
    for arguments in ((), ("--list",), ("--query", "The Blob (1958)")):
        code, _, err = run("poster", fetched.slug, *arguments)
        assert code == 1
        assert "TMDB_API_KEY" in err


@pytest.mark.parametrize("command", ["fetch", "analyse", "graph", "wordcloud", "poster", "blog", "post", "score"])
def test_unknown_slug_is_one_sentence_that_names_similar_ones(fetched: Event, command: str) -> None:
    code, out, err = run(command, "monsterdon-20260223")
    assert (code, out) == (1, "")
    assert err.strip() == f"There is no event called 'monsterdon-20260223'. Similar: {fetched.slug}."
    assert not Job.objects.exists()


def test_unknown_slug_without_any_event_says_so() -> None:
    assert "There are no events yet" in run("graph", "monsterdon")[2]


def test_part_of_a_slug_finds_it(fetched: Event) -> None:
    assert f"Similar: {fetched.slug}." in run("graph", "20260222")[2]


def test_command_on_an_event_at_work_names_that_job(fetched: Event, django_user_model: Any) -> None:
    from django.utils import timezone

    other = Job.objects.create(
        kind="fetch",
        event=fetched,
        exclusive_key=f"event:{fetched.pk}",
        status="running",
        worker="elsewhere/1",
        heartbeat_at=timezone.now(),
    )
    code, _, err = run("analyse", fetched.slug)
    assert code == 1
    assert f"job {other.pk}" in err
    assert Job.objects.count() == 1


def test_cancelled_job_exits_with_130_and_keeps_what_it_has(
    fetched: Event, replace_kind: Callable[[str, Any], None]
) -> None:
    def phase(ctx: JobContext) -> dict[str, Any]:
        ctx.keep_partial({"toots": 3})
        os.kill(os.getpid(), signal.SIGINT)
        ctx.wait(60)
        return {}

    replace_kind("fetch", phase)
    code, out, err = run("fetch", fetched.slug, "--json")
    assert code == 130
    assert json.loads(out) == {"toots": 3}
    assert f"Cancelled: fetch for {fetched.slug}" in err
    assert Job.objects.get().status == "cancelled"


def test_failing_phase_leaves_one_sentence_and_no_traceback(
    fetched: Event, replace_kind: Callable[[str, Any], None]
) -> None:
    def phase(ctx: JobContext) -> dict[str, Any]:
        raise ZeroDivisionError("a secret detail")

    replace_kind("graph", phase)
    code, _, err = run("graph", fetched.slug)
    assert code == 1
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [["fetch"], ["post", "x", "--format", "pdf"], ["graph", "x", "--nonsense"]])
def test_wrong_usage_exits_with_2(arguments: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "MASTOSCORE_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "usage:" in done.stderr
    assert done.stdout == ""


# --- over real HTTP, with the bundled fediverse ---------------------------------------------------------------------
def test_score_goes_all_the_way_and_says_what_it_found(make_event: MakeEvent) -> None:
    event = make_event()
    code, out, err = run("score", event.slug, "--mock")
    assert (code, err) == (0, "")
    for words in ("Fetch: ", "Analyse: ", "Graph: drawn from", "Word cloud: ", "Poster: passed over", "nothing sent"):
        assert words in out
    results = Analysis.objects.get().results
    assert results["total_toots"] > 100
    assert f"{results['total_toots']} toots" in out
    assert paths.blog_page(event).is_file()
    assert ThreadToot.objects.filter(event=event).exists()
    again = json.loads(run("fetch", event.slug, "--mock", "--json")[1])
    assert (again["toots"], again["new_toots"]) == (results["total_toots"], 0)


# --- following along ------------------------------------------------------------------------------------------------
class Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, text: str) -> None:
        self.lines.append(text)


def test_plain_listener_writes_a_line_per_phase_and_per_tenth_not_per_page() -> None:
    output = Lines()
    listener = PlainListener("score", output)
    for page in range(1000):
        listener.progress({"phase": "fetch", "done": page, "total": 1000})
    listener.progress({"phase": "analyse"})
    listener.line("6 toots.")
    assert output.lines[0] == "fetch ..."
    assert output.lines[-2:] == ["analyse ...", "6 toots."]
    assert len(output.lines) == 1 + 9 + 2


@pytest.mark.parametrize(
    ("snapshot", "phase", "percent", "words"),
    [
        ({}, "fetch", None, ""),
        ({"message": "Reading"}, "fetch", None, "Reading"),
        ({"done": 3, "total": 12}, "fetch", 25, ""),
        ({"done": 3, "total": 0}, "fetch", None, ""),
        ({"phase": "graph", "progress_percent": 140}, "graph", 100, ""),
        (
            {"total_servers": 5, "completed_servers": 2, "total_toots": 9, "current_server": "a.example"},
            "fetch",
            None,
            "2 of 5 servers, 9 toots, now a.example",
        ),
    ],
)
def test_progress_in_words(snapshot: dict[str, Any], phase: str, percent: int | None, words: str) -> None:
    seen = read_progress("fetch", snapshot)
    assert (seen.phase, seen.percent, seen.words) == (phase, percent, words)


def test_summary_of_a_score_has_a_line_per_phase_and_few_files() -> None:
    result = {
        "phases": {
            "fetch": {"toots": 1234, "authors": 1, "servers": 3, "answered": 2, "refused": 1, "failed": 0},
            "poster": {"skipped": "No key is set.", "files": []},
            "blog": {"files": [f"2026/{number}" for number in range(9)]},
        }
    }
    assert list(summarise("score", result)) == [
        "Fetch: 1,234 toots by 1 author; 3 servers asked: 2 answered, 1 refused, 0 failed",
        "Poster: passed over. No key is set.",
        "Blog page: written",
        *(f"  2026/{number}" for number in range(6)),
        "  and 3 more files",
    ]
