"""``manage.py cancel_job ID``"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import FAILED, HouseCommand
from jobs import services


class Command(HouseCommand):
    help = "Cancel a waiting job at once, or ask a running one to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job_id", type=int, help="number of the job, as messages and the admin show it")

    def run(self, **options: Any) -> int | None:
        job = services.request_cancel(options["job_id"])
        if job is None:
            self.stderr.write(f"There is no job {options['job_id']}.")
            return FAILED
        if job.is_active:
            self.stdout.write(f"Job {job.pk} was asked to stop.")
        else:
            self.stdout.write(f"Job {job.pk} is {job.get_status_display()}.")
        return None
