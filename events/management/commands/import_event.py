from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import HouseCommand, read_argument
from events import ini
from events.accounts import decode_token_file
from events.ini_text import MAX_BYTES
from events.services import import_event_text


class Command(HouseCommand):
    help = "Store the event that an INI file describes; a file imported before updates its event."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the INI file, or - for standard input")
        parser.add_argument("--slug", help="name of the event; made from the file's name if not given")
        parser.add_argument(
            "--credentials", metavar="FILE", help="file with the token for the account that api_base_url names"
        )

    def run(self, **options: Any) -> None:
        text = ini.decode(read_argument(options["file"], max_bytes=MAX_BYTES))
        credentials = options["credentials"]
        outcome = import_event_text(
            text,
            name=options["file"],
            slug=options["slug"],
            credentials_text=decode_token_file(read_argument(credentials, max_bytes=16_384)) if credentials else None,
            may_post=True,
        )
        for warning in outcome.warnings:
            self.warn(warning)
        event = outcome.event
        done = "Created" if outcome.created else "Updated"
        self.stdout.write(f"{done} {event.slug}: {event.title}, {event.local_start:%Y-%m-%d %H:%M} {event.timezone}.")
