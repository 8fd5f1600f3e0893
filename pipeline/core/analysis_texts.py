"""The sentences of an analysis, short enough to be posted as they are. Pure.

Nobody is mentioned with ``@`` here, and nothing in an author's chosen name becomes a mention or a hashtag.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from common.times import zone
from pipeline.core.wording import clock, count_of, join_words, long_date, name_hashtags, zone_label

if TYPE_CHECKING:
    from pipeline.core.analyse import ActiveAuthor, Analysis

_EMOJI_CODE = re.compile(r":\w{2,}:")
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_NAME_LENGTH = 60
# What would make a mention or a hashtag of a name.
_DEFUSED = str.maketrans({"@": "＠", "#": "＃"})


def preamble(analysis: Analysis) -> str:
    """What it was and when; says which rankings cut a tie."""
    options = analysis.options
    day = long_date(options.span.start.astimezone(zone(options.timezone)).date())
    opening = f"{options.title}, {day}."
    if not analysis.totals.toots:
        return f"{opening} No public toots with {name_hashtags(options.hashtags)} were found."
    sentences = [opening, f"Here is how {name_hashtags(options.hashtags, 'and')} went."]
    tie = tie_sentence(analysis)
    return " ".join([*sentences, tie] if tie else sentences)


def number_of_toots(analysis: Analysis) -> str:
    """How many toots, authors and servers, when, and what they got."""
    totals = analysis.totals
    if not totals.toots:
        return "There were no toots to count."
    verb = "was" if totals.toots == 1 else "were"
    sentences = [
        f"There {verb} {count_of(totals.toots, 'toot')} by {count_of(totals.authors, 'author')} "
        f"on {count_of(totals.servers, 'server')}: {totals.during:,} during the event, {totals.before:,} before "
        f"and {totals.after:,} after.",
        f"Together they got {count_of(totals.boosts, 'boost')}, {count_of(totals.favourites, 'favourite')} "
        f"and {count_of(totals.replies, 'reply', 'replies')}.",
    ]
    return " ".join([*sentences, _busiest_sentence(analysis)])


def most_toots(analysis: Analysis) -> str:
    """Who wrote the most, and how many were new; empty when nobody may be named and nothing is known."""
    sentences = []
    if analysis.most_active is not None:
        sentences.append(_most_active_sentence(analysis.most_active))
    if analysis.totals.first_timers:
        verb = "was" if analysis.totals.first_timers == 1 else "were"
        sentences.append(f"{count_of(analysis.totals.first_timers, 'author')} {verb} here for the first time.")
    return " ".join(sentences)


def tie_sentence(analysis: Analysis) -> str:
    """Which rankings left out toots as good as their last one; empty if none did."""
    rankings = analysis.rankings
    cuts = [
        count_of(count, singular, plural)
        for count, singular, plural in (
            (rankings.boosts.cut_tie, "boost", "boosts"),
            (rankings.favourites.cut_tie, "favourite", "favourites"),
            (rankings.replies.cut_tie, "reply", "replies"),
        )
        if count is not None
    ]
    if not cuts:
        return ""
    place = "place" if len(cuts) == 1 else "places"
    return f"Ties for the last {place} were cut: there are more toots with {join_words(cuts)}."


def speakable_name(display_name: str, handle: str) -> str:
    """The name an author chose, on one line and harmless in a toot; else the first part of the handle."""
    kept = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in display_name)
    kept = "".join(char for char in kept if unicodedata.category(char) not in ("Cs", "Co", "Cn"))
    name = " ".join(_EMOJI_CODE.sub(" ", _SCHEME.sub(" ", kept)).split()).translate(_DEFUSED)
    if len(name) > _NAME_LENGTH:
        name = f"{name[: _NAME_LENGTH - 1].rstrip()}…"
    return name or handle.partition("@")[0]


def _most_active_sentence(author: ActiveAuthor) -> str:
    opening = "Most active was" if author.is_sole_first else "Among the most active was"
    name = speakable_name(author.display_name, author.author)
    return f"{opening} {name} from {author.server} with {count_of(author.toots, 'toot')}."


def _busiest_sentence(analysis: Analysis) -> str:
    index = analysis.series.busiest or 0
    moment, place = analysis.series.moment(index), zone(analysis.options.timezone)
    count = count_of(analysis.series.counts[index], "toot")
    return f"The busiest minute was {clock(moment, place)} {zone_label(moment, place)} with {count}."
