from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.errors import ConfigurationError
from feeds.management.job_command import JobCommand
from feeds.purge import JOB_KEY, MAX_DAYS
from feeds.readers import find_reader


class Command(JobCommand):
    help = "Remove old read posts: by each user's own option, or those of one user by --days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", metavar="NAME", help="whose posts; not needed when there is one user only")
        parser.add_argument("--days", type=int, metavar="N", help="remove what was read and is older than N days")

    def run(self, **options: Any) -> int:
        days, params = options["days"], {}
        if days is not None:
            if not 1 <= days <= MAX_DAYS:
                raise ConfigurationError(f"--days takes a number from 1 to {MAX_DAYS}.")
            params = {"user_id": find_reader(options["user"]).pk, "days": days}
        elif options["user"]:
            raise ConfigurationError("--user needs --days; without both, every user's own option counts.")
        result, code = self.run_job("purge_posts", params=params, exclusive_key=JOB_KEY)
        if not code:
            self.stdout.write(f"Removed {result['posts']} posts.")
        return code
