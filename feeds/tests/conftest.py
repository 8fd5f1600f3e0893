"""Readers, feed hosts on loopback, and jobs without a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.remote.feed_host import FeedHost

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def near_network(settings: Any) -> None:
    """Loopback may be asked, without pauses."""
    settings.MASTOSCORE_PRIVATE_HOSTS = ["127.0.0.0/8"]
    settings.MASTOSCORE_FEED_HOST_PAUSE_SECONDS = 0.0
    settings.JOBS_POLL_SECONDS = 0.02


@pytest.fixture
def host() -> Iterator[FeedHost]:
    with FeedHost() as host:
        yield host


@pytest.fixture
def make_user(django_user_model: Any) -> Callable[[str], Any]:
    return lambda name: django_user_model.objects.create_user(name)


@pytest.fixture
def anna(make_user: Callable[[str], Any], db: None) -> Any:
    return make_user("anna")


@pytest.fixture
def bert(make_user: Callable[[str], Any], db: None) -> Any:
    return make_user("bert")


@pytest.fixture
def wake_ups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The jobs that workers were told of."""
    from jobs import services

    told: list[int] = []
    monkeypatch.setattr(services, "async_task", lambda function, job_id, **options: told.append(job_id))
    return told
