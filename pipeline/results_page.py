"""What the results page shows of an analysis: numbers, rankings, who may be quoted today. Reads no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language_info

from common.links import safe_link
from common.times import parse_moment
from pipeline.core.consent import OptOuts, is_quotable
from pipeline.models import Toot

RANKINGS = (
    ("max_boosts", "Most boosted", "boosts"),
    ("max_faves", "Most favourited", "favourites"),
    ("max_replies", "Most replied to", "replies"),
)


@dataclass(frozen=True, slots=True)
class Number:
    """One tile: a label and what it says, with a word below if there is something to add."""

    label: str
    value: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """One toot of a ranking. ``link`` and ``author_link`` are empty when the address sent is no address."""

    rank: int
    text: str
    warning: str
    author: str
    display_name: str
    author_link: str
    link: str
    server: str
    created_at: datetime | None
    boosts: int
    favourites: int
    replies: int
    media_count: int
    is_authoritative: bool
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """``key`` is the count it goes by; ``cut_tie``: others with as many of these are not shown."""

    key: str
    title: str
    quotes: tuple[Quote, ...]
    cut_tie: int = 0


@dataclass(frozen=True, slots=True)
class Consent:
    """What decides today, after the analysis was made, whether a toot may still be shown.

    ``is_stricter``: the event asks for strict consent and its analysis was made before it did.
    """

    opt_outs: OptOuts
    is_stricter: bool = False

    def allows(self, author: str, toot: Toot | None) -> bool:
        """A toot that is not stored any more is judged by its author's name alone."""
        if toot is None:
            return not self.opt_outs.cover(author) and not self.is_stricter
        return is_quotable(
            author,
            wishes=toot.author_wishes,
            is_discoverable=toot.author_is_discoverable,
            is_indexable=toot.author_is_indexable,
            opt_outs=self.opt_outs,
            is_strict=self.is_stricter,
        )


def list_ranked_uris(results: Mapping[str, Any]) -> set[str]:
    return {str(entry.get("uri", "")) for key, _, _ in RANKINGS for entry in _entries(results, key)}


def build_rankings(results: Mapping[str, Any], toots: Mapping[str, Toot], consent: Consent) -> tuple[Ranking, ...]:
    """The rankings that have toots to show, in the order of the contract; ``toots`` by uri."""
    rankings, cuts = [], ties_cut(results)
    for key, title, count in RANKINGS:
        shown = [entry for entry in _entries(results, key) if _is_shown(entry, toots, consent)]
        quotes = tuple(_quote(rank, entry, toots.get(entry["uri"])) for rank, entry in enumerate(shown, 1))
        if quotes:
            rankings.append(Ranking(count, title, quotes, cuts.get(count, 0)))
    return tuple(rankings)


def has_lost_consent(results: Mapping[str, Any], toots: Mapping[str, Toot], consent: Consent) -> bool:
    """Whether the stored results still name somebody who has opted out since; then its files stay in the house."""
    entries = [entry for key, _, _ in RANKINGS for entry in _entries(results, key)]
    most_active = most_active_author(results)
    if most_active is not None and consent.opt_outs.cover(most_active[0]):
        return True
    return any(not _is_shown(entry, toots, consent) for entry in entries)


def most_active_author(results: Mapping[str, Any]) -> tuple[str, int] | None:
    """Handle and number of toots, if the analysis names one."""
    value = results.get("most_active_author")
    if not isinstance(value, Mapping) or not value.get("author"):
        return None
    return str(value["author"]), _count(value.get("toots"))


def build_numbers(results: Mapping[str, Any], zone: ZoneInfo) -> tuple[Number, ...]:
    """Eight tiles; ``zone`` is the one the event's clocks go by."""
    first_timers, busiest = _count(results.get("first_timers")), busiest_minute(results)
    return (
        Number("toots", total_toots(results), f"{_count(results.get('toots_during')):,} during the event"),
        Number("people", _count(results.get("unique_ids")), f"{first_timers:,} of them new" if first_timers else ""),
        Number("servers they wrote from", _count(results.get("total_servers"))),
        Number("toots with attachments", _count(results.get("toots_with_media"))),
        Number("boosts", _count(results.get("boosts"))),
        Number("favourites", _count(results.get("favourites"))),
        Number("replies", _count(results.get("replies"))),
        Number(
            "in the busiest minute",
            busiest[1] if busiest else 0,
            f"at {busiest[0].astimezone(zone):%H:%M}" if busiest else "",
        ),
    )


def total_toots(results: Mapping[str, Any]) -> int:
    return _count(results.get("total_toots"))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Authors counted in totals only, by their own wish; bots not counted at all."""

    authors: int = 0
    bots: int = 0
    bot_toots: int = 0


def read_left_out(results: Mapping[str, Any]) -> LeftOut:
    value = results.get("left_out")
    counts = value if isinstance(value, Mapping) else {}
    return LeftOut(_count(counts.get("authors")), _count(counts.get("bots")), _count(counts.get("bot_toots")))


def ties_cut(results: Mapping[str, Any]) -> dict[str, int]:
    """Per count (boosts, favourites, replies): what the last toot shown had, if others with as many are not shown."""
    value = results.get("ties_cut")
    return {str(key): _count(count) for key, count in value.items()} if isinstance(value, Mapping) else {}


def busiest_minute(results: Mapping[str, Any]) -> tuple[datetime, int] | None:
    value = results.get("busiest_minute")
    if not isinstance(value, Mapping):
        return None
    moment = parse_moment(value.get("at"))
    return (moment, _count(value.get("toots"))) if moment else None


def list_languages(results: Mapping[str, Any], limit: int = 6) -> list[tuple[str, int]]:
    """Names of languages with numbers of toots, most frequent first."""
    value = results.get("languages")
    if not isinstance(value, Mapping):
        return []
    counts = sorted(
        ((str(code), _count(count)) for code, count in value.items()), key=lambda pair: (-pair[1], pair[0])
    )
    return [(_language_name(code), count) for code, count in counts[:limit]]


def _language_name(code: str) -> str:
    if code == "und":
        return "not stated"
    try:
        return str(get_language_info(code)["name"])
    except KeyError:
        return code


def _entries(results: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = results.get(key)
    return [entry for entry in value if isinstance(entry, dict) and "uri" in entry] if isinstance(value, list) else []


def _is_shown(entry: Mapping[str, Any], toots: Mapping[str, Toot], consent: Consent) -> bool:
    return consent.allows(str(entry.get("author", "")), toots.get(str(entry["uri"])))


def _quote(rank: int, entry: Mapping[str, Any], toot: Toot | None) -> Quote:
    author = str(entry.get("author", ""))
    return Quote(
        rank=rank,
        text=str(entry.get("text", "")),
        warning=str(entry.get("spoiler_text") or (toot.spoiler_text if toot else "")),
        author=author,
        display_name=str(entry.get("display_name") or author.partition("@")[0]),
        author_link=safe_link(entry.get("author_url")),
        link=safe_link(entry.get("url")) or safe_link(entry.get("uri")),
        server=str(entry.get("server", "")),
        created_at=parse_moment(entry.get("created_at")),
        boosts=_count(entry.get("boosts")),
        favourites=_count(entry.get("favourites")),
        replies=_count(entry.get("replies")),
        media_count=toot.media_count if toot else 0,
        is_authoritative=bool(entry.get("is_authoritative")),
        uri=str(entry.get("uri", "")),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
