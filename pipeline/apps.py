from __future__ import annotations

from django.apps import AppConfig


class PipelineConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "pipeline"
    verbose_name = "Pipeline"

    def ready(self) -> None:
        from jobs import kinds
        from jobs.schedules import register_schedule
        from pipeline import event_panel
        from pipeline.phase_states import LABELS
        from pipeline.schedules import AUTOSCORE_MINUTES

        for kind, label in LABELS.items():
            kinds.register(kind, f"pipeline.phases.{kind}.run", label=label.lower())
        kinds.register("send", "pipeline.thread.send.run", label="sending of the thread")
        kinds.register("delete_thread", "pipeline.thread.removal.run", label="deletion of the thread")
        kinds.register("reset", "pipeline.reset.run", label="reset of the fetch")
        kinds.register("fetch_help", "pipeline.crawl.helping.run", label="help with a fetch")
        register_schedule("autoscore", "pipeline.schedules.autoscore", AUTOSCORE_MINUTES)
        event_panel.register()
