from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import HouseCommand, read_argument
from common.times import now_utc
from feeds import refresh, transfer
from feeds.readers import find_reader


class Command(HouseCommand):
    help = "Take the feeds of an OPML file in; a worker fetches them soon."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the OPML file, or - for standard input")
        parser.add_argument("--user", metavar="NAME", help="for whom; not needed when there is one user only")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="remove what the file does not name; else only what is missing is added",
        )

    def run(self, **options: Any) -> None:
        user = find_reader(options["user"])
        listing = transfer.read_listing(read_argument(options["file"], max_bytes=transfer.MAX_BYTES))
        mode = transfer.REPLACE if options["replace"] else transfer.MERGE
        done = transfer.import_listing(user, listing, mode, now_utc())
        for sentence in done.errors:
            self.warn(sentence)
        if done.sources_created:
            refresh.queue_due()
        self.stdout.write(
            f"{done.sources_created} sources added, {done.sources_skipped} known, {done.sources_removed} removed; "
            f"{done.categories_created} categories added."
        )
