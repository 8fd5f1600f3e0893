"""INI files and configurations into events: all of a file or nothing, every problem of it told at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from django.db import transaction
from django.db.models import Field
from django.utils.text import slugify

from common.times import zone
from events import ini
from events.accounts import choose_account, keep_token, parse_credentials
from events.errors import EventConflict, InvalidEvent, UnknownEvent
from events.guarding import APPROVING_FIELDS
from events.ini_options import OPTIONS
from events.ini_text import capped
from events.models import Event, MastodonAccount, Series
from events.storing import complaints_of, find_event, store

_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,100}")
_ACCOUNT_FIELDS = {"home_server", "home_username", "posting_server", "posting_username", "series_slug", "slug"}


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    event: Event
    created: bool
    warnings: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # among the warnings: what a change of settings brought with it


def import_event_text(
    text: str,
    *,
    name: str,
    slug: str | None = None,
    credentials_text: str | None = None,
    is_new: bool = False,
    may_post: bool = False,
    by: Any = None,
) -> ImportOutcome:
    """Store the event an INI file describes; all or nothing.

    ``name`` is the file's name (empty or ``-`` for none): a file imported before updates its event. Otherwise the
    event is found, or made, by ``slug``, the file's own slug, the file's name, or hashtag and date. Raises
    IniError with every problem of the file, also if it turns on automatic approval and whoever asks has not the right
    to post threads (``may_post``); EventConflict (``is_new``: also if the event is there already), BadCredentials.
    ``by`` is the user who asks; what they are to be told is among the warnings.
    """
    return import_event_sections(
        ini.parse(text),
        name=name,
        slug=slug,
        credentials_text=credentials_text,
        is_new=is_new,
        may_post=may_post,
        by=by,
    )


def import_event_sections(
    sections: Mapping[str, Mapping[str, str]],
    *,
    name: str,
    slug: str | None = None,
    credentials_text: str | None = None,
    is_new: bool = False,
    may_post: bool = False,
    by: Any = None,
) -> ImportOutcome:
    """As ``import_event_text``, from {section: {option: text}}."""
    reading = ini.read_sections(sections)
    problems = [*reading.problems, *_model_problems(reading)]
    if problems:
        raise ini.IniError(problems)
    server = reading.values.get("home_server", "")
    token = None if credentials_text is None else parse_credentials(credentials_text, server)
    file_name = "" if name == "-" else PurePosixPath(name).name[:300]
    with transaction.atomic():
        event = _target(reading, file_name, slug)
        created = event.pk is None
        if is_new and not created:
            raise EventConflict(f"There is an event “{event.slug}” already.")
        if not may_post:
            _refuse_approving(reading, event)
        moved = _movement(event, reading)
        _apply(reading, event)
        event.ini_name = file_name or event.ini_name
        if token is not None and event.home_account is not None:
            keep_token(event.home_account, token)
        told = store(event, may_post=may_post, by=by)
        if file_name:
            Event.objects.filter(ini_name=file_name).exclude(pk=event.pk).update(ini_name="")
    return ImportOutcome(event, created, [*told, *moved, *capped(reading.warnings)], told)


def store_config(
    name: str,
    sections: Mapping[str, Mapping[str, str]],
    *,
    is_replacing: bool = False,
    may_post: bool = False,
    by: Any = None,
) -> ImportOutcome:
    """An event of that name (slug, or name of an INI file) with this configuration, whole.

    Raises EventConflict if there is one already and ``is_replacing`` is not set, else as ``import_event_text``.
    """
    try:
        before = find_event(name)
    except UnknownEvent:
        return _store_new_config(name, sections, may_post=may_post)
    if not is_replacing:
        raise EventConflict(f"There is an event “{before.slug}” already.")
    return replace_config(before, sections, may_post=may_post, by=by)


def replace_config(
    event: Event, sections: Mapping[str, Mapping[str, str]], *, may_post: bool = False, by: Any = None
) -> ImportOutcome:
    """The same event with this configuration, whole."""
    return import_event_sections(sections, name="-", slug=event.slug, may_post=may_post, by=by)


def _store_new_config(name: str, sections: Mapping[str, Mapping[str, str]], *, may_post: bool) -> ImportOutcome:
    """The name becomes the slug where it can be one, so that the event is found by it."""
    file_name = PurePosixPath(name.strip().removeprefix("ini/")).name
    stem = file_name.removesuffix(".ini")
    slug = stem if _SLUG.fullmatch(stem) else None
    is_slug_alone = slug is not None and file_name == stem
    file_name = "-" if is_slug_alone else file_name
    return import_event_sections(sections, name=file_name, slug=slug, is_new=True, may_post=may_post)


def _model_problems(reading: ini.Reading) -> list[str]:
    """What the model says about the values that could be read, as sentences about the file."""
    values = {name: value for name, value in reading.values.items() if name not in _ACCOUNT_FIELDS}
    untouched = {f.name for f in Event._meta.fields} - set(values)
    draft = Event(**{"hashtag": "x", **values})
    if "start" not in values or "timezone" in reading.unreadable:
        draft.start, draft.timezone = datetime(2026, 1, 1, tzinfo=UTC), "UTC"
    problems = []
    for name, texts in complaints_of(draft, exclude=untouched).items():
        source = reading.sources.get(name)
        if source is not None:
            problems += [source.problem(_rest_of_sentence(name, text)) for text in dict.fromkeys(texts)]
    slug = reading.values.get("slug")
    if slug and not _SLUG.fullmatch(slug):
        problems.append(reading.sources["slug"].problem("is not a slug: letters, digits, “-” and “_” only"))
    return problems


def _rest_of_sentence(name: str, text: str) -> str:
    choices = _model_field(name).choices
    if choices and "is not a valid choice" in text:
        return f"is none of {', '.join(str(value) for value, _ in choices)}"
    return f"cannot be used: {text.rstrip('.')}"


def _model_field(name: str) -> Field[Any, Any]:
    return next(f for f in Event._meta.fields if f.name == name)


def _target(reading: ini.Reading, file_name: str, slug: str | None) -> Event:
    """The event to update, or a new one with its slug."""
    if slug is not None:
        if not _SLUG.fullmatch(slug):
            raise InvalidEvent([f"“{slug[:100]}” is not a slug: letters, digits, “-” and “_” only, at most 100."])
        return Event.objects.filter(slug=slug).first() or Event(slug=slug)
    before = Event.objects.filter(ini_name=file_name).first() if file_name else None
    if before:
        return before
    wanted = _own_slug(reading) or _default_slug(reading, file_name)
    return Event.objects.filter(slug=wanted).first() or Event(slug=wanted)


def _own_slug(reading: ini.Reading) -> str:
    """The slug in the file, unless it is another date's event: then the file is a copy made for a new event."""
    slug = str(reading.values.get("slug", ""))
    event = Event.objects.filter(slug=slug).first() if slug else None
    if event is None or _names_files_like(event, reading):
        return slug
    reading.warnings.append(
        f"[mastoscore] slug: {slug} is the event of {event.local_date} for #{event.hashtag}, so it is not used here."
    )
    return ""


def _names_files_like(event: Event, reading: ini.Reading) -> bool:
    return event.hashtag_key == reading.values["hashtag"].casefold() and event.local_date == _local(reading).date()


def _default_slug(reading: ini.Reading, file_name: str) -> str:
    stem = PurePosixPath(file_name).stem
    if _SLUG.fullmatch(stem):
        return stem
    return f"{slugify(reading.values['hashtag'])[:91] or 'event'}-{_local(reading):%Y%m%d}"


def _local(reading: ini.Reading) -> datetime:
    start: datetime = reading.values["start"]
    return start.astimezone(zone(reading.values.get("timezone", "UTC")))


def _movement(event: Event, reading: ini.Reading) -> list[str]:
    if event.pk is None or _names_files_like(event, reading):
        return []
    return [
        f"The event {event.slug} was #{event.hashtag} on {event.local_date} until now; what was fetched and "
        "written for that stays as it is until you fetch again."
    ]


def _refuse_approving(reading: ini.Reading, event: Event) -> None:
    """IniError if the file turns on what only those may turn on who may approve threads."""
    turned_on = [name for name in APPROVING_FIELDS if reading.values.get(name) and not getattr(event, name)]
    if turned_on:
        raise ini.IniError([reading.sources[name].problem("needs the right to post threads") for name in turned_on])


def _apply(reading: ini.Reading, event: Event) -> None:
    """Set every value: the file's, else the default; our own additions stay as they are if not mentioned."""
    is_new = event.pk is None
    for option in OPTIONS:
        name = option.field
        if name in _ACCOUNT_FIELDS:
            continue
        if name in reading.values:
            setattr(event, name, reading.values[name])
        elif name == "event_title":
            event.event_title = reading.values["hashtag"]
        elif is_new or not option.is_ours:
            setattr(event, name, _model_field(name).get_default())
    event.start = reading.values["start"].astimezone(UTC)
    event.kept_options = reading.kept
    _apply_accounts(reading, event)
    _apply_series(reading, event)


def _apply_accounts(reading: ini.Reading, event: Event) -> None:
    get = reading.values.get
    home, username = get("home_server", ""), get("home_username", "")
    event.home_account = _account(home, username, event.home_account, reading)
    posting, posting_username = get("posting_server", ""), get("posting_username", "")
    if posting_username and "posting_server" not in reading.values:
        posting = home
    event.posting_account = _account(posting, posting_username, event.posting_account, reading)


def _account(
    server: str, username: str, current: MastodonAccount | None, reading: ini.Reading
) -> MastodonAccount | None:
    if not server:
        return None
    account = choose_account(server, username, current=current)
    if username and account.username != username:
        reading.warnings.append(f"No account {username} on {server} is connected here; “{account}” is used.")
    return account


def _apply_series(reading: ini.Reading, event: Event) -> None:
    if "series_slug" not in reading.values:
        return
    slug = reading.values["series_slug"]
    event.series = Series.objects.filter(slug=slug).first() if slug else None
    if slug and event.series is None:
        reading.warnings.append(f"[mastoscore] series: there is no series “{slug}” here; the event is in none.")
