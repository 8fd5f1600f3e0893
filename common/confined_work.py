"""The process behind ``common.confined``: ``python -m common.confined_work module:function MEGABYTES SECONDS``.

Reads calls from its input and writes answers to its output, each with its length in front, until the input ends.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import resource
import sys
from typing import BinaryIO

from common.confined import LENGTH


def main(function_name: str, megabytes: str, seconds: str) -> None:
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    with contextlib.suppress(OSError, ValueError):  # a system that knows no such limit; that of time holds anyway
        resource.setrlimit(resource.RLIMIT_AS, (int(megabytes) * 1_000_000,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    module_name, _, name = function_name.partition(":")
    function = getattr(importlib.import_module(module_name), name)
    while (payload := _read(calls)) is not None:
        _limit_time(float(seconds))
        answer = function(payload)
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _read(calls: BinaryIO) -> bytes | None:
    head = calls.read(LENGTH.size)
    return calls.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else None


def _limit_time(seconds: float) -> None:
    """For a call that nobody waits for any more: who asked may have been killed."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(used.ru_utime + used.ru_stime + seconds + 1)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(*sys.argv[1:])
