from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FeedsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "feeds"
    verbose_name = "Reader"

    def ready(self) -> None:
        from feeds.search_index import ensure_index
        from jobs import kinds
        from jobs.schedules import DAY_MINUTES, register_schedule

        post_migrate.connect(ensure_index, sender=self)
        kinds.register("refresh_feeds", "feeds.refresh.refresh_feeds", label="refresh of feeds")
        kinds.register("refresh_feed", "feeds.refresh.refresh_feed", label="refresh")
        kinds.register("purge_posts", "feeds.purge.purge_posts", label="removal of old posts")
        kinds.register("summarise", "feeds.digests.summarise_post", label="summary")
        register_schedule("refresh of feeds", "feeds.refresh.queue_refresh", 1)
        register_schedule("removal of old posts", "feeds.purge.queue_purge", DAY_MINUTES)
