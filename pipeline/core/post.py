"""Analysis to a thread of toots, each within the limits of the server that will get it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.errors import ConfigurationError
from pipeline.core.quoting import clean_text, tame_address
from pipeline.core.toot_text import (
    continued,
    count_characters,
    fit_description,
    fit_text,
    mention,
    pack,
    plain_name,
    spelled_handle,
    without_at_signs,
)
from pipeline.core.wording import count_of

if TYPE_CHECKING:
    from pipeline.results_page import Quote, Ranking

LEAST_CHARACTERS = 100
_SHORTEST_NAME = 8
_COUNTED_AS = {
    "boosts": ("boost", "boosts"),
    "favourites": ("favourite", "favourites"),
    "replies": ("reply", "replies"),
}


@dataclass(frozen=True, slots=True)
class ThreadLimits:
    """What the server takes; ``told_by`` says who said so, for people."""

    max_characters: int = 500
    characters_per_url: int = 23
    description_limit: int = 1500
    told_by: str = "Mastodon's usual limits"


@dataclass(frozen=True, slots=True)
class Picture:
    """``path`` below the data folder; ``description`` is the alternative text."""

    path: str
    description: str


@dataclass(frozen=True, slots=True)
class MostActive:
    """Who may be named as the most active author; ``link`` is their profile, or empty. ``is_sole_first``: nobody
    else, named or not, wrote as many toots."""

    handle: str
    display_name: str
    link: str
    toots: int
    is_sole_first: bool = True


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """What the thread tells. ``opening``: paragraphs; ``is_mentioning``: authors are mentioned with ``@``."""

    opening: tuple[str, ...]
    hashtag: str
    rankings: tuple[Ranking, ...]
    most_active: MostActive | None = None
    graph: Picture | None = None
    wordcloud: Picture | None = None
    blog_link: str = ""
    is_mentioning: bool = False


@dataclass(frozen=True, slots=True)
class PlannedToot:
    """One toot of the thread to be; ``role`` as in the ledger."""

    role: str
    text: str
    media: tuple[Picture, ...] = ()


def plan_thread(facts: ThreadFacts, limits: ThreadLimits) -> list[PlannedToot]:
    """The thread in order, first toot first. ConfigurationError if the limits leave no room for any thread."""
    if limits.max_characters < LEAST_CHARACTERS:
        raise ConfigurationError(
            f"only {limits.max_characters} characters allowed",
            user_message=f"The server takes only {limits.max_characters} characters per toot; "
            f"a thread needs at least {LEAST_CHARACTERS}.",
        )
    return list(_Planner(facts, limits).toots())


class _Planner:
    def __init__(self, facts: ThreadFacts, limits: ThreadLimits) -> None:
        self.facts = facts
        self.limits = limits

    def toots(self) -> Iterator[PlannedToot]:
        facts = self.facts
        yield PlannedToot("opening", self._fit(_opening(facts)))
        if facts.most_active is not None:
            yield PlannedToot("author", self._author(facts.most_active))
        for ranking in facts.rankings:
            for text in self._ranking(ranking):
                yield PlannedToot(ranking.key, text)
        if facts.graph is not None:
            yield self._picture("graph", "Toots per minute, before, during and after the event.", facts.graph)
        if facts.wordcloud is not None:
            yield self._picture("wordcloud", "What it was about: the words used most.", facts.wordcloud)
        if facts.blog_link:
            closing = f"All of it, and how it was counted:\n{facts.blog_link}"
            yield PlannedToot("closing", self._fit(closing))

    def _author(self, author: MostActive) -> str:
        name = plain_name(author.display_name, author.handle)
        named = self._mention(author.handle) or f"{name} ({spelled_handle(author.handle)})"
        link = tame_address(author.link)
        opening = "Most active" if author.is_sole_first else "Among the most active"
        text = f"{opening}: {named} with {count_of(author.toots, 'toot')}."
        return self._fit(f"{text}\n{link}" if link and not self.facts.is_mentioning else text)

    def _ranking(self, ranking: Ranking) -> list[str]:
        heading = ranking.title
        room = self.limits.max_characters - self._count(f"{continued(heading)}\n\n")
        entries = [self._entry(quote, ranking.key, room) for quote in ranking.quotes]
        return pack(heading, entries, self.limits.max_characters, self.limits.characters_per_url)

    def _entry(self, quote: Quote, key: str, room: int) -> str:
        """``1. Ada: 34 boosts`` and the link below; the name gives way to the link, a monstrous link to the name."""
        count = count_of(getattr(quote, key), *_COUNTED_AS[key])
        link = tame_address(quote.link)
        for tail in (f"{count}\n{link}" if link else count, count):
            named = self._mention(quote.author)
            if named and self._count(f"{quote.rank}. {named}: {tail}") <= room:
                return f"{quote.rank}. {named}: {tail}"
            left = room - self._count(f"{quote.rank}. : {tail}")
            if left >= _SHORTEST_NAME:
                return f"{quote.rank}. {plain_name(quote.display_name, quote.author, min(left, 60))}: {tail}"
        return f"{quote.rank}. {count}"

    def _picture(self, role: str, text: str, picture: Picture) -> PlannedToot:
        description = fit_description(clean_text(picture.description) or text, self.limits.description_limit)
        return PlannedToot(role, self._fit(text), (Picture(picture.path, description),))

    def _mention(self, handle: str) -> str:
        return mention(handle) if self.facts.is_mentioning else ""

    def _fit(self, text: str) -> str:
        return fit_text(text, self.limits.max_characters, self.limits.characters_per_url)

    def _count(self, text: str) -> int:
        return count_characters(text, self.limits.characters_per_url)


def _opening(facts: ThreadFacts) -> str:
    paragraphs = [without_at_signs(clean_text(paragraph)) for paragraph in facts.opening]
    text = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
    has_hashtag = f"#{facts.hashtag}".casefold() in text.casefold()
    return text if has_hashtag else f"{text}\n\n#{facts.hashtag}"
