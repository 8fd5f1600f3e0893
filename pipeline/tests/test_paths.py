"""Names of files are a contract; two events of one day never share one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline import paths


def test_names_are_those_of_the_contract(make_event: Any, data_dir: Path) -> None:
    event = make_event(hashtag="Monsterdon")
    folder = data_dir / "2026" / "02" / "22"
    assert paths.journal(event, "films.example:8000") == folder / "Monsterdon-films.example_8000.json"
    assert paths.fetch_report(event) == folder / "data-Monsterdon-fetch.json"
    assert paths.analysis(event) == folder / "data-Monsterdon-analysis.json"
    assert paths.posts(event) == folder / "data-Monsterdon-posts.json"
    assert paths.graph(event) == folder / "Monsterdon-20260222.png"
    assert paths.graph(event, suffix="txt") == folder / "Monsterdon-20260222.txt"
    assert paths.wordcloud(event) == folder / "wordcloud-Monsterdon-20260222-reduce.png"
    assert paths.blog_page(event) == folder / "index.md"
    assert paths.poster(event) == folder / "thumb.jpg"


def test_second_event_of_a_day_leaves_page_and_poster_of_the_first_alone(make_event: Any) -> None:
    first = make_event()
    second = make_event(slug="other", hashtag="othernight")
    next_day = make_event(slug="later", hashtag="othernight", start=first.start.replace(day=24))
    assert paths.blog_page(first).name == "index.md"
    assert paths.blog_page(second).name == "index-othernight.md"
    assert paths.poster(second).name == "thumb-othernight.jpg"
    assert paths.blog_page(next_day).name == "index.md"
