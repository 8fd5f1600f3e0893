from __future__ import annotations

from django.urls import path, re_path

from pipeline import views

app_name = "pipeline"
urlpatterns = [
    path("", views.home, name="home"),
    path("events/<slug:slug>/", views.event_page, name="event"),
    path("events/<slug:slug>/servers/", views.servers, name="servers"),
    re_path(
        r"^events/(?P<slug>[-\w]+)/servers\.(?P<suffix>json|csv)\Z", views.servers_download, name="servers_download"
    ),
    path("events/<slug:slug>/files/<str:name>", views.event_file, name="file"),
]
