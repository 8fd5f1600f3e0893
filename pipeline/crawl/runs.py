"""Beginning, resuming and closing a crawl."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import transaction

from common.errors import ConfigurationError
from common.text import fold_hashtag
from common.times import Window, now_utc
from events.models import Event
from jobs.models import Job
from pipeline.core.fetch import Aim
from pipeline.crawl import frontier
from pipeline.models import Analysis, Crawl, Visit


def aim_of(crawl: Crawl) -> Aim:
    """What a crawl is after, as it was when it began."""
    return Aim.at(
        crawl.hashtags,
        Window(crawl.window_start, crawl.window_end),
        crawl.max_toots,
        excluded=crawl.excluded,
        is_quick=crawl.mode == Event.FetchMode.QUICK,
    )


def open_crawl(
    event: Event, *, job: Job | None, home_server: str, is_mock: bool, mode: str = ""
) -> tuple[Crawl, bool]:
    """The event's running crawl if it is after the same thing, else a new one; and whether it was resumed.

    A job that completed its crawl and was killed afterwards gets that crawl again. Invented and real toots never
    mix: real ones stand in the way of a mock crawl (ConfigurationError), invented ones make way for a real crawl,
    and for a mock crawl over servers of other names.
    """
    wanted = Crawl(
        event=event,
        job=job,
        is_mock=is_mock,
        mode=mode or event.fetch_mode,
        home_server=home_server,
        hashtag=event.hashtag,
        more_hashtags=event.more_hashtags,
        excluded_hashtags=event.excluded_hashtags,
        window_start=event.window.start,
        window_end=event.window.end,
        max_toots=event.max_toots,
    )
    done = event.crawls.filter(job=job, state=Crawl.State.COMPLETE).first() if job is not None else None
    if done is not None and _is_after_the_same(done, wanted):
        return done, True
    with transaction.atomic():
        running = event.crawls.select_for_update().filter(state=Crawl.State.RUNNING).first()
        if running is not None and _is_after_the_same(running, wanted):
            Crawl.objects.filter(pk=running.pk).update(job=job)
            return running, True
        if running is not None:
            close(running, Crawl.State.CANCELLED)
        if is_mock:
            refuse_to_mix(event)
        remove_mock_data(event, but_of_home=home_server if is_mock else None)
        wanted.save()
        Visit.objects.create(crawl=wanted, server=home_server, is_home=True)
    return wanted, False


def is_large(crawl: Crawl, few: int) -> bool:
    """Whether to expect more than a few servers: unless the event's last crawl found no more."""
    last = crawl.event.crawls.filter(pk__lt=crawl.pk).order_by("-pk").first()
    return last is None or last.visits.count() > few


def close(crawl: Crawl, state: Crawl.State) -> None:
    """End a crawl; what it stored stays, visits that are still open are closed with it."""
    with transaction.atomic():
        if state != Crawl.State.COMPLETE:
            frontier.give_up(crawl)
        Crawl.objects.filter(pk=crawl.pk, state=Crawl.State.RUNNING).update(state=state, finished_at=now_utc())
    crawl.refresh_from_db()


def note_summary(crawl: Crawl, summary: dict[str, Any]) -> None:
    crawl.summary = summary
    crawl.save(update_fields=["summary"])


def find_mock_home(event: Event) -> str | None:
    """The home server of the event's last mock crawl."""
    crawl = event.crawls.filter(is_mock=True).order_by("-id").first()
    return crawl.home_server if crawl is not None else None


def remove_mock_data(event: Event, *, but_of_home: str | None = None) -> int:
    """Remove what mock crawls brought, unless the latest began at ``but_of_home``; returns the number of toots."""
    home = find_mock_home(event)
    if home is None or home == but_of_home:
        return 0
    with transaction.atomic():
        removed = event.toots.count()
        event.crawls.filter(is_mock=True).delete()
        event.toots.all().delete()
        Analysis.objects.filter(event=event).delete()
    return removed


def refuse_to_mix(event: Event) -> None:
    """ConfigurationError if the event holds real toots, so that no mock crawl may run."""
    if event.toots.exists() and not event.crawls.filter(is_mock=True).exists():
        raise ConfigurationError(
            f"{event.slug} holds real toots, so no mock fetch",
            user_message=f"{event.slug} holds real toots already; invented ones of the bundled fediverse would mix "
            "with them. Try --mock with another event.",
        )


def _is_after_the_same(crawl: Crawl, wanted: Crawl) -> bool:
    """The order of the hashtags matters too, as a visit that goes on counts them."""
    return _purpose(crawl) == _purpose(wanted)


def _purpose(crawl: Crawl) -> tuple[object, ...]:
    aim, in_order = aim_of(crawl), tuple(map(fold_hashtag, crawl.hashtags))
    return (crawl.is_mock, crawl.home_server, in_order, replace(aim, spelled=()))
