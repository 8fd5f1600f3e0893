"""The test suite on PostgreSQL and Redis: both started here on free ports, in a temporary folder, and stopped again.

Run by `make test-wide`. Needs the Debian packages postgresql and redis-server; no configuration, no root rights
needed (as root the database server runs as the user `postgres`, because it refuses to run as root).
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="mastoscore-wide-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with postgresql(folder / "postgresql") as database_url, redis(folder / "redis") as redis_url:
            environment = {
                **os.environ,
                "DATABASE_URL": database_url,
                "MASTOSCORE_TEST_REDIS": redis_url,
                "MASTOSCORE_DATA_DIR": str(folder / "data"),
                "MASTOSCORE_TEST_WIDE": "1",
            }
            groups = ["-p", "tests.wide.own_redis", "-p", "tests.wide.stored", "-n", "2", "--dist", "loadgroup"]
            groups += ["-m", "not browser and not hugo and not sqlite"]
            # These bring an SQLite of their own, so there is nothing new to learn from them here.
            groups += ["--ignore=tests/cluster/test_mastoscore_contract.py", "--ignore=tests/test_bench.py"]
            command = [sys.executable, "-m", "pytest", "-q", *groups, *arguments]
            return subprocess.run(command, env=environment).returncode


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A fresh PostgreSQL server; yields the address of its database as a URL."""
    binaries = _postgresql_binaries()
    folder.mkdir()
    owner = "postgres" if os.geteuid() == 0 else None
    if owner:
        shutil.chown(folder, owner)
    data, port = folder / "data", free_port()
    options = ["-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"]
    _run_as(owner, [str(binaries / "initdb"), "-D", str(data), *options])
    switches = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
    control = [str(binaries / "pg_ctl"), "-D", str(data), "-w", "-t", str(START_SECONDS)]
    _run_as(owner, [*control, "-l", str(folder / "log"), "-o", switches, "start"])
    try:
        yield f"postgres://tester@127.0.0.1:{port}/postgres"
    finally:
        _run_as(owner, [*control, "-m", "immediate", "stop"])


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A fresh Redis server without persistence; yields its URL, without the number of a database."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("redis-server is not installed (Debian package redis-server).")
    folder.mkdir()
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port} after {START_SECONDS} s")


def _postgresql_binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise SystemExit("PostgreSQL is not installed (Debian package postgresql).")
    return found[-1].parent if found else Path(str(on_path)).parent


def _run_as(owner: str | None, command: list[str]) -> None:
    user = pwd.getpwnam(owner) if owner else None
    result = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        **({"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}),
    )
    if result.returncode:
        raise SystemExit(f"{command[0]} failed:\n{result.stdout}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
