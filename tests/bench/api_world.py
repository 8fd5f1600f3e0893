"""What the API has to list besides the toots of one event: a thousand events, servers, sightings, jobs, a caller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from common.api.access import Scope
from common.api.paging import Place
from events.models import Event
from jobs.models import Job
from mastoscore_site.tokens import make_token
from pipeline.models import Crawl, Toot, Visit
from pipeline.toots import find_counted_toots
from tests.bench.installation import SLUG

COUNTS = ("boosts", "favourites", "replies")
_SERVERS = 1000
_JOBS = 1000
_DEEP = 0.95
# Every so many ids: an author with a wish; a toot that nobody counted, and most have no reply.
_UNWILLING_EVERY, _QUIET_PERCENT = 50, 70


@dataclass(frozen=True, slots=True)
class Facts:
    """``shown``: how many toots may be shown. ``filters``: name -> query; most toots pass it, few, or none."""

    authorization: str
    shown: int
    filters: dict[str, str]


def fill(events: int) -> Facts:
    event = Event.objects.get(slug=SLUG)
    with transaction.atomic():
        Event.objects.bulk_create([_copy(event, number) for number in range(1, events)])
        _add_crawl(event)
        _make_toots_lifelike(event)
        Job.objects.bulk_create(
            [Job(kind="analyse", event=event, subject=event.slug, status="complete") for _ in range(_JOBS)]
        )
        user = User.objects.create_superuser("bench")
        _, token = make_token(user, "bench", [Scope.READ])
    toots = find_counted_toots(event)
    unwilling = set(event.toots.exclude(author_wishes="").values_list("author_handle", flat=True))
    handles = toots.values_list("author_handle", flat=True)
    return Facts(
        authorization=f"Bearer {token}",
        shown=sum(handle not in unwilling for handle in handles.iterator()),
        filters=_filters(event),
    )


def deep_cursor(order: str, *, is_descending: bool) -> str:
    """Of a page near the end of the list in that order."""
    sign = "-" if is_descending else ""
    toots = Toot.objects.filter(event__slug=SLUG).order_by(f"{sign}{order}", f"{sign}pk")
    value, pk = toots.values_list(order, "pk")[int(toots.count() * _DEEP)]
    return Place(value, pk, is_backward=False).encode()


def _copy(event: Event, number: int) -> Event:
    start = event.start + timedelta(days=number)
    values = {field.attname: getattr(event, field.attname) for field in Event._meta.concrete_fields}
    values |= {"id": None, "slug": f"{SLUG}-{number}", "start": start, "local_date": start.date()}
    return Event(**values | {"episode_title": f"The Monster of Lake {number}"})


def _add_crawl(event: Event) -> None:
    """A crawl in which every toot was seen by three servers."""
    window = event.window
    crawl = Crawl.objects.create(
        event=event,
        state="complete",
        home_server="s0.example",
        hashtag=event.hashtag,
        window_start=window.start,
        window_end=window.end,
        max_toots=2000,
        finished_at=timezone.now(),
    )
    Visit.objects.bulk_create(
        [
            Visit(crawl=crawl, server=f"s{number}.example", state="done", outcome="complete")
            for number in range(_SERVERS)
        ]
    )
    (first,) = crawl.visits.order_by("pk").values_list("pk", flat=True)[:1]
    for step in range(3):
        _execute(
            "INSERT INTO pipeline_sighting (toot_id, visit_id) SELECT id, %s + (id + %s) %% %s FROM pipeline_toot",
            [first, step, _SERVERS],
        )


def _make_toots_lifelike(event: Event) -> None:
    """Most toots have no boost at all, so lists by counts are full of equals; some authors wish not to be quoted."""
    for step, count in enumerate(COUNTS):
        _execute(
            f"UPDATE pipeline_toot SET {count} = 0 WHERE event_id = %s AND (id * 7919 + %s) %% 100 < %s",
            [event.pk, step, _QUIET_PERCENT],
        )
    _execute("UPDATE pipeline_toot SET is_reply = (id %% 6 = 0) WHERE event_id = %s", [event.pk])
    _execute(
        "UPDATE pipeline_toot SET author_wishes = 'nobot' WHERE event_id = %s AND id %% %s = 0",
        [event.pk, _UNWILLING_EVERY],
    )


def _execute(sql: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _filters(event: Event) -> dict[str, str]:
    toot = event.toots.order_by("pk").last()
    assert toot is not None
    late = quote((toot.created_at - timedelta(minutes=1)).isoformat())
    queries = (
        "search=monster",
        "search=zebra",
        f"author={quote(toot.author_handle)}",
        "author=nobody%40nowhere.example",
        f"origin={toot.origin}",
        "origin=nowhere.example",
        "language=en",
        "language=xx",
        "is_reply=true",
        "is_reply=false",
        "is_authoritative=true",
        "is_authoritative=false",
        *(f"min_{count}={number}" for count in COUNTS for number in (1, 1_000_000)),
    )
    by_time = {"since a minute before the end": f"since={late}", "until a minute before the end": f"until={late}"}
    return {query: query for query in queries} | by_time | {"everyone": "everyone=true"}
