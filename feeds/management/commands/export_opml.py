from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from common.commands import HouseCommand
from common.files import write_text
from common.times import now_utc
from feeds.readers import find_reader
from feeds.transfer import export_sources


class Command(HouseCommand):
    help = "Print a user's sources as an OPML file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", metavar="NAME", help="whose; not needed when there is one user only")
        parser.add_argument("--output", metavar="FILE", help="write it there instead of printing it")

    def run(self, **options: Any) -> None:
        exported = export_sources(find_reader(options["user"]), now_utc())
        if not options["output"]:
            self.stdout.write(exported.content)
            return
        write_text(Path(options["output"]), exported.content)
        self.stderr.write(f"Wrote {exported.sources} sources in {exported.categories} categories.")
