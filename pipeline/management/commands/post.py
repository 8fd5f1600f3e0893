from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from common.files import write_text
from pipeline.core.thread_preview import FORMATS
from pipeline.management.phase_command import PhaseCommand


class Command(PhaseCommand):
    help = "Draft the thread of an event. Nothing is sent."
    kind = "post"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show the thread as it would be posted")
        parser.add_argument("--format", choices=FORMATS, default="text", help="how it is shown; default: text")
        parser.add_argument(
            "--output", metavar="FILE", default="", help="write what is shown to FILE; means --dry-run"
        )

    def make_params(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"dry_run": options["dry_run"] or bool(options["output"]), "format": options["format"]}

    def keeps_stdout(self, options: dict[str, Any]) -> bool:
        is_shown_here = options["dry_run"] and not options["output"]
        return is_shown_here or super().keeps_stdout(options)

    def report(self, job: Any, options: dict[str, Any]) -> int:
        preview = (job.result or {}).get("preview")
        if preview and options["output"]:
            write_text(Path(options["output"]), preview)
        return super().report(job, options)

    def show(self, result: dict[str, Any], options: dict[str, Any]) -> None:
        if result.get("preview") and not options["output"]:
            self.stdout.write(result["preview"])
            return
        super().show(result, options)
        if options["output"]:
            self.stdout.write(f"  {options['output']}")
