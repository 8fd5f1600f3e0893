"""Processes that never outlive the one that watches them, and groups of processes brought to an end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time

# How `serve` tells its children whose death is theirs too.
SUPERVISOR_VARIABLE = "MASTOSCORE_SUPERVISOR_PID"
PR_SET_PDEATHSIG = 1

_parent_pid = os.getpid()


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent dies, however it dies. Linux only; elsewhere nothing happens.

    ``parent_pid``: who the parent should be; if it is gone already, this process ends here.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def die_with_supervisor() -> None:
    """The same for a process that `serve` started; for any other nothing happens."""
    parent = os.environ.pop(SUPERVISOR_VARIABLE, "")
    if parent.isdigit():
        die_with_parent(int(parent))


def tie_forks_to_parent() -> None:
    """From now on every process forked from this one, or from its forks, dies with the one it was forked from.

    After a kill -9 of a worker's main process the others would go on taking jobs, with nobody to stop them.
    """
    os.register_at_fork(before=_remember_parent, after_in_child=_die_with_remembered_parent)


def _remember_parent() -> None:
    global _parent_pid
    _parent_pid = os.getpid()


def _die_with_remembered_parent() -> None:
    die_with_parent(_parent_pid)


def has_ended(pid: int) -> bool:
    """Whether that child has ended. It is not reaped, so its number cannot be given to another process yet."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def wait_for_end(pids: list[int], seconds: float) -> bool:
    """Wait until all those children have ended; False if time is up first."""
    deadline = time.monotonic() + seconds
    while not all(has_ended(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def kill_group(pgid: int) -> None:
    """kill -9 of every process of the group, if there is any left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone; macOS says EPERM for zombies
        os.killpg(pgid, signal.SIGKILL)
