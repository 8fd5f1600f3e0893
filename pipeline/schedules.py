"""What the pipeline does by the clock."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction

from common.times import now_utc
from events.models import Event
from jobs.services import AlreadyActive, enqueue

logger = logging.getLogger(__name__)

AUTOSCORE_MINUTES = 2
# Servers forget, or page too slowly through, what is older; and a box ticked on an old event, or a site that was
# switched off for months, must not set off a crawl of many events long gone. Score those by hand.
WITHIN_DAYS = 7


def autoscore() -> int:
    """Queue a score for every event whose hour has come; returns how many. Safe to run twice at the same time.

    An event is claimed by the UPDATE that fills ``autoscored_at``, in one transaction with its job: claimed and
    queued, or neither. While another job works on the event, it waits for the next round.
    """
    count = 0
    now = now_utc()
    for event in _due_events(now):
        try:
            with transaction.atomic():
                if not _claim(event, now):
                    continue
                job = enqueue("score", event=event)
        except AlreadyActive as error:
            logger.info("autoscore of %s waits for job %s", event.slug, error.job.pk)
            continue
        logger.info("autoscore of %s queued as job %s", event.slug, job.pk)
        count += 1
    return count


def is_due(event: Event, now: datetime) -> bool:
    """From the chosen time after the event's end, for a week."""
    due_at = event.end + event.autoscore_delay
    return due_at <= now < due_at + timedelta(days=WITHIN_DAYS)


def _due_events(now: datetime) -> Iterator[Event]:
    waiting = Event.objects.filter(autoscore=True, autoscored_at__isnull=True, start__lte=now)
    return (event for event in waiting.order_by("start") if is_due(event, now))


def _claim(event: Event, now: datetime) -> bool:
    rows = Event.objects.filter(pk=event.pk, autoscore=True, autoscored_at__isnull=True)
    return rows.update(autoscored_at=now) == 1
