"""The blog phase on a database and a data folder: the page, the page bundle, what must not be in it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from common.errors import ConfigurationError, NotReadyError
from common.files import write_bytes
from events.models import OptOut
from jobs.context import JobContext
from pipeline import paths
from pipeline.artifacts import remember_file
from pipeline.core.wording import count_of
from pipeline.models import ThreadToot
from pipeline.phases import blog
from pipeline.tests.scored_event import add_toot, make_scored


def run(event: Any, **params: Any) -> dict[str, Any]:
    return blog.run(JobContext.detached("blog", event=event, params=params))


def page_of(event: Any) -> str:
    return paths.blog_page(event).read_text()


def front_matter_of(event: Any) -> dict[str, Any]:
    return tomllib.loads(page_of(event).split("+++\n", 2)[1])


def test_page_is_written_and_remembered(make_event: Any) -> None:
    event = make_scored(make_event(blog_tags="film, horror", blog_categories="Results"))
    result = run(event, tags=["blob", "Film"])
    assert result["files"] == ["2026/02/22/index.md"]
    assert result["copied"] == []
    matter = front_matter_of(event)
    assert matter["title"] == "Monsterdon: The Blob (1958)"
    assert matter["tags"] == ["monsterdon", "film", "horror", "blob"]
    assert matter["categories"] == ["Results"]
    assert matter["images"] == ["monsterdon-20260222.png", "wordcloud-monsterdon-20260222-reduce.png"]
    assert (matter["params"]["toots"], matter["params"]["authors"]) == (8, 8)
    assert matter["params"]["duration"] == "1:30:00"
    artifact = event.artifacts.get(kind="page")
    assert artifact.size == len(page_of(event).encode())


def test_page_names_servers_and_their_outcomes(make_event: Any) -> None:
    event = make_scored(make_event())
    run(event)
    page = page_of(event)
    assert "3 servers were asked" in page
    assert "does not let strangers read hashtags\\: 1" in page
    assert "took too long\\: 1" in page


def test_too_early_names_the_phase_that_is_missing(make_event: Any) -> None:
    event = make_event()
    with pytest.raises(NotReadyError, match=r"Nothing is analysed yet for monsterdon-20260222; run analyse first\."):
        run(event)
    assert not paths.blog_page(event).exists()


def test_page_needs_no_pictures(make_event: Any) -> None:
    event = make_scored(make_event())
    event.artifacts.all().delete()
    run(event)
    assert "![" not in page_of(event)
    assert front_matter_of(event)["images"] == []


def test_author_who_opted_out_after_the_analysis_is_not_named(make_event: Any) -> None:
    event = make_scored(make_event())
    run(event)
    assert "user8@origin" in page_of(event).replace("\\", "")
    OptOut.objects.create(target="user8@origin.example")
    run(event)
    page = page_of(event).replace("\\", "")
    assert "user8" not in page
    assert "User 8" not in page
    assert "1 author wishes not to be quoted" in page


def test_content_warning_hides_the_text(make_event: Any) -> None:
    event = make_scored(make_event())
    event.toots.filter(author_handle="user8@origin.example").update(
        spoiler_text="the ending", text="It was the butler"
    )
    run(event)
    assert "It was the butler" not in page_of(event)
    assert "*Content warning:* the ending" in page_of(event)


def test_posted_thread_is_linked(make_event: Any) -> None:
    event = make_scored(make_event())
    event.thread.filter(position=0).update(state=ThreadToot.State.SENT, url="https://bot.example/@bot/1")
    run(event)
    assert "[1](<https://bot.example/@bot/1>)" in page_of(event)


@pytest.fixture
def site(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "site" / "content" / "posts"
    folder.mkdir(parents=True)
    settings.MASTOSCORE_BLOG_DIR = str(folder)
    return folder


def test_bundle_holds_page_and_pictures(make_event: Any, site: Path) -> None:
    event = make_scored(make_event())
    result = run(event, copy_files=True)
    bundle = site / event.slug
    names = ["index.md", "monsterdon-20260222.png", "wordcloud-monsterdon-20260222-reduce.png"]
    assert sorted(path.name for path in bundle.iterdir()) == names
    assert sorted(result["copied"]) == [f"{event.slug}/{name}" for name in names]
    assert (bundle / "index.md").read_bytes() == paths.blog_page(event).read_bytes()
    assert (bundle / names[1]).read_bytes() == paths.graph(event).read_bytes()


def test_bundle_loses_what_is_no_longer_of_the_page_and_keeps_what_is_not_ours(make_event: Any, site: Path) -> None:
    event = make_scored(make_event())
    run(event, copy_files=True)
    bundle = site / event.slug
    (bundle / "own-notes.md").write_text("mine")
    run(event)
    event.artifacts.filter(kind="wordcloud").delete()
    event.hashtag_fix = "remove"
    event.save()
    remember_file(event, "wordcloud", write_bytes(paths.wordcloud(event), b"another"))
    run(event, copy_files=True)
    assert sorted(path.name for path in bundle.iterdir()) == [
        "index.md",
        "monsterdon-20260222.png",
        "own-notes.md",
        "wordcloud-monsterdon-20260222-remove.png",
    ]


def test_copying_without_a_site_is_a_clear_error_and_writes_nothing(
    make_event: Any, settings: Any, tmp_path: Path
) -> None:
    event = make_scored(make_event())
    before = page_of(event)
    with pytest.raises(ConfigurationError, match="MASTOSCORE_BLOG_DIR"):
        run(event, copy_files=True)
    settings.MASTOSCORE_BLOG_DIR = str(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError) as caught:
        run(event, copy_files=True)
    assert caught.value.user_message == "The folder named by MASTOSCORE_BLOG_DIR does not exist."
    assert page_of(event) == before


@pytest.mark.parametrize("slug", ["..", "../evil", "a/b", ".hidden", ""])
def test_no_slug_leads_out_of_the_site(make_event: Any, site: Path, slug: str) -> None:
    event = make_scored(make_event())
    event.slug = slug
    with pytest.raises(ConfigurationError):
        run(event, copy_files=True)
    assert list(site.parent.rglob("*")) == [site]


@pytest.mark.parametrize("tags", ["film", [1], ["x" * 101], {"a": 1}])
def test_tags_are_a_list_of_words(make_event: Any, tags: Any) -> None:
    with pytest.raises(ConfigurationError, match="Tags"):
        run(make_scored(make_event()), tags=tags)


def test_every_toot_of_the_rankings_is_quoted_with_its_link(make_event: Any) -> None:
    event = make_event(top_n=2)
    add_toot(event, 99, boosts=500, text="<b>*Bold*</b> {{< x >}}", author_name="A](http://evil.example)")
    make_scored(event)
    run(event)
    page = page_of(event)
    assert "**1. 500 boosts**" in page
    assert "\\<b\\>\\*Bold\\*\\</b\\> \\{\\{\\< x \\>\\}\\}" in page
    assert "(<https://origin.example/@u/99>)" in page
    assert page.count("\n> [") == 6, count_of(page.count("\n> ["), "quote")
