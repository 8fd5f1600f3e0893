"""Analysis to a thread of toots, each within the limits of the server that will get it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from common.errors import ConfigurationError
from pipeline.core.quoting import clean_text, shorten, tame_address
from pipeline.core.toot_text import (
    count_characters,
    fit_description,
    fit_text,
    harmless,
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
_EXCERPT = 160
Value: TypeAlias = str | int | bool
# Fills in the text of that name: opening author heading entry graph wordcloud closing.
Write: TypeAlias = Callable[[str, Mapping[str, Value]], str]
# With less beside it, a hashtag is not worth its place.
_LEAST_ROOM = 20
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
    else, named or not, wrote as many toots. ``uri``: their newest toot."""

    handle: str
    display_name: str
    link: str
    toots: int
    is_sole_first: bool = True
    uri: str = ""


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """What the thread tells. ``opening``: preamble and numbers; ``is_mentioning``: authors are mentioned with ``@``;
    ``values``: what every text may use."""

    opening: tuple[str, ...]
    hashtag: str
    rankings: tuple[Ranking, ...]
    most_active: MostActive | None = None
    graph: Picture | None = None
    wordcloud: Picture | None = None
    blog_link: str = ""
    is_mentioning: bool = False
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedToot:
    """One toot of the thread to be; ``role`` as in the ledger. ``sources``: uris of the toots it rests on."""

    role: str
    text: str
    media: tuple[Picture, ...] = ()
    sources: tuple[str, ...] = ()


def plan_thread(
    facts: ThreadFacts, limits: ThreadLimits, write: Write, *, already: Mapping[str, Sequence[str]] | None = None
) -> list[PlannedToot]:
    """The thread in order, first toot first. ConfigurationError if the limits leave no room for any thread.

    ``already``: uris that stand in toots which are out, by role; those rankings are continued without them.
    """
    if limits.max_characters < LEAST_CHARACTERS:
        raise ConfigurationError(
            f"only {limits.max_characters} characters allowed",
            user_message=f"The server takes only {limits.max_characters} characters per toot; "
            f"a thread needs at least {LEAST_CHARACTERS}.",
        )
    return list(_Planner(facts, limits, write, already or {}).toots())


class _Planner:
    def __init__(
        self, facts: ThreadFacts, limits: ThreadLimits, write: Write, already: Mapping[str, Sequence[str]]
    ) -> None:
        self.facts = facts
        self.limits = limits
        self.already = already
        self._write_text = write

    def toots(self) -> Iterator[PlannedToot]:
        facts = self.facts
        yield PlannedToot("opening", self._opening())
        if facts.most_active is not None:
            text = self._fit(self._author(facts.most_active))
            if text:
                yield PlannedToot("author", text, sources=(facts.most_active.uri,) if facts.most_active.uri else ())
        for ranking in facts.rankings:
            yield from self._ranking(ranking)
        if facts.graph is not None:
            yield self._picture("graph", facts.graph)
        if facts.wordcloud is not None:
            yield self._picture("wordcloud", facts.wordcloud)
        closing = self._fit(self._write("closing"))
        if closing:
            yield PlannedToot("closing", closing)

    def _opening(self) -> str:
        facts = self.facts
        paragraphs = [without_at_signs(clean_text(paragraph)) for paragraph in facts.opening]
        preamble, numbers = (*paragraphs, "", "")[:2]
        text = self._write("opening", preamble=preamble, numbers=numbers)
        if not text:
            raise ConfigurationError("The first toot of the thread would be empty; give it a text.")
        hashtag, fitted = f"#{facts.hashtag}", self._fit(text)
        room = self.limits.max_characters - self._count(f"\n\n{hashtag}")
        if hashtag.casefold() in fitted.casefold() or room < _LEAST_ROOM:
            return fitted
        return f"{fit_text(text, room, self.limits.characters_per_url)}\n\n{hashtag}"

    def _author(self, author: MostActive) -> str:
        name = plain_name(author.display_name, author.handle)
        return self._write(
            "author",
            name=self._mention(author.handle) or f"{name} ({spelled_handle(author.handle)})",
            count=count_of(author.toots, "toot"),
            is_sole=author.is_sole_first,
            link="" if self.facts.is_mentioning else tame_address(author.link),
        )

    def _ranking(self, ranking: Ranking) -> Iterator[PlannedToot]:
        out = self.already.get(ranking.key, ())
        quotes = [quote for quote in ranking.quotes if quote.uri not in out or not quote.uri]
        heading = self._heading(ranking.title, is_continued=bool(out))
        continued = self._heading(ranking.title, is_continued=True)
        room = self.limits.max_characters - max(self._count(f"{text}\n\n") for text in (heading, continued))
        entries = [(self._entry(quote, ranking.key, room), quote.uri) for quote in quotes]
        limits = self.limits
        for text, sources in pack((heading, continued), entries, limits.max_characters, limits.characters_per_url):
            yield PlannedToot(ranking.key, self._fit(text), sources=sources)

    def _heading(self, title: str, *, is_continued: bool) -> str:
        """At most half of a toot: the rest is for what stands below it."""
        text = self._write("heading", ranking=title, is_continued=is_continued)
        return fit_text(text, self.limits.max_characters // 2, self.limits.characters_per_url)

    def _entry(self, quote: Quote, key: str, room: int) -> str:
        """Words, then the name, give way to the link; a monstrous link to the name."""
        number = getattr(quote, key)
        values: dict[str, Value] = {
            "rank": quote.rank,
            "count": count_of(number, *_COUNTED_AS[key]),
            "server": harmless(quote.server),
        }
        words = shorten(harmless(quote.warning or quote.text), _EXCERPT)
        link = tame_address(quote.link)
        excerpts = dict.fromkeys((words, shorten(words, 60), ""))
        wordy = [(name, excerpt) for name in self._names(quote)[:2] for excerpt in excerpts]
        for address in dict.fromkeys((link, "")):
            for name, excerpt in [*wordy, *((name, "") for name in self._names(quote)[2:])]:
                text = self._write("entry", **values, name=name, link=address, text=excerpt)
                if text and self._count(text) <= room:
                    return text
        bare = self._write("entry", **values, name="", link="", text="")
        return bare if bare and self._count(bare) <= room else f"{quote.rank}. {values['count']}"

    def _names(self, quote: Quote) -> list[str]:
        """The author mentioned, if that is wanted, then by name, whole and then shorter and shorter."""
        plain = [plain_name(quote.display_name, quote.author, limit) for limit in (60, 30, 20, 12, _SHORTEST_NAME)]
        return list(dict.fromkeys(filter(None, (self._mention(quote.author), *plain))))

    def _picture(self, role: str, picture: Picture) -> PlannedToot:
        text = self._write(role) or f"#{self.facts.hashtag}"
        description = fit_description(clean_text(picture.description) or text, self.limits.description_limit)
        return PlannedToot(role, self._fit(text), (Picture(picture.path, description),))

    def _write(self, which: str, /, **values: Value) -> str:
        given = {**self.facts.values, "hashtag": self.facts.hashtag, "blog_link": self.facts.blog_link}
        return clean_text(self._write_text(which, {**given, **values}))

    def _mention(self, handle: str) -> str:
        return mention(handle) if self.facts.is_mentioning else ""

    def _fit(self, text: str) -> str:
        return fit_text(text, self.limits.max_characters, self.limits.characters_per_url)

    def _count(self, text: str) -> int:
        return count_characters(text, self.limits.characters_per_url)
