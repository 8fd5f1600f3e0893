"""The thread as planned: within limits, nobody mentioned by accident, nothing torn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import ConfigurationError
from events.thread_texts import THREAD_TEXTS
from pipeline.core.post import MostActive, Picture, PlannedToot, ThreadFacts, ThreadLimits, Value, plan_thread
from pipeline.core.quoting import split_graphemes
from pipeline.core.thread_preview import Preview, render_thread
from pipeline.core.toot_text import (
    count_characters,
    fit_description,
    fit_text,
    harmless,
    mention,
    pack,
    plain_name,
    spelled_handle,
)
from pipeline.results_page import Quote, Ranking

FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("abc", 3),
        ("e\u0301", 1),
        (FAMILY + "🇩🇪👍🏽", 3),
        ("a\nb", 3),
        ("https://a.example/" + "x" * 300, 23),
        ("see https://a.example/1\nhttps://b.example/2 ok", 4 + 23 + 1 + 23 + 3),
        ("http://xn--bcher-kva.xn--p1ai/ü", 23),
        ("http://127.1.0.3:18400/@ada/1", 29),
        ("https://localhost/1", 19),
        ("hi @ada@home.example!", 8),
        ("mail ada@home.example", 21),
        ("https://home.example/@ada@b.example/1", 23),
    ],
)
def test_characters_are_counted_as_servers_count_them(text: str, count: int) -> None:
    assert count_characters(text, 23) == count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada @ home", "Ada at home"),
        ("@ada", "ada"),
        ("Hi @ada", "Hi ada"),
        ("ada@home.example", "ada at home.example"),
        ("＠ada@home.example", "ada at home.example"),
        ("@@@", ""),
        ("a @ @ b", "a at b"),
        ("ends with @", "ends with"),
        ("#Hash and C#", "Hash and C#"),
        ("＃tag ##x", "tag x"),
        ("look: https://evil.example/x", "look: evil.example/x"),
        ("two\nlines\x1b[2J\u202e", "two lines[2J"),
    ],
)
def test_names_are_made_harmless(text: str, expected: str) -> None:
    assert harmless(text) == expected


@given(st.text())
@example("a@@b @c＠d#e#＃f http://https://x@y ￥")
def test_nothing_in_a_harmless_text_is_a_mention_a_hashtag_or_a_link(text: str) -> None:
    made = harmless(text)
    assert not re.search(r"[@＠﹫]|[#＃﹟]\w|https?://|\n", made)
    assert harmless(made) == made


@pytest.mark.parametrize(
    ("name", "handle", "expected"),
    [
        ("Ada :blobcat: Lovelace", "ada@home.example", "Ada Lovelace"),
        (":blobcat:", "ada@home.example", "ada"),
        ("", "ada@home.example", "ada"),
        ("@#", "@", "#"),
        ("", "", "somebody"),
        ("A" * 80, "a@b.example", "A" * 59 + "…"),
    ],
)
def test_everybody_has_some_name(name: str, handle: str, expected: str) -> None:
    assert plain_name(name, handle) == expected


def test_handle_is_spelled_or_mentioned_only_if_it_is_one() -> None:
    assert spelled_handle("ada@home.example") == "ada at home.example"
    assert mention("ada@home.example") == "@ada@home.example"
    assert mention("ada@evil\n@bob@home.example") == ""
    assert mention("@home.example") == ""


def test_packing_starts_a_new_text_before_an_entry_that_does_not_fit() -> None:
    entries = [(f"{number}. {'x' * 30}", f"uri{number}") for number in range(1, 6)]
    headings = ("Most boosted", "Most boosted, continued")
    texts = pack(headings, entries, 100, 23)
    assert [text.split("\n\n")[0] for text, _ in texts] == ["Most boosted"] + ["Most boosted, continued"] * 2
    assert [entry for text, _ in texts for entry in text.split("\n\n")[1:]] == [entry for entry, _ in entries]
    assert [sources for _, sources in texts] == [("uri1", "uri2"), ("uri3", "uri4"), ("uri5",)]
    assert all(count_characters(text, 23) <= 100 for text, _ in texts)
    assert pack(headings, [], 100, 23) == []


@given(st.text(max_size=300), st.integers(20, 120))
def test_fitted_text_keeps_the_limit_and_tears_no_link(filler: str, limit: int) -> None:
    link = "https://home.example/@ada/12345678901234567890"
    text = f"{filler} {link} {filler}"
    fitted = fit_text(text, limit, 23)
    assert count_characters(fitted, 23) <= limit
    assert "https" not in fitted.replace(link, "").replace(filler.strip(), "") or "https" in filler


def test_link_at_the_cut_stays_an_address_of_its_own() -> None:
    text = "see https://home.example/a- and much more than fits into these few characters"
    assert fit_text(text, 30, 23) == "see https://home.example/a- …"


def test_text_that_fits_stays_as_it_is() -> None:
    text = "a " * 40 + "https://home.example/" + "x" * 200
    assert fit_text(text, 103, 23) == text


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Short.", 10, "Short."),
        ("One sentence here. Another one that is cut", 30, "One sentence here."),
        ("Word " * 20, 20, "Word Word Word…"),
        (FAMILY * 3, 12, FAMILY + "…"),
    ],
)
def test_alternative_text_ends_sensibly(text: str, limit: int, expected: str) -> None:
    made = fit_description(text, limit)
    assert made == expected
    assert len(made) <= limit


@given(st.text(min_size=1), st.integers(5, 60))
def test_alternative_text_keeps_the_limit_in_code_points(text: str, limit: int) -> None:
    assert len(fit_description(text, limit)) <= limit


def quote(rank: int, **values: object) -> Quote:
    facts = {
        "rank": rank,
        "text": "Never shown here",
        "warning": "",
        "author": f"author{rank}@home.example",
        "display_name": f"Author {rank}",
        "author_link": "",
        "link": f"https://home.example/@author{rank}/10000000000000000{rank}",
        "server": "home.example",
        "created_at": datetime(2026, 2, 23, 2, rank, tzinfo=UTC),
        "boosts": 40 - rank,
        "favourites": 90 - rank,
        "replies": 5,
        "media_count": 0,
        "is_authoritative": True,
    }
    return Quote(**{**facts, **values})  # type: ignore[arg-type]


def facts(size: int = 3, **values: object) -> ThreadFacts:
    quotes = tuple(quote(rank) for rank in range(1, size + 1))
    made = ThreadFacts(
        opening=("Monsterdon: The Blob, 22 February 2026. Here is how #monsterdon went.", "There were 412 toots."),
        hashtag="monsterdon",
        rankings=(
            Ranking("boosts", "Most boosted", quotes),
            Ranking("favourites", "Most favourited", quotes),
            Ranking("replies", "Most replied to", quotes),
        ),
        most_active=MostActive("ada@home.example", "Ada", "https://home.example/@ada", 31),
        graph=Picture("2026/02/22/monsterdon-20260222.png", "A graph. It goes up."),
        wordcloud=Picture("2026/02/22/wordcloud.png", "Words. Many of them."),
        blog_link="https://blog.example/monsterdon-20260222/",
    )
    return replace(made, **values)  # type: ignore[arg-type]


def our_words(name: str, values: Mapping[str, Value]) -> str:
    return THREAD_TEXTS[name].fill_in("", values)


def planned(facts: ThreadFacts, limits: ThreadLimits, **values: Any) -> list[PlannedToot]:
    return plan_thread(facts, limits, our_words, **values)


def test_thread_tells_everything_in_order() -> None:
    toots = planned(facts(), ThreadLimits())
    roles = ["opening", "author", "boosts", "favourites", "replies", "graph", "wordcloud", "closing"]
    assert [toot.role for toot in toots] == roles
    opening, author, boosts, *_ = (toot.text for toot in toots)
    assert opening.endswith("There were 412 toots.")
    assert author == "Most active: Ada (ada at home.example) with 31 toots.\nhttps://home.example/@ada"
    assert boosts.startswith(
        "Most boosted\n\n1. Author 1: 39 boosts\nhttps://home.example/@author1/100000000000000001\n\n2. Author 2: 38"
    )
    assert toots[4].text.startswith("Most replied to\n\n1. Author 1: 5 replies\n")
    assert toots[5].media == (Picture("2026/02/22/monsterdon-20260222.png", "A graph. It goes up."),)
    assert toots[-1].text.endswith("\nhttps://blog.example/monsterdon-20260222/")


def test_ranking_goes_on_behind_what_is_out_already() -> None:
    quotes = tuple(quote(rank, uri=f"uri{rank}") for rank in (1, 2, 3))
    made = facts(rankings=(Ranking("boosts", "Most boosted", quotes),))
    boosts = [toot for toot in planned(made, ThreadLimits(), already={"boosts": ["uri1"]}) if toot.role == "boosts"]
    assert [toot.sources for toot in boosts] == [("uri2", "uri3")]
    assert boosts[0].text.startswith("Most boosted, continued\n\n2. Author 2")


def test_what_is_missing_is_left_away() -> None:
    bare = facts(rankings=(), most_active=None, graph=None, wordcloud=None, blog_link="")
    assert [toot.role for toot in planned(bare, ThreadLimits())] == ["opening"]


def test_hashtag_is_added_when_the_opening_does_not_say_it() -> None:
    toots = planned(facts(opening=("Film night @ Ada's: the numbers.",)), ThreadLimits())
    assert toots[0].text == "Film night at Ada's: the numbers.\n\n#monsterdon"


@pytest.mark.parametrize("limit", [100, 200, 500])
def test_endless_heading_leaves_room_for_every_entry(limit: int) -> None:
    def write(name: str, values: Mapping[str, Value]) -> str:
        return "heading " * 200 if name == "heading" else our_words(name, values)

    toots = plan_thread(facts(), ThreadLimits(max_characters=limit), write)
    boosts = [toot for toot in toots if toot.role == "boosts"]
    assert all(count_characters(toot.text, 23) <= limit for toot in toots)
    for rank in (1, 2, 3):
        assert any(f"\n{rank}. Author {rank}" in toot.text for toot in boosts)


@pytest.mark.parametrize("limit", [100, 200, 500])
def test_long_opening_does_not_cost_the_hashtag(limit: int) -> None:
    toots = planned(facts(opening=("word " * 200,)), ThreadLimits(max_characters=limit))
    assert toots[0].text.endswith("…\n\n#monsterdon")
    assert limit - 10 < count_characters(toots[0].text, 23) <= limit
    long_name = planned(facts(opening=("word " * 200,), hashtag="x" * 95), ThreadLimits(max_characters=limit))
    assert count_characters(long_name[0].text, 23) <= limit


def test_authors_are_mentioned_only_if_the_event_says_so() -> None:
    texts = "\n".join(toot.text for toot in planned(facts(), ThreadLimits()))
    assert not re.search(r"(?<!/)@", texts)
    toots = planned(facts(is_mentioning=True), ThreadLimits())
    assert toots[1].text == "Most active: @ada@home.example with 31 toots."
    assert "1. @author1@home.example: 39 boosts\nhttps://" in toots[2].text


@pytest.mark.parametrize("limit", [100, 140, 300, 500, 5000])
def test_every_toot_keeps_the_limit_however_many_are_ranked(limit: int) -> None:
    toots = planned(facts(size=40), ThreadLimits(max_characters=limit))
    assert all(count_characters(toot.text, 23) <= limit for toot in toots)
    listed = re.findall(r"^(\d+)\. Author", "\n".join(t.text for t in toots if t.role == "boosts"), re.MULTILINE)
    assert listed == [str(rank) for rank in range(1, 41)]
    links = [line for toot in toots for line in toot.text.split("\n") if "://" in line]
    known = {f"https://home.example/@author{rank}/10000000000000000{rank}" for rank in range(1, 41)}
    assert {link for link in links if "/@author" in link} == known


@given(
    name=st.text(max_size=120),
    link=st.one_of(st.text(max_size=50), st.text(max_size=900).map("https://home.example/".__add__)),
    limit=st.integers(100, 600),
    is_mentioning=st.booleans(),
)
@example(
    name="@bob@evil.example #spam https://evil.example",
    link="http://127.0.0.1/" + "x" * 900,
    limit=100,
    is_mentioning=False,
)
def test_no_name_or_link_breaks_limit_or_layout(name: str, link: str, limit: int, is_mentioning: bool) -> None:
    quotes = tuple(quote(rank, display_name=name, link=link) for rank in (1, 2, 3))
    made = facts(
        rankings=(Ranking("boosts", "Most boosted", quotes),),
        most_active=MostActive("ada@home.example", name, link, 3),
        is_mentioning=is_mentioning,
    )
    toots = planned(made, ThreadLimits(max_characters=limit))
    for toot in toots:
        assert count_characters(toot.text, 23) <= limit
        if not is_mentioning:
            assert not re.search(r"(?<![/\w%=&?.:;,+*!$~-])@\w", toot.text)
    assert len(re.findall(r"^\d\. ", "\n".join(t.text for t in toots if t.role == "boosts"), re.MULTILINE)) == 3


def test_long_alternative_text_is_cut_to_what_the_server_takes() -> None:
    picture = Picture("a.png", "A sentence of words. " * 200)
    toots = planned(facts(graph=picture), ThreadLimits(description_limit=420))
    described = next(toot for toot in toots if toot.role == "graph").media[0].description
    assert 300 < len(described) <= 420
    assert described.endswith("words.")


def test_picture_without_words_is_described_by_its_toot() -> None:
    toots = planned(facts(graph=Picture("a.png", "")), ThreadLimits())
    graph = next(toot for toot in toots if toot.role == "graph")
    assert graph.media[0].description == graph.text


def test_server_without_room_is_named_as_the_reason() -> None:
    with pytest.raises(ConfigurationError, match="characters"):
        planned(facts(), ThreadLimits(max_characters=60))


PREVIEW = Preview("Monsterdon: <The Blob>", "@bot@home.example", "Limits: as told by home.example.", ThreadLimits())


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.alts: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.addresses += [str(values[name]) for name in ("href", "src") if name in values]
        if "alt" in values:
            self.alts.append(str(values["alt"]))

    def handle_data(self, data: str) -> None:
        self.text += data


def read_page(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    page.close()
    return page


def test_html_preview_shows_every_toot_and_loads_nothing() -> None:
    toots = planned(facts(), ThreadLimits())
    html = render_thread(toots, "html", PREVIEW, lambda path: f"data:image/png;base64,{len(path)}")
    page = read_page(html)
    assert html.startswith("<!doctype html>")
    assert page.tags.count("article") == len(toots)
    assert page.alts == ["A graph. It goes up.", "Words. Many of them."]
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert all(address.startswith(("https://", "data:image/png")) for address in page.addresses)
    assert "Most favourited" in page.text
    assert "of 500 characters" in page.text


@given(st.text(max_size=200))
@example("<script>alert(1)</script> https://a.example/?a=1&b=<i>' \"onmouseover=x #tag @ada@home.example &lt;")
def test_html_preview_escapes_whatever_stands_in_a_toot(text: str) -> None:
    toot = PlannedToot("opening", text, (Picture('a".png', text),))
    page = read_page(render_thread([toot], "html", PREVIEW))
    assert set(page.tags) <= {
        "html", "head", "meta", "title", "style", "body", "main", "header", "h1", "p", "ol", "li", "div", "article",
        "strong", "span", "a", "br", "figure", "img", "figcaption", "details", "summary",
    }  # fmt: skip
    assert page.addresses[-1] == 'a".png'


def test_text_preview_is_for_terminals() -> None:
    toots = [PlannedToot("opening", "Hello \x1b[31mred\x07"), *planned(facts(), ThreadLimits())]
    text = render_thread(toots, "text", PREVIEW)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "── 1/9 · opening · " in text
    assert "[picture 2026/02/22/monsterdon-20260222.png]\n[alt: A graph. It goes up.]" in text
    assert max(len(split_graphemes(line)) for line in text.split("\n")) < 200


def test_unknown_format_is_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match="html or text"):
        render_thread([], "pdf", PREVIEW)
