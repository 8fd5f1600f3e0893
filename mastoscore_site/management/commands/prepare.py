"""``manage.py prepare``"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import HouseCommand
from mastoscore_site.first_start import prepare


class Command(HouseCommand):
    help = "Make or update the database, the schedules and, when there is no user, an admin. Safe to run again."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--quiet", action="store_true", help="say nothing, and make no admin (nobody would see the password)"
        )

    def run(self, **options: Any) -> int | None:
        if options["quiet"]:
            prepare(lambda text: None, make_admin=False)
        else:
            prepare(self.stdout.write)
        return None
