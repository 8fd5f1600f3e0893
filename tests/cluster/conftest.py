from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cluster.house import House, copy_sqlite


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def server_url() -> str:
    """The PostgreSQL server of the run; empty means SQLite."""
    url = os.environ.get("DATABASE_URL", "")
    return url if url.startswith("postgres") else ""


@pytest.fixture(scope="session")
def prepared(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A database with all tables, to be copied: its folder and, on PostgreSQL, its address."""
    name = f"template_{uuid.uuid4().hex}"
    folder = tmp_path_factory.mktemp("prepared")
    url = make_database(server_url, name) if server_url else ""
    house = House(folder, url)
    done = house.manage("prepare", "--quiet")
    assert done.returncode == 0, done.stderr
    yield house.data_dir, name
    if server_url:
        drop_database(server_url, name)


@pytest.fixture
def house(prepared: tuple[Path, str], server_url: str, tmp_path: Path) -> Iterator[House]:
    template_folder, template_name = prepared
    name = f"house_{uuid.uuid4().hex}"
    url = make_database(server_url, name, template=template_name) if server_url else ""
    (tmp_path / "house").mkdir()
    house = House(tmp_path / "house", url)
    if not server_url:
        copy_sqlite(template_folder, house)
    yield house
    house.close()
    if server_url:
        drop_database(server_url, name)


def make_database(server_url: str, name: str, *, template: str = "template1") -> str:
    run_sql(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()


def drop_database(server_url: str, name: str) -> None:
    run_sql(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def run_sql(server_url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)
