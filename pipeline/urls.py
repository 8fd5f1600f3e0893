from __future__ import annotations

from django.urls import path

from pipeline import views

app_name = "pipeline"
urlpatterns = [
    path("", views.home, name="home"),
    path("events/<slug:slug>/", views.event_page, name="event"),
    path("events/<slug:slug>/servers/", views.servers, name="servers"),
    path("events/<slug:slug>/files/<str:name>", views.event_file, name="file"),
]
