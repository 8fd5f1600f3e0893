"""The words of a thread: the event's own texts, filled in with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from common.errors import ConfigurationError
from common.sandbox import BadTemplate
from events.models import Event, ScoringDefaults
from events.thread_texts import THREAD_TEXTS
from pipeline.artifacts import find_artifact
from pipeline.core.post import Picture, ThreadFacts, Value, Write
from pipeline.core.toot_text import harmless
from pipeline.core.wording import long_date
from pipeline.shown import Shown


def writer_for(subject: ScoringDefaults, sources: Mapping[str, str] | None = None) -> Write:
    """Fills in the texts of an event or a series; ``sources`` replaces some of them, to try them out."""

    def write(name: str, values: Mapping[str, Value]) -> str:
        text = THREAD_TEXTS[name]
        source = (sources or {}).get(name)
        try:
            return text.fill_in(getattr(subject, f"thread_{name}") if source is None else source, values)
        except BadTemplate as error:
            raise ConfigurationError(f"The text “{text.label}” of the thread: {error.user_message}") from error

    return write


def read_thread_facts(event: Event, shown: Shown) -> ThreadFacts:
    results = shown.results
    site = settings.MASTOSCORE_BLOG_URL
    return ThreadFacts(
        opening=(str(results["preamble"]), str(results["num_toots"])),
        hashtag=event.hashtag,
        rankings=shown.rankings,
        most_active=shown.most_active,
        graph=_picture(event, "graph"),
        wordcloud=_picture(event, "wordcloud"),
        blog_link=f"{site}/{event.slug}/" if site else "",
        is_mentioning=event.tag_users,
        values=_values(event, results),
    )


def _values(event: Event, results: Mapping[str, Any]) -> dict[str, Value]:
    site = settings.MASTOSCORE_SITE_URL
    return {
        "title": harmless(event.title),
        "event": harmless(event.event_title),
        "episode": harmless(event.episode_title),
        "date": long_date(event.local_date),
        "toots": int(results["total_toots"]),
        "people": int(results["unique_ids"]),
        "servers": int(results["total_servers"]),
        "boosts": int(results["boosts"]),
        "favourites": int(results["favourites"]),
        "replies": int(results["replies"]),
        "results_link": f"{site}/events/{event.slug}/" if site and event.is_published else "",
    }


def _picture(event: Event, kind: str) -> Picture | None:
    artifact = find_artifact(event, kind)
    return Picture(artifact.path, artifact.description) if artifact is not None else None
