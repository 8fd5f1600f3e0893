"""Fetches in processes that cost nothing to start, for tests that kill many of them.

``python -m pipeline.tests.forked_fetch SLUG``: reads lines, and for each forks a process that runs ``manage.py fetch
SLUG``; prints its id, and when it has ended its exit code (negative: killed by that signal).
"""

from __future__ import annotations

import os
import sys

import django


def run_fetch(slug: str) -> int:
    from django.core.management import call_command

    try:
        call_command("fetch", slug, "--json", stdout=sys.stderr)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def main(slug: str) -> None:
    django.setup()
    from django.db import connections

    for _ in sys.stdin:
        connections.close_all()
        child = os.fork()
        if child == 0:
            os._exit(run_fetch(slug))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
