from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from common.commands import DONE, FAILED, HouseCommand
from events.services import find_event
from pipeline.journal_import import FileReport, import_journals


class Command(HouseCommand):
    help = "Take the journals of an earlier run (one JSON file per server) into an event."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the event")
        parser.add_argument("directory", type=Path, help="where the journals are: <hashtag>-<server>.json")

    def run(self, **options: Any) -> int:
        report = import_journals(find_event(options["slug"]), options["directory"])
        for file in report.files:
            self.stdout.write(_line(file))
        if report.removed_mock_toots:
            self.stdout.write(f"{report.removed_mock_toots} invented toots of the bundled fediverse were removed.")
        self.stdout.write(f"{report.new_toots} new toots.")
        if not report.has_taken_any_file:
            self.stderr.write("No file could be taken; nothing was changed.")
            return FAILED
        return DONE


def _line(file: FileReport) -> str:
    if file.trouble:
        return f"{file.name}: passed over, {file.trouble}"
    passed_over = f", {file.passed_over} passed over (not public, other tag or time, unreadable)"
    return f"{file.name}: {file.taken} toots from {file.server}{passed_over if file.passed_over else ''}"
