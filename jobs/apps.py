from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        from jobs.schedules import DAY_MINUTES, register_schedule

        register_schedule("recovery of jobs", "jobs.recovery.recover_as_task", 1)
        register_schedule("removal of old jobs", "jobs.services.clean_up", DAY_MINUTES)
