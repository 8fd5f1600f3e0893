"""kill -9 at any moment: what comes out in the end is what comes out of a run that nobody disturbs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from pipeline.models import Crawl
from pipeline.tests.fetch_help import (
    allow,
    event_at_noon,
    pages_asked,
    pages_asked_twice,
    picture,
    run_fetch,
    wait_until,
)
from tests.remote.fediverse import Fediverse

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

_ROOT = Path(__file__).resolve().parents[2]
KILLS = 20


@pytest.fixture
def fediverse(settings: Any) -> Iterator[Fediverse]:
    """Six servers with thirty toots each, most of them seen everywhere, on pages of five."""
    with Fediverse() as servers:
        for _ in range(6):
            servers.add(page_rows=5)
        toots = [
            server.toot(100 * place + number, number + place / 10, favourites_count=number)
            for place, server in enumerate(servers.servers)
            for number in range(30)
        ]
        for server in servers.servers:
            known = {status["uri"] for status in server.statuses}
            others = (toot for toot in toots if toot["uri"] not in known and int(toot["id"]) % 3)
            server.show(*others, favourites_count=1)
        allow(settings, servers)
        yield servers


@pytest.fixture
def event(make_event: Any, fediverse: Fediverse) -> Any:
    return event_at_noon(make_event, fediverse.servers[0])


def test_crawl_killed_at_twenty_random_moments_is_like_one_undisturbed(
    fediverse: Fediverse, event: Any, settings: Any
) -> None:
    undisturbed = run_fetch(event)
    expected = picture(event)
    event.crawls.all().delete()
    event.toots.all().delete()
    for server in fediverse.servers:
        server.asked.clear()
        server.latency_seconds = 0.03
    chance = random.Random(20260222)

    with launcher(event, settings) as process:
        for kill in range(KILLS):
            wanted = pages_asked(fediverse) + chance.randrange(0, 12)
            pid = start(process)
            wait_until(lambda wanted=wanted: pages_asked(fediverse) >= wanted, f"kill {kill}")
            time.sleep(chance.random() * 0.08)
            os.kill(pid, signal.SIGKILL)
            assert ended(process) == -signal.SIGKILL, f"it was done before kill {kill}"
        start(process)
        assert ended(process) == 0

    crawl = Crawl.objects.get()
    assert crawl.state == Crawl.State.COMPLETE
    assert picture(event) == expected
    for key in ("toots", "copies", "authors", "servers", "answered"):
        assert crawl.summary[key] == undisturbed[key], key
    assert dict(crawl.visits.values_list("server", "outcome")) == {s.name: "complete" for s in fediverse.servers}
    assert all(pages_asked_twice(server) <= KILLS for server in fediverse.servers)
    assert pages_asked(fediverse) <= undisturbed["pages"] + KILLS * len(fediverse.servers)


def launcher(event: Any, settings: Any) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "MASTOSCORE_DATA_DIR": str(settings.DATA_DIR),
        "MASTOSCORE_PRIVATE_HOSTS": ",".join(settings.MASTOSCORE_PRIVATE_HOSTS),
        "DJANGO_SETTINGS_MODULE": "mastoscore_site.settings",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.tests.forked_fetch", event.slug],
        cwd=_ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def start(process: subprocess.Popen[str]) -> int:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def ended(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def database_url() -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"
