"""Analysis and file names to the text of a blog page that Hugo builds (a page bundle: names beside it). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline.core.markdown import escape_block, escape_line, image, link, quote_block
from pipeline.core.quoting import clean_text, drop_emoji_codes, one_line, shorten
from pipeline.core.toml import Value, front_matter
from pipeline.core.wording import clock, count_of, long_date, zone_label

if TYPE_CHECKING:
    from pipeline.core.post import MostActive
    from pipeline.results_page import Quote, Ranking

LONGEST_QUOTE = 800
_COUNTS = (("boosts", "boost", "boosts"), ("favourites", "favourite", "favourites"), ("replies", "reply", "replies"))


@dataclass(frozen=True, slots=True)
class PagePicture:
    """``name`` of a file beside the page."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class PageFacts:
    """Everything the page tells. ``date`` is in the event's zone; ``summary`` and ``method``: plain paragraphs;
    ``thread``: addresses of the toots posted, first to last."""

    title: str
    date: datetime
    zone: ZoneInfo
    is_draft: bool
    tags: tuple[str, ...]
    categories: tuple[str, ...]
    params: Mapping[str, Value]
    summary: tuple[str, ...]
    rankings: tuple[Ranking, ...]
    most_active: MostActive | None
    graph: PagePicture | None
    wordcloud: PagePicture | None
    poster: PagePicture | None
    method: tuple[str, ...]
    thread: tuple[str, ...] = ()


def write_page(facts: PageFacts) -> str:
    """The whole ``index.md``: TOML front matter, then Markdown. Whatever people wrote is escaped for both."""
    body = "\n\n".join(_blocks(facts))
    return f"{_front_matter(facts)}\n{body}\n"


def split_words(text: str) -> list[str]:
    """What stands between commas, without blanks and empties."""
    return [word for word in (part.strip() for part in text.split(",")) if word]


def unique_words(words: Sequence[str]) -> tuple[str, ...]:
    """Each word once, whatever its case, in the order of first mention; on one line and without ``#``."""
    kept: dict[str, str] = {}
    for word in words:
        cleaned = one_line(word).lstrip("#").strip()
        if cleaned:
            kept.setdefault(cleaned.casefold(), cleaned)
    return tuple(kept.values())


def _front_matter(facts: PageFacts) -> str:
    pictures = [picture.name for picture in (facts.graph, facts.wordcloud, facts.poster) if picture]
    values: dict[str, Value] = {
        "title": one_line(facts.title),
        "date": facts.date,
        "draft": facts.is_draft,
        "tags": facts.tags,
        "categories": facts.categories,
        "description": shorten(one_line(facts.summary[0]) if facts.summary else one_line(facts.title), 300),
        "images": pictures,
    }
    return front_matter(values, facts.params)


def _blocks(facts: PageFacts) -> Iterator[str]:
    for paragraph in facts.summary:
        yield escape_block(paragraph)
    if facts.most_active is not None:
        author = facts.most_active
        who = link(_name(author.display_name, author.handle), author.link)
        opening = "Most active was" if author.is_sole_first else "Among the most active was"
        yield f"{opening} {who} ({escape_line(f'@{author.handle}')}) with {count_of(author.toots, 'toot')}."
    if facts.poster is not None:
        yield _picture(facts.poster)
    if facts.graph is not None:
        yield "## Toots per minute"
        yield _picture(facts.graph)
    for ranking in facts.rankings:
        yield from _ranking(ranking, facts.zone)
    if facts.wordcloud is not None:
        yield "## The words"
        yield _picture(facts.wordcloud)
    if facts.thread:
        yield "## The thread"
        links = " · ".join(link(str(number), address) for number, address in enumerate(facts.thread, 1))
        yield f"The results were posted as a thread: {links}"
    yield "## How this was counted"
    for paragraph in facts.method:
        yield escape_block(paragraph)


def _picture(picture: PagePicture) -> str:
    return image(picture.description, picture.name)


def _ranking(ranking: Ranking, zone: ZoneInfo) -> Iterator[str]:
    yield f"## {ranking.title}"
    if ranking.cut_tie:
        words = next(words for words in _COUNTS if words[0] == ranking.key)
        yield f"A tie for the last place was cut: there are more toots with {count_of(ranking.cut_tie, *words[1:])}."
    for quote in ranking.quotes:
        yield from _quote(quote, ranking.key, zone)


def _quote(quote: Quote, key: str, zone: ZoneInfo) -> Iterator[str]:
    counts = {name: count_of(getattr(quote, name), singular, plural) for name, singular, plural in _COUNTS}
    who = link(_name(quote.display_name, quote.author), quote.author_link)
    yield f"**{quote.rank}. {counts.pop(key)}**, {who} ({escape_line(f'@{quote.author}')})"
    facts = [link(_when(quote.created_at, zone), quote.link), *counts.values()]
    yield quote_block("\n\n".join([_words(quote), " · ".join(facts)]))


def _words(quote: Quote) -> str:
    """The toot's text; its content warning instead, if it has one."""
    attached = count_of(quote.media_count, "attachment") if quote.media_count else ""
    if clean_text(quote.warning):
        return f"*Content warning:* {escape_line(shorten(one_line(quote.warning), LONGEST_QUOTE))}"
    text = escape_block(shorten(clean_text(quote.text), LONGEST_QUOTE))
    if not text:
        return f"*No text, {attached or 'nothing attached'}.*"
    return f"{text}\n\n*With {attached}.*" if attached else text


def _name(display_name: str, handle: str) -> str:
    return shorten(drop_emoji_codes(one_line(display_name)), 80) or handle.partition("@")[0] or "somebody"


def _when(moment: datetime | None, zone: ZoneInfo) -> str:
    if moment is None:
        return "the toot"
    return f"{long_date(moment.astimezone(zone).date())}, {clock(moment, zone)} {zone_label(moment, zone)}"
