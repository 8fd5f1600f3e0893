"""What the summary service may cost in a day: reserved before a call, set right after it.

A reservation is one conditional UPDATE, so that no number of callers at the same moment gets past the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import F

from feeds.errors import SummaryUnavailable
from feeds.models import SummarySpending


class SpentForToday(SummaryUnavailable):
    """The day's allowance is used up."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tokens set aside on a day: those sent and, at most, those that come back."""

    day: date
    input_tokens: int
    output_tokens: int


def reserve(input_tokens: int, output_tokens: int, now: datetime) -> Reservation:
    """Set a call aside; SpentForToday when the day has not so much left."""
    day = now.date()
    SummarySpending.objects.get_or_create(day=day)
    left = settings.SUMMARY_TOKENS_PER_DAY - input_tokens - output_tokens
    count = SummarySpending.objects.filter(
        day=day, calls__lt=settings.SUMMARY_CALLS_PER_DAY, input_tokens__lte=left - F("output_tokens")
    ).update(
        calls=F("calls") + 1,
        input_tokens=F("input_tokens") + input_tokens,
        output_tokens=F("output_tokens") + output_tokens,
    )
    if not count:
        raise SpentForToday("The summary service has been asked enough for today; there are new ones tomorrow.")
    return Reservation(day, input_tokens, output_tokens)


def settle(reserved: Reservation, input_tokens: int | None, output_tokens: int | None) -> None:
    """Count what it really took instead; None: the service did not say, so what was set aside stays counted."""
    more_in = 0 if input_tokens is None else input_tokens - reserved.input_tokens
    more_out = 0 if output_tokens is None else output_tokens - reserved.output_tokens
    if more_in or more_out:
        SummarySpending.objects.filter(day=reserved.day).update(
            input_tokens=F("input_tokens") + more_in, output_tokens=F("output_tokens") + more_out
        )


def give_back(reserved: Reservation) -> None:
    """The call was turned away before anything was made: its tokens are free again, the call stays counted."""
    settle(reserved, 0, 0)
