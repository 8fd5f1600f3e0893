from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.conftest import drop_database, make_database
from tests.cluster.house import House, copy_sqlite
from tests.cluster.reader.client import Reader
from tests.remote.feed_host import FeedHost

_names = itertools.count(1)
_addresses = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process for all, as they share one site."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("reader-contract"))


def fresh_address() -> str:
    """One on loopback that no other test has had: a port may come back, and the site knows the feeds it met."""
    number = next(_addresses)
    return f"127.3.{number // 250}.{number % 250 + 1}"


@dataclass
class Site:
    house: House
    address: str

    def make_reader(self, *, scopes: str = "read,run") -> Reader:
        name = f"reader{next(_names)}"
        token = self.house.ask(do="make_reader", name=name, scopes=scopes)
        return Reader(self.house, self.address, name, token)


@pytest.fixture(scope="session")
def start_site(
    prepared: tuple[Path, str], server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Site]]:
    """A function that starts an installation of its own with these settings: site, workers, database."""
    houses: list[tuple[House, str]] = []

    def start(**environment: str) -> Site:
        folder = tmp_path_factory.mktemp("reader")
        name = folder.name.replace("-", "_")
        url = make_database(server_url, f"{name}_{id(houses)}", template=prepared[1]) if server_url else ""
        house = House(folder, url)
        houses.append((house, f"{name}_{id(houses)}"))
        if not server_url:
            copy_sqlite(prepared[0], house)
        house.environment |= {
            "MASTOSCORE_PRIVATE_HOSTS": "127.0.0.0/8",
            "MASTOSCORE_FEED_HOST_PAUSE_SECONDS": "0",
            **environment,
        }
        return Site(house, house.start_site()[1])

    yield start
    for house, name in houses:
        output = house.output()
        house.close()
        if server_url:
            drop_database(server_url, name)
        assert "Traceback" not in output, output[-3000:]


@pytest.fixture(scope="session")
def site(start_site: Callable[..., Site]) -> Site:
    """One for all, with allowances that no test uses up."""
    scopes = ("GENERAL", "JOBS", "METRICS", "SOURCES", "SUMMARIES")
    return start_site(
        **{f"API_RATE_{scope}": "100000" for scope in scopes},
        MASTOSCORE_FEED_SECONDS="8",
    )


@pytest.fixture
def make_reader(site: Site) -> Callable[..., Reader]:
    return site.make_reader


@pytest.fixture
def reader(site: Site) -> Reader:
    return site.make_reader()


@pytest.fixture
def stranger(site: Site) -> Reader:
    return site.make_reader()


@pytest.fixture
def host() -> Iterator[FeedHost]:
    with FeedHost(fresh_address()) as host:
        yield host
