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
        kinds.register("fetch_articles", "feeds.articles.fetch_articles", label="fetch of full texts")
        kinds.register("fetch_icons", "feeds.icons.fetch_icons", label="fetch of icons")
        kinds.register("save_post", "feeds.saving.save_post", label="saving for later")
        register_schedule("refresh of feeds", "feeds.refresh.queue_refresh", 1)
        register_schedule("removal of old posts", "feeds.purge.queue_purge", DAY_MINUTES)
        register_schedule("full texts", "feeds.articles.queue_articles", 1)
        kinds.register("ask_hubs", "feeds.hubs_asking.ask_hubs", label="asking of WebSub hubs")
        kinds.register("leave_hubs", "feeds.hubs_asking.leave_hubs", label="leaving of WebSub hubs")
        kinds.register("hub_news", "feeds.hubs_news.store_news", label="storing of news from hubs")
        register_schedule("WebSub hubs", "feeds.hubs_asking.queue_asking", 5)
        register_schedule("icons of feeds", "feeds.icons.queue_icons", 2)
