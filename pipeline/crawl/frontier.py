"""The frontier: Visit rows of a crawl. Every change is one conditional UPDATE whose row count says who won.

Whoever walks a visit holds a lease on the row and the turn at its server (``jobs.turns``), so that neither another
worker on this crawl nor the crawl of another event asks that server meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from common.times import now_utc
from jobs import turns
from jobs.identity import is_gone
from jobs.turns import LEASE, RENEW_SECONDS, new_holder
from pipeline.core.fetch import Cursor
from pipeline.crawl.messages import Assignment
from pipeline.models import Crawl, Toot, Visit
from pipeline.toots import load_erased

__all__ = ["LEASE", "RENEW_SECONDS", "new_holder"]

_OPEN = (Visit.State.PENDING, Visit.State.RUNNING)


def claim(
    crawl: Crawl, holder: str, most: int, *, with_home: bool = True, newest_first: bool = False
) -> list[Assignment]:
    """Up to ``most`` visits that nobody walks, at servers that nobody asks: those found first, or last."""
    free = _find_free(crawl, with_home=with_home).order_by("-id" if newest_first else "id")
    if not free.exists():  # before a transaction that would keep other writers waiting
        return []
    with transaction.atomic():
        visits = list(free.select_for_update(skip_locked=True, of=("self",))[:most])
        won = turns.take([visit.server for visit in visits], holder)
        claimed = [visit for visit in visits if visit.server in won]
        now = now_utc()
        Visit.objects.filter(pk__in=[visit.pk for visit in claimed]).update(
            state=Visit.State.RUNNING,
            lease_holder=holder,
            lease_until=now + LEASE,
            started_at=Coalesce("started_at", now),
        )
    return [_assignment(visit, won[visit.server]) for visit in claimed]


def renew(crawl: Crawl, holder: str) -> set[int]:
    """Hold on to everything that is being walked, pauses included; returns the visits that are still ours."""
    held = _held(crawl, holder)
    held.update(lease_until=now_utc() + LEASE)
    servers = turns.renew(holder)
    return {pk for pk, server in held.values_list("pk", "server") if server in servers}


def release(crawl: Crawl, holder: str) -> None:
    """Give back what is not finished, when nobody asks for it any more; whoever claims it goes on at the cursor."""
    _release(_held(crawl, holder))
    turns.release(holder)


def end_walks(crawl: Crawl, holder: str, walked: Mapping[int, tuple[str, datetime | None]]) -> None:
    """After walks have ended, with or without an outcome: visit -> server, and when that one may be asked again."""
    if walked:
        _release(_held(crawl, holder).filter(pk__in=list(walked)))
        turns.give_back(dict(walked.values()), holder)


def release_dead(crawl: Crawl) -> None:
    """Give back what processes of this machine held that do not live any more, without waiting for the lease."""
    running = crawl.visits.filter(state=Visit.State.RUNNING)
    for holder in set(running.order_by().values_list("lease_holder", flat=True)):
        if is_gone(holder.rpartition("/")[0]):
            release(crawl, holder)
    turns.release_dead()


def discover(crawl: Crawl, servers: Iterable[str], *, most: int) -> list[str]:
    """Add servers found on the way as pending visits, at most ``most`` in all, erased ones not. In a transaction.

    Returns those that found no room.
    """
    erased = load_erased().servers
    wanted = [server for server in dict.fromkeys(servers) if server not in erased]
    known = set(crawl.visits.filter(server__in=wanted).values_list("server", flat=True))
    missing = [server for server in wanted if server not in known]
    if not missing:
        return []
    # One worker at a time, so that two together do not find more room than there is.
    Crawl.objects.select_for_update(no_key=True).get(pk=crawl.pk)
    room = max(0, most - crawl.visits.count())
    Visit.objects.bulk_create([Visit(crawl=crawl, server=server) for server in missing[:room]], ignore_conflicts=True)
    return missing[room:]


def is_exhausted(crawl: Crawl) -> bool:
    """Whether nothing is left to walk, here or in another process."""
    return not crawl.visits.filter(state__in=_OPEN).exists()


def count_open(crawl: Crawl) -> int:
    """How many servers are still to be walked to the end, here or in another process."""
    return crawl.visits.filter(state__in=_OPEN).count()


def is_running(crawl: Crawl) -> bool:
    return Crawl.objects.filter(pk=crawl.pk, state=Crawl.State.RUNNING).exists()


def count_pending(crawl: Crawl) -> int:
    return crawl.visits.filter(state=Visit.State.PENDING).count()


def count_left_out(crawl: Crawl) -> int:
    """Servers named by stored toots that found no room among the visits."""
    seen = Toot.objects.filter(sightings__visit__crawl=crawl).order_by()
    asked = crawl.visits.order_by().values("server")
    return seen.exclude(origin__in=asked).values("origin").distinct().count()


def give_up(crawl: Crawl) -> None:
    """Close what is still open, because the crawl ends early."""
    crawl.visits.filter(state__in=_OPEN).update(
        state=Visit.State.FAILED,
        outcome=Visit.Outcome.CANCELLED,
        detail="The fetch ended before this server was done.",
        lease_holder="",
        lease_until=None,
        finished_at=now_utc(),
    )


def _find_free(crawl: Crawl, *, with_home: bool) -> QuerySet[Visit]:
    lapsed = Q(state=Visit.State.RUNNING, lease_until__lt=now_utc())
    free = crawl.visits.filter(Q(state=Visit.State.PENDING) | lapsed)
    if not with_home:
        free = free.filter(is_home=False)
    return free.exclude(server__in=turns.taken_by_somebody().values("server"))


def _held(crawl: Crawl, holder: str) -> QuerySet[Visit]:
    return crawl.visits.filter(state=Visit.State.RUNNING, lease_holder=holder)


def _release(visits: QuerySet[Visit]) -> None:
    visits.update(state=Visit.State.PENDING, lease_holder="", lease_until=None)


def _assignment(visit: Visit, not_before: datetime | None) -> Assignment:
    return Assignment(
        visit.pk,
        visit.server,
        visit.is_home,
        Cursor.from_json(visit.cursor),
        visit.seconds,
        requests=visit.requests,
        received_bytes=visit.received_bytes,
        not_before=not_before,
    )
