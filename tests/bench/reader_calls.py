"""Lists and searches of the reader over many posts, timed inside the process: figures as one line of JSON.

Run by ``tests.bench.reader``, with the settings of the installation in the environment. Half of the posts belong to
another user, who reads the same feeds.
"""

from __future__ import annotations

import gc
import json
import os
import random
import re
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mastoscore_site.settings")

# As the web server starts: everything is loaded, and out of the sight of the garbage collector.
from mastoscore_site import wsgi  # noqa: F401, I001

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.api.access import Scope
from feeds.categories import create_category
from feeds.models import Entry, Feed, Post, Source
from mastoscore_site.tokens import make_token

_SOURCES, _CATEGORIES = 200, 10
_PATTERNS = 1000  # entries with a text of their own; the others repeat them
_FEWEST_CALLS = 6
_KIND_SECONDS = 0.8
_VOCABULARY = [f"{start}{end}" for start in ("fro", "pon", "ree", "wat", "her", "mar", "spa") for end in range(400)]
_WHOLE_TABLE = re.compile(r"SCAN feeds_(post|entry)(?![\w])")


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, required=True)
    parser.add_argument("--calls", type=int, required=True, help="of each kind, if the machine is quick")
    options = parser.parse_args()
    user = fill(options.posts)
    gc.collect()
    gc.freeze()  # a web server has no leftovers of such a filling
    token = make_token(user, "bench", [Scope.READ])[1]
    api = Client(headers={"Authorization": f"Bearer {token}"})
    browser = Client()
    browser.force_login(user)
    mistakes: list[str] = []
    calls = {
        name: _measure(name, path, api if path.startswith("/api") else browser, options.calls, mistakes)
        for name, path in _paths(user, options.posts)
    }
    print(json.dumps({"calls": calls, "mistakes": mistakes}))
    return 0


# --- what is asked for ----------------------------------------------------------------------------------------------
def _paths(user: Any, posts: int) -> Iterator[tuple[str, str]]:
    source = Source.objects.filter(user=user).order_by("pk")[3]
    api, category = "/api/v1/posts", source.category_id
    word, other = _VOCABULARY[5], _VOCABULARY[900]
    yield "API: posts", api
    yield "API: 200 on a page", f"{api}?per_page=200&include=source,category"
    yield "API: newest first, light", f"{api}?sort=-posted_at&content=false"
    yield "API: unread", f"{api}?filter[read]=false"
    yield "API: last page", f"{api}?page={posts // 15}"
    yield "API: of a source", f"{api}?source_id={source.pk}"
    yield "API: unread of a category", f"{api}?category_id={category}&filter[read]=false&include=source"
    yield "API: sources", "/api/v1/sources?include=category"
    yield "API: metrics of the system", "/api/v1/metrics/system"
    yield "search: a word", f"{api}?search={word}"
    yield "search: a word in every post", f"{api}?search=everywhere"
    yield "search: two words", f"{api}?search={word} {other}"
    yield "search: a phrase", f'{api}?search="all about ponds"'
    yield "search: unread of a source", f"{api}?search=everywhere&filter[read]=false&source_id={source.pk}"
    yield "search: nothing found", f"{api}?search=giraffe"
    yield "page: unread", "/reader/"
    yield "page: everything", "/reader/?show=all"
    yield "page: of a source", f"/reader/?source={source.pk}"
    yield "page: of a category", f"/reader/?category={category}&show=all"
    yield "page: search", f"/reader/?q={word}"
    yield "page: one post", f"/reader/posts/{Post.objects.filter(user=user).order_by('pk')[posts // 2].pk}"


# --- how long it takes ----------------------------------------------------------------------------------------------
def _measure(name: str, path: str, client: Client, calls: int, mistakes: list[str]) -> dict[str, Any]:
    """The queries of a call when caches are warm, then the time of more."""

    def ask() -> bytes:
        answer = client.get(path)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answers {answer.status_code}")
        return answer.content

    ask()
    with CaptureQueriesContext(connection) as captured:
        size = len(ask())
    plans = [plan for query in list(captured) if (plan := _plan(query["sql"]))]
    if "/metrics/" not in path:  # which count everything, at most every five minutes
        mistakes += [f"{name} reads a whole table: {plan}" for plan in plans if _WHOLE_TABLE.search(plan)]
    return {"path": path, "queries": len(captured), "bytes": size, "plans": plans, **_time(ask, calls)}


def _plan(sql: str) -> str:
    if not (sql.startswith("SELECT") and "feeds_" in sql):
        return ""
    with connection.cursor() as cursor:
        rows = cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    return "; ".join(row[3] for row in rows)


def _time(ask: Callable[[], bytes], calls: int) -> dict[str, float]:
    walls: list[float] = []
    cpus: list[float] = []
    while len(walls) < calls and (len(walls) < _FEWEST_CALLS or sum(walls) < _KIND_SECONDS):
        begun_at, begun_cpu = time.perf_counter(), time.process_time()
        ask()
        cpus.append(time.process_time() - begun_cpu)
        walls.append(time.perf_counter() - begun_at)
    found = {}
    for name, seconds in (("wall", sorted(walls)), ("cpu", sorted(cpus))):
        for key, place in (("p50", len(seconds) // 2), ("p95", int(len(seconds) * 0.95))):
            found[f"{name}_{key}_ms"] = round(1000 * seconds[place], 2)
    return found


# --- the posts ------------------------------------------------------------------------------------------------------
def fill(posts: int) -> Any:
    """A user with so many posts, a seventh of them unread, and another user with the same; returns the first."""
    users = [User.objects.create_user(name) for name in ("bench", "other")]
    now = timezone.now()
    feeds = Feed.objects.bulk_create(
        [
            Feed(url=f"https://b{n}.example/feed", host=f"b{n}.example", title=f"Blog {n}", next_due_at=now)
            for n in range(_SOURCES)
        ]
    )
    patterns = min(posts, _PATTERNS)
    Entry.objects.bulk_create([_entry(feeds[n % _SOURCES], n, now) for n in range(patterns)])
    with connection.cursor() as cursor:
        _multiply(cursor, posts, patterns)
        for user in users:
            _subscribe(cursor, user, feeds, now)
        cursor.execute("ANALYZE")
    return users[0]


def _entry(feed: Feed, number: int, now: Any) -> Entry:
    chance = random.Random(number)
    text = " ".join(
        [*chance.choices(_VOCABULARY, k=180), "everywhere", "all about ponds" if number % 50 == 0 else ""]
    )
    return Entry(
        feed=feed,
        uid=f"guid:{number}",
        url=f"https://b.example/{number}",
        title=" ".join(chance.choices(_VOCABULARY, k=8)),
        author="Ines",
        content=f"<p>{text}</p>",
        text=text,
        excerpt=text[:280],
        published_at=now - timedelta(minutes=number),
        content_hash=str(number),
        created_at=now,
        seen_at=now,
    )


def _multiply(cursor: Any, posts: int, patterns: int) -> None:
    """More entries like those that are there, each older by a day than the one it repeats."""
    copied = [field.column for field in Entry._meta.local_fields if field.column not in ("id", "uid", "published_at")]
    columns = ", ".join(f'"{name}"' for name in copied)
    cursor.execute(
        f"WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < %s) "
        f"INSERT INTO feeds_entry (uid, published_at, {columns}) "
        f"SELECT uid || '-' || n, strftime('%%Y-%%m-%%d %%H:%%M:%%f', published_at, '-' || n || ' days'), {columns} "
        "FROM feeds_entry, copies LIMIT %s",
        [-(-posts // patterns), posts - patterns],
    )


def _subscribe(cursor: Any, user: Any, feeds: list[Feed], now: Any) -> None:
    drawers = [create_category(user, f"Category {n}") for n in range(_CATEGORIES)]
    Source.objects.bulk_create(
        [
            Source(user=user, feed=feed, category=drawers[n % _CATEGORIES], name=feed.title)
            for n, feed in enumerate(feeds)
        ]
    )
    cursor.execute(
        "INSERT INTO feeds_post (user_id, source_id, entry_id, is_read, posted_at, created_at) "
        "SELECT %s, s.id, e.id, e.id %% 7 > 0, e.published_at, %s FROM feeds_entry e "
        "JOIN feeds_source s ON s.feed_id = e.feed_id AND s.user_id = %s ORDER BY e.published_at",
        [user.pk, now, user.pk],
    )


if __name__ == "__main__":
    sys.exit(main())
