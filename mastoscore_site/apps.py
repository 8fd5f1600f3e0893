from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "mastoscore_site"
    verbose_name = "Site"

    def ready(self) -> None:
        from mastoscore_site import checks  # noqa: F401  (registers them)
