"""How the numbers of an event came about, in sentences for its readers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from common.times import Window
from pipeline.core.wording import clock, count_of, long_date, name_hashtags, zone_label


@dataclass(frozen=True, slots=True)
class Unseen:
    """``not_shown_by_origin``: toots known from other servers only. They hint at ``least`` more that nobody showed,
    ``low`` to ``high`` in the 95 % interval."""

    not_shown_by_origin: int = 0
    least: int = 0
    low: int = 0
    high: int = 0

    @classmethod
    def from_coverage(cls, coverage: Mapping[str, Any]) -> Unseen:
        """From the coverage of a crawl as it is stored; nothing where it was not estimated."""
        keys = ("not_shown_by_origin", "estimated_unseen", "unseen_low", "unseen_high")
        return cls(*(int(coverage.get(key) or 0) for key in keys))


@dataclass(frozen=True, slots=True)
class CrawlFacts:
    """One crawl. ``outcomes``: words and number of servers; ``answered``: servers that showed what they have;
    ``unfinished``: servers that the crawl did not come to the end of, as it was broken off."""

    home_server: str
    finished_at: datetime
    asked: int
    answered: int
    refused: int
    outcomes: tuple[tuple[str, int], ...]
    unseen: Unseen
    is_mock: bool
    unfinished: int = 0
    is_quick: bool = False


@dataclass(frozen=True, slots=True)
class MethodFacts:
    """``authoritative``: toots whose counts their own server told. ``crawl`` is None for imported journals."""

    hashtag: str
    window: Window
    zone: ZoneInfo
    toots: int
    authoritative: int
    left_out_authors: int
    left_out_toots: int
    left_out_bots: int
    left_out_bot_toots: int
    code_version: str
    crawl: CrawlFacts | None
    more_hashtags: tuple[str, ...] = ()
    excluded_hashtags: tuple[str, ...] = ()


def describe_method(facts: MethodFacts) -> list[str]:
    """One paragraph of plain text each."""
    return list(_paragraphs(facts))


def _paragraphs(facts: MethodFacts) -> Iterator[str]:
    if facts.crawl is not None and facts.crawl.is_mock:
        yield "These are numbers of the practice fediverse that comes with Mastoscore; nobody in it is real."
    yield (
        f"Counted are public toots with {_hashtags(facts)} written {_span(facts.window, facts.zone)}. "
        "No toot stands in two rankings: first come the most boosted, then the most favourited of the others, then "
        "those with the most replies of what is left."
    )
    if facts.crawl is not None:
        yield _servers(facts.crawl, facts.zone)
        yield _coverage(facts, facts.crawl)
    left_out = _left_out(facts)
    if left_out:
        yield left_out
    yield f"Made with Mastoscore {facts.code_version}."


def _servers(crawl: CrawlFacts, zone: ZoneInfo) -> str:
    asked = crawl.asked - crawl.unfinished
    others = asked - crawl.answered - crawl.refused
    sentences = [
        f"Beginning with {crawl.home_server}, {count_of(asked, 'server was', 'servers were')} asked on "
        f"{long_date(crawl.finished_at.astimezone(zone).date())}: {crawl.answered:,} answered, {crawl.refused:,} "
        f"refused, {others:,} could not answer."
    ]
    if crawl.unfinished:
        more = count_of(crawl.unfinished, "more server was", "more servers were")
        sentences.append(f"The fetch was broken off before {more} asked to the end, so toots are missing.")
    if crawl.is_quick:
        sentences.append("It was a quick fetch: most servers were asked for their own toots only.")
    details = "; ".join(f"{words}: {servers:,}" for words, servers in crawl.outcomes)
    return " ".join([*sentences, f"In particular: {details}."] if details else sentences)


def _coverage(facts: MethodFacts, crawl: CrawlFacts) -> str:
    others = facts.toots - facts.authoritative
    sentences = [
        f"For {facts.authoritative:,} of {count_of(facts.toots, 'toot')} the counts come from their own server"
    ]
    sentences[0] += (
        f"; for the other {others:,} the highest counts that any server showed are taken." if others else "."
    )
    return " ".join(filter(None, [*sentences, describe_coverage(crawl.unseen)]))


def describe_coverage(unseen: Unseen) -> str:
    """What those toots that only others showed say about the ones that nobody did; empty if there are none."""
    if not unseen.not_shown_by_origin:
        return ""
    shown = count_of(unseen.not_shown_by_origin, "toot was", "toots were")
    if not unseen.least:
        return f"{shown} shown by other servers than their own, often enough that hardly any more can be missing."
    return (
        f"{shown} shown by other servers than their own; how often each of them was suggests that at least "
        f"{unseen.least:,} more exist that none showed (95 % interval: {unseen.low:,} to {unseen.high:,})."
    )


def _hashtags(facts: MethodFacts) -> str:
    wanted = name_hashtags((facts.hashtag, *facts.more_hashtags))
    return f"{wanted}, without {name_hashtags(facts.excluded_hashtags)}," if facts.excluded_hashtags else wanted


def _left_out(facts: MethodFacts) -> str:
    sentences = []
    if facts.left_out_authors:
        sentences.append(
            f"{count_of(facts.left_out_authors, 'author wishes', 'authors wish')} not to be quoted: their "
            f"{count_of(facts.left_out_toots, 'toot counts', 'toots count')} in the totals and nowhere else."
        )
    if facts.left_out_bots:
        sentences.append(
            f"{count_of(facts.left_out_bot_toots, 'toot')} of {count_of(facts.left_out_bots, 'bot')} "
            "do not count at all."
            if facts.left_out_bot_toots != 1
            else "One toot of a bot does not count at all."
        )
    return " ".join(sentences)


def _span(window: Window, zone: ZoneInfo) -> str:
    first, last = (long_date(moment.astimezone(zone).date()) for moment in (window.start, window.end))
    start, end = clock(window.start, zone), f"{clock(window.end, zone)} {zone_label(window.end, zone)}"
    if first == last:
        return f"on {first} between {start} and {end}"
    return f"between {start} on {first} and {end} on {last}"
