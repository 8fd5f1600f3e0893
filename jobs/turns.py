"""Turns at servers: at most one of all our processes asks a server at a time.

A turn is a lease for as long as somebody has something to ask, not for a request; what it costs is one row written
when it begins, one when it ends, and a renewal of all together every few seconds. Every change is one conditional
UPDATE whose row count says who won.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from common.errors import RemoteError
from jobs.identity import is_gone, this_worker
from jobs.models import ServerTurn

# Shorter than the time after which a job without a pulse goes to another worker, so that its turns are free then.
LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5.0
_LOOK_SECONDS = 0.25


class ServerBusy(RemoteError):
    """Somebody else asks that server just now, or it wants to be left alone."""


def new_holder() -> str:
    """Who holds turns: this piece of work, in this process, on this machine."""
    return f"{this_worker()}/{secrets.token_hex(4)}"


def take(servers: Iterable[str], holder: str) -> dict[str, datetime | None]:
    """The turns of those servers that nobody holds, with the moment before which not to ask. In a transaction.

    A turn that ``holder`` has already is not given twice.
    """
    wanted, now = sorted(set(servers)), timezone.now()
    rows = ServerTurn.objects.filter(server__in=wanted)
    missing = set(wanted) - set(rows.values_list("server", flat=True))
    if missing:
        ServerTurn.objects.bulk_create(
            [ServerTurn(server=server) for server in sorted(missing)], ignore_conflicts=True
        )
    free = rows.filter(Q(holder="") | Q(held_until__lt=now)).select_for_update(skip_locked=True).order_by("server")
    won = dict(free.values_list("server", "not_before"))
    ServerTurn.objects.filter(server__in=list(won)).update(holder=holder, held_until=now + LEASE)
    return won


def taken_by_somebody() -> QuerySet[ServerTurn]:
    return ServerTurn.objects.filter(held_until__gte=timezone.now()).exclude(holder="")


def renew(holder: str) -> set[str]:
    """Hold on to all turns of the holder; returns their servers, as some may be lost by now."""
    held = ServerTurn.objects.filter(holder=holder)
    held.update(held_until=timezone.now() + LEASE)
    return set(held.values_list("server", flat=True))


def give_back(servers: Mapping[str, datetime | None], holder: str) -> None:
    """End turns, each with the moment before which nobody should ask that server, if it named one."""
    plain = [server for server, not_before in servers.items() if not_before is None]
    held = ServerTurn.objects.filter(holder=holder)
    if plain:
        held.filter(server__in=plain).update(holder="", held_until=None)
    for server in sorted(set(servers) - set(plain)):
        held.filter(server=server).update(holder="", held_until=None, not_before=servers[server])


def release(holder: str) -> None:
    """End all turns of the holder."""
    ServerTurn.objects.filter(holder=holder).update(holder="", held_until=None)


def release_dead() -> None:
    """End the turns of processes of this machine that do not live any more, without waiting for the lease."""
    for holder in set(taken_by_somebody().values_list("holder", flat=True)):
        if is_gone(holder.rpartition("/")[0]):
            release(holder)


@contextmanager
def turn_at(server: str, *, wait_seconds: float, check: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The turn at one server for a few requests, held while the block runs.

    Waits ``wait_seconds`` at most, asking ``check`` (which may raise) meanwhile; ServerBusy after that. Not for use
    inside a transaction.
    """
    holder, deadline = new_holder(), time.monotonic() + wait_seconds
    while not _take_one(server, holder):
        check()
        if time.monotonic() >= deadline:
            raise ServerBusy(
                f"{server} is being asked by somebody else",
                server=server,
                user_message=f"{server} is being asked for something else just now; try again in a while.",
            )
        time.sleep(_LOOK_SECONDS)
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(holder, ended), name="turn-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
        release(holder)


def _take_one(server: str, holder: str) -> bool:
    resting = ServerTurn.objects.filter(server=server, not_before__gt=timezone.now()).exists()
    if resting or taken_by_somebody().filter(server=server).exists():
        release_dead()
        return False
    with transaction.atomic():
        return bool(take([server], holder))


def _keep(holder: str, ended: threading.Event) -> None:
    try:
        while not ended.wait(RENEW_SECONDS):
            renew(holder)
    finally:
        connection.close()
