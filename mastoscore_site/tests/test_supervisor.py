from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from jobs import identity
from jobs.models import Beat, Job
from mastoscore_site import processes
from mastoscore_site.supervisor import MOST_SHORT_LIVES, Child, ChildKeepsFalling, LifeSigns

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def children() -> Iterator[list[Child]]:
    made: list[Child] = []
    yield made
    for child in made:
        child.kill()


def wait_for_end(child: Child) -> None:
    assert child.process is not None
    assert processes.wait_for_end([child.process.pid], 20)


# --- children ---
def test_child_that_ends_is_started_again_after_growing_pauses_and_given_up(children: list[Child]) -> None:
    child = Child("web server", [sys.executable, "-c", "raise SystemExit(3)"])
    children.append(child)
    now, pauses = 1000.0, []
    with pytest.raises(ChildKeepsFalling, match=r"The web server stopped 5 times .* \(exit code 3\)"):
        while True:
            child.look(now)
            wait_for_end(child)
            child.look(now)
            pauses.append(child.start_after - now)
            child.look(child.start_after - 0.01)
            assert child.process is None, "not before the pause is over"
            now = child.start_after
    assert pauses == [1, 2, 4, 8]
    assert len(pauses) == MOST_SHORT_LIVES - 1


def test_child_that_ran_for_a_while_is_started_again_at_once(children: list[Child]) -> None:
    child = Child("worker", [sys.executable, "-c", "pass"], short_lives=3)
    children.append(child)
    child.look(1000.0)
    wait_for_end(child)
    child.look(1011.0)
    assert (child.process, child.start_after, child.short_lives) == (None, 1011.0, 0)


def test_everything_a_child_started_ends_with_it(children: list[Child], tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = (
        "import pathlib, subprocess, sys\n"
        f"inner = subprocess.Popen({SLEEP!r})\n"
        f"pathlib.Path({str(note)!r}).write_text(str(inner.pid))\n"
    )
    child = Child("worker", [sys.executable, "-c", script])
    children.append(child)
    child.look(1000.0)
    wait_for_end(child)
    inner = f"{identity.this_host()}/{note.read_text()}"
    assert not identity.is_gone(inner)
    child.look(1000.0)
    assert_soon_gone(inner)


def test_child_may_be_told_whose_death_is_its_own() -> None:
    script = (
        "import subprocess, sys, os\n"
        "from mastoscore_site import processes\n"
        "environment = {**os.environ, processes.SUPERVISOR_VARIABLE: str(os.getpid())}\n"
        "code = 'from mastoscore_site import processes; processes.die_with_supervisor(); print(1, flush=True); "
        "import time; time.sleep(600)'\n"
        "inner = subprocess.Popen([sys.executable, '-c', code], env=environment, stdout=subprocess.PIPE)\n"
        "inner.stdout.readline()\n"
        "print(inner.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    root = Path(__file__).resolve().parents[2]
    outer = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    )
    with outer:
        assert outer.stdout is not None
        inner = f"{identity.this_host()}/{int(outer.stdout.readline())}"
        outer.kill()
    assert_soon_gone(inner)


def assert_soon_gone(worker: str) -> None:
    deadline = time.monotonic() + 20
    while not identity.is_gone(worker):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_group_that_is_gone_may_be_killed_again() -> None:
    process = subprocess.Popen(SLEEP, start_new_session=True)
    processes.kill_group(process.pid)
    assert process.wait() == -signal.SIGKILL
    processes.kill_group(process.pid)


# --- signs of life ---
@pytest.fixture
def worker(children: list[Child]) -> int:
    """The process id of a worker's main process, which leads its session."""
    child = Child("worker", SLEEP)
    children.append(child)
    child.look(0.0)
    assert child.process is not None
    return child.process.pid


def beat() -> None:
    Beat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})


@pytest.mark.django_db(transaction=True)
def test_worker_is_silent_when_no_sign_changed_for_two_minutes(worker: int) -> None:
    signs = LifeSigns()
    beat()
    assert not signs.is_silent(worker, started_at=0.0, now=0.0)
    assert not signs.is_silent(worker, started_at=0.0, now=119.0)
    beat()
    assert not signs.is_silent(worker, started_at=0.0, now=120.0)
    assert not signs.is_silent(worker, started_at=0.0, now=239.0)
    assert signs.is_silent(worker, started_at=0.0, now=241.0)


@pytest.mark.django_db(transaction=True)
def test_new_worker_has_its_two_minutes_whatever_was_before(worker: int) -> None:
    signs = LifeSigns()
    assert not signs.is_silent(1, started_at=0.0, now=0.0)
    assert signs.is_silent(1, started_at=0.0, now=500.0)
    assert not signs.is_silent(worker, started_at=500.0, now=501.0)


@pytest.mark.django_db(transaction=True)
def test_pulse_of_a_job_of_this_worker_is_a_sign_and_that_of_others_is_none(worker: int) -> None:
    signs = LifeSigns()
    ours = Job.objects.create(kind="x", status="running", worker=f"{identity.this_host()}/{worker}")
    foreground = Job.objects.create(kind="x", status="running", worker=f"{identity.this_host()}/{os.getpid()}")

    def pulse(job: Job) -> None:
        Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now())

    assert not signs.is_silent(worker, started_at=0.0, now=0.0)
    pulse(ours)
    assert not signs.is_silent(worker, started_at=0.0, now=121.0)
    pulse(foreground)
    assert signs.is_silent(worker, started_at=0.0, now=242.0)
