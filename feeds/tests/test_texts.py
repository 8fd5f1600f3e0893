"""Plain text, excerpts, titles and Markdown of posts; links in HTML."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.links import absolute_links, absolute_url, parse_srcset
from feeds.markdown import to_markdown
from feeds.texts import excerpt, first_line, to_text


def test_excerpt_has_280_characters_and_a_mark() -> None:
    assert excerpt("<p>Short</p><p>text</p>") == "Short text"
    long = excerpt("<p>" + "word " * 100 + "</p>")
    assert long == ("word " * 56).rstrip() + "…"
    assert len(excerpt("x" * 1000)) == 281
    assert excerpt("x" * 280) == "x" * 280


def test_long_texts_are_read_to_the_end() -> None:
    text = to_text("".join(f"<p>Paragraph {n}</p>" for n in range(10_000)))
    assert text.startswith("Paragraph 0\n\nParagraph 1\n\n")
    assert text.endswith("Paragraph 9999")
    assert text.count("Paragraph") == 10_000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("One line", "One line"),
        ("\n\n * \nFirst words\n\nmore", "First words"),
        ("A first sentence of some length. " + "And more words " * 20, "A first sentence of some length."),
        ("Oh! " + "word " * 40, f"Oh!{' word' * 19}…"),
        ("x" * 300, "x" * 99 + "…"),
        ("", ""),
        ("***", ""),
    ],
)
def test_first_line_makes_a_title(text: str, line: str) -> None:
    assert first_line(text, 100) == line


@pytest.mark.parametrize(
    ("markup", "markdown"),
    [
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo  \nthree"),
        ("text <b>bold</b>, <i>it </i>and <del>gone</del>", "text **bold**, *it* and ~~gone~~"),
        ('<a href="https://e.example/a_(b)">l</a>', "[l](https://e.example/a_%28b%29)"),
        ('<a href="https://e.example/">https://e.example/</a>', "<https://e.example/>"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ("<blockquote><p>a</p><blockquote>b</blockquote></blockquote>", "> a\n>\n> > b"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "- a\n- b\n  - c"),
        ('<ol start="9"><li>a</li><li><p>b</p><p>c</p></li></ol>', "9. a\n10. b\n\n    c"),
        ("<h1>T</h1><h3>a <em>b</em></h3>", "# T\n\n### a *b*"),
        ("<p><code>a`b</code></p>", "``a`b``"),
        ("<pre><code>x = 1\n\n  *y*</code></pre>", "```\nx = 1\n\n  *y*\n```"),
        ("<pre>```</pre>", "````\n```\n````"),
        ("<p>2 * 3 [x] \\ a_b _c_ &lt;b&gt;</p>", "2 \\* 3 \\[x\\] \\\\ a_b \\_c\\_ \\<b>"),
        (
            "<p># no</p><p>1. no</p><p>- no</p><p>&gt; no</p><p>#tag</p>",
            "\\# no\n\n1\\. no\n\n\\- no\n\n\\> no\n\n#tag",
        ),
        ("<hr>", "---"),
        ("<table><tr><th>a</th><td>b|c</td></tr><tr><td>d</td></tr></table>", "| a | b\\|c |\n| d |"),
        ("<script>x</script><style>y</style>z", "z"),
        ("a<!-- no -->b &amp; c", "ab & c"),
        ("", ""),
        ("<p> </p>", ""),
    ],
)
def test_html_becomes_markdown(markup: str, markdown: str) -> None:
    assert to_markdown(markup) == markdown


def test_images_and_players_are_kept_when_copying_only() -> None:
    markup = (
        '<p>a <img src="https://e.example/i.png" alt="I"></p><iframe src="https://p.example/v" title="Film"></iframe>'
    )
    assert to_markdown(markup) == "a"
    assert to_markdown(markup, has_images=True) == "a ![I](https://e.example/i.png)\n\n[Film](https://p.example/v)"


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 50_000 + "x",
        "<ul><li>" * 5000,
        "<b>" * 20_000,
        "*" * 100_000,
        "<p>x</p>" * 20_000,
        "<pre>" + "`" * 100_000,
    ],
)
def test_hostile_html_becomes_text_in_time(markup: str) -> None:
    started = time.process_time()
    to_markdown(markup)
    to_text(markup)
    excerpt(markup)
    absolute_links(markup, "https://e.example/")
    assert time.process_time() - started < 30


PIECES = [
    "<p>", "</p>", "<b>", "</b>", "<ul>", "<li>", "</ul>", "<a href='https://e.example/'>", "</a>", "<blockquote>",
    "</blockquote>", "<pre>", "</pre>", "<code>", "</code>", "<br>", "<img src='https://e.example/a'>", "`", "*",
    "\n", " ", "x", "<table>", "<tr>", "<td>", "<h2>", "</h2>", "<", "&",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_html_becomes_text_and_markdown(markup: str) -> None:
    for result in (to_markdown(markup, has_images=True), to_text(markup), excerpt(markup)):
        assert result == result.strip()


# --- links ---
@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("/a b", "https://e.example/a%20b"),
        ("//f.example/x", "https://f.example/x"),
        ("?q=1", "https://e.example/x/y?q=1"),
        ("HTTP://F.example/", "http://F.example/"),
        ("feed://f.example/x", "https://f.example/x"),
        ("feed:http://f.example/x", "http://f.example/x"),
        (" \thttps://f.example/\n ", "https://f.example/"),
        ('/a"b<c>', "https://e.example/a%22b%3Cc%3E"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("mailto:a@b.example", ""),
        ("https://user:pw@f.example/", ""),
        ("https://", ""),
        ("http://[bad/", ""),
        ("https://f.example:99999/", ""),
        ("/" + "x" * 3000, ""),
        (None, ""),
        (7, ""),
    ],
)
def test_only_addresses_of_the_web_become_absolute(url: object, absolute: str) -> None:
    assert absolute_url(url, "https://e.example/x/y") == absolute


def test_links_in_html_are_resolved_and_the_rest_left_alone() -> None:
    base = "https://e.example/p/"
    assert absolute_links("<a href='x'>href=x</a>", base) == '<a href="https://e.example/p/x">href=x</a>'
    assert absolute_links("<img src=i.png alt='src=\"no\"'>", base).startswith('<img src="https://e.example/p/i.png"')
    assert absolute_links('<a href="?a=1&amp;b=2">', base) == '<a href="https://e.example/p/?a=1&amp;b=2">'
    assert absolute_links('<img srcset="a.png 1x, /b,c.png 2x">', base) == (
        '<img srcset="https://e.example/p/a.png 1x, https://e.example/b,c.png 2x">'
    )
    for kept in (
        '<a href="#n">',
        '<a href="https://f.example/">',
        '<a href="tag:x">',
        "a = b",
        '<a href="javascript:1">',
    ):
        assert absolute_links(kept, base) == kept


def test_addresses_in_a_set_may_hold_commas() -> None:
    assert parse_srcset("https://e.example/w_1,h_2/a.png 1x, https://e.example/b.png 2x") == [
        ("https://e.example/w_1,h_2/a.png", "1x"),
        ("https://e.example/b.png", "2x"),
    ]
