"""``manage.py serve [--bind 127.0.0.1:8000] [--workers N]``"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from common.commands import HouseCommand
from common.errors import ConfigurationError
from mastoscore_site import supervisor, web
from mastoscore_site.first_start import prepare


class Command(HouseCommand):
    help = "Site and worker together, until Ctrl-C or SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", help="address:port to listen on (%(default)s)")
        parser.add_argument(
            "--workers", type=int, default=None, help="jobs at the same time (otherwise MASTOSCORE_WORKERS)"
        )
        parser.add_argument("--no-admin", action="store_true", help="make no first administrator")

    def run(self, **options: Any) -> int | None:
        workers = options["workers"]
        if workers is not None and not 1 <= workers <= 64:
            raise ConfigurationError("--workers must be from 1 to 64.")
        address = web.parse_bind(options["bind"])
        with web.listen(address) as listener:
            prepare(self._say, make_admin=not options["no_admin"])
            return supervisor.serve(listener, web.address_of(listener, address), workers=workers, say=self._say)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        sys.stdout.flush()  # a log file should have it at once
