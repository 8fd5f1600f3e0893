from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from common.commands import DONE, FAILED, HouseCommand
from pipeline.forgetting.erase import Forgotten, find, forget


class Command(HouseCommand):
    help = "Erase every toot and trace of an author, or of a whole server, and never store anything of theirs again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "target", metavar="HANDLE", help="user@server, or the name of a server for everyone on it"
        )
        parser.add_argument("--reason", default="", help="kept with the opt-out")
        parser.add_argument("--dry-run", action="store_true", help="say what would be erased, and erase nothing")

    def run(self, **options: Any) -> int:
        try:
            if options["dry_run"]:
                self._show(find(options["target"]), "would be")
                return DONE
            forgotten = forget(options["target"], reason=options["reason"], say=self.stdout.write)
        except ValidationError as error:
            self.stderr.write(" ".join(error.messages))
            return FAILED
        self._show(forgotten, "were")
        for path in forgotten.rewritten:
            self.stdout.write(f"  written anew or removed: {path}")
        for trouble in forgotten.troubles:
            self.warn(trouble)
        for address in forgotten.still_public:
            self.warn(f"this toot of a thread shows them and is still public; delete it there: {address}")
        return FAILED if forgotten.troubles else DONE

    def _show(self, forgotten: Forgotten, verb: str) -> None:
        toots = f"{forgotten.toots} toot{'' if forgotten.toots == 1 else 's'}"
        where = f" in {', '.join(forgotten.events)}" if forgotten.events else ""
        self.stdout.write(f"{toots} of {forgotten.target} {verb} erased{where}.")
