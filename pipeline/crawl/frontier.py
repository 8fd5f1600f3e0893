"""The frontier: Visit rows of a crawl. Every change is one conditional UPDATE whose row count says who won."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from common.times import now_utc
from jobs.identity import is_gone, this_worker
from pipeline.core.fetch import Cursor
from pipeline.crawl.messages import Assignment
from pipeline.models import Crawl, Visit

# Shorter than the time after which a job without a pulse goes to another worker, so that its visits are free then.
LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5.0

_OPEN = (Visit.State.PENDING, Visit.State.RUNNING)


def new_holder() -> str:
    """Who holds a lease: this run of the crawl, in this process, on this machine."""
    return f"{this_worker()}/{secrets.token_hex(4)}"


def claim(crawl: Crawl, holder: str, most: int) -> list[Assignment]:
    """Up to ``most`` visits that nobody walks, now leased to ``holder``; first come, first walked."""
    now = now_utc()
    is_free = Q(state=Visit.State.PENDING) | Q(state=Visit.State.RUNNING, lease_until__lt=now)
    claimed = []
    with transaction.atomic():
        for visit in crawl.visits.filter(is_free).order_by("id")[:most]:
            won = Visit.objects.filter(is_free, pk=visit.pk).update(
                state=Visit.State.RUNNING,
                lease_holder=holder,
                lease_until=now + LEASE,
                started_at=visit.started_at or now,
            )
            if won:
                claimed.append(visit)
    return [
        Assignment(visit.pk, visit.server, visit.is_home, Cursor.from_json(visit.cursor), visit.seconds)
        for visit in claimed
    ]


def renew(crawl: Crawl, holder: str) -> None:
    """Hold on to everything that is being walked, pauses included."""
    crawl.visits.filter(state=Visit.State.RUNNING, lease_holder=holder).update(lease_until=now_utc() + LEASE)


def release(crawl: Crawl, holder: str) -> None:
    """Give back what is not finished; whoever claims it goes on at the cursor."""
    crawl.visits.filter(state=Visit.State.RUNNING, lease_holder=holder).update(
        state=Visit.State.PENDING, lease_holder="", lease_until=None
    )


def release_dead(crawl: Crawl) -> None:
    """Give back what processes of this machine held that do not live any more, without waiting for the lease."""
    held = crawl.visits.filter(state=Visit.State.RUNNING)
    for holder in set(held.order_by().values_list("lease_holder", flat=True)):
        if is_gone(holder.rpartition("/")[0]):
            release(crawl, holder)


def discover(crawl: Crawl, servers: Iterable[str], *, most: int) -> int:
    """Add servers found on the way as pending visits, at most ``most`` in all; returns how many found no room."""
    wanted = list(dict.fromkeys(servers))
    known = set(crawl.visits.filter(server__in=wanted).values_list("server", flat=True))
    missing = [server for server in wanted if server not in known]
    room = max(0, most - crawl.visits.count()) if missing else 0
    Visit.objects.bulk_create([Visit(crawl=crawl, server=server) for server in missing[:room]], ignore_conflicts=True)
    return len(missing) - min(room, len(missing))


def is_exhausted(crawl: Crawl) -> bool:
    """Whether nothing is left to walk, here or in another process."""
    return not crawl.visits.filter(state__in=_OPEN).exists()


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
