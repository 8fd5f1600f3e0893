"""What lies under ``/reader/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from feeds.pages import extras, marking, reading, worker
from feeds.pages.icons import icon

urlpatterns: list[URLPattern | URLResolver] = [
    path("", reading.post_list, name="reader"),
    path("posts/<int:post_id>", reading.one_post, name="reader-post"),
    path("posts/<int:post_id>/summary", extras.summary, name="reader-summary"),
    path("posts/<int:post_id>/quote", extras.quote, name="reader-quote"),
    path("posts/<int:post_id>/markdown", extras.markdown, name="reader-markdown"),
    path("posts/<int:post_id>/full-text", extras.full_text, name="reader-full-text"),
    path("posts/<int:post_id>/save", extras.save, name="reader-save"),
    path("mark", marking.mark, name="reader-mark"),
    path("mark-all", marking.mark_all, name="reader-mark-all"),
    path("undo", marking.undo, name="reader-undo"),
    path("options", extras.options, name="reader-options"),
    path("sw.js", worker.worker, name="reader-worker"),
    path("icons/<int:feed_id>", icon, name="reader-icon"),
    path("manage/", include("feeds.pages.manage.routes")),
]
