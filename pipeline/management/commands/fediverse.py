"""``manage.py fediverse [--port 18400] [--slug SLUG]``"""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Any

from django.core.management.base import CommandParser

from common.commands import HouseCommand
from events.services import find_event
from pipeline.mock.sample import DEFAULT_PORT, start_near, start_sample_fediverse
from pipeline.mock.server import Fediverse


class Command(HouseCommand):
    help = "The bundled fediverse by itself, until Ctrl-C: for the sample event, or for any other of yours."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="(%(default)s)")
        parser.add_argument("--slug", help="an event whose hashtag and time the toots shall have")

    def run(self, **options: Any) -> None:
        with self._start(options["port"], options["slug"]) as fediverse:
            self._describe(fediverse)
            _wait_for_a_signal()
        self._say("Off the air.")

    def _start(self, port: int, slug: str | None) -> Fediverse:
        if slug is None:
            return start_sample_fediverse(port, self._say)
        event = find_event(slug)
        return start_near(port, event.hashtag, event.start, event.duration, event.margin, say=self._say)

    def _describe(self, fediverse: Fediverse) -> None:
        world = fediverse.world
        self._say(f"{len(world.servers)} servers with {len(world.toots)} toots around #{world.schedule.hashtag}")
        self._say(f"Home: http://{fediverse.home}   Token: {fediverse.token}")
        self._say(f"MASTOSCORE_PRIVATE_HOSTS={','.join(fediverse.private_hosts)}")
        self._say(f"TMDB_API_URL={fediverse.tmdb_api_url}")
        self._say(f"TMDB_IMAGE_URL={fediverse.tmdb_image_url}")
        self._say("Ctrl-C ends it.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        sys.stdout.flush()


def _wait_for_a_signal() -> None:
    """Until SIGINT or SIGTERM; both are a proper end here."""
    is_over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        is_over.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not is_over.wait(3600):
            continue
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
