"""Toots of an event to its numbers: totals, rankings, toots per minute. One pass, bounded memory. Pure.

Authors who do not want to be quoted count in totals and appear nowhere else; bots, where the event leaves them
out, count in nothing. ``left_out`` says how many of each there were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common import VERSION
from common.times import Window, format_z
from pipeline.core import analysis_texts
from pipeline.core.ranking import Ranking, RankingBuilder, Rankings
from pipeline.core.rows import ScoredToot
from pipeline.core.series import MinuteSeries, SeriesShape

UNKNOWN_LANGUAGE = "und"
_SERVERS_LISTED = 20


@dataclass(frozen=True, slots=True)
class AnalyseOptions:
    """What shapes an analysis besides the toots.

    ``span`` is the event, ``window`` the event with margins. ``known_authors``: handles seen in earlier events
    of the series; None if there was no earlier event, and then nobody is counted as a first-timer.
    """

    hashtag: str
    title: str
    timezone: str
    span: Window
    window: Window
    top_n: int
    consent: str
    leave_out_bots: bool
    generated_at: datetime
    known_authors: frozenset[str] | None = None
    more_hashtags: tuple[str, ...] = ()
    excluded_hashtags: tuple[str, ...] = ()

    @property
    def hashtags(self) -> tuple[str, ...]:
        """All whose toots count."""
        return (self.hashtag, *self.more_hashtags)

    def parameters(self) -> dict[str, Any]:
        """Everything but the moment of the analysis and the other authors' names."""
        return {
            "hashtag": self.hashtag,
            "more_hashtags": list(self.more_hashtags),
            "excluded_hashtags": list(self.excluded_hashtags),
            "title": self.title,
            "timezone": self.timezone,
            "event_start": format_z(self.span.start),
            "event_end": format_z(self.span.end),
            "window_start": format_z(self.window.start),
            "window_end": format_z(self.window.end),
            "top_n": self.top_n,
            "consent": self.consent,
            "leave_out_bots": self.leave_out_bots,
            "has_earlier_events": self.known_authors is not None,
        }


@dataclass(frozen=True, slots=True)
class ActiveAuthor:
    """Who wrote the most toots, out of those who may be named. ``is_sole_first``: nobody, named or not, wrote
    more, and no one else who may be named wrote as many."""

    author: str
    display_name: str
    url: str
    server: str
    toots: int
    is_sole_first: bool


@dataclass(frozen=True, slots=True)
class ServerShare:
    """Toots and authors of one origin server, of those who may be named."""

    server: str
    toots: int
    authors: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """``authors`` and ``toots``: counted but never shown, as their authors wish; ``bots`` and ``bot_toots``:
    not counted at all."""

    authors: int = 0
    toots: int = 0
    bots: int = 0
    bot_toots: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """``media`` counts attachments, ``replies`` those that came to the toots; ``languages`` most frequent first,
    by primary subtag, ``und`` where the server gave none."""

    toots: int
    before: int
    during: int
    after: int
    authors: int
    servers: int
    boosts: int
    favourites: int
    replies: int
    media: int
    toots_with_media: int
    languages: dict[str, int]
    first_timers: int | None


@dataclass(frozen=True, slots=True)
class Analysis:
    options: AnalyseOptions
    totals: Totals
    rankings: Rankings
    series: MinuteSeries
    most_active: ActiveAuthor | None
    servers: tuple[ServerShare, ...]
    left_out: LeftOut

    def as_results(self) -> dict[str, Any]:
        """The dictionary that is stored, written as JSON and handed to clients."""
        totals, rankings = self.totals, self.rankings
        return {
            "preamble": analysis_texts.preamble(self),
            "num_toots": analysis_texts.number_of_toots(self),
            "most_toots": analysis_texts.most_toots(self),
            "unique_ids": totals.authors,
            "max_boosts": [listed_toot(toot) for toot in rankings.boosts.toots],
            "max_faves": [listed_toot(toot) for toot in rankings.favourites.toots],
            "max_replies": [listed_toot(toot) for toot in rankings.replies.toots],
            "top_n": self.options.top_n,
            "hashtag": self.options.hashtag,
            "generated": format_z(self.options.generated_at),
            "total_toots": totals.toots,
            "total_servers": totals.servers,
            "toots_before": totals.before,
            "toots_during": totals.during,
            "toots_after": totals.after,
            "boosts": totals.boosts,
            "favourites": totals.favourites,
            "replies": totals.replies,
            "media": totals.media,
            "toots_with_media": totals.toots_with_media,
            "languages": dict(totals.languages),
            "first_timers": totals.first_timers,
            "most_active_author": _active_author(self.most_active),
            "busiest_minute": self._busiest_minute(),
            "servers": [{"server": s.server, "toots": s.toots, "authors": s.authors} for s in self.servers],
            "per_minute": self.series.as_dict(),
            "ties_cut": _ties_cut(rankings),
            "left_out": {
                "authors": self.left_out.authors,
                "toots": self.left_out.toots,
                "bots": self.left_out.bots,
                "bot_toots": self.left_out.bot_toots,
            },
            "parameters": self.options.parameters(),
            "code_version": VERSION,
        }

    def _busiest_minute(self) -> dict[str, Any] | None:
        index = self.series.busiest
        if index is None:
            return None
        return {"at": format_z(self.series.moment(index)), "toots": self.series.counts[index]}


def listed_toot(toot: ScoredToot) -> dict[str, Any]:
    """A toot in a list. Where ``spoiler_text`` is not empty, show it instead of ``text``: the author asked for it."""
    return {
        "uri": toot.uri,
        "url": toot.url,
        "server": toot.server,
        "author": toot.author,
        "display_name": toot.display_name,
        "author_url": toot.author_url,
        "created_at": format_z(toot.created_at),
        "text": toot.text,
        "spoiler_text": toot.spoiler_text,
        "boosts": toot.boosts,
        "favourites": toot.favourites,
        "replies": toot.replies,
        "is_authoritative": toot.is_authoritative,
    }


def analyse(toots: Iterable[ScoredToot], options: AnalyseOptions) -> Analysis:
    """The numbers of these toots, which all lie in the window; their order does not matter."""
    analyser = Analyser(options)
    for toot in toots:
        analyser.add(toot)
    return analyser.finish()


@dataclass(slots=True)
class _AuthorTally:
    """Name and address as the newest toot has them. Without consent once is without consent."""

    toots: int
    first_at: datetime
    newest_at: datetime
    display_name: str
    url: str
    server: str
    is_quotable: bool


@dataclass(slots=True)
class _Sums:
    toots: int = 0
    before: int = 0
    during: int = 0
    boosts: int = 0
    favourites: int = 0
    replies: int = 0
    media: int = 0
    toots_with_media: int = 0
    refused_toots: int = 0
    bot_toots: int = 0
    servers: set[str] = field(default_factory=set)
    bots: set[str] = field(default_factory=set)
    languages: Counter[str] = field(default_factory=Counter)


class Analyser:
    """Takes toots one by one; memory grows with authors and minutes, not with toots."""

    def __init__(self, options: AnalyseOptions) -> None:
        self._options = options
        self._ranking = RankingBuilder(options.top_n)
        self._sums = _Sums()
        self._authors: dict[str, _AuthorTally] = {}
        self._shape = SeriesShape.of(options.span, options.window)
        self._minutes = [0] * self._shape.minutes

    def add(self, toot: ScoredToot) -> None:
        sums = self._sums
        if toot.is_bot and self._options.leave_out_bots:
            sums.bot_toots += 1
            sums.bots.add(toot.author)
            return
        sums.toots += 1
        sums.boosts += toot.boosts
        sums.favourites += toot.favourites
        sums.replies += toot.replies
        if toot.media_count:
            sums.media += toot.media_count
            sums.toots_with_media += 1
        sums.servers.add(toot.server)
        sums.languages[toot.language] += 1
        self._count_minute(toot.created_at)
        self._count_author(toot)
        if not toot.is_quotable:
            sums.refused_toots += 1
        elif not toot.is_withdrawn:
            self._ranking.offer(toot)

    def finish(self) -> Analysis:
        named = {handle: tally for handle, tally in self._authors.items() if tally.is_quotable}
        sums = self._sums
        return Analysis(
            options=self._options,
            totals=self._totals(),
            rankings=self._ranking.rank(),
            series=self._shape.filled(self._minutes),
            most_active=self._find_most_active(named),
            servers=_server_shares(named),
            left_out=LeftOut(len(self._authors) - len(named), sums.refused_toots, len(sums.bots), sums.bot_toots),
        )

    def _count_minute(self, moment: datetime) -> None:
        span = self._options.span
        if moment < span.start:
            self._sums.before += 1
        elif moment < span.end:
            self._sums.during += 1
        seconds = (moment - self._shape.start).total_seconds()
        self._minutes[int(seconds // 60)] += 1

    def _count_author(self, toot: ScoredToot) -> None:
        tally, moment = self._authors.get(toot.author), toot.created_at
        if tally is None:
            self._authors[toot.author] = _AuthorTally(
                1, moment, moment, toot.display_name, toot.author_url, toot.server, toot.is_quotable
            )
            return
        tally.toots += 1
        tally.first_at = min(tally.first_at, moment)
        tally.is_quotable = tally.is_quotable and toot.is_quotable
        if moment >= tally.newest_at:
            tally.newest_at, tally.display_name, tally.url = moment, toot.display_name, toot.author_url

    def _totals(self) -> Totals:
        sums, known = self._sums, self._options.known_authors
        return Totals(
            toots=sums.toots,
            before=sums.before,
            during=sums.during,
            after=sums.toots - sums.before - sums.during,
            authors=len(self._authors),
            servers=len(sums.servers),
            boosts=sums.boosts,
            favourites=sums.favourites,
            replies=sums.replies,
            media=sums.media,
            toots_with_media=sums.toots_with_media,
            languages=_by_primary_language(sums.languages),
            first_timers=None if known is None else sum(handle not in known for handle in self._authors),
        )

    def _find_most_active(self, named: dict[str, _AuthorTally]) -> ActiveAuthor | None:
        if not named:
            return None
        handle, best = min(named.items(), key=lambda item: (-item[1].toots, item[1].first_at, item[0]))
        is_beaten = any(tally.toots > best.toots for tally in self._authors.values())
        is_tied = sum(tally.toots == best.toots for tally in named.values()) > 1
        return ActiveAuthor(
            author=handle,
            display_name=best.display_name,
            url=best.url,
            server=handle.rpartition("@")[2],
            toots=best.toots,
            is_sole_first=not is_beaten and not is_tied,
        )


def _by_primary_language(counts: Counter[str]) -> dict[str, int]:
    """``en-GB`` and ``en`` are one language here."""
    merged: Counter[str] = Counter()
    for tag, count in counts.items():
        merged[tag.replace("_", "-").partition("-")[0].strip().lower() or UNKNOWN_LANGUAGE] += count
    return dict(sorted(merged.items(), key=lambda pair: (-pair[1], pair[0])))


def _server_shares(named: dict[str, _AuthorTally]) -> tuple[ServerShare, ...]:
    """The servers most toots came from. Only of authors who may be named: a server may be one person's."""
    toots: Counter[str] = Counter()
    authors: Counter[str] = Counter()
    for tally in named.values():
        toots[tally.server] += tally.toots
        authors[tally.server] += 1
    ranked = sorted(toots, key=lambda server: (-toots[server], -authors[server], server))
    return tuple(ServerShare(server, toots[server], authors[server]) for server in ranked[:_SERVERS_LISTED])


def _active_author(author: ActiveAuthor | None) -> dict[str, Any] | None:
    if author is None:
        return None
    return {
        "author": author.author,
        "display_name": author.display_name,
        "url": author.url,
        "server": author.server,
        "toots": author.toots,
    }


def _ties_cut(rankings: Rankings) -> dict[str, int]:
    """Which rankings left out a toot as good as their last one, and with what count."""
    by_name: dict[str, Ranking] = {
        "boosts": rankings.boosts,
        "favourites": rankings.favourites,
        "replies": rankings.replies,
    }
    return {name: ranking.cut_tie for name, ranking in by_name.items() if ranking.cut_tie is not None}
