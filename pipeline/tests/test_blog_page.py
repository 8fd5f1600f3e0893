"""The text of the blog page: front matter, quotes, method; nothing people wrote gets out of its place."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from common.times import Window
from pipeline.core.blog import PageFacts, PagePicture, split_words, unique_words, write_page
from pipeline.core.method import CrawlFacts, MethodFacts, Unseen, describe_method
from pipeline.core.post import MostActive
from pipeline.results_page import Quote, Ranking

NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 2, 23, 2, 0, tzinfo=UTC)


def quote(rank: int = 1, **values: Any) -> Quote:
    made = Quote(
        rank=rank,
        text="Run!\n\nIt is *everywhere*.",
        warning="",
        author="ada@home.example",
        display_name="Ada :blob: Lovelace",
        author_link="https://home.example/@ada",
        link="https://home.example/@ada/1",
        server="home.example",
        created_at=START + timedelta(minutes=34),
        boosts=34,
        favourites=90,
        replies=1,
        media_count=0,
        is_authoritative=True,
    )
    return replace(made, **values)


def page_facts(**values: Any) -> PageFacts:
    made = PageFacts(
        title="Monsterdon: The Blob (1958)",
        date=START.astimezone(NEW_YORK),
        zone=NEW_YORK,
        is_draft=False,
        tags=("monsterdon", "film"),
        categories=("Results",),
        params={"toots": 412, "hashtag": "monsterdon"},
        summary=("There were 412 toots by 87 authors.",),
        rankings=(Ranking("boosts", "Most boosted", (quote(),), cut_tie=12),),
        most_active=MostActive("bob@b.example", "Bob", "https://b.example/@bob", 31),
        graph=PagePicture("monsterdon-20260222.png", "Toots per minute. Up & down."),
        wordcloud=PagePicture("wordcloud.png", "Words"),
        poster=PagePicture("thumb.jpg", "Poster of The Blob"),
        method=("Counted are public toots.",),
    )
    return replace(made, **values)


def split_page(text: str) -> tuple[dict[str, Any], str]:
    _, block, body = text.split("+++\n", 2)
    return tomllib.loads(block), body


def render(body: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(body)


def test_front_matter_holds_what_hugo_wants() -> None:
    matter, _ = split_page(write_page(page_facts()))
    assert matter == {
        "title": "Monsterdon: The Blob (1958)",
        "date": START,
        "draft": False,
        "tags": ["monsterdon", "film"],
        "categories": ["Results"],
        "description": "There were 412 toots by 87 authors.",
        "images": ["monsterdon-20260222.png", "wordcloud.png", "thumb.jpg"],
        "params": {"toots": 412, "hashtag": "monsterdon"},
    }
    assert matter["date"].utcoffset() == timedelta(hours=-5)


def test_body_tells_all_of_it_in_order() -> None:
    html = render(split_page(write_page(page_facts(thread=("https://bot.example/1", "https://bot.example/2"))))[1])
    places = [
        "There were 412 toots by 87 authors.",
        'Most active was <a href="https://b.example/@bob">Bob</a> (@bob@b.example) with 31 toots.',
        '<img src="thumb.jpg" alt="Poster of The Blob"',
        '<img src="monsterdon-20260222.png" alt="Toots per minute. Up &amp; down."',
        "<h2>Most boosted</h2>",
        "more toots with 12 boosts.",
        '<strong>1. 34 boosts</strong>, <a href="https://home.example/@ada">Ada Lovelace</a> (@ada@home.example)',
        "<blockquote>\n<p>Run!</p>\n<p>It is *everywhere*.</p>",
        '<a href="https://home.example/@ada/1">22 February 2026, 21:34 EST</a> · 90 favourites · 1 reply',
        '<img src="wordcloud.png" alt="Words"',
        '<a href="https://bot.example/1">1</a> · <a href="https://bot.example/2">2</a>',
        "<h2>How this was counted</h2>\n<p>Counted are public toots.</p>",
    ]
    found = [html.find(place) for place in places]
    assert -1 not in found, html
    assert found == sorted(found)


def test_content_warning_stands_instead_of_the_text() -> None:
    shown = quote(warning="Blob *gore*", text="Secret ending")
    page = write_page(page_facts(rankings=(Ranking("boosts", "Most boosted", (shown,)),)))
    assert "Secret ending" not in page
    assert "<em>Content warning:</em> Blob *gore*" in render(split_page(page)[1])


def test_toot_without_words_says_what_it_has() -> None:
    shown = (quote(1, text="", media_count=2), quote(2, text="Look", media_count=1), quote(3, text=""))
    html = render(split_page(write_page(page_facts(rankings=(Ranking("boosts", "Most boosted", shown),))))[1])
    assert "<em>No text, 2 attachments.</em>" in html
    assert "<p>Look</p>\n<p><em>With 1 attachment.</em></p>" in html
    assert "<em>No text, nothing attached.</em>" in html


def test_very_long_toot_is_cut() -> None:
    page = write_page(page_facts(rankings=(Ranking("boosts", "Most boosted", (quote(text="word " * 5000),)),)))
    assert len(page) < 4000
    assert "word…" in page


def test_what_is_missing_leaves_no_heading_behind() -> None:
    bare = page_facts(rankings=(), most_active=None, graph=None, wordcloud=None, poster=None, categories=())
    matter, body = split_page(write_page(bare))
    assert matter["images"] == []
    assert [line for line in body.split("\n") if line.startswith("#")] == ["## How this was counted"]
    assert "![" not in body


NASTY = st.text(
    alphabet=st.one_of(st.sampled_from("\n\r`*_{}[]<>()#+-.!|~&:@\"'\\%$= \t1"), st.characters()), max_size=80
)


@given(NASTY, NASTY, NASTY)
def test_nothing_people_wrote_changes_the_layout_of_the_page(text: str, name: str, warning: str) -> None:
    shown = (
        quote(1, text=text, display_name=name, author=f"{name}@x.example", link=text, author_link=name),
        quote(2, warning=warning, text=text, link="https://x.example/" + text),
    )
    made = page_facts(
        title=text,
        tags=unique_words([name, text]),
        summary=(text,),
        params={"episode": warning},
        rankings=(Ranking("boosts", "Most boosted", shown),),
        graph=PagePicture("graph.png", text),
        most_active=MostActive(f"{name}@x.example", name, text, 1),
        method=(warning,),
    )
    page = write_page(made)
    assert "{{" not in page.split("+++\n", 2)[2]
    _, body = split_page(page)
    html = render(body)
    assert html.count("<h2>") == 4
    assert html.count("<blockquote>") == html.count("</blockquote>") == 2
    assert html.count("<img ") == 3
    assert html.count("<strong>") == 2
    for tag in ("<script", "<h1", "<h3", "<ul", "<ol", "<code", "<pre", "<table", "<hr", "<del", "<iframe"):
        assert tag not in html


def test_words_between_commas_count_once() -> None:
    assert split_words(" film, Blob,, ,horror ") == ["film", "Blob", "horror"]
    assert unique_words(["#Film", "film", " blob\n", "", "#", "BLOB"]) == ("Film", "blob")
    assert unique_words(["a", "b", "A", "c"]) == ("a", "b", "c")


CRAWL = CrawlFacts(
    home_server="home.example",
    finished_at=START + timedelta(hours=5),
    asked=14,
    answered=10,
    refused=3,
    outcomes=(("answered completely", 10), ("does not let strangers read hashtags", 3), ("took too long", 1)),
    unseen=Unseen(40, 33, 11, 98),
    is_mock=False,
)


def method_facts(**values: Any) -> MethodFacts:
    made = MethodFacts(
        hashtag="monsterdon",
        window=Window(START - timedelta(hours=1), START + timedelta(hours=2, minutes=30)),
        zone=NEW_YORK,
        toots=412,
        authoritative=400,
        left_out_authors=5,
        left_out_toots=1,
        left_out_bots=2,
        left_out_bot_toots=9,
        code_version="1.2.3",
        crawl=CRAWL,
    )
    return replace(made, **values)


def test_method_says_how_it_was_counted() -> None:
    window, servers, coverage, left_out, version = describe_method(method_facts())
    assert "#monsterdon written on 22 February 2026 between 20:00 and 23:30 EST. No toot" in window
    assert servers == (
        "Beginning with home.example, 14 servers were asked on 23 February 2026: 10 answered, 3 refused, 1 could not "
        "answer. In particular: answered completely: 10; does not let strangers read hashtags: 3; took too long: 1."
    )
    assert coverage == (
        "For 400 of 412 toots the counts come from their own server; for the other 12 the highest counts that any "
        "server showed are taken. 40 toots were shown by other servers than their own; how often each of them was "
        "suggests that at least 33 more exist that none showed (95 % interval: 11 to 98)."
    )
    assert left_out == (
        "5 authors wish not to be quoted: their 1 toot counts in the totals and nowhere else. "
        "9 toots of 2 bots do not count at all."
    )
    assert version == "Made with Mastoscore 1.2.3."


def test_broken_off_fetch_is_said_to_be_one() -> None:
    _, servers, *_ = describe_method(method_facts(crawl=replace(CRAWL, asked=19, unfinished=5)))
    assert "14 servers were asked on 23 February 2026: 10 answered, 3 refused, 1 could not answer." in servers
    assert "broken off before 5 more servers were asked to the end, so toots are missing." in servers


def test_window_over_midnight_names_both_days() -> None:
    window, *_ = describe_method(method_facts(window=Window(START, START + timedelta(hours=4))))
    assert "written between 21:00 on 22 February 2026 and 01:00 EST on 23 February 2026." in window


def test_method_without_crawl_and_with_everybody_quotable_is_short() -> None:
    facts = method_facts(crawl=None, left_out_authors=0, left_out_bots=0)
    assert len(describe_method(facts)) == 2


def test_practice_is_called_practice() -> None:
    facts = method_facts(crawl=replace(CRAWL, is_mock=True, unseen=Unseen()), authoritative=412)
    paragraphs = describe_method(facts)
    assert "practice" in paragraphs[0]
    assert "For 412 of 412 toots the counts come from their own server." in paragraphs


def test_method_names_every_hashtag_and_says_what_a_quick_fetch_is() -> None:
    facts = method_facts(
        more_hashtags=("blob", "jelly"),
        excluded_hashtags=("spoilers",),
        crawl=replace(CRAWL, unseen=Unseen(40), is_quick=True),
    )
    window, servers, coverage, *_ = describe_method(facts)
    assert "public toots with #monsterdon, #blob or #jelly, without #spoilers, written on" in window
    assert "own toots only" in servers
    assert "hardly any more can be missing" in coverage
