"""Fixtures for every test: a data folder of its own, and nothing shared with the host's real one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite in a file, as in real life: threads that share one in memory do not wait for each other, they fail."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Short names for bytes; compressed ones hold the time they were made, and two processes would not agree."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups that stay in one process first, then what runs whole installations: else the others wait for them at the
    end with nothing to do."""
    items.sort(key=lambda item: (item.get_closest_marker("xdist_group") is None, item.path.parts[-2] != "cluster"))


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The data folder of this test."""
    settings.DATA_DIR = tmp_path / "data"
    settings.STATIC_ROOT = settings.DATA_DIR / "static"
    settings.STATIC_ROOT.mkdir(parents=True)
    yield settings.DATA_DIR


@pytest.fixture
def make_event(db: None) -> Any:
    """A function that makes an event in the database; keyword arguments replace its values."""

    def make(**values: Any) -> Any:
        from events.models import Event, MastodonAccount

        account = values.pop("home_account", None)
        if account is None:
            account, _ = MastodonAccount.objects.get_or_create(server="home.example")
        defaults: dict[str, Any] = {
            "slug": "monsterdon-20260222",
            "event_title": "Monsterdon",
            "episode_title": "The Blob (1958)",
            "hashtag": "monsterdon",
            "timezone": "America/New_York",
            "start": datetime(2026, 2, 23, 2, 0, tzinfo=UTC),
            "duration": timedelta(minutes=90),
            "home_account": account,
        }
        return Event.objects.create(**{**defaults, **values})

    return make
