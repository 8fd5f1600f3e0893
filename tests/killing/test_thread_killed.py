"""``manage.py post SLUG --send``, killed with -9 at every step, on a server that knows no idempotency keys."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.remote.posting import Asked, PostingServer

pytestmark = pytest.mark.xdist_group("killing")

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["The numbers of #filmnight", "Minute by minute", "Bye"]
# What a run asks when nothing goes wrong; every one of these is a place to die, before and after.
STEPS = ["verify", "instance", "own", "publish", "read", "upload", "media", "media"]
STEPS += ["publish", "read", "publish", "read"]


@dataclass
class House:
    """The zygote with its database; ``server`` is made anew for every test, under the same name."""

    folder: Path
    server: PostingServer
    process: subprocess.Popen[str]
    pid: int = 0
    pid_known: threading.Event = field(default_factory=threading.Event)

    @property
    def database(self) -> Path:
        return self.folder / "mastoscore.sqlite3"

    def manage(self, *arguments: str) -> int:
        """How the command ended; negative: the number of the signal."""
        assert self.process.stdin is not None
        self.pid_known.clear()
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        self.pid = self.hear()["pid"]
        self.pid_known.set()
        return int(self.hear()["status"])

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def begin(self) -> None:
        """The approved thread as it was first made, on a server without toots."""
        for name in ("-wal", "-shm"):
            self.database.with_name(self.database.name + name).unlink(missing_ok=True)
        shutil.copyfile(self.folder / "template.sqlite3", self.database)
        server = self.server
        server.hook = None
        for memory in (server.statuses, server.stored, server.deleted, server.media, server.keys, server.asked):
            memory.clear()

    def kill_at(self, number: int, when: str) -> None:
        """Kill the command at its request of that number (from now on), before or after the server did its work."""
        target = len(self.server.asked) + number

        def hook(asked: Asked, moment: str) -> bool:
            if asked.number != target or moment != when:
                return False
            assert self.pid_known.wait(20)
            os.kill(self.pid, signal.SIGKILL)
            return True

        self.server.hook = hook

    def rows(self) -> list[tuple[str, str, str]]:
        with sqlite3.connect(self.database) as connection:
            return connection.execute(
                "SELECT state, posted_text, remote_id FROM pipeline_threadtoot ORDER BY position"
            ).fetchall()

    def assert_complete(self) -> None:
        assert self.server.thread() == TEXTS
        assert self.rows() == [("sent", text, id) for text, id in zip(TEXTS, self.server.statuses, strict=True)]
        posts = json.loads((self.folder / "2026/02/23/data-filmnight-posts.json").read_bytes())
        assert [post["id"] for post in posts] == list(self.server.statuses)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("killed")
    with PostingServer(honours_keys=False, media_polls=1) as server:
        environment = {
            **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
            "DJANGO_SETTINGS_MODULE": "mastoscore_site.settings",
            "MASTOSCORE_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'mastoscore.sqlite3'}",
            "SECRET_KEY": "a key for threads that are killed, long enough",
            "MASTOSCORE_PRIVATE_HOSTS": server.name,
            "MASTOSCORE_RETRY_PAUSES": "0.01,0.02",
            "ZYGOTE_LOG": str(folder / "log"),
        }
        command = [sys.executable, "-m", "tests.killing.zygote"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        house = House(folder, server, process)
        try:
            assert house.hear() == {"ready": True}
            assert house.manage("migrate", "--verbosity", "0") == 0
            assert house.manage("createcachetable") == 0
            assert house.manage("make-thread", server.name) == 0
            with sqlite3.connect(house.database) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(house.database, folder / "template.sqlite3")
            yield house
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)


@pytest.fixture
def house(started: House) -> Iterator[House]:
    started.begin()
    yield started
    started.server.hook = None


def test_steps_of_an_undisturbed_run_are_those_that_are_tried_below(house: House) -> None:
    assert house.manage("post", "film-night", "--send") == 0
    assert [asked.kind for asked in house.server.asked] == STEPS
    house.assert_complete()
    assert house.manage("post", "film-night", "--send") == 1, "already posted"
    assert len(house.server.stored) == 3


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, len(STEPS) + 1), ids=lambda number: f"{number}-{STEPS[number - 1]}")
def test_killed_at_a_step_and_run_again_is_one_whole_thread(house: House, number: int, when: str) -> None:
    house.kill_at(number, when)
    assert house.manage("post", "film-night", "--send") == -signal.SIGKILL
    house.server.hook = None
    assert house.manage("post", "film-night", "--send") == 0
    house.assert_complete()
    assert len(house.server.stored) == 3, "nothing was ever there twice"


def test_killed_again_and_again_while_it_looks_for_what_is_out(house: House) -> None:
    """Each run dies one request later than the one before it, until one gets through."""
    house.kill_at(STEPS.index("publish") + 1, "after")
    assert house.manage("post", "film-night", "--send") == -signal.SIGKILL
    for number in range(1, 30):
        house.kill_at(number, "after" if number % 2 else "before")
        code = house.manage("post", "film-night", "--send")
        if code == 0:
            break
        assert code == -signal.SIGKILL
    house.server.hook = None
    house.assert_complete()
    assert len(house.server.stored) == 3


def test_deletion_killed_at_any_step_is_finished_by_the_next(house: House) -> None:
    assert house.manage("post", "film-night", "--send") == 0
    for number, when in ((1, "after"), (2, "before"), (2, "after"), (3, "after")):
        house.kill_at(number, when)
        assert house.manage("post", "film-night", "--delete") == -signal.SIGKILL
    house.server.hook = None
    assert house.manage("post", "film-night", "--delete") == 0
    assert house.server.statuses == {}
    assert [state for state, _, _ in house.rows()] == ["deleted"] * 3
