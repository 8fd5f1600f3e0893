"""The blog page in the hands of the real Hugo, set to its most trusting."""

from __future__ import annotations

import random
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.core.blog import PageFacts, write_page
from pipeline.core.quoting import clean_text
from pipeline.results_page import Ranking
from pipeline.tests.test_blog_page import page_facts, quote

pytestmark = pytest.mark.hugo

CONFIG = """
baseURL = "https://blog.example/"
title = "Blog"
enableEmoji = true
disableKinds = ["taxonomy", "term", "RSS", "sitemap", "robotsTXT", "404"]
[markup.goldmark.renderer]
unsafe = true
[markup.goldmark.parser]
[markup.goldmark.parser.attribute]
block = true
title = true
[markup.goldmark.extensions]
typographer = false
"""
LAYOUT = """<!doctype html><html><head><title>{{ .Title }}</title></head><body>
<div id="page">{{ .Content }}</div><p id="toots">{{ .Params.params.toots }}{{ .Params.toots }}</p></body></html>"""

NASTY = (
    "# heading\n## more {#id}\n- item\n* item\n+ item\n1. one\n2) two\n> quote\n***\n---\n===\n~~~\ncode\n```\nx",
    "{{< figure src=x >}} {{% raw %}} {{ .Site }} {{</* x */>}} <!--more--> <!-- x --> <?php ?> <![CDATA[x]]>",
    "<script>alert(1)</script> <img src=x onerror=alert(1)> &lt;b&gt; &amp; &#x3c; &copy;",
    "http://evil.example/a https://evil.example www.evil.example WWW.evil.example ftp://x.example a@b.example",
    "[a](http://b.example) ![i](x.png) [x][y] [^1]: note [^1] <http://c.example> [ ] [x] task",
    "*a* **b** _c_ __d__ ~~e~~ `f` ``g`` $h$ ^i^ ==j== ++k++ H~2~O \\(l\\) \\[m\\]",
    ":smile: :tada: :+1: term\n: definition\n| a | b |\n|---|---|\n| 1 | 2 |",
    "    four spaces\n\ttab\n\n\n\nmany lines\r\nand\u2028more\u0085end\\",
    "trailing backslash \\\nnext line\\",
    "+++\ntitle = 'x'\n+++\n---\na: b\n---",
    '{.class} {#id} {style="x"}\n{.class}',
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "br":
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def build(folder: Path, pages: dict[str, str]) -> dict[str, str]:
    """Each page as Hugo built it, by slug; a page bundle with a picture each."""
    (folder / "layouts" / "_default").mkdir(parents=True)
    (folder / "layouts" / "_default" / "single.html").write_text(LAYOUT)
    (folder / "layouts" / "_default" / "list.html").write_text("{{ range .Pages }}{{ .Title }}{{ end }}")
    (folder / "layouts" / "index.html").write_text("{{ range .Site.RegularPages }}{{ .Title }}\n{{ end }}")
    (folder / "config.toml").write_text(CONFIG)
    for slug, text in pages.items():
        bundle = folder / "content" / "posts" / slug
        bundle.mkdir(parents=True)
        (bundle / "index.md").write_text(text)
        (bundle / "thumb.jpg").write_bytes(b"picture")
    command = ["hugo", "--quiet", "--source", str(folder), "--destination", str(folder / "public")]
    built = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (built.returncode, built.stderr) == (0, "")
    return {slug: (folder / "public" / "posts" / slug / "index.html").read_text() for slug in pages}


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html.split('<div id="page">', 1)[1].split('<p id="toots">')[0])
    reader.close()
    return reader


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def quoting_page(text: str) -> PageFacts:
    shown = quote(text=text, display_name="Ada", link="https://home.example/1")
    return page_facts(title=text, rankings=(Ranking("boosts", "Most boosted", (shown,)),), summary=(text,))


def test_hugo_builds_the_page_with_title_numbers_and_pictures_beside_it(tmp_path: Path) -> None:
    html = build(tmp_path, {"monsterdon-20260222": write_page(page_facts())})["monsterdon-20260222"]
    assert "<title>Monsterdon: The Blob (1958)</title>" in html
    assert '<p id="toots">412' in html
    assert '<img src="thumb.jpg" alt="Poster of The Blob">' in html
    assert (tmp_path / "public" / "posts" / "monsterdon-20260222" / "thumb.jpg").is_file()


def test_hugo_shows_what_people_wrote_and_obeys_none_of_it(tmp_path: Path) -> None:
    chance = random.Random(2026)
    alphabet = "\\`*_{}[]<>()#+-.!|~&:;@^$=%\"'/ \n0189abcw😀é"
    texts = [*NASTY, *("".join(chance.choices(alphabet, k=120)) for _ in range(150))]
    pages = {f"page-{number}": write_page(quoting_page(text)) for number, text in enumerate(texts)}
    built = build(tmp_path, pages)
    plain_tags = set(read(build(tmp_path / "plain", {"plain": write_page(quoting_page("a\nb"))})["plain"]).tags)
    for number, text in enumerate(texts):
        page = read(built[f"page-{number}"])
        assert set(page.tags) <= plain_tags, text
        assert squeezed("".join(page.text)).count(squeezed(clean_text(text))) >= 2, text


def test_drafts_stay_unbuilt(tmp_path: Path) -> None:
    page = write_page(replace(page_facts(), is_draft=True))
    with pytest.raises(FileNotFoundError):
        build(tmp_path, {"draft": page})
