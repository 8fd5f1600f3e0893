from __future__ import annotations

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "tests.cluster.work"
    label = "cluster_work"

    def ready(self) -> None:
        from jobs.kinds import register

        register("held", "tests.cluster.work.functions.held", label="held work")
        register("deaf", "tests.cluster.work.functions.deaf", label="deaf work")
