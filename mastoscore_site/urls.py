from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from mastoscore_site.health import healthz, readyz
from mastoscore_site.metrics import metrics
from mastoscore_site.sign_in_limits import limited

admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/event/", include("pipeline.admin_urls")),
    path("admin/login/", limited(admin.site.login)),
    path("admin/", admin.site.urls),
    # Asked for by browsers on pages that name no icon.
    path("favicon.ico", RedirectView.as_view(url=static("img/favicon.svg"))),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("", include("feeds.hubs_views")),
    path("", include("mastoscore_site.phone_apps")),  # before the pages: it has its own corner of reader/
    path("reader/", include("feeds.pages.routes")),
    path("", include("mastoscore_site.token_pages")),
    path("", include("mastoscore_site.api")),
    path("", include("pipeline.urls")),
]
