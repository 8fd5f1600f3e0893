from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from common.commands import DONE
from common.files import write_text
from events.models import Event
from jobs.models import Job
from jobs.services import run_in_foreground
from pipeline.core.thread_preview import FORMATS
from pipeline.core.wording import count_of
from pipeline.management.listeners import make_listener
from pipeline.management.phase_command import PhaseCommand, find_event
from pipeline.thread import approval, ledger


class Command(PhaseCommand):
    help = "Draft the thread of an event; with --send, post what is approved; with --delete, take it back."
    kind = "post"

    def add_options(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="show the thread as it would be posted")
        what.add_argument("--send", action="store_true", help="post the approved thread, or the rest of it")
        what.add_argument("--delete", action="store_true", help="delete what was posted, newest first")
        parser.add_argument(
            "--approve", action="store_true", help="approve the draft (made if there is none); alone or with --send"
        )
        parser.add_argument("--format", choices=FORMATS, default="text", help="how it is shown; default: text")
        parser.add_argument(
            "--output", metavar="FILE", default="", help="write what is shown to FILE; means --dry-run"
        )

    def run(self, **options: Any) -> int:
        moves = options["send"] or options["delete"] or options["approve"]
        if moves and (options["output"] or options["dry_run"]):
            raise CommandError("--send, --approve and --delete do not go with --dry-run and --output.")
        if options["delete"] and options["approve"]:
            raise CommandError("--approve does not go with --delete.")
        if not moves:
            return super().run(**options)
        event = find_event(options["slug"])
        if options["delete"]:
            return self._do(event, ledger.DELETE, options)
        if options["approve"]:
            code = self._approve(event, options)
            if code != DONE or not options["send"]:
                return code
        return self._do(event, ledger.SEND, options)

    def _approve(self, event: Event, options: dict[str, Any]) -> int:
        """Approve what is there, or a new draft if there is none."""
        is_missing = not ledger.rows_of(event).exists()
        if is_missing or ledger.find_thread(event).state == ledger.State.DELETED:
            job = self._work(event, self.kind, options)
            if job.status != Job.Status.COMPLETE:
                return self.report(job, options)
        approval.approve(event)
        if not options["json"]:
            toots = count_of(ledger.rows_of(event).count(), "toot")
            self.stdout.write(f"Approved: {toots} ({event.thread_account or 'no account yet'}).")
        return DONE

    def _do(self, event: Event, kind: str, options: dict[str, Any]) -> int:
        return self.report(self._work(event, kind, options), options)

    def _work(self, event: Event, kind: str, options: dict[str, Any]) -> Job:
        progress_output = self.stderr if self.keeps_stdout(options) else self.stdout
        with make_listener(kind, progress_output) as listener:
            params = {ledger.BY_COMMAND: True} if kind in (ledger.SEND, ledger.DELETE) else None
            return run_in_foreground(kind, event=event, params=params, listener=listener)

    def make_params(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"dry_run": options["dry_run"] or bool(options["output"]), "format": options["format"]}

    def keeps_stdout(self, options: dict[str, Any]) -> bool:
        is_shown_here = options["dry_run"] and not options["output"]
        return is_shown_here or super().keeps_stdout(options)

    def report(self, job: Any, options: dict[str, Any]) -> int:
        preview = (job.result or {}).get("preview")
        if preview and options["output"]:
            write_text(Path(options["output"]), preview)
        code = super().report(job, options)
        if job.kind == ledger.SEND and job.status == Job.Status.CANCELLED and not options["json"]:
            result = job.result or {}
            self.stderr.write(
                f"{result.get('sent', 0)} of {result.get('total', 0)} toots are out. {result.get('url', '')}"
            )
        return code

    def show(self, result: dict[str, Any], options: dict[str, Any]) -> None:
        if result.get("preview") and not options["output"]:
            self.stdout.write(result["preview"])
            return
        if "sent" in result:
            self.stdout.write(f"Posted: {count_of(result['sent'], 'toot')}. {result['url']}")
        elif "deleted" in result:
            self.stdout.write(f"Deleted: {count_of(result['deleted'], 'toot')}.")
        else:
            super().show(result, options)
        if options["output"]:
            self.stdout.write(f"  {options['output']}")
