"""The commands `demo` and `fediverse`, as a person runs them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings as site_settings
from django.contrib.auth import authenticate
from django.core.management import call_command

from events.models import Event
from jobs.models import Job
from pipeline.mock.demo import renew_login
from pipeline.mock.sample import allowed, import_sample, read_sample, start_sample_fediverse
from pipeline.models import Toot

SLUG = "jellynight-20261004"


def silent(text: str) -> None:
    """Says nothing."""


def run_demo(**options: Any) -> str:
    output = StringIO()
    call_command("demo", stdout=output, stderr=output, **options)
    return output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_demo_scores_the_sample_and_a_second_run_reuses_it(data_dir: Path) -> None:
    first = run_demo(port=0)

    event = Event.objects.get(slug=SLUG)
    home = event.home_account.server
    assert (event.is_published, event.duration) == (True, timedelta(minutes=90))
    count = event.toots.count()
    assert count >= 420
    assert f"Found: {event.analysis.results['total_toots']} toots by" in first
    assert "does not let strangers read hashtags" in first
    assert "Most boosted: Ron, inside the suit" in first
    assert "index.md" in first
    assert "thumb.jpg" in first
    assert "Reused" not in first
    assert f"/events/{SLUG}/" in first
    assert Job.objects.get(kind="score").status == Job.Status.COMPLETE
    assert (data_dir / "2026/10/04/index.md").is_file()
    assert (data_dir / "2026/10/04/thumb.jpg").stat().st_size > 10_000
    name, password = re.search(r"Login: (\S+)   Password: (\S+)", first).groups()  # type: ignore[union-attr]
    assert authenticate(username=name, password=password).is_superuser  # type: ignore[union-attr]

    second = run_demo(port=int(home.rpartition(":")[2]))

    assert f"{count} toots (0 new)" in second
    assert "the analysis" in second
    assert event.toots.count() == count
    assert f"Password: {password}" not in second


@pytest.mark.django_db
def test_toots_of_another_fediverse_make_way() -> None:
    with start_sample_fediverse(0, silent) as fediverse:
        event, has_moved = import_sample(fediverse)
        assert not has_moved
        crawl = event.crawls.create(
            home_server="127.1.0.1:9",
            hashtag=event.hashtag,
            window_start=event.window.start,
            window_end=event.window.end,
            max_toots=9,
            state="complete",
        )
        Toot.objects.create(event=event, uri="http://127.1.0.1:9/1", created_at=event.start)
        same, has_moved = import_sample(fediverse)
    assert has_moved
    assert same == event
    assert not event.toots.exists()
    assert not event.crawls.filter(pk=crawl.pk).exists()


@pytest.mark.django_db
def test_sample_is_signed_in_at_home_and_is_a_night_of_ninety_minutes() -> None:
    with start_sample_fediverse(0, silent) as fediverse:
        event, _ = import_sample(fediverse)
        assert event.home_account is not None
        assert (event.home_account.server, event.home_account.token) == (fediverse.home, fediverse.token)
        schedule = fediverse.world.schedule
        assert (event.start, event.duration, event.margin) == (schedule.start, schedule.duration, schedule.margin)
        assert (event.hashtag, event.slug) == ("jellynight", SLUG)


def test_another_port_is_taken_and_said_when_the_first_is_not_free() -> None:
    said: list[str] = []
    with start_sample_fediverse(0, silent) as first, start_sample_fediverse(first.port, said.append) as second:
        assert second.port != first.port
    assert said == [
        f"Port {first.port} is not free (is another demo running?); the bundled fediverse is on {second.port}."
    ]


def test_permission_to_contact_it_ends_with_the_demo(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MASTOSCORE_PRIVATE_HOSTS = ["127.9.9.9:99"]
    monkeypatch.delenv("MASTOSCORE_PRIVATE_HOSTS", raising=False)
    with start_sample_fediverse(0, silent) as fediverse:
        with allowed(fediverse):
            assert ["127.9.9.9:99", *fediverse.private_hosts] == site_settings.MASTOSCORE_PRIVATE_HOSTS
            assert os.environ["MASTOSCORE_PRIVATE_HOSTS"] == f"127.9.9.9:99,{fediverse.private_hosts[0]}"
            assert os.environ["TMDB_API_URL"] == fediverse.tmdb_api_url
        assert site_settings.MASTOSCORE_PRIVATE_HOSTS == ["127.9.9.9:99"]
        assert "MASTOSCORE_PRIVATE_HOSTS" not in os.environ


@pytest.mark.django_db
def test_login_is_renewed_with_every_demo() -> None:
    first, second = renew_login(), renew_login()
    assert authenticate(username="demo", password=first) is None
    assert authenticate(username="demo", password=second) is not None


def test_sample_names_no_server_but_a_placeholder() -> None:
    assert read_sample()["mastoscore"]["api_base_url"] == "http://127.1.0.1:18400"


def test_fediverse_command_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "fediverse", "--port", "0"]
    environment = {**os.environ, "MASTOSCORE_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=site_settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = []
            while not lines or not lines[-1].startswith("Ctrl-C"):
                line = process.stdout.readline()
                assert line, lines
                lines.append(line)
            home = re.search(r"Home: (\S+)", "".join(lines))[1]  # type: ignore[index]
            assert requests.get(f"{home}/api/v2/instance", timeout=10).json()["title"] == "Popcorn Social"
            assert f"MASTOSCORE_PRIVATE_HOSTS=127.1.0.0/24:{home.rpartition(':')[2]}" in "".join(lines)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
            assert process.stdout.read() == "Off the air.\n"
        finally:
            process.kill()
