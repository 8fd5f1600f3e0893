"""The phases analyse, graph and wordcloud on rows in the database and files in the data folder."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from PIL import Image

from common.errors import NotReadyError
from events.models import Event, OptOut, Series
from jobs.context import JobCancelled, JobContext, StopReason
from pipeline import paths
from pipeline.artifacts import find_artifact
from pipeline.models import Analysis, Artifact, Crawl
from pipeline.phases import analyse, graph, wordcloud
from pipeline.tests.scored_event import add_crawl, add_toot
from pipeline.toots import iterate_scored_toots

PHASES = [analyse, graph, wordcloud]


def run(phase: Any, event: Event, **params: Any) -> dict[str, Any]:
    result: dict[str, Any] = phase.run(JobContext.detached(phase.__name__, event=event, params=params))
    return result


def stored_results(event: Event) -> dict[str, Any]:
    results: dict[str, Any] = Analysis.objects.get(event=event).results
    return results


@pytest.fixture
def event(make_event: Any) -> Event:
    made: Event = make_event()
    for number in range(1, 6):
        add_toot(made, number, html=f"<p>The blob eats <b>diner{number}</b> <a href='#'>#monsterdon</a></p>")
    return made


# --- too early, or nothing found ------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.__name__)
def test_phase_asked_too_early_names_the_phase_that_is_missing(make_event: Any, phase: Any) -> None:
    with pytest.raises(NotReadyError, match=r"Nothing is fetched yet for monsterdon-20260222; run fetch first\."):
        run(phase, make_event())
    assert not Artifact.objects.exists()


def test_crawl_that_failed_counts_as_none(make_event: Any) -> None:
    event = make_event()
    crawl = add_crawl(event, {"home.example": "unreachable"})
    Crawl.objects.filter(pk=crawl.pk).update(state=Crawl.State.FAILED)
    with pytest.raises(NotReadyError, match="run fetch first"):
        run(PHASES[0], event)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.__name__)
def test_crawl_that_found_nothing_gives_files_all_the_same(make_event: Any, phase: Any, data_dir: Path) -> None:
    event = make_event()
    add_crawl(event, {"home.example": "complete"})
    result = run(phase, event)
    assert result["files"]
    assert all((data_dir / name).stat().st_size > 0 for name in result["files"])


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.__name__)
def test_cancelled_phase_stops_and_stores_nothing(event: Event, phase: Any) -> None:
    context = JobContext.detached(phase.__name__, event=event)
    context.control.stop(StopReason.CANCEL)
    with pytest.raises(JobCancelled):
        phase.run(context)
    assert not Artifact.objects.exists()
    assert not Analysis.objects.exists()


# --- analyse --------------------------------------------------------------------------------------------------------


def test_analysis_is_stored_as_row_file_and_artifact(event: Event, data_dir: Path) -> None:
    result = run(analyse, event)
    assert result["cached"] is False
    assert result["toots"] == 5
    assert result["files"] == ["2026/02/22/data-monsterdon-analysis.json"]
    written = json.loads((data_dir / result["files"][0]).read_text())
    assert written == stored_results(event)
    artifact = find_artifact(event, "analysis")
    assert artifact is not None
    assert artifact.parameters == written["parameters"]


def test_toots_outside_the_window_of_today_do_not_count(event: Event) -> None:
    add_toot(event, 50, created_at=event.window.end)
    add_toot(event, 51, created_at=event.window.start - timedelta(seconds=1))
    assert run(analyse, event)["toots"] == 5


def test_analysis_is_reused_while_nothing_changed(event: Event) -> None:
    run(analyse, event)
    before = Analysis.objects.get().updated_at
    assert run(analyse, event)["cached"] is True
    assert Analysis.objects.get().updated_at == before


def test_analysis_is_made_anew_when_asked(event: Event) -> None:
    run(analyse, event)
    assert run(analyse, event, refresh=True)["cached"] is False


def change_toot(event: Event) -> None:
    event.toots.filter(boosts=1).update(boosts=99)


def change_top_n(event: Event) -> None:
    event.top_n = 1
    event.save()


def opt_author_out(event: Event) -> None:
    OptOut.objects.create(target="user5@origin.example")


def add_earlier_event(event: Event) -> None:
    earlier = Event.objects.create(
        slug="earlier",
        event_title="Monsterdon",
        hashtag="Monsterdon",
        start=event.start - timedelta(days=7),
        home_account=event.home_account,
    )
    add_toot(earlier, 1)


@pytest.mark.parametrize("change", [change_toot, change_top_n, opt_author_out, add_earlier_event])
def test_analysis_is_made_anew_when_something_changed(event: Event, change: Any) -> None:
    run(analyse, event)
    change(event)
    assert run(analyse, event)["cached"] is False
    assert run(analyse, event)["cached"] is True


def test_lost_file_is_written_again_from_the_stored_numbers(event: Event, data_dir: Path) -> None:
    [name] = run(analyse, event)["files"]
    numbers = orjson.loads((data_dir / name).read_bytes())
    (data_dir / name).unlink()
    assert run(analyse, event)["cached"] is True
    assert orjson.loads((data_dir / name).read_bytes()) == numbers  # PostgreSQL keeps values, not the order of keys


def test_first_timers_are_counted_against_earlier_events_of_the_series(event: Event, make_event: Any) -> None:
    series = Series.objects.create(title="Monsterdon", slug="monsterdon", hashtag="monsterdon")
    event.series = series
    event.save()
    values = {"home_account": event.home_account, "series": series}
    earlier = make_event(slug="a", start=event.start - timedelta(days=7), hashtag="other", **values)
    later = make_event(slug="b", start=event.start + timedelta(days=7), **values)
    foreign = make_event(slug="c", start=event.start - timedelta(days=14), home_account=event.home_account)
    add_toot(later, 2)
    add_toot(foreign, 3)
    run(analyse, event)
    assert stored_results(event)["first_timers"] is None, "no earlier event of the series has toots"
    add_toot(earlier, 4)
    run(analyse, event)
    assert stored_results(event)["first_timers"] == 4


# --- consent --------------------------------------------------------------------------------------------------------


def quotable(event: Event) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for toot in iterate_scored_toots(event):
        found.setdefault(toot.author, []).append(toot.is_quotable)
    return found


def test_wish_told_by_one_toot_holds_for_all_toots_of_the_author(make_event: Any) -> None:
    event = make_event()
    add_toot(event, 1, author_handle="shy@a.example")
    add_toot(event, 2, author_handle="shy@a.example", author_wishes="nobot")
    add_toot(event, 3, author_handle="shy@a.example")
    add_toot(event, 4, author_handle="open@a.example")
    assert quotable(event) == {"shy@a.example": [False] * 3, "open@a.example": [True]}


def test_opt_out_of_a_server_holds_for_everyone_on_it(make_event: Any) -> None:
    event = make_event()
    OptOut.objects.create(target="a.example")
    add_toot(event, 1, author_handle="Ann@a.example")
    add_toot(event, 2, author_handle="bob@b.example")
    assert quotable(event) == {"Ann@a.example": [False], "bob@b.example": [True]}


def test_strict_consent_asks_for_both_flags_and_one_no_is_enough(make_event: Any) -> None:
    event = make_event(consent=Event.Consent.STRICT)
    flags = {"yes": (True, True), "half": (True, None), "unknown": (None, None), "no": (True, False)}
    for number, (name, (is_discoverable, is_indexable)) in enumerate(flags.items()):
        add_toot(
            event,
            number,
            author_handle=f"{name}@a.example",
            author_is_discoverable=is_discoverable,
            author_is_indexable=is_indexable,
        )
    add_toot(event, 8, author_handle="yes@a.example")
    add_toot(event, 9, author_handle="no@a.example", author_is_discoverable=True, author_is_indexable=True)
    assert {author.partition("@")[0]: all(told) for author, told in quotable(event).items()} == {
        "yes": True,
        "half": False,
        "unknown": False,
        "no": False,
    }


def test_author_known_as_a_bot_is_one_in_all_toots(make_event: Any) -> None:
    event = make_event(leave_out_bots=True)
    add_toot(event, 1, author_handle="bot@a.example", author_is_bot=True)
    add_toot(event, 2, author_handle="bot@a.example")
    add_toot(event, 3, author_handle="ann@a.example")
    run(analyse, event)
    assert stored_results(event)["total_toots"] == 1
    assert stored_results(event)["left_out"]["bot_toots"] == 2


# --- pictures -------------------------------------------------------------------------------------------------------


def test_graph_writes_three_pictures_and_their_text(event: Event, data_dir: Path) -> None:
    result = run(graph, event)
    assert result["files"] == [
        "2026/02/22/monsterdon-20260222.png",
        "2026/02/22/monsterdon-20260222-dark.png",
        "2026/02/22/monsterdon-20260222.svg",
        "2026/02/22/monsterdon-20260222.txt",
    ]
    for name in result["files"][:2]:
        with Image.open(data_dir / name) as picture:
            assert (picture.format, picture.size) == ("PNG", (1200, 675))
    assert (data_dir / result["files"][3]).read_text() == result["alt_text"] + "\n"
    assert "5 toots came during the event" in result["alt_text"]
    artifact = find_artifact(event, "graph")
    assert artifact is not None
    assert artifact.description == result["alt_text"]
    assert {a.kind for a in event.artifacts.all()} >= {"graph", "graph-dark", "graph-svg", "graph-text", "analysis"}


def test_graph_shows_the_toots_of_now_and_not_an_old_analysis(event: Event) -> None:
    run(graph, event)
    add_toot(event, 7)
    assert run(graph, event)["toots"] == 6
    assert stored_results(event)["total_toots"] == 6


def test_wordcloud_writes_two_pictures_and_their_text(event: Event, data_dir: Path) -> None:
    event.wordcloud_width, event.wordcloud_height = 400, 300
    event.save()
    result = run(wordcloud, event)
    stem = "2026/02/22/wordcloud-monsterdon-20260222-reduce"
    assert result["files"] == [f"{stem}.png", f"{stem}-dark.png", f"{stem}.txt"]
    for name in result["files"][:2]:
        with Image.open(data_dir / name) as picture:
            assert (picture.format, picture.size) == ("PNG", (400, 300))
    assert (data_dir / f"{stem}.txt").read_text() == result["alt_text"] + "\n"
    assert "8 different words" in result["alt_text"]
    assert "blob (5), eats (5), monsterdon (5), diner1 (1)" in result["alt_text"]
    assert {a.kind for a in event.artifacts.all()} == {"wordcloud", "wordcloud-dark", "wordcloud-text"}


def test_wordcloud_holds_no_word_of_authors_who_must_not_be_quoted_nor_of_bots_left_out(event: Event) -> None:
    event.leave_out_bots = True
    event.save()
    add_toot(event, 20, html="<p>secretword</p>", author_wishes="nomastoscore")
    add_toot(event, 21, html="<p>botword</p>", author_is_bot=True)
    add_toot(event, 22, html="<p>humanword</p>")
    words = {word.key for word in wordcloud.count_words(JobContext.detached("wordcloud", event=event))}
    assert "humanword" in words
    assert not words & {"secretword", "botword"}


def test_wordcloud_passes_over_links_mentions_and_emoji_codes(make_event: Any) -> None:
    event = make_event(stop_words="blah")
    add_toot(
        event,
        1,
        html="<p>Hello <span class='h-card'>"
        "<a href='https://a.example/@bob' class='u-url mention'>@<span>bob</span></a></span> look :blobcat: blah <a href='https://evil.example/page'>https://evil.example/page</a>"
        " <a href='https://a.example/tags/Gojira' class='mention hashtag' rel='tag'>#<span>Gojira</span></a></p>",
    )
    words = [word.text for word in wordcloud.count_words(JobContext.detached("wordcloud", event=event))]
    assert words == ["Gojira", "Hello", "look"]


def test_host_hears_that_their_font_was_not_found(event: Event) -> None:
    event.wordcloud_font, event.wordcloud_width, event.wordcloud_height = "missing.ttf", 200, 200
    event.save()
    assert "missing.ttf" in run(wordcloud, event)["font_note"]


@pytest.mark.parametrize("phase", [graph, wordcloud], ids=lambda phase: phase.__name__)
def test_second_run_writes_the_same_bytes(event: Event, phase: Any) -> None:
    run(phase, event)
    before = dict(event.artifacts.values_list("path", "sha256"))
    run(phase, event)
    assert dict(event.artifacts.values_list("path", "sha256")) == before
    assert paths.below_data(paths.event_dir(event)) == "2026/02/22"
