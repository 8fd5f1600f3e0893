"""Kinds that exist for one test, wake-ups that are only noted, clocks that are fast."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from jobs import kinds, services
from jobs.models import Job


@pytest.fixture
def add_kind(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], None]:
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))

    def add(kind: str, function: Any) -> None:
        kinds.register(kind, function, label=kind)

    return add


@pytest.fixture
def wake_ups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The jobs that workers were told of, in order."""
    told: list[int] = []
    monkeypatch.setattr(services, "async_task", lambda function, job_id, **options: told.append(job_id))
    return told


@pytest.fixture
def fast(settings: Any) -> None:
    settings.JOBS_POLL_SECONDS = 0.02
    settings.JOBS_PULSE_SECONDS = 0.05
    settings.JOBS_CANCEL_GRACE_SECONDS = 0.3


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def queued_job(**values: Any) -> Job:
    return Job.objects.create(**{"kind": "work", **values})
