"""Runs ``manage.py`` commands in processes of their own that start at once: Django is loaded here, then forked.

Reads one JSON list of arguments per line; answers the process id, and later how the process ended. The database is
not touched before the fork, so the file may be replaced between two commands.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any


def say(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def run(arguments: list[str]) -> None:
    from django.core.management import execute_from_command_line

    log = os.open(os.environ["ZYGOTE_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if arguments[0] == "make-thread":
        make_thread(arguments[1])
    else:
        execute_from_command_line(["manage.py", *arguments])


def make_thread(server: str) -> None:
    """An approved thread of three toots, the second with a picture."""
    from datetime import UTC, datetime, timedelta

    from common.files import write_bytes
    from events.models import Event, MastodonAccount
    from pipeline import paths
    from pipeline.models import Thread, ThreadToot
    from pipeline.tests.scored_event import PIXEL
    from pipeline.thread import approval

    event = Event.objects.create(
        slug="film-night",
        event_title="Film night",
        hashtag="filmnight",
        start=datetime(2026, 2, 23, 2, tzinfo=UTC),
        duration=timedelta(minutes=90),
        home_account=MastodonAccount.objects.create(server=server, username="host", token="right-token"),
    )
    picture = paths.below_data(write_bytes(paths.graph(event), PIXEL).path)
    media = [{"path": picture, "description": "A graph in words"}]
    toots = [("opening", "The numbers of #filmnight", [])]
    toots += [("graph", "Minute by minute", media), ("closing", "Bye", [])]
    for position, (role, text, pictures) in enumerate(toots, 1):
        ThreadToot.objects.create(event=event, position=position, role=role, text=text, media=pictures)
    Thread.objects.create(event=event)
    approval.approve(event)


def main() -> None:
    import django

    django.setup()
    import pipeline.thread.pictures
    from jobs import foreground as foreground  # loaded once here instead of in every child
    from pipeline.management.commands import post as post

    pipeline.thread.pictures._FIRST_POLL_SECONDS = 0.01
    say(ready=True)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            code = 70
            try:
                run(json.loads(line))
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            finally:
                traceback.print_exc()
                os._exit(code)
        say(pid=pid)
        say(status=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
