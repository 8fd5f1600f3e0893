"""Events found, checked and saved: what the other services of this app stand on."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from events.errors import EventConflict, InvalidEvent, UnknownEvent
from events.guarding import save_guarded
from events.models import Event


def find_event(name: str) -> Event:
    """The event of that slug, or imported under that name (with or without ``ini/`` and ``.ini``).

    Looks in the database only; raises UnknownEvent.
    """
    bare = name.strip().removeprefix("ini/")
    if bare and "\0" not in bare:
        events = Event.objects.filter
        found = (
            events(slug=bare).first()
            or events(ini_name=bare).first()
            or (events(slug=bare.removesuffix(".ini")).first() if bare.endswith(".ini") else None)
        )
        if found:
            return found
    raise UnknownEvent(name)


def find_conflict(event: Event) -> Event | None:
    """The other event with this one's hashtag on its date; their files would have the same names."""
    others = Event.objects.exclude(pk=event.pk) if event.pk else Event.objects.all()
    return others.filter(hashtag_key=event.hashtag.casefold(), local_date=event.local_start.date()).first()


def conflict_sentence(event: Event, other: Event) -> str:
    return (
        f"There is an event for #{event.hashtag} on {event.local_start:%Y-%m-%d} already: {other.slug}. "
        "Their files would have the same names."
    )


def store(event: Event, *, may_post: bool = False, by: Any = None) -> list[str]:
    """Check and save; the database has the last word when two are stored at once. Returns what to tell.

    Raises InvalidEvent or EventConflict and stores nothing then. ``may_post`` and ``by`` as in ``save_guarded``.
    """
    problems = complaints_of(event, exclude=set())
    if problems:
        raise InvalidEvent([f"{name}: {text}" for name, texts in problems.items() for text in texts])
    same_slug = Event.objects.filter(slug=event.slug).exclude(pk=event.pk).exists()
    if same_slug:
        raise EventConflict(f"There is an event “{event.slug}” already.")
    other = find_conflict(event)
    if other:
        raise EventConflict(conflict_sentence(event, other))
    try:
        return save_guarded(event, may_post=may_post, by=by)
    except IntegrityError as error:
        raise EventConflict(
            f"event {event.slug!r} clashed with another one being stored",
            user_message="Another event with the same slug, or hashtag and date, was stored at the same moment.",
        ) from error


def complaints_of(event: Event, exclude: set[str]) -> dict[str, list[str]]:
    """What the model says about its fields, by field; uniqueness is looked at elsewhere."""
    complaints: dict[str, list[str]] = {}
    for check in (event.clean_fields, lambda exclude: event.clean()):
        try:
            check(exclude={*exclude, "hashtag_key", "local_date", "kept_options"})
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                complaints.setdefault(name, []).extend(texts)
    return complaints
