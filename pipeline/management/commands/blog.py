from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from pipeline.management.phase_command import PhaseCommand


class Command(PhaseCommand):
    help = "Write the blog page of an event."
    kind = "blog"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--copy-files", action="store_true", help="put page and pictures into the Hugo site")
        parser.add_argument("--tags", default="", metavar="a,b", help="tags besides the event's own")

    def make_params(self, options: dict[str, Any]) -> dict[str, Any]:
        tags = [tag.strip() for tag in options["tags"].split(",")]
        return {"copy_files": options["copy_files"], "tags": [tag for tag in tags if tag]}
