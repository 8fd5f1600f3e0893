"""How long lists of the API take at the server, on SQLite: p50 and p95 as one line of JSON, with the query plans.

python -m tests.bench.api --events 1000 --toots 100000 --calls 60
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

_LIMIT_MS = 100.0
_PATIENCE_MS = 6_000.0  # for one kind of call
_HOST = "s%d.example"
_WORDS = "the monster comes out of the lake and the professor explains its rubber suit once more " * 3


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--toots", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mastoscore-bench-api-") as folder:
        figures = measure(Path(folder), options.events, options.toots, options.calls)
    print(json.dumps(figures))
    return 0 if all(row["p95_ms"] < _LIMIT_MS for row in figures["calls"].values()) else 1


def measure(folder: Path, events: int, toots: int, calls: int) -> dict[str, Any]:
    """In this process, without a web server: what is measured is middleware, view, database and JSON."""
    os.environ |= {
        "MASTOSCORE_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'mastoscore.sqlite3'}",
        "SECRET_KEY": "a key for benchmarks, long enough for any check",
        "DJANGO_SETTINGS_MODULE": "mastoscore_site.settings",
        "API_RATE_GENERAL": "1000000",
        "API_RATE_JOBS": "1000000",
        "ALLOWED_HOSTS": "testserver",
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("prepare", "--quiet")
    authorization = _fill(events, toots)
    last = "ordering=-created_at&per_page=100"
    paths = {
        "events": "/api/v1/events",
        "events, page 20": "/api/v1/events?page=20",
        "events, searched": "/api/v1/events?search=monster",
        "events, 200 on a page": "/api/v1/events?per_page=200",
        "toots": "/api/v1/events/bench-0/toots",
        "toots, newest": f"/api/v1/events/bench-0/toots?{last}",
        "toots, second page": _second_page(authorization),
        "toots, most boosted": "/api/v1/events/bench-0/toots?ordering=-boosts",
        "servers": "/api/v1/events/bench-0/servers",
        "jobs": "/api/v1/jobs",
    }
    return {
        "events": events,
        "toots": toots,
        "calls": {name: _time(path, authorization, calls) for name, path in paths.items()},
        "plans": {name: _plans(paths[name], authorization) for name in ("events", "toots", "toots, most boosted")},
    }


def _fill(events: int, toots: int) -> str:
    from django.contrib.auth.models import User

    from common.api.access import Scope
    from events.models import Event
    from mastoscore_site.tokens import make_token
    from pipeline.models import Crawl, Toot, Visit
    from tests.bench.world import DURATION, START

    rows = []
    for number in range(events):
        event = Event(slug=f"bench-{number}", event_title="Monsterdon", hashtag="monsterdon", duration=DURATION)
        event.episode_title = f"The Monster of Lake {number}"
        event.start = START + timedelta(days=number)
        event.hashtag_key, event.local_date = "monsterdon", event.start.date()
        rows.append(event)
    Event.objects.bulk_create(rows)
    event = Event.objects.get(slug="bench-0")
    step = event.duration / max(1, toots)
    Toot.objects.bulk_create(
        (_toot(event, number, event.start + number * step) for number in range(toots)), batch_size=2000
    )
    window = event.window
    crawl = Crawl.objects.create(
        event=event,
        state="complete",
        home_server=_HOST % 0,
        hashtag=event.hashtag,
        window_start=window.start,
        window_end=window.end,
        max_toots=2000,
    )
    Visit.objects.bulk_create(
        [Visit(crawl=crawl, server=_HOST % number, state="done", outcome="complete") for number in range(1000)]
    )
    user = User.objects.create_superuser("bench")
    return f"Bearer {make_token(user, 'bench', [Scope.READ])[1]}"


def _toot(event: Any, number: int, created_at: Any) -> Any:
    from pipeline.models import Toot

    author = number * 7919 % 8000
    host = _HOST % (author % 400)
    return Toot(
        event=event,
        uri=f"https://{host}/users/u{author}/statuses/{number}",
        url=f"https://{host}/@u{author}/{number}",
        origin=host,
        author_handle=f"u{author}@{host}",
        author_name=f"User {author}",
        author_url=f"https://{host}/@u{author}",
        author_wishes="nobot" if author % 50 == 0 else "",
        created_at=created_at,
        html=f"<p>{_WORDS}</p>",
        text=_WORDS,
        language="en",
        hashtags=" monsterdon ",
        boosts=number * 31 % 47,
        favourites=number * 37 % 97,
        replies=number * 41 % 13,
        is_authoritative=True,
        told_by=host,
    )


def _get(path: str, authorization: str) -> Any:
    from django.test import Client

    answer = Client().get(path, headers={"Authorization": authorization})
    assert answer.status_code == 200, answer.content[:500]
    return answer.json()


def _second_page(authorization: str) -> str:
    found: str = _get("/api/v1/events/bench-0/toots", authorization)["links"]["next"]
    return found.removeprefix("http://testserver")


def _time(path: str, authorization: str, calls: int) -> dict[str, float]:
    _get(path, authorization)
    taken: list[float] = []
    for _ in range(calls):
        if sum(taken) > _PATIENCE_MS:
            break
        begun_at = time.perf_counter()
        _get(path, authorization)
        taken.append(1000 * (time.perf_counter() - begun_at))
    taken.sort()
    return {"p50_ms": round(taken[len(taken) // 2], 1), "p95_ms": round(taken[int(len(taken) * 0.95)], 1)}


def _plans(path: str, authorization: str) -> list[str]:
    """How SQLite goes about the queries on events and toots."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        _get(path, authorization)
    found = []
    for query in captured:
        sql = query["sql"]
        if sql.startswith("SELECT") and ("pipeline_toot" in sql or "events_event" in sql):
            with connection.cursor() as cursor:
                rows = cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
            found.append("; ".join(row[3] for row in rows))
    return found


if __name__ == "__main__":
    sys.exit(main())
