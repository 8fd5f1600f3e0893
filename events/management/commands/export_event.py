from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from common.commands import HouseCommand
from common.files import write_text
from events.services import export_event_text, find_event


class Command(HouseCommand):
    help = "Write an event as an INI file, from which import_event makes the same event."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the event")
        parser.add_argument(
            "--output", metavar="FILE", default="-", help="where to write; standard output if not given"
        )

    def run(self, **options: Any) -> None:
        text = export_event_text(find_event(options["slug"]))
        if options["output"] == "-":
            self.stdout.write(text, ending="")
        else:
            write_text(Path(options["output"]), text)
            self.stdout.write(f"Wrote {options['output']}.")
