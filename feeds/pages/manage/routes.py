"""What lies under ``/reader/manage/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from feeds.pages.manage import (
    adding,
    categories,
    coming,
    marking,
    mutes,
    opml,
    options,
    overview,
    saving,
    sources,
    welcome,
)

urlpatterns: list[URLPattern] = [
    path("", overview.overview, name="reader-manage"),
    path("welcome", welcome.welcome, name="reader-welcome"),
    path("sources", sources.source_list, name="reader-sources"),
    path("sources/add", adding.source_add, name="reader-add-source"),
    path("sources/coming", coming.coming, name="reader-coming"),
    path("sources/bulk", sources.source_bulk, name="reader-sources-bulk"),
    path("sources/<int:pk>", sources.source_edit, name="manage-source"),
    path("sources/<int:pk>/row", sources.source_row, name="manage-source-row"),
    path("sources/<int:pk>/refresh", sources.source_refresh, name="manage-source-refresh"),
    path("sources/<int:pk>/delete", sources.source_delete, name="manage-source-delete"),
    path("categories", categories.category_list, name="reader-categories"),
    path("categories/<int:pk>", categories.category_rename, name="manage-category"),
    path("categories/<int:pk>/delete", categories.category_delete, name="manage-category-delete"),
    path("mutes", mutes.mute_list, name="reader-mutes"),
    path("mutes/<int:pk>/delete", mutes.mute_delete, name="reader-mute-delete"),
    path("opml", opml.opml, name="reader-opml"),
    path("opml/import", opml.opml_import, name="reader-opml-import"),
    path("opml/export", opml.opml_export, name="reader-opml-export"),
    path("mark-read", marking.mark_read, name="reader-mark-read"),
    path("settings", options.options, name="reader-settings"),
    path("settings/services/add", saving.service_add, name="reader-service-add"),
    path("settings/services/<int:pk>", saving.service_edit, name="reader-service"),
    path("settings/services/<int:pk>/try", saving.service_try, name="reader-service-try"),
    path("settings/services/<int:pk>/default", saving.service_default, name="reader-service-default"),
    path("settings/services/<int:pk>/delete", saving.service_delete, name="reader-service-delete"),
]
