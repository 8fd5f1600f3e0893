"""After a crawl: toots that their own server does not have any more, and toots that came back.

A toot is asked for by itself when its server's complete view showed it in an earlier crawl and does not in this one.
Only the server's own word makes it gone. When an implausible share of all toots is missing at once, something is
wrong with the view rather than with the toots: then nothing is touched, and the crawl says so.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from common.errors import RemoteError
from common.http import Gate
from common.mastodon_lookup import Finding, Standing, look_up
from common.robots import RobotsRules, fetch_robots
from common.times import now_utc
from jobs.turns import ServerBusy, turn_at
from pipeline.core.fetch import Cursor, View
from pipeline.core.merge import pad_hashtags
from pipeline.crawl.coordinator import ROBOTS_SECONDS, robots_key
from pipeline.crawl.runs import aim_of
from pipeline.models import Crawl, Sighting, Toot, Visit
from pipeline.toots import find_counted_toots

PLAUSIBLE_SHARE = 0.25
_FEW = 3
_MOST_LOOKUPS = 200
_MOST_SECONDS = 120
_TURN_SECONDS = 5
# Of these outcomes a server's own toots were seen to the end, if paging did not go round in a circle.
_COMPLETE = (Visit.Outcome.COMPLETE, Visit.Outcome.LOCAL_ONLY)


@dataclass(frozen=True, slots=True)
class Vanished:
    """``missing``: toots not shown by their servers any more; ``gone``: those of them found to be deleted or not
    public; ``returned``: shown again. ``is_implausible``: so many are missing that none was touched."""

    missing: int = 0
    gone: int = 0
    returned: int = 0
    is_implausible: bool = False

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> Vanished:
        found = {name: int(result.get(name, 0)) for name in ("missing", "gone", "returned")}
        return cls(**found, is_implausible=bool(result.get("implausible_loss")))

    def as_result(self) -> dict[str, Any]:
        return {
            "missing": self.missing,
            "gone": self.gone,
            "returned": self.returned,
            "implausible_loss": self.is_implausible,
        }


def settle_vanished(crawl: Crawl, gate: Gate, *, check: Callable[[], None]) -> Vanished:
    """Bring ``gone_at`` of the event's toots up to date. ``check`` is asked between toots and may raise."""
    returned = _welcome_back(crawl)
    _drop_doubles(crawl)
    missing = _find_missing(crawl)
    counted = find_counted_toots(crawl.event).count()
    if len(missing) > _FEW and len(missing) > PLAUSIBLE_SHARE * counted:
        return Vanished(len(missing), 0, returned, is_implausible=True)
    gone, aim = 0, aim_of(crawl)
    for toot, finding in _look_up_all(missing, gate, check):
        if finding.standing in (Standing.GONE, Standing.NOT_PUBLIC):
            gone += Toot.objects.filter(pk=toot.pk, gone_at=None).update(gone_at=now_utc())
        elif finding.toot is not None and aim.hashtags.isdisjoint(finding.toot.hashtags):
            # It is still there without the hashtag: an author's correction.
            Toot.objects.filter(pk=toot.pk).update(hashtags=pad_hashtags(finding.toot.hashtags))
    return Vanished(len(missing), gone, returned)


def _welcome_back(crawl: Crawl) -> int:
    own = Sighting.objects.filter(toot=OuterRef("pk"), visit__crawl=crawl, visit__server=OuterRef("origin"))
    return crawl.event.toots.filter(Exists(own), gone_at__isnull=False).update(gone_at=None)


def _drop_doubles(crawl: Crawl) -> None:
    """A feed names toots by their pages. Where a server names its toots otherwise, that made two of one."""
    named = crawl.event.toots.filter(is_bare=False)
    with transaction.atomic():
        for double in crawl.event.toots.filter(is_bare=True, url__in=named.values("url")):
            toot = named.get(uri=named.filter(url=double.url).order_by("uri").values_list("uri", flat=True)[0])
            visits = double.sightings.values_list("visit_id", flat=True)
            Sighting.objects.bulk_create(
                [Sighting(toot=toot, visit_id=visit_id) for visit_id in visits], ignore_conflicts=True
            )
            double.delete()


def _find_missing(crawl: Crawl) -> list[Toot]:
    """Toots that an earlier crawl saw at their origin, and this one did not although it saw all of that server's."""
    complete = [visit.server for visit in crawl.visits.filter(outcome__in=_COMPLETE) if _is_to_the_end(visit)]
    if not complete:
        return []
    own = Sighting.objects.filter(toot=OuterRef("pk"), visit__server=OuterRef("origin"))
    toots = crawl.event.toots.filter(
        Exists(own.filter(visit__crawl__lt=crawl.pk)),
        ~Exists(own.filter(visit__crawl=crawl)),
        origin__in=complete,
        gone_at=None,
        is_bare=False,
        created_at__gte=crawl.window_start,
        created_at__lt=crawl.window_end,
    )
    return list(_only_about(crawl, toots).order_by("origin", "created_at", "uri"))


def _only_about(crawl: Crawl, toots: QuerySet[Toot]) -> QuerySet[Toot]:
    """Those that this crawl asked for: an earlier one may have been after more hashtags."""
    aim = aim_of(crawl)
    wanted = [
        pk
        for pk, hashtags in toots.values_list("pk", "hashtags")
        if not hashtags or (aim.hashtags & set(hashtags.split()) and not aim.excluded & set(hashtags.split()))
    ]
    return toots.filter(pk__in=wanted)


def _is_to_the_end(visit: Visit) -> bool:
    cursor = Cursor.from_json(visit.cursor)
    return not cursor.is_stuck and cursor.view is not View.FEED


def _look_up_all(toots: list[Toot], gate: Gate, check: Callable[[], None]) -> Iterator[tuple[Toot, Finding]]:
    """What their servers say of as many as we have time for; one server after the other, one request at a time."""
    by_server: defaultdict[str, list[Toot]] = defaultdict(list)
    for toot in toots[:_MOST_LOOKUPS]:
        by_server[toot.origin].append(toot)
    deadline = time.monotonic() + _MOST_SECONDS
    for server, theirs in by_server.items():
        try:
            with turn_at(server, wait_seconds=_TURN_SECONDS, check=check):
                robots = _robots_of(gate, server)
                for toot in theirs:
                    check()
                    if time.monotonic() > deadline:
                        return
                    yield toot, look_up(gate, toot.uri, toot.url, robots=robots)
        except ServerBusy:
            continue  # the next fetch asks again
        except RemoteError:
            check()  # its robots.txt could not be read: without it nothing is asked


def _robots_of(gate: Gate, server: str) -> RobotsRules:
    rules: RobotsRules | None = cache.get(robots_key(server))
    if rules is None:
        cache.set(robots_key(server), rules := fetch_robots(gate, server), ROBOTS_SECONDS)
    return rules
