"""Whatever people write, the page shows it and nothing else happens."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime, timedelta, timezone
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.core.markdown import escape_block, escape_line, image, link, quote_block
from pipeline.core.quoting import clean_text, one_line, shorten, split_graphemes, tame_address
from pipeline.core.toml import front_matter

NASTY = st.text(
    alphabet=st.one_of(
        st.sampled_from("\\`*_{}[]<>()#+-.!|~&:;@^$=%\"'/ \n\t\r0123456789abcwx"),
        st.characters(),
    ),
    max_size=200,
)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag == "br":
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        self.text += data


def render(markdown: str) -> _Tags:
    renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader = _Tags()
    reader.feed(renderer.render(markdown))
    reader.close()
    return reader


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@given(NASTY)
@example("# heading\n- item\n1. one\n    code\n> quote\n***\n| a | b |\n|---|---|\n")
@example("<script>alert(1)</script> &lt; &amp; &#x3c; [x](javascript:alert(1)) ![y](z) <http://a.example>")
@example("a\n===\nb\n---\n[^1]: foot\n``code`` ~~gone~~ **bold** __bold__ \\")
def test_escaped_block_comes_out_as_the_same_text_without_markup(text: str) -> None:
    rendered = render(escape_block(text))
    assert rendered.tags <= {"p", "br"}
    assert squeezed(rendered.text) == squeezed(clean_text(text))


@given(NASTY)
def test_escaped_line_is_safe_inside_a_list_a_heading_and_a_quote(text: str) -> None:
    line = escape_line(text)
    assert "\n" not in line
    for before, tags in (("- a ", {"ul", "li"}), ("## a ", {"h2"}), ("> a ", {"blockquote", "p"})):
        rendered = render(before + line)
        assert rendered.tags == tags
        assert squeezed(rendered.text) == squeezed("a " + one_line(text))


@given(NASTY)
def test_block_quote_holds_all_of_the_text(text: str) -> None:
    rendered = render(quote_block(escape_block(text)) + "\n\nafter\n")
    assert rendered.tags <= {"blockquote", "p", "br"}
    assert squeezed(rendered.text) == squeezed(f"{clean_text(text)} after")


@given(NASTY)
def test_no_shortcode_emoji_code_or_autolink_survives_escaping(text: str) -> None:
    for escaped in (escape_line(text), escape_block(text), link(text, "https://a.example/"), image(text, "a.png")):
        assert "{{" not in escaped
        assert "<!--" not in escaped
        bare = escaped.replace("(<https://a.example/>)", "")
        assert not re.search(r"(?i)https?:|www\.|\w@", bare)
        assert not re.search(r"(?<!\\):[a-z]+:", bare)


@given(NASTY, st.one_of(NASTY, NASTY.map("https://a.example/".__add__), NASTY.map("https://a.example/?".__add__)))
def test_link_leads_to_an_http_address_or_is_plain_text(label: str, url: str) -> None:
    rendered = render("x " + link(label, url))
    address = tame_address(url)
    assert rendered.tags == ({"p", "a"} if address else {"p"})
    assert squeezed(rendered.text) == squeezed("x " + one_line(label))
    for name, value in rendered.attributes:
        assert name == "href"
        assert value is not None
        assert re.fullmatch(r"https?://[^\s<>\"'\\]+", unescape(value))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/@ada/1", "https://a.example/@ada/1"),
        ("HTTPS://user:secret@A.Example:443/x", "https://a.example/x"),
        ("https://a.example/a(c){{%e%}}|[x]", "https://a.example/a%28c%29%7B%7B%25e%25%7D%7D%7C%5Bx%5D"),
        ("https://a.example/100%", "https://a.example/100%25"),
        ("https://a.example/%C3%A9?a=1&b=2#c", "https://a.example/%C3%A9?a=1&b=2#c"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("http://127.1.0.3:18400/@ada/1", "http://127.1.0.3:18400/@ada/1"),
        ("https://a.example/a b", ""),
        ("https://a.example/<b>", ""),
        ("javascript:alert(1)", ""),
        ("//a.example/x", ""),
        ("https://", ""),
        ("", ""),
    ],
)
def test_only_tame_addresses_are_linked(url: str, expected: str) -> None:
    assert tame_address(url) == expected


def test_image_name_is_an_address_relative_to_the_page() -> None:
    rendered = render(image("A [cat] \n on <it>", "catnächte (1).png"))
    assert dict(rendered.attributes) == {"src": "catn%C3%A4chte%20%281%29.png", "alt": "A [cat] on <it>"}


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.dictionaries(st.text(), st.text(), max_size=4))
def test_any_text_survives_the_front_matter(values: dict[str, str], params: dict[str, str]) -> None:
    values.pop("params", None)
    block = front_matter(values, params)
    assert block.count("\n+++\n") == 1
    parsed = tomllib.loads(block.removeprefix("+++\n").removesuffix("+++\n"))
    assert parsed == {**values, "params": params}


def test_front_matter_writes_every_kind_of_value() -> None:
    moment = datetime(2026, 2, 22, 21, 0, tzinfo=timezone(timedelta(hours=-5)))
    block = front_matter({"date": moment, "draft": False, "tags": ["a", 'b"'], "n": 3}, {"share": 0.5})
    assert block.startswith("+++\n")
    parsed = tomllib.loads(block.strip("+\n"))
    assert parsed == {"date": moment, "draft": False, "tags": ["a", 'b"'], "n": 3, "params": {"share": 0.5}}


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("one two three", 13, "one two three"),
        ("one two three", 12, "one two…"),
        ("unbreakable", 5, "unbr…"),
        ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 2, "👨‍👩‍👧‍👦…"),
        ("🇩🇪🇫🇷🇮🇹", 2, "🇩🇪…"),
        ("anything", 0, ""),
    ],
)
def test_shortening_keeps_words_and_visible_characters_whole(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected


def test_shortening_does_not_carry_a_pile_of_accents_along() -> None:
    assert len(shorten("a" + "\u0301" * 5000, 40)) <= 40 * 12 + 1


def test_a_family_is_one_character() -> None:
    assert split_graphemes("a👨‍👩‍👧‍👦e\u0301") == ["a", "👨‍👩‍👧‍👦", "e\u0301"]


def test_cleaning_drops_controls_and_direction_overrides() -> None:
    assert clean_text("a\x1b[31mb\u202ec\x00 \r\n\r\n\r\n\r\n  d\t\u2028e ") == "a[31mbc\n\nd\ne"
