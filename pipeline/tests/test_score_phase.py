"""All phases in a row on the bundled fediverse, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import NotReadyError
from jobs.context import JobCancelled, JobContext, StopReason
from pipeline import paths
from pipeline.models import Crawl, ThreadToot
from pipeline.phases import score
from pipeline.tests.scored_event import make_scored
from tests.remote.tmdb import Tmdb

PHASES = ["fetch", "analyse", "graph", "wordcloud", "poster", "blog", "post"]


class Listener:
    def __init__(self) -> None:
        self.snapshots: list[dict[str, Any]] = []
        self.lines: list[str] = []

    def progress(self, snapshot: dict[str, Any]) -> None:
        self.snapshots.append(snapshot)

    def line(self, text: str) -> None:
        self.lines.append(text)


def run(event: Any, listener: Listener | None = None, **params: Any) -> dict[str, Any]:
    return score.run(JobContext.detached("score", event=event, params=params, listener=listener))


@pytest.fixture
def tmdb(settings: Any) -> Iterator[Tmdb]:
    with Tmdb() as stand_in:
        stand_in.use(settings)
        yield stand_in


def test_score_goes_from_the_first_request_to_the_drafted_thread(make_event: Any, tmdb: Tmdb) -> None:
    event, listener = make_event(), Listener()
    result = run(event, listener, mock=True)
    assert list(result["phases"]) == PHASES
    assert len(set(result["files"])) == len(result["files"]) > 10
    assert [name for name in result["files"] if not (paths.data_dir() / name).is_file()] == []
    assert "2026/02/22/thumb.jpg" in result["files"]
    assert result["summary"]["toots"] == result["phases"]["analyse"]["toots"] > 100
    assert result["summary"]["thread"] == event.thread.count() >= 5
    assert result["summary"]["skipped"] == {}
    assert "thumb.jpg" in paths.blog_page(event).read_text()
    assert list(dict.fromkeys(snapshot.get("phase") for snapshot in listener.snapshots)) == PHASES


def test_poster_that_cannot_be_had_is_skipped_with_its_sentence(make_event: Any, settings: Any) -> None:
    settings.TMDB_API_KEY = ""
    result = run(make_scored(make_event()), skip_fetch=True)
    sentence = "There is no key for The Movie Database, so no poster; set TMDB_API_KEY."
    assert result["phases"]["poster"] == {"skipped": sentence, "files": []}
    assert result["summary"]["skipped"] == {"poster": sentence}
    assert "fetch" not in result["phases"]


def test_dead_film_database_does_not_stop_the_score(make_event: Any, settings: Any) -> None:
    with Tmdb() as gone:
        gone.use(settings)
    result = run(make_scored(make_event()), skip_fetch=True)
    assert "could not be reached" in result["phases"]["poster"]["skipped"]
    assert result["phases"]["post"]["toots"] > 0


def test_scoring_after_the_thread_went_out_leaves_the_thread(make_event: Any) -> None:
    event = make_scored(make_event(episode_title=""))
    event.thread.update(state=ThreadToot.State.SENT)
    result = run(event, skip_fetch=True)
    assert "already posted" in result["phases"]["post"]["skipped"]
    assert "no episode title" in result["phases"]["poster"]["skipped"]
    assert set(result["summary"]["skipped"]) == {"poster", "post"}


def test_refresh_analyses_anew(make_event: Any) -> None:
    event = make_scored(make_event())
    assert run(event, skip_fetch=True)["phases"]["analyse"]["cached"] is True
    assert run(event, skip_fetch=True, refresh=True)["phases"]["analyse"]["cached"] is False


def test_page_goes_to_the_site_if_asked(make_event: Any, settings: Any, tmp_path: Any) -> None:
    settings.MASTOSCORE_BLOG_DIR = str(tmp_path)
    event = make_scored(make_event())
    run(event, skip_fetch=True, copy_files=True)
    assert (tmp_path / event.slug / "index.md").is_file()


def test_score_of_nothing_says_what_is_missing(make_event: Any) -> None:
    with pytest.raises(NotReadyError, match="run fetch first"):
        run(make_event(), skip_fetch=True)


def test_cancelled_score_ends_before_the_next_phase(make_event: Any) -> None:
    event = make_event()
    ctx = JobContext.detached("score", event=event, params={"mock": True})
    ctx.control.stop(StopReason.CANCEL)
    with pytest.raises(JobCancelled):
        score.run(ctx)
    assert Crawl.objects.count() == 0
