from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from events.models import Event
from pipeline.management.phase_command import PhaseCommand


class Command(PhaseCommand):
    help = "Gather the toots of an event from every server that will show them."
    kind = "fetch"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--mode",
            choices=Event.FetchMode.values,
            help="thorough: all that every server shows; quick: own toots, and more where that pays "
            "(default: the event's own)",
        )
        parser.add_argument("--mock", action="store_true", help="use the bundled fediverse, not the real one")

    def make_params(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"mock": options["mock"], **({"mode": options["mode"]} if options["mode"] else {})}
