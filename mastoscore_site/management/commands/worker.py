"""``manage.py worker``"""

from __future__ import annotations

from typing import Any

from common.commands import HouseCommand
from common.errors import ConfigurationError
from mastoscore_site.first_start import is_behind
from mastoscore_site.processes import die_with_supervisor
from mastoscore_site.worker import Worker


class Command(HouseCommand):
    help = "Do jobs until Ctrl-C or SIGTERM. How many at the same time: MASTOSCORE_WORKERS."

    def run(self, **options: Any) -> int | None:
        die_with_supervisor()
        if is_behind():
            raise ConfigurationError("The database is not up to date; run manage.py prepare first.")
        return Worker(self.stdout.write).run()
