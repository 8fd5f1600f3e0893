"""The sample event: read from its INI file, put on the air, brought into the database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from events import ini
from events.ini_options import MAIN
from events.models import Event
from events.services import import_event_sections
from jobs.recovery import recover_key
from jobs.services import AlreadyActive, find_active, key_for
from pipeline.mock.listening import PortTaken
from pipeline.mock.server import Fediverse, start_fediverse
from pipeline.models import Analysis

SAMPLE_FILE = Path(__file__).with_name("sample.ini")
SAMPLE_NAME = "jellynight.ini"
DEFAULT_PORT = 18400
# Servers that are down answer as quickly here as they ever will.
_RETRY_PAUSES = (0.3, 1.0, 2.0)


def read_sample() -> ini.Sections:
    return ini.parse(SAMPLE_FILE.read_text(encoding="utf-8"))


def start_sample_fediverse(port: int, say: Callable[[str], None]) -> Fediverse:
    """The fediverse of the sample event on that port, or on another one, and says so, if it is taken."""
    values = ini.read_sections(read_sample()).values
    margin = timedelta(hours=float(values["hours_margin"]))
    return start_near(port, values["hashtag"], values["start"], values["duration"], margin, say=say)


def start_near(
    port: int, hashtag: str, start: datetime, duration: timedelta, margin: timedelta, *, say: Callable[[str], None]
) -> Fediverse:
    """The bundled fediverse of an event on that port, or on another one, and says so, if it is taken."""
    try:
        return start_fediverse(hashtag, start, duration, margin, port=port)
    except PortTaken:
        fediverse = start_fediverse(hashtag, start, duration, margin)
        say(f"Port {port} is not free (is another demo running?); the bundled fediverse is on {fediverse.port}.")
        return fediverse


def import_sample(fediverse: Fediverse) -> tuple[Event, bool]:
    """The sample event with its home there; and whether toots of another fediverse had to make way.

    Toots are named by address and port, so those of a run on another port, or of another version of the bundled
    fediverse, are not those of this one. Raises AlreadyActive while a job works on the event.
    """
    sections = {name: dict(options) for name, options in read_sample().items()}
    sections[MAIN]["api_base_url"] = f"http://{fediverse.home}"
    outcome = import_event_sections(sections, name=SAMPLE_NAME, credentials_text=fediverse.token, may_post=True)
    return outcome.event, _make_way(outcome.event, {toot.uri for toot in fediverse.world.toots})


def _make_way(event: Event, known_uris: set[str]) -> bool:
    key = key_for(event, None)
    recover_key(key)
    holder = find_active(key)
    if holder is not None:
        raise AlreadyActive(holder)
    if known_uris.issuperset(event.toots.order_by().values_list("uri", flat=True)):
        return False
    event.crawls.all().delete()
    event.toots.all().delete()
    Analysis.objects.filter(event=event).delete()
    return True


@contextmanager
def allowed(fediverse: Fediverse) -> Iterator[None]:
    """Lets this process, and those it starts, contact the bundled fediverse and its film database."""
    hosts = [*settings.MASTOSCORE_PRIVATE_HOSTS, *fediverse.private_hosts]
    changes: dict[str, tuple[Any, str]] = {
        "MASTOSCORE_PRIVATE_HOSTS": (hosts, ",".join(hosts)),
        "MASTOSCORE_RETRY_PAUSES": (list(_RETRY_PAUSES), ",".join(map(str, _RETRY_PAUSES))),
        "TMDB_API_KEY": ("the-demo-needs-none", "the-demo-needs-none"),
        "TMDB_API_URL": (fediverse.tmdb_api_url, fediverse.tmdb_api_url),
        "TMDB_IMAGE_URL": (fediverse.tmdb_image_url, fediverse.tmdb_image_url),
    }
    values_before = {name: getattr(settings, name) for name in changes}
    texts_before = {name: os.environ.get(name) for name in changes}
    for name, (value, text) in changes.items():
        setattr(settings, name, value)
        os.environ[name] = text
    try:
        yield
    finally:
        for name, value in values_before.items():
            setattr(settings, name, value)
            before = texts_before[name]
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before
