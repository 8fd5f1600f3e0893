"""The thread as it would be with texts that are still being written: nothing is stored, no server is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from common.errors import NotReadyError
from events.models import Event, ScoringDefaults, Series
from events.thread_texts import COMMON_SAMPLES
from jobs.context import JobContext
from pipeline.core.post import (
    MostActive,
    Picture,
    PlannedToot,
    ThreadFacts,
    ThreadLimits,
    Value,
    plan_thread,
)
from pipeline.core.toot_text import harmless
from pipeline.core.wording import long_date
from pipeline.results_page import RANKINGS, Quote, Ranking
from pipeline.shown import load_shown
from pipeline.thread import ledger
from pipeline.thread.texts import read_thread_facts, writer_for

_AUTHORS = (("Ada", "ada"), ("Bo Lindqvist", "bo"), ("Chidi 🎬", "chidi"))
_SERVER = "home.example"
_WORDS = "Beware of the Blob!"


@dataclass(frozen=True, slots=True)
class Trial:
    """``numbers`` says whose numbers the toots show."""

    toots: list[PlannedToot]
    numbers: str


def try_event_texts(event: Event, sources: Mapping[str, str], *, is_mentioning: bool) -> Trial:
    """With the event's own numbers, or made-up ones before the first analysis. ConfigurationError for a bad text."""
    limits = ledger.read_limits(ledger.find_thread(event))
    try:
        facts = read_thread_facts(event, load_shown(JobContext.detached("post", event=event)))
        numbers = f"the numbers of {event}"
    except NotReadyError:
        facts, numbers = _made_up(event, title=event.title, event_title=event.event_title), "made-up numbers"
        facts = replace(facts, values={**facts.values, "date": long_date(event.local_date)})
    toots = plan_thread(replace(facts, is_mentioning=is_mentioning), limits, writer_for(event, sources))
    return Trial(toots, numbers)


def try_series_texts(series: Series, sources: Mapping[str, str], *, is_mentioning: bool) -> Trial:
    """With the numbers of the newest event of the series that has some, else with made-up ones."""
    event = series.events.filter(analysis__isnull=False).order_by("-start").first()
    if event is not None:
        return try_event_texts(event, sources, is_mentioning=is_mentioning)
    title = f"{series.title}: {COMMON_SAMPLES['episode']}"
    facts = replace(_made_up(series, title=title, event_title=series.title), is_mentioning=is_mentioning)
    return Trial(plan_thread(facts, ThreadLimits(), writer_for(series, sources)), "made-up numbers")


def _made_up(subject: ScoringDefaults, *, title: str, event_title: str) -> ThreadFacts:
    values: dict[str, Value] = {**COMMON_SAMPLES, "title": harmless(title), "event": harmless(event_title)}
    return ThreadFacts(
        opening=(f"The numbers of {title}, {values['date']}.", "1,204 toots by 231 people on 64 servers."),
        hashtag=subject.hashtag,
        rankings=tuple(Ranking(key, label, tuple(_quotes())) for _, label, key in RANKINGS),
        most_active=MostActive(f"ada@{_SERVER}", "Ada", f"https://{_SERVER}/@ada", 31),
        graph=Picture("", "Toots per minute"),
        wordcloud=Picture("", "The words used most"),
        blog_link=str(values["blog_link"]),
        values=values,
    )


def _quotes() -> list[Quote]:
    return [
        Quote(
            rank=rank,
            text=_WORDS,
            warning="",
            author=f"{user}@{_SERVER}",
            display_name=name,
            author_link=f"https://{_SERVER}/@{user}",
            link=f"https://{_SERVER}/@{user}/{rank}",
            server=_SERVER,
            created_at=None,
            boosts=37 - rank,
            favourites=92 - rank,
            replies=17 - rank,
            media_count=0,
            is_authoritative=True,
        )
        for rank, (name, user) in enumerate(_AUTHORS, 1)
    ]
