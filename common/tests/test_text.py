from __future__ import annotations

import html
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.text import (
    clean_line,
    clean_text,
    fold_hashtag,
    hashtags_in_text,
    html_to_text,
    profile_markers,
    words_text,
)

LINK = (
    '<a href="https://www.example.org/a/long/path?x=1" target="_blank" rel="nofollow noopener">'
    '<span class="invisible">https://www.</span><span class="ellipsis">example.org/a/long</span>'
    '<span class="invisible">/path?x=1</span></a>'
)
MENTION = '<span class="h-card"><a href="https://a.example/@ann" class="u-url mention">@<span>ann</span></a></span>'
HASHTAG = '<a href="https://a.example/tags/Blob" class="mention hashtag" rel="tag">#<span>Blob</span></a>'
OTHER_HASHTAG = '<a class="hashtag" data-tag="blob" href="https://b.example/tag/blob">#Blob</a>'


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one</p><p>two<br>three<br />four</p>", "one\n\ntwo\nthree\nfour"),
        ("no markup at all", "no markup at all"),
        ("a &lt;b&gt; &amp;amp; &quot;c&quot; &#128025; &eacute;", 'a <b> &amp; "c" 🐙 é'),
        (f"<p>see {LINK}</p>", "see example.org/a/long…"),
        (f"<p>{MENTION} {HASHTAG} {OTHER_HASHTAG}</p>", "@ann #Blob #Blob"),
        ("<p>a\n  b\t c</p>\n<p>d</p>", "a b c\n\nd"),
        ("<p>1 < 2 and 3 > 2</p>", "1 < 2 and 3 > 2"),
        ("<p>a<!-- hidden <b> -->b</p>", "ab"),
        ("a<!-- never closed <b>", "a"),
        ("<script>alert('<p>x</p>')</script>b<style>p{}</style>", "b"),
        ("<ul><li>one</li><li>two</li></ul>after", "- one\n- two\n\nafter"),
        ("<blockquote>said</blockquote>done<hr>end", "said\n\ndone\nend"),
        ('<img alt=":blob:" src="x.png"> <img src="y.png">z', ":blob: z"),
        ('<p title="a > b">x</p>', "x"),
        ("<p title='it&apos;s'>x</p><p title=don't>y</p>", "x\n\ny"),
        ('<span class="invisible">a<span>b</span>c</span>d', "d"),
        ('<p><a href="x"><span class="invisible">never closed</a> d</p>', "d"),
        ('<p><span class="invisible">never closed</p><p>d</p>', "d"),
        ("<P>UPPER<BR>CASE</P>", "UPPER\nCASE"),
        ("<div>one</div><div>two</div>", "one\n\ntwo"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("zero\x00width\x07 \ud83d half", "zerowidth half"),
        ("a&nbsp;b", "a\xa0b"),
        ("&#0;&#x1F;&#xD800;&#99999999;x", "\ufffd\ufffd\ufffdx"),
        ("<p></p><p><br></p>", ""),
        ("", ""),
        (None, ""),
        (5, ""),
        (["<p>x</p>"], ""),
    ],
)
def test_html_becomes_what_a_reader_sees(markup: object, text: str) -> None:
    assert html_to_text(markup) == text


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        (f"<p>Look {LINK} now</p>", "Look now"),
        (f"<p>{MENTION} hello {HASHTAG} and {OTHER_HASHTAG}</p>", "hello Blob and Blob"),
        ('<p>so <a href="https://x.example/">very much <b>so</b></a></p>', "so very much so"),
        ('<p><a href="https://x.example/">https://x.example/</a> x</p>', "x"),
        ('<p><a href="https://x.example/">x.example</a> y</p>', "y"),
        ("<p>great :blob_cat: :ablobcat@a.example: at 10:30:45</p>", "great at 10:30:45"),
        ("plain https://example.org/x?y=1 and www.example.org too", "plain and too"),
        ("mail @ann@a.example and @bob, a@b.example stays", "mail and , a@b.example stays"),
        ("#Monsterdon isn't #1", "Monsterdon isn't 1"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<a>never closed", "never closed"),
        (None, ""),
    ],
)
def test_words_leave_links_mentions_and_emoji_codes_away(markup: object, words: str) -> None:
    assert words_text(markup) == words


@pytest.mark.parametrize(
    ("markup", "markers"),
    [
        ("<p>I like films. #nobot</p>", ("nobot",)),
        ('<p><a href="https://a.example/tags/nobot" class="mention hashtag">#<span>NoBot</span></a></p>', ("nobot",)),
        ("#NOBOTS #NoIndex #NoMastoscore", ("nobots", "noindex", "nomastoscore")),
        ("#nobots", ("nobots",)),
        ("＃ｎｏｂｏｔ", ("nobot",)),
        ("&#35;nobot", ("nobot",)),
        ("(#nobot)", ("nobot",)),
        ("#nobotany #noindexing", ()),
        ("nobot without the sign", ()),
        ("https://example.org/#nobot", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_profile_markers_are_whole_hashtags(markup: object, markers: tuple[str, ...]) -> None:
    assert profile_markers(markup) == markers


@pytest.mark.parametrize(
    ("tag", "key"),
    [
        ("#MonsterDon", "monsterdon"),
        ("monsterdon", "monsterdon"),
        ("＃ＭｏｎｓｔｅｒＤｏｎ", "monsterdon"),
        ("Café", "cafe"),
        ("Cafe\u0301", "cafe"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Москвй", "москвй"),
        ("ガンダム", "ガンダム"),
        ("हिन्दी", "हिन्दी"),
        ("", ""),
    ],
)
def test_hashtags_are_compared_without_case_width_and_latin_accents(tag: str, key: str) -> None:
    assert fold_hashtag(tag) == key
    assert fold_hashtag(key) == key


def test_hashtags_are_found_in_text() -> None:
    text = "#One, #two! (#three) #Three #4 #5a x#no https://a.example/#no &#no; #हिन्दी ＃全角 #a·b #"
    assert hashtags_in_text(text) == ("one", "two", "three", "5a", "हिन्दी", "全角", "a·b")
    assert hashtags_in_text("none here") == ()


def test_lines_lose_breaks_and_turns_of_direction() -> None:
    assert clean_line(" a\r\nb\x00\u202ec\u2028d ") == "a b" + "c d"
    assert clean_text("a\n\tb\x00\x85") == "a\n\tb"


@given(st.one_of(st.text(), st.text(alphabet="<>/\"'&;abpr #@:.=!-\n"), st.binary(), st.none(), st.integers()))
@settings(max_examples=400, deadline=None)
def test_any_input_gives_text(markup: object) -> None:
    for convert in (html_to_text, words_text):
        text = convert(markup)
        assert isinstance(text, str) and "\x00" not in text
        text.encode()
    assert isinstance(profile_markers(markup), tuple)


@given(st.text())
@example("\n0\x0c0")
@settings(max_examples=200, deadline=None)
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    expected = " ".join(clean_text(re.sub(r"[\r\f]", " ", text)).split())
    assert " ".join(html_to_text(f"<p>{html.escape(text)}</p>").split()) == expected


PIECES = ["<", "<a ", '<a "', "<a '", "<p>", "<!--", "<!", "</", "<span class=invisible>", "&", "&nbsp;", " ", "\n"]
PIECES += [
    "<span class='ellipsis'>",
    "<a>",
    "<a>a.",
    "@a",
    ":a",
    "#a",
    "#",
    "<script>",
    '<a href="',
    "a.",
    "\xa0",
    "@a.b@",
]


@pytest.mark.parametrize("piece", PIECES)
def test_hostile_repetition_is_read_in_linear_time(piece: str) -> None:
    """Nothing to measure: a reader that looks back at 50,000 characters would not come to an end here."""
    markup = piece * (50_000 // len(piece)) + " b"
    assert isinstance(html_to_text(markup), str)
    assert isinstance(words_text(markup), str)
    assert "nobot" in profile_markers("#nobot " + markup)
