"""``manage.py demo [--port 18400] [--serve [--bind 127.0.0.1:8000]]``"""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser

from common.commands import CANCELLED, FAILED, HouseCommand
from events.models import Event
from jobs.models import Job
from jobs.services import run_in_foreground
from pipeline.management.listeners import make_listener
from pipeline.mock.demo import USERNAME, page_paths, renew_login, tell_findings
from pipeline.mock.sample import DEFAULT_PORT, allowed, import_sample, start_sample_fediverse
from pipeline.mock.server import Fediverse


class Command(HouseCommand):
    help = "Score a sample event on the bundled fediverse, over real HTTP; --serve shows it in the browser then."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="of the fediverse (%(default)s)")
        parser.add_argument("--serve", action="store_true", help="site and worker afterwards, until Ctrl-C")
        parser.add_argument("--bind", default="127.0.0.1:8000", help="where the site listens (%(default)s)")

    def run(self, **options: Any) -> int | None:
        with start_sample_fediverse(options["port"], self._say) as fediverse, allowed(fediverse):
            event = self._import(fediverse)
            job = self._score(event)
            if job.status != Job.Status.COMPLETE:
                return self._explain(job)
            event.refresh_from_db()
            for line in tell_findings(event, job):
                self._say(line)
            self._tell_where(event, f"http://{options['bind']}")
            if options["serve"]:
                self._say(f"The bundled fediverse stays on the air at http://{fediverse.home}; Ctrl-C ends it all.\n")
                call_command("serve", bind=options["bind"], no_admin=True)  # the demo has its own login
            else:
                self._say("Nothing is being served now: `make demo` does, and keeps the fediverse on the air.")
        return None

    def _import(self, fediverse: Fediverse) -> Event:
        world = fediverse.world
        self._say(
            f"On the air: {len(world.servers)} servers with {len(world.toots)} toots around "
            f"#{world.schedule.hashtag}, home at http://{fediverse.home}"
        )
        event, has_moved = import_sample(fediverse)
        if has_moved:
            self._say("The last demo had another fediverse (other port or version); its toots made way.")
        return event

    def _score(self, event: Event) -> Job:
        self._say(f"Scoring {event} ({event.slug})")
        begun_at = time.monotonic()
        with make_listener("score", self.stdout) as listener:
            job = run_in_foreground("score", event=event, listener=listener)
        self._say(f"\n{job.get_status_display().capitalize()} after {time.monotonic() - begun_at:.0f} s.")
        return job

    def _explain(self, job: Job) -> int:
        """What to say, and which code to leave with, when the score did not get to its end."""
        if job.status == Job.Status.CANCELLED:
            self.stderr.write("Cancelled; another `make demo` goes on from here.")
            return CANCELLED
        self.stderr.write(job.error or f"The score ended as {job.status}.")
        return FAILED

    def _tell_where(self, event: Event, site: str) -> None:
        password = renew_login()
        results, backstage = page_paths(event)
        self._say(f"\nSite: {site}/")
        self._say(f"  Results: {site}{results}")
        self._say(f"  Backstage: {site}{backstage}")
        self._say(f"Login: {USERNAME}   Password: {password}   (a new one with every demo)")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        sys.stdout.flush()
