"""A pytest plugin: leaves out the tests that neither store nor count anything, as they have been run before."""

from __future__ import annotations

import pytest

_STORING = {"db", "transactional_db", "live_server", "house", "client", "admin_client"}
_PROCESSES = ("tests/cluster/", "tests/killing/")  # these start processes that find the database by themselves


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept = [item for item in items if _stores(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _stores(item)])
    items[:] = kept


def _stores(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    is_marked = item.get_closest_marker("django_db") is not None
    return is_marked or bool(_STORING & fixtures) or item.nodeid.startswith(_PROCESSES)
