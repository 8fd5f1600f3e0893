from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from pipeline.management.phase_command import PhaseCommand


class Command(PhaseCommand):
    help = "Gather the toots of an event from every server that will show them."
    kind = "fetch"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--mock", action="store_true", help="use the bundled fediverse, not the real one")

    def make_params(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"mock": options["mock"]}
