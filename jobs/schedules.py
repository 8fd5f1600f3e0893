"""What comes round by the clock: rows of django-q2's Schedule, seen and changed in the admin."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule

from jobs.models import Beat

DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Planned:
    """``function``: dotted path of a function without arguments; it must be safe to run twice at the same time."""

    name: str
    function: str
    minutes: int


_planned: dict[str, Planned] = {}


def register_schedule(name: str, func_path: str, minutes: int) -> None:
    """Have a function run every so many minutes; called in ``AppConfig.ready``."""
    new = Planned(name, func_path, minutes)
    if _planned.setdefault(name, new) != new:
        raise ValueError(f"two plans are called {name!r}")


def ensure_schedules() -> int:
    """Make the rows that are missing; returns how many. Safe at any time and in several processes at once.

    What a person changed in the admin (how often, when next) stays.
    """
    made = 0
    with transaction.atomic():
        # Schedule.name is not unique, so this row is the lock (SQLite has taken the whole database with BEGIN).
        Beat.objects.get_or_create(name="schedules", defaults={"at": timezone.now()})
        lock = Beat.objects.select_for_update().get(name="schedules")
        for plan in _planned.values():
            made += _ensure(plan)
        Beat.objects.filter(pk=lock.pk).update(at=timezone.now())
    return made


def _ensure(plan: Planned) -> int:
    rows = list(Schedule.objects.filter(name=plan.name).order_by("pk"))
    if not rows:
        Schedule.objects.create(
            name=plan.name, func=plan.function, schedule_type=Schedule.MINUTES, minutes=plan.minutes, repeats=-1
        )
        return 1
    Schedule.objects.filter(pk=rows[0].pk).exclude(func=plan.function).update(func=plan.function)
    return 0
