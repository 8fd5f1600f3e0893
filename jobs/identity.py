"""Who holds a job: ``host/process id``, and whether that process is still there."""

from __future__ import annotations

import hashlib
import os
import socket
from functools import cache
from pathlib import Path


@cache
def this_host() -> str:
    """Name of this machine, with a mark of its start and of the container's process table.

    Two machines (or containers) may have one name; without the mark one would take the other's workers for dead.
    """
    marks = []
    try:
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        marks.append(str(Path("/proc/self/ns/pid").readlink()))
    except OSError:  # not Linux: the name has to do
        return socket.gethostname()
    return f"{socket.gethostname()}~{hashlib.sha256(''.join(marks).encode()).hexdigest()[:8]}"


def this_worker() -> str:
    return f"{this_host()}/{os.getpid()}"


def process_on_this_host(worker: str) -> int | None:
    """The process id of that worker if it is (or was) on this host."""
    host, _, pid = worker.rpartition("/")
    return int(pid) if host == this_host() and pid.isascii() and pid.isdigit() else None


def is_gone(worker: str) -> bool:
    """Whether that worker was on this host and its process does not exist any more. False when in doubt."""
    pid = process_on_this_host(worker)
    return pid is not None and not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # A killed process stays in the table as "Z" until its parent asks for it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True
