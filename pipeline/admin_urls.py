"""Addresses below /admin/ that are no list and no form."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from pipeline import admin_views

app_name = "pipeline_admin"
urlpatterns = [
    path("<int:pk>/phases/", admin.site.admin_view(admin_views.event_phases), name="phases"),
    path("<int:pk>/cancel/", admin.site.admin_view(admin_views.cancel), name="cancel"),
    path("<int:pk>/thread/", admin.site.admin_view(admin_views.thread_preview), name="thread"),
]
