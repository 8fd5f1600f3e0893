"""The admin, whose modules are imported when there are pages to be shown and not by every command and worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class BackstageConfig(SimpleAdminConfig):
    """``mastoscore_site.urls`` does what Django's own does here: it looks for the admin module of each app.

    That is a quarter of a second and 15 MB, which a fetch on a small machine has better uses for.
    """

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_all, checks.Tags.admin)


def _check_all(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    from django.contrib import admin

    admin.autodiscover()
    return list(check_admin_app(app_configs, **kwargs))
