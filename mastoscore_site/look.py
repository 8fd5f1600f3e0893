"""How the backstage looks: Unfold's colours, its sidebar, its start page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def _link(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _may(f"{app}.view_{model}"),
    }


def _asset(path: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(path)


NAVIGATION: list[dict[str, Any]] = [
    {
        "title": "",
        "items": [{"title": "Start", "icon": "home", "link": reverse_lazy("admin:index")}],
    },
    {
        "title": "What to watch",
        "items": [
            _link("Events", "event", "events", "event"),
            _link("Series", "event_repeat", "events", "series"),
        ],
    },
    {
        "title": "Work",
        "items": [
            _link("Jobs", "task_alt", "jobs", "job"),
            _link("Schedules", "schedule", "django_q", "schedule"),
        ],
    },
    {
        "title": "Results",
        "items": [
            _link("Crawls", "travel_explore", "pipeline", "crawl"),
            _link("Servers asked", "dns", "pipeline", "visit"),
            _link("Toots", "chat_bubble", "pipeline", "toot"),
            _link("Analyses", "calculate", "pipeline", "analysis"),
            _link("Files", "perm_media", "pipeline", "artifact"),
            _link("Threads", "forum", "pipeline", "threadtoot"),
        ],
    },
    {
        "title": "Reader",
        "items": [
            _link("Feeds", "rss_feed", "feeds", "feed"),
            _link("Sources", "bookmarks", "feeds", "source"),
            _link("Categories", "folder", "feeds", "category"),
            _link("Muted phrases", "volume_off", "feeds", "mute"),
            _link("Reading options", "tune", "feeds", "readeroptions"),
            _link("Full texts", "article", "feeds", "article"),
            _link("Saving services", "bookmark_add", "feeds", "savingservice"),
            _link("Summaries", "summarize", "feeds", "summaryspending"),
        ],
    },
    {
        "title": "People",
        "items": [
            _link("Mastodon accounts", "alternate_email", "events", "mastodonaccount"),
            _link("Opt-outs", "do_not_disturb_on", "events", "optout"),
            _link("Users", "group", "auth", "user"),
            _link("API tokens", "key", "mastoscore_site", "apitoken"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Mastoscore",
    "SITE_HEADER": "Mastoscore",
    "SITE_SUBHEADER": "Backstage",
    "SITE_SYMBOL": "bar_chart",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _asset("img/favicon.svg")}],
    "SITE_DROPDOWN": [
        {"title": "Public pages", "icon": "public", "link": "/"},
        {"title": "Reader", "icon": "rss_feed", "link": reverse_lazy("reader")},
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "STYLES": [_asset("css/backstage.css")],
    "DASHBOARD_CALLBACK": "mastoscore_site.dashboard.add_dashboard",
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": NAVIGATION},
    "COLORS": {
        "base": {
            "50": "#faf9f6",
            "100": "#f3f1eb",
            "200": "#e6e2d9",
            "300": "#d2cdc1",
            "400": "#a29d91",
            "500": "#757066",
            "600": "#57534b",
            "700": "#423f39",
            "800": "#2b2926",
            "900": "#1d1c1a",
            "950": "#131211",
        },
        "primary": {
            "50": "#eefaf8",
            "100": "#d5f2ee",
            "200": "#aee5de",
            "300": "#7ad1c8",
            "400": "#45b5ad",
            "500": "#229189",
            "600": "#0f7571",
            "700": "#0e5e5c",
            "800": "#104c4c",
            "900": "#123f40",
            "950": "#042627",
        },
    },
}
