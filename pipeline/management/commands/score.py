from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from pipeline.management.phase_command import PhaseCommand


class Command(PhaseCommand):
    help = "Fetch, analyse, draw and write: everything up to the drafted thread."
    kind = "score"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--mock", action="store_true", help="use the bundled fediverse, not the real one")
        parser.add_argument("--refresh", action="store_true", help="compute anew even if nothing changed")
        parser.add_argument("--copy-files", action="store_true", help="put page and pictures into the Hugo site")

    def make_params(self, options: dict[str, Any]) -> dict[str, Any]:
        return {name: options[name] for name in ("mock", "refresh", "copy_files")}
