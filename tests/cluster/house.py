"""A whole installation of its own for one test: data folder, database, queue, processes. Leaves no process behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 40


def wait_until(condition: Callable[[], Any], what: str = "it") -> Any:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen in time"
        time.sleep(0.05)
    return value


class House:
    def __init__(self, folder: Path, database_url: str) -> None:
        self.data_dir = folder / "data"
        self.data_dir.mkdir()
        self.mark = f"house-{uuid.uuid4().hex}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE",)},
            "DJANGO_SETTINGS_MODULE": "tests.cluster.settings",
            "MASTOSCORE_DATA_DIR": str(self.data_dir),
            "MASTOSCORE_TEST_QUEUE": self.mark,
            "MASTOSCORE_WORKERS": "2",
            "DATABASE_URL": database_url or f"sqlite:///{self.data_dir / 'mastoscore.sqlite3'}",
            "SPT_NOENV": "1",  # titles of processes must not overwrite the mark we look for
            "SECRET_KEY": "a key for tests of the cluster, long enough",
        }
        self.log = folder / "log"
        self.started: list[subprocess.Popen[bytes]] = []
        self._probe: subprocess.Popen[str] | None = None

    # --- programs ---
    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a command in a session of its own; everything that comes of it bears our mark."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT,
                env={**self.environment, **environment, "HOUSE_MARK": self.mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def start_worker(self) -> subprocess.Popen[bytes]:
        """A worker that has shown it does work."""
        process = self.start("worker")
        wait_until(lambda: self.ask(do="beats"), "the first beat")
        assert len(self.living()) >= 6, "main process, sentinel, monitor, pusher and two workers"
        return process

    def start_site(self, **environment: str) -> tuple[subprocess.Popen[bytes], str]:
        """Site and worker; returns the address once it was announced."""
        process = self.start("serve", "--bind", "127.0.0.1:0", **environment)
        found = wait_until(lambda: re.search(r"The site is at (\S+)", self.output()), "the announcement")
        return process, found[1]

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    # --- processes ---
    def living(self) -> dict[int, str]:
        """Every process that came of what we started: id and command line."""
        found: dict[int, str] = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                if f"HOUSE_MARK={self.mark}".encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:
                continue  # gone meanwhile, or not ours
        return found

    def find(self, words: str) -> list[int]:
        return [pid for pid, command in self.living().items() if words in command]

    def kill_everything(self) -> None:
        while living := self.living():
            for pid in living:
                self._kill(pid)
            self._reap()
            time.sleep(0.02)

    def _kill(self, pid: int) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def _reap(self) -> None:
        for process in self.started:
            process.poll()

    # --- jobs ---
    def ask(self, **asked: Any) -> Any:
        if self._probe is None:
            self._probe = subprocess.Popen(
                [sys.executable, "-m", "tests.cluster.probe"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._probe.stdin is not None and self._probe.stdout is not None
        self._probe.stdin.write(json.dumps(asked) + "\n")
        self._probe.stdin.flush()
        return json.loads(self._probe.stdout.readline())

    def enqueue(self, kind: str, **asked: Any) -> int:
        return int(self.ask(do="enqueue", kind=kind, **asked))

    def job(self, job_id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(do="job", id=job_id)
        return found

    def wait_for(self, job_id: int, status: str) -> dict[str, Any]:
        wait_until(lambda: self.job(job_id)["status"] == status, f"job {job_id} {status}")
        return self.job(job_id)

    def let_go(self) -> None:
        (self.data_dir / "go").touch()

    def close(self) -> None:
        self.kill_everything()
        for process in self.started:
            process.wait(DEADLINE_SECONDS)
        if self._probe is not None and self._probe.stdin is not None:
            self._probe.stdin.close()
            self._probe.wait(DEADLINE_SECONDS)
            assert self._probe.stdout is not None
            self._probe.stdout.close()


def copy_sqlite(template: Path, house: House) -> None:
    for path in template.glob("mastoscore.sqlite3*"):
        shutil.copy(path, house.data_dir / path.name)
