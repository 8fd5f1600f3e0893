from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from pipeline.management.phase_command import PhaseCommand


class Command(PhaseCommand):
    help = "Count and rank the toots of an event."
    kind = "analyse"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--refresh", action="store_true", help="compute anew even if nothing changed")

    def make_params(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"refresh": options["refresh"]}
