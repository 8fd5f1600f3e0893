"""Addresses below /admin/ that are no list and no form."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from pipeline import admin_views, thread_texts_views, thread_views

app_name = "pipeline_admin"
urlpatterns = [
    path("<int:pk>/phases/", admin.site.admin_view(admin_views.event_phases), name="phases"),
    path("<int:pk>/cancel/", admin.site.admin_view(admin_views.cancel), name="cancel"),
    path("<int:pk>/thread/", admin.site.admin_view(thread_views.page), name="thread"),
    path("<int:pk>/thread/panel/", admin.site.admin_view(thread_views.panel), name="thread_panel"),
    path("<int:pk>/thread/do/<slug:what>/", admin.site.admin_view(thread_views.do), name="thread_do"),
    path(
        "<int:pk>/thread/toot/<int:toot>/<slug:what>/", admin.site.admin_view(thread_views.change), name="thread_toot"
    ),
    path("<int:pk>/thread/texts/", admin.site.admin_view(thread_texts_views.event_texts), name="thread_texts"),
    path("<int:pk>/thread/texts/try/", admin.site.admin_view(thread_texts_views.try_event), name="thread_try"),
    path("series/<int:pk>/texts/", admin.site.admin_view(thread_texts_views.series_texts), name="series_texts"),
    path("series/<int:pk>/texts/try/", admin.site.admin_view(thread_texts_views.try_series), name="series_try"),
]
