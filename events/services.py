"""Create, copy, find, import and export events: shared by pages, API and commands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from events import ini
from events.guarding import APPROVING_FIELDS
from events.importing import (
    ImportOutcome,
    import_event_sections,
    import_event_text,
    replace_config,
    store_config,
)
from events.ini_options import OPTIONS
from events.models import Event, ScoringDefaults, Series
from events.storing import conflict_sentence, find_conflict, find_event, store

__all__ = [
    "APPROVING_FIELDS",
    "SCORING_FIELDS",
    "ImportOutcome",
    "change_event",
    "config_dict",
    "conflict_sentence",
    "copy_event_to_next_week",
    "create_event",
    "create_event_from_series",
    "export_event_text",
    "find_conflict",
    "find_event",
    "import_event_sections",
    "import_event_text",
    "replace_config",
    "store_config",
    "weeks_later",
]

# What a series hands to its events, and an event to its copy.
SCORING_FIELDS = tuple(f.name for f in ScoringDefaults._meta.get_fields())


def create_event(*, may_post: bool = False, **values: Any) -> Event:
    """A new event, checked; raises InvalidEvent or EventConflict and stores nothing then.

    ``may_post``: whoever asks has the right to post threads, else the event's are never approved by themselves.
    """
    event = Event(**values)
    store(event, may_post=may_post)
    return event


def change_event(event: Event, values: Mapping[str, Any], *, may_post: bool = False, by: Any = None) -> list[str]:
    """Give the event new values, checked; returns what ``by`` is to be told (see ``events.guarding``).

    Raises InvalidEvent or EventConflict and stores nothing then.
    """
    for name, value in values.items():
        setattr(event, name, value)
    return store(event, may_post=may_post, by=by)


def copy_event_to_next_week(
    event: Event, weeks: int = 1, *, episode_title: str = "", may_post: bool = False
) -> Event:
    """The same event some weeks later, at the same time by the clocks of its zone; no results are copied.

    The episode is a new one: its title is the one given. ``may_post``: whoever asks has the right to post threads,
    else the copy's are never approved by themselves. Raises EventConflict if that week has one already.
    """
    start = weeks_later(event, weeks)
    values = _inherited(event, may_post=may_post)
    copy = Event(
        **values,
        series=event.series,
        event_title=event.event_title,
        episode_title=episode_title,
        start=start,
        kept_options=event.kept_options,
    )
    copy.slug = _slug_of_copy(event.slug, event.local_start, copy.local_start)
    store(copy, may_post=may_post)
    return copy


def create_event_from_series(
    series: Series, start: datetime, *, episode_title: str = "", slug: str = "", may_post: bool = False
) -> Event:
    """A new event with the series' defaults, its title, and a slug made of the series' slug and the local date.

    ``may_post`` as in ``copy_event_to_next_week``.
    """
    values = _inherited(series, may_post=may_post)
    event = Event(**values, series=series, event_title=series.title, episode_title=episode_title, start=start)
    event.slug = slug or f"{series.slug[:91]}-{event.local_start:%Y%m%d}"
    store(event, may_post=may_post)
    return event


def _inherited(source: ScoringDefaults, *, may_post: bool) -> dict[str, Any]:
    names = [name for name in SCORING_FIELDS if may_post or name not in APPROVING_FIELDS]
    return {name: getattr(source, name) for name in names}


def config_dict(event: Event) -> ini.Sections:
    """The whole configuration as {section: {option: text}}."""
    home, posting = event.home_account, event.posting_account
    values: dict[str, Any] = {
        "home_server": home.server if home else "",
        "home_username": home.username if home else "",
        "posting_server": posting.server if posting else "",
        "posting_username": posting.username if posting else "",
        "series_slug": event.series.slug if event.series else "",
        "start": event.start,
    }
    for option in OPTIONS:
        if option.field not in values:
            values[option.field] = getattr(event, option.field)
    return ini.sections_of(values, event.kept_options)


def export_event_text(event: Event) -> str:
    """An INI file from which ``import_event_text`` makes the same event."""
    return ini.format_sections(config_dict(event))


def weeks_later(event: Event, weeks: int) -> datetime:
    """The start some weeks on: the same time on the wall, whatever the clocks did in between."""
    local = event.local_start
    shifted = local.replace(tzinfo=None) + timedelta(weeks=weeks)
    return shifted.replace(tzinfo=local.tzinfo).astimezone(UTC)


def _slug_of_copy(slug: str, before: datetime, after: datetime) -> str:
    for form in ("%Y%m%d", "%Y-%m-%d"):
        if f"{before:{form}}" in slug:
            return slug.replace(f"{before:{form}}", f"{after:{form}}")
    return f"{slug[:91]}-{after:%Y%m%d}"
