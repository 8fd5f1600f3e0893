"""An event that approves its threads by itself says only what those wanted who may post.

Whoever may change events may write its texts, choose its account, and so on. Where the next draft would approve
itself, that would be posting without the right to post. So a change by such a hand is kept, and approving by itself
is switched off: every way that settings are saved in goes through ``save_guarded``.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import models, transaction

from events.models import ScoringDefaults

# What lets threads out without anybody looking; turned on only by those who may post them.
APPROVING_FIELDS = ("post_auto_approve", "post_allow_changes")
# All that has no part in what a thread says, where, and by whom. Anything else counts, fields yet to come as well.
FREE_FIELDS = frozenset(
    {
        "id",
        "series",  # hands its settings down when an event is made, and never again
        "ini_name",
        "kept_options",
        "local_date",  # these two follow from others
        "hashtag_key",
        "is_published",  # puts the address of our own page into the thread, or leaves it away
        "autoscore",  # when, and not what
        "autoscore_delay",
        "autoscored_at",
        "blog_tags",
        "blog_categories",
        "bot_username",  # on previews only
        "created_at",
        "updated_at",
    }
)

_MOST_LISTED = 8


def save_guarded(subject: ScoringDefaults, *, may_post: bool, by: Any = None) -> list[str]:
    """Save an event or a series as changed by somebody; returns what they are to be told, as sentences.

    ``by`` is the user, for the history of what was changed. To be called with ``may_post`` by the command line.
    """
    with transaction.atomic():
        told = [] if may_post else _shut(subject, by)
        subject.save()
    return told


def _shut(subject: ScoringDefaults, by: Any) -> list[str]:
    stored = _stored(subject)
    for name in APPROVING_FIELDS:
        # What was loaded may be old: somebody who may post has switched it off meanwhile.
        setattr(subject, name, getattr(subject, name) and stored is not None and getattr(stored, name))
    is_open = [name for name in APPROVING_FIELDS if getattr(subject, name)]
    changed = list_changes(stored, subject) if stored is not None and is_open else []
    if not changed:
        return []
    for name in is_open:
        setattr(subject, name, False)
    flags, what = " and ".join(f"“{_label(subject, name)}”" for name in is_open), _listed(changed)
    if by is not None:
        note = f"Switched off {flags}: {what} changed by somebody who may not post threads."
        LogEntry.objects.log_actions(by.pk, [subject], CHANGE, change_message=note, single_object=True)
    return [
        f"Saved, and {flags} is switched off for {subject}: you changed {what}, and you may not post threads. "
        "Somebody who may can look at it and switch it on again."
    ]


def list_changes(before: ScoringDefaults, after: ScoringDefaults) -> list[str]:
    """Labels of what is different and has a part in the thread; approving fields apart."""
    passed_over = FREE_FIELDS | set(APPROVING_FIELDS)
    fields = [field for field in _fields(after) if field.name not in passed_over]
    return [
        str(field.verbose_name)
        for field in fields
        if _plain(getattr(before, field.attname)) != _plain(getattr(after, field.attname))
    ]


def _stored(subject: ScoringDefaults) -> ScoringDefaults | None:
    """What the database has now, locked until the change is saved."""
    if subject.pk is None:
        return None
    manager: models.Manager[Any] = type(subject)._default_manager
    found: ScoringDefaults | None = manager.select_for_update().filter(pk=subject.pk).first()
    return found


def _fields(subject: ScoringDefaults) -> list[models.Field[Any, Any]]:
    return list(subject._meta.concrete_fields)


def _label(subject: ScoringDefaults, name: str) -> str:
    return next(str(field.verbose_name) for field in _fields(subject) if field.name == name)


def _listed(labels: list[str]) -> str:
    more = len(labels) - _MOST_LISTED
    return ", ".join(labels[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def _plain(value: Any) -> Any:
    """Browsers send other line ends than those that are stored."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value
