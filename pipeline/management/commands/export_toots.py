from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from common.commands import HouseCommand
from common.files import write_chunks
from events.services import find_event
from pipeline.export import FORMATS, export_lines


class Command(HouseCommand):
    help = "Write the counted toots of an event, oldest first, as lines of JSON or as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the event")
        parser.add_argument("--format", choices=FORMATS, default="jsonl")
        parser.add_argument("--all", action="store_true", help="authors who opted out as well")
        parser.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")

    def run(self, **options: Any) -> None:
        event = find_event(options["slug"])
        lines = export_lines(event, options["format"], is_everyone=options["all"])
        if options["output"] is not None:
            write_chunks(options["output"].absolute(), lines)
            return
        for line in lines:
            self.stdout.write(line.decode(), ending="")
