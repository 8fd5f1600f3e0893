"""The ground of the phase commands: one event, one job in the foreground, progress, a summary, an exit code."""

from __future__ import annotations

import difflib
from typing import Any, ClassVar

import orjson
from django.core.management.base import CommandParser

from common.commands import CANCELLED, DONE, FAILED, SETTINGS_CHECKS, HouseCommand
from common.errors import ConfigurationError
from events.models import Event
from jobs.models import Job
from jobs.services import run_in_foreground
from pipeline.management.listeners import make_listener
from pipeline.management.summaries import summarise


class PhaseCommand(HouseCommand):
    """A phase for one event. A command adds its own options and says which of them are parameters of the job."""

    kind: ClassVar[str]
    # Not those of pages and models: they import all there is, which takes longer than a small phase.
    requires_system_checks = (SETTINGS_CHECKS,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="names the event, such as monsterdon-20260222")
        parser.add_argument(
            "--json", action="store_true", help="print the result as JSON, and nothing else, on stdout"
        )
        self.add_options(parser)

    def add_options(self, parser: CommandParser) -> None:
        """Options of this phase; none by default."""

    def make_params(self, options: dict[str, Any]) -> dict[str, Any]:
        """The job's parameters out of the options."""
        return {}

    def keeps_stdout(self, options: dict[str, Any]) -> bool:
        """Whether stdout is for the answer alone, so that progress has to go to stderr."""
        return bool(options["json"])

    def run(self, **options: Any) -> int:
        event = find_event(options["slug"])
        progress_output = self.stderr if self.keeps_stdout(options) else self.stdout
        with make_listener(self.kind, progress_output) as listener:
            job = run_in_foreground(self.kind, event=event, params=self.make_params(options), listener=listener)
        return self.report(job, options)

    def report(self, job: Job, options: dict[str, Any]) -> int:
        """Say what came of the job; the exit code says it to scripts."""
        if options["json"]:
            if job.result is not None:
                self.stdout.write(orjson.dumps(job.result, option=orjson.OPT_INDENT_2).decode())
        elif job.status == Job.Status.COMPLETE:
            self.show(job.result or {}, options)
        if job.status == Job.Status.COMPLETE:
            return DONE
        if job.status == Job.Status.CANCELLED:
            self.stderr.write(f"Cancelled: {self.kind} for {options['slug']} (job {job.pk}).")
            return CANCELLED
        self.stderr.write(job.error or f"Job {job.pk} ended as {job.status}.")
        return FAILED

    def show(self, result: dict[str, Any], options: dict[str, Any]) -> None:
        """The result for a person."""
        for line in summarise(self.kind, result):
            self.stdout.write(line)


def find_event(slug: str) -> Event:
    """The event of that slug; ConfigurationError names similar ones when there is none."""
    event = Event.objects.select_related("home_account", "posting_account", "series").filter(slug=slug).first()
    if event is not None:
        return event
    slugs = list(Event.objects.order_by("-start").values_list("slug", flat=True)[:5000])
    similar = difflib.get_close_matches(slug, slugs, n=3, cutoff=0.6)
    similar += [known for known in slugs if slug and slug in known and known not in similar]
    hint = f" Similar: {', '.join(similar[:3])}." if similar else "" if slugs else " There are no events yet."
    raise ConfigurationError(f"There is no event called {slug!r}.{hint}")
