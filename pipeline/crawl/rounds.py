"""The rounds of a quick crawl: when every visit is done, some are opened again to look further."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, QuerySet

from events.models import Event
from pipeline.core.fetch import Cursor, Jump, Stage, View, id_at
from pipeline.core.quick import Standing, place_in_window, plan_round, trail_pages
from pipeline.crawl import frontier
from pipeline.crawl.outcomes import is_good
from pipeline.models import Crawl, Sighting, Toot, Visit


def open_next(crawl: Crawl) -> bool:
    """Open visits again if that may bring something new; False: nothing is left to do. One worker at a time."""
    if crawl.mode != Event.FetchMode.QUICK:
        return False
    with transaction.atomic():
        locked = Crawl.objects.select_for_update(no_key=True).get(pk=crawl.pk)
        if locked.state != Crawl.State.RUNNING:
            return False
        if not frontier.is_exhausted(locked):
            return True  # another worker was first
        visits = {visit.server: visit for visit in locked.visits.all()}
        known_toots = _seen_toots(locked).count()
        plan = plan_round(
            _standings(locked, visits),
            round_number=locked.round,
            known_toots=known_toots,
            sampled_rows=_of_others(locked).filter(visit__is_home=False).count(),
        )
        for server in plan.probes:
            _reopen(visits[server], _probe(visits[server], locked))
        for server in plan.trails:
            _reopen(visits[server], Cursor(stage=Stage.TRAIL, most_pages=trail_pages(known_toots)))
        Crawl.objects.filter(pk=locked.pk).update(round=F("round") + 1)
    # The first round tells who is connected with whom, so the second one is planned even if nobody was looked at.
    return bool(plan) or (locked.round == 0 and open_next(crawl))


def _standings(crawl: Crawl, visits: dict[str, Visit]) -> list[Standing]:
    own = Counter(dict(_seen_toots(crawl).values_list("origin").annotate(toots=Count("pk"))))
    witnesses = dict(
        _of_others(crawl).order_by().values_list("toot__origin").annotate(servers=Count("visit", distinct=True))
    )
    return [
        Standing(
            server,
            own_toots=own[server],
            witnesses=witnesses.get(server, 0),
            stage=_stage_of(visit),
            is_shown=is_good(visit.outcome) and not visit.is_home,
        )
        for server, visit in visits.items()
    ]


def _stage_of(visit: Visit) -> Stage:
    """How far a server was looked at; one that showed its whole view has nothing more to tell."""
    cursor = Cursor.from_json(visit.cursor)
    return cursor.stage if cursor.stage is not Stage.FIRST or cursor.view is View.LOCAL else Stage.TRAIL


def _seen_toots(crawl: Crawl) -> QuerySet[Toot]:
    seen = Sighting.objects.filter(visit__crawl=crawl)
    return crawl.event.toots.filter(pk__in=seen.values("toot")).order_by()


def _of_others(crawl: Crawl) -> QuerySet[Sighting]:
    return Sighting.objects.filter(visit__crawl=crawl).exclude(visit__server=F("toot__origin"))


def _probe(visit: Visit, crawl: Crawl) -> Cursor:
    """One page from inside the window where ids tell the time, else the newest one."""
    if not Cursor.from_json(visit.cursor).carries_time:
        return Cursor(stage=Stage.PROBE, jump=Jump.SETTLED)
    span: timedelta = crawl.window_end - crawl.window_start
    moment: datetime = crawl.window_start + span * (1 - 0.9 * place_in_window(visit.server))
    return Cursor(stage=Stage.PROBE, jump=Jump.SETTLED, max_id=id_at(moment))


def _reopen(visit: Visit, cursor: Cursor) -> None:
    Visit.objects.filter(pk=visit.pk).update(state=Visit.State.PENDING, cursor=cursor.as_json(), finished_at=None)
