"""Installations of the program in folders of their own, made from one prepared database."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.bench.children import Fediverse, Finished, run
from tests.bench.world import DURATION, HASHTAG, START

SLUG = "bench"
TOKEN = "token-of-the-benchmark"
_DATABASE = "mastoscore.sqlite3"
_NOBODY = "127.1.0.1:9"
_SHORT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Installation:
    """A data folder with a database. ``threads`` 0: as many as the program itself thinks best."""

    data_dir: Path
    private_hosts: str = ""
    threads: int = 0

    @property
    def database(self) -> Path:
        return self.data_dir / _DATABASE

    def manage(self, *arguments: str, timeout_seconds: float = _SHORT_SECONDS) -> Finished:
        """Run ``manage.py`` to its end; BenchFailed when that is not a good one."""
        command = [sys.executable, "manage.py", *arguments]
        return run(command, environment=self._environment(), timeout_seconds=timeout_seconds)

    def run_module(self, name: str, *arguments: str, timeout_seconds: float, **settings: str) -> Finished:
        """Run a program of the benchmark on this installation, with further settings; BenchFailed as above."""
        command = [sys.executable, "-m", name, *arguments]
        environment = self._environment() | settings
        return run(command, environment=environment, timeout_seconds=timeout_seconds)

    def import_event(self, home: str, *, most_toots: int) -> None:
        """The event that the generated fediverse is about, with a token for its home server."""
        path, credentials = self.data_dir / f"{SLUG}.ini", self.data_dir / "credentials"
        path.write_text(_event_text(home, most_toots=most_toots))
        credentials.write_text(f"{TOKEN}\nhttp://{home}\n")
        self.manage("import_event", str(path), "--slug", SLUG, "--credentials", str(credentials))

    def _environment(self) -> dict[str, str]:
        # The environment counts more than a .env file of the host's.
        mine = {
            "MASTOSCORE_DATA_DIR": str(self.data_dir),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": "",
            "MASTOSCORE_PRIVATE_HOSTS": self.private_hosts,
            "SECRET_KEY": "a key for benchmarks, long enough for any check",
            "DEBUG": "no",
            "LOG_LEVEL": "WARNING",
        }
        if self.threads:
            mine["MASTOSCORE_FETCH_THREADS"] = str(self.threads)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MASTOSCORE_", "DJANGO_"))}
        return kept | mine


class Workshop:
    """Makes installations below one folder; the database is prepared once and copied."""

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        self._folder = folder
        self._threads = threads
        self._made = 0
        self._template = Installation(folder / "template")
        self._template.data_dir.mkdir()
        self._template.manage("prepare", "--quiet")

    def install(self, fediverse: Fediverse | None = None) -> Installation:
        """A fresh installation with the event of a generated fediverse, and leave to ask that one if it is there."""
        self._made += 1
        folder = self._folder / f"installation-{self._made}"
        folder.mkdir()
        for path in self._template.data_dir.glob(f"{_DATABASE}*"):
            shutil.copy(path, folder / path.name)
        hosts = f"127.1.0.0/16:{fediverse.facts['port']}" if fediverse else ""
        installation = Installation(folder, hosts, self._threads)
        home, toots = (fediverse.home, int(fediverse.facts["toots"])) if fediverse else (_NOBODY, 1)
        installation.import_event(home, most_toots=2 * toots)
        return installation


def _event_text(home: str, *, most_toots: int) -> str:
    return (
        "[mastoscore]\n"
        f"api_base_url = http://{home}\n"
        f"hashtag = {HASHTAG}\n"
        "event_title = Monsterdon\n"
        "episode_title = The thing in the harbour\n"
        "timezone = UTC\n"
        f"event_start = {START.isoformat()}\n"
        f"event_duration = {DURATION}\n"
        "hours_margin = 1\n"
        "[fetch]\n"
        f"max = {most_toots}\n"
    )
